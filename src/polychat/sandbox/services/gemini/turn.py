"""One turn of the model: what it thinks, says, calls, runs and paints, and what that costs."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import msgspec

from polychat.sandbox import brain
from polychat.sandbox.services.gemini import grounding, safety, speech, thinking, transcript
from polychat.sandbox.services.gemini.blobs import Modality
from polychat.sandbox.services.gemini.contents import Run
from polychat.sandbox.services.gemini.gate import spend
from polychat.sandbox.services.gemini.models import Model
from polychat.sandbox.services.gemini.refusals import Refusal
from polychat.sandbox.services.gemini.settings import Form
from polychat.sandbox.services.gemini.state import ApiCall, Signed, account
from polychat.sandbox.services.gemini.tools import Toolbox
from polychat.sandbox.services.openai import drawing

_PICTURE_TOKENS = 1290
_REASONS = {"stop": "STOP", "length": "MAX_TOKENS", "tool_calls": "STOP"}
_WITHOUT_CONTENT = ("MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "MALFORMED_RESPONSE")
WirePart = dict[str, Any]


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of the model."""

    model: Model
    runs: tuple[Run, ...]
    turns: tuple[brain.Turn, ...]  # instructions first
    toolbox: Toolbox
    form: Form
    tier: str


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """One part of an answer, as it is streamed."""

    part: WirePart
    tokens: int = 1
    modality: Modality = "TEXT"


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a turn."""

    said: tuple[Said, ...]
    thoughts: int  # tokens
    finish_reason: str
    prompt: dict[Modality, int]  # tokens
    cached: int  # of those
    found: int  # tokens that a search brought into the prompt
    tier: str
    ends_apart: bool = False  # in a stream the end is a piece of its own, without words
    more: dict[str, Any] = {}  # beside the content, with the finish reason


def tell(call: ApiCall, wish: Wish) -> Told:
    """Let the model answer. Raises: Refusal when the context is too small."""
    prompt = transcript.sizes(wish.turns, wish.runs)
    _judge_size(call, wish.model, sum(prompt.values()))
    cached = call.state.cached_tokens(account(call), wish.model.id, wish.turns, call.knobs.cache_ttl_s)
    spend(call, sum(prompt.values()))
    thoughts = min(wish.form.thinking.tokens, wish.form.max_tokens)
    question = _question(wish, wish.form.max_tokens - thoughts)
    answer = call.answer(question)
    said = tuple(_thoughts(wish)) + tuple(_spoken(call, wish, question, answer, thoughts))
    reason = _REASONS.get(answer.finish_reason, answer.finish_reason)
    more = _more(wish, answer)
    told = Told(
        said=said, thoughts=thoughts, finish_reason=reason, prompt=prompt, cached=cached, tier=wish.tier, more=more,
        found=grounding.TOKENS if more else 0, ends_apart=wish.model.signs and bool(answer.tool_calls),
    )  # fmt: skip
    return _broken_off(told, call.knobs.stop) if call.knobs.stop else told


def _question(wish: Wish, max_tokens: int) -> brain.Question:
    turns = _dictated(wish) if wish.model.speaks else wish.turns
    found = [page.sentence for page in grounding.PAGES] if wish.toolbox.searches else []
    return brain.Question(
        turns=turns, tools=wish.toolbox.functions, tool_choice=wish.toolbox.choice, schema=wish.form.schema,
        max_tokens=max_tokens, stop=wish.form.stop, remarks=(*transcript.remarks(wish.runs), *found),
    )  # fmt: skip


def _dictated(wish: Wish) -> tuple[brain.Turn, ...]:
    """What a model that only speaks is told: to say the text, not to answer it."""
    return (brain.Turn(role="user", text=f"Repeat exactly:\n\n{wish.turns[-1].text}"),)


def _aloud(words: str) -> Said:
    return Said(part={"inlineData": speech.spoken(words)}, tokens=speech.TOKENS_A_WORD, modality="AUDIO")


def _judge_size(call: ApiCall, model: Model, size: int) -> None:
    limit = call.knobs.context_tokens or model.input_tokens
    if size > limit:
        raise Refusal(f"The input has {size} tokens, which is more than the most that are allowed, {limit}.")


def _thoughts(wish: Wish) -> Iterator[Said]:
    if wish.form.thinking.shown:
        yield from (Said(part={"text": piece, "thought": True}, tokens=0) for piece in thinking.SUMMARY)


def _spoken(call: ApiCall, wish: Wish, question: brain.Question, answer: brain.Answer, thoughts: int) -> Iterator[Said]:
    if answer.tool_calls:
        yield from _called(call, wish, _calls(question, answer), signed=wish.model.signs or bool(thoughts))
        return
    if wish.toolbox.runs_code:
        yield from _ran(wish.turns[-1].text)
    if "AUDIO" in wish.form.wanted:
        yield from map(_aloud, answer.pieces)
    if "TEXT" in wish.form.wanted:
        yield from _words(call, wish, _pieces(wish, answer), signed=bool(thoughts and wish.toolbox.functions))
    if "IMAGE" in wish.form.wanted:
        yield _painted(wish)
    if wish.model.signs:
        yield Said(part={"text": "", "thoughtSignature": _signature(call, wish, Signed())}, tokens=0)


def _words(call: ApiCall, wish: Wish, pieces: tuple[str, ...], *, signed: bool) -> Iterator[Said]:
    """The words; models that do not sign at the end sign the first of them, where functions are declared."""
    for index, piece in enumerate(pieces):
        part: WirePart = {"text": piece}
        if signed and not index and not wish.model.signs:
            part["thoughtSignature"] = _signature(call, wish, Signed())
        yield Said(part=part)


def _pieces(wish: Wish, answer: brain.Answer) -> tuple[str, ...]:
    pieces = brain.pieces(answer.text) if answer.revisions else answer.pieces
    if wish.form.bare and answer.finish_reason == "stop":
        return brain.pieces(answer.text.strip('"'))
    return pieces


def _calls(question: brain.Question, answer: brain.Answer) -> tuple[brain.ToolCall, ...]:
    """The calls the model makes: all whose function the question names."""
    alone = [msgspec.structs.replace(question, tools=(tool,), tool_choice="auto") for tool in question.tools]
    return tuple(call for each in alone for call in brain.answer(each).tool_calls) or answer.tool_calls


def _called(call: ApiCall, wish: Wish, calls: tuple[brain.ToolCall, ...], *, signed: bool) -> Iterator[Said]:
    """The calls; only the first of several is signed."""
    for index, wanted in enumerate(calls):
        made: WirePart = {"name": wanted.name, "args": wanted.arguments}
        if wish.model.signs:
            made["id"] = call.world.ids.hex(8)
        part: WirePart = {"functionCall": made}
        if signed and not index:
            part["thoughtSignature"] = _signature(call, wish, Signed(name=wanted.name, args=wanted.arguments))
        yield Said(part=part, tokens=len(brain.pieces(msgspec.json.encode(made).decode())))


def _ran(question: str) -> Iterator[Said]:
    """Code that counts the words of the question, and what comes of it."""
    code = f"print(len({question!r}.split()))\n"
    yield Said(part={"executableCode": {"language": "PYTHON", "code": code}}, tokens=len(brain.pieces(code)))
    output = f"{len(question.split())}\n"
    yield Said(part={"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": output}})


def _painted(wish: Wish) -> Said:
    """A picture of the question, or the one that was shown with something of the question in it."""
    prompt, pixels = wish.turns[-1].text, wish.form.image.pixels
    shown = [blob.data for blob in transcript.shown(wish.runs[-1]) if drawing.measure(blob.data)]
    picture = drawing.edit(prompt, shown[0], None, None, "png") if shown else drawing.draw(prompt, pixels, "png")
    blob = {"mimeType": "image/png", "data": b64encode(picture).decode()}
    return Said(part={"inlineData": blob}, tokens=_PICTURE_TOKENS, modality="IMAGE")


def _signature(call: ApiCall, wish: Wish, signed: Signed) -> str:
    return b64encode(call.state.sign(signed, wish.turns)).decode()


def _more(wish: Wish, answer: brain.Answer) -> dict[str, Any]:
    if not wish.toolbox.searches or answer.tool_calls:
        return {}
    return {"groundingMetadata": grounding.metadata(answer.text, wish.turns[-1].text)}


def _broken_off(told: Told, reason: str) -> Told:
    """Half of what would have been said, and why there is no more."""
    more: dict[str, Any] = {"safetyRatings": safety.ratings()} if "SAFETY" in reason else {}
    if reason in _WITHOUT_CONTENT:
        more["finishMessage"] = f"The model's answer could not be used: {reason}."
    kept = () if reason in _WITHOUT_CONTENT else told.said[: len(told.said) // 2]
    return msgspec.structs.replace(told, said=kept, finish_reason=reason, more=more)
