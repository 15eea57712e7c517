"""One turn of the model: what it thinks, searches, says and calls, why it stops, and what that costs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from polychat.sandbox import brain
from polychat.sandbox.services.anthropic import answers, caching, searching, thinking
from polychat.sandbox.services.anthropic.answers import Said
from polychat.sandbox.services.anthropic.caching import Cached, Piece
from polychat.sandbox.services.anthropic.citing import Cited
from polychat.sandbox.services.anthropic.gate import spend
from polychat.sandbox.services.anthropic.models import Model
from polychat.sandbox.services.anthropic.refusals import Refusal
from polychat.sandbox.services.anthropic.state import ApiCall
from polychat.sandbox.services.anthropic.thinking import Plan
from polychat.sandbox.services.anthropic.tools import SEARCH, Toolbox

_REASONS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"}
_DECLINED = {"type": "refusal", "category": "general_harms", "explanation": "The sandbox was told to decline."}
_PREFACE = ("Let", " me", " look", " that", " up.")


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of the model."""

    model: Model
    turns: tuple[brain.Turn, ...]
    prompt: tuple[Piece, ...]
    max_tokens: int  # thinking counts
    toolbox: Toolbox = Toolbox()
    plan: Plan = Plan()
    schema: dict[str, Any] | None = None
    stop: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    cited: tuple[Cited, ...] = ()
    prefill: str = ""  # what the answer goes on from


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a turn."""

    blocks: tuple[Said, ...]
    stop_reason: str
    cached: Cached
    output_tokens: int
    thinking_tokens: int
    searches: int
    stop_sequence: str | None = None
    stop_details: dict[str, Any] | None = None


class _Spoken(msgspec.Struct, frozen=True, kw_only=True):
    """What is said after thinking."""

    blocks: tuple[Said, ...] = ()
    tokens: int = 0
    reason: str = "end_turn"
    stop_sequence: str | None = None
    searches: int = 0


def tell(call: ApiCall, wish: Wish) -> Told:
    """Let the model answer. Raises: Refusal when the context is too small."""
    room = _room(call, wish)
    limit = min(wish.max_tokens, room)
    thought = min(wish.plan.tokens, limit)
    spoken = _speak(call, wish, limit - thought)
    reason = spoken.reason
    if reason == "max_tokens" and room < wish.max_tokens:
        reason = "model_context_window_exceeded"
    details = None
    if call.knobs.refusal:
        spoken, reason, details = _Spoken(), "refusal", _DECLINED
    blocks = (*_thought(call, thought, shown=wish.plan.shown), *spoken.blocks)
    cached = caching.look_up(call, wish.model, wish.prompt)
    output = thought + spoken.tokens
    spend(call, cached.fresh + cached.written_5m + cached.written_1h, output)
    return Told(
        blocks=blocks, stop_reason=reason, stop_sequence=spoken.stop_sequence, stop_details=details, cached=cached,
        output_tokens=output, thinking_tokens=thought, searches=spoken.searches,
    )  # fmt: skip


def _room(call: ApiCall, wish: Wish) -> int:
    limit = call.knobs.context_tokens or wish.model.context_tokens
    size = caching.size(wish.prompt)
    if size > limit:
        raise Refusal(f"prompt is too long: {size} tokens > {limit} maximum")
    return limit - size


def _thought(call: ApiCall, tokens: int, *, shown: bool) -> Iterator[Said]:
    if not tokens:
        return
    if call.knobs.redacted_thinking:
        yield answers.redacted(thinking.redact(call, tokens))
        return
    phrases = thinking.thought(tokens) if shown else ()
    yield answers.thinking(phrases, thinking.seal(call, "".join(phrases)))


def _speak(call: ApiCall, wish: Wish, left: int) -> _Spoken:
    question = brain.Question(
        turns=wish.turns, tools=wish.toolbox.offered, tool_choice=wish.toolbox.choice, schema=wish.schema,
        max_tokens=left, stop=wish.stop, remarks=wish.remarks,
    )  # fmt: skip
    answer = call.answer(question)
    calls = _calls(question, answer, parallel=wish.toolbox.parallel)
    found, pages = _search(call, wish, calls)
    wanted = [it for it in calls if it.name != SEARCH or wish.toolbox.search is None]
    if wanted:
        return _call_tools(call, found, wanted, left)
    if found:
        question = msgspec.structs.replace(question, tools=(), tool_choice="none")
        answer = brain.answer(question)
    return _say(call, wish, question, answer, found, pages)


def _calls(question: brain.Question, answer: brain.Answer, *, parallel: bool) -> tuple[brain.ToolCall, ...]:
    """The calls the model makes: all whose tool the question names, if it may make several."""
    if not answer.tool_calls or not parallel:
        return answer.tool_calls[:1]
    alone = [msgspec.structs.replace(question, tools=(tool,), tool_choice="auto") for tool in question.tools]
    return tuple(call for each in alone for call in brain.answer(each).tool_calls) or answer.tool_calls


def _search(call: ApiCall, wish: Wish, calls: Sequence[brain.ToolCall]) -> tuple[tuple[Said, ...], searching.Found]:
    """The blocks of a search, if one is wanted, and the pages it found."""
    tool = wish.toolbox.search
    wanted = [it for it in calls if it.name == SEARCH]
    if tool is None or not wanted:
        return (), []
    name = f"srvtoolu_{call.world.ids.hex(24)}"
    content = searching.results(call, tool)
    begun = answers.call("server_tool_use", name, SEARCH, _json(wanted[0].arguments))
    return (begun, answers.results(name, content)), content if isinstance(content, list) else []


def _call_tools(call: ApiCall, found: tuple[Said, ...], wanted: Sequence[brain.ToolCall], left: int) -> _Spoken:
    arguments = [_json(it.arguments) for it in wanted]
    tokens = sum(1 + len(answers.fragments(text)) for text in arguments)
    if tokens > left:
        return _Spoken(blocks=found, tokens=left, reason="max_tokens", searches=bool(found))
    preface = (answers.text(_PREFACE),) if call.knobs.preface else ()
    blocks = tuple(
        answers.call("tool_use", f"toolu_{call.world.ids.hex(24)}", it.name, text)
        for it, text in zip(wanted, arguments, strict=True)
    )
    return _Spoken(blocks=(*found, *preface, *blocks), tokens=tokens, reason="tool_use", searches=bool(found))


def _say(
    call: ApiCall, wish: Wish, question: brain.Question, answer: brain.Answer, found: tuple[Said, ...],
    pages: searching.Found,
) -> _Spoken:  # fmt: skip
    """Words, and after them what is cited; a script speaks for itself."""
    pieces = answer.pieces if not answer.revisions else brain.pieces(answer.text)
    reason = _REASONS.get(answer.finish_reason, answer.finish_reason)
    reached = None
    quotes: list[Cited] = []
    if answer == brain.answer(question):
        reached = _reached(question, answer)
        quotes += [*wish.cited, *((searching.words(page), searching.citation(call, page)) for page in pages)]
        if wish.prefill and answer.text.startswith(wish.prefill):
            pieces = brain.pieces(answer.text.removeprefix(wish.prefill))
    said = [answers.text(pieces)] if pieces else []
    tokens = len(pieces)
    if reached is not None:
        reason = "stop_sequence"
    for words, place in quotes if reason == "end_turn" else ():
        quoted = brain.pieces(f" It is written: {words}")
        if tokens + len(quoted) > (question.max_tokens or 0):
            reason = "max_tokens"
            break
        said.append(answers.text(quoted, [place]))
        tokens += len(quoted)
    return _Spoken(blocks=(*found, *said), tokens=tokens, reason=reason, stop_sequence=reached, searches=bool(found))


def _reached(question: brain.Question, answer: brain.Answer) -> str | None:
    """The stop sequence before which the answer ended."""
    if not question.stop or answer.finish_reason != "stop":
        return None
    whole = brain.answer(msgspec.structs.replace(question, stop=(), max_tokens=None)).text
    return next((stop for stop in question.stop if whole[len(answer.text) :].startswith(stop)), None)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
