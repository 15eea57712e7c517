"""One turn of the model: what it thinks, says and calls, and what that costs."""

from __future__ import annotations

from itertools import cycle, islice

import msgspec

from polychat.sandbox import brain
from polychat.sandbox.services.openai import messages
from polychat.sandbox.services.openai.gate import spend
from polychat.sandbox.services.openai.models import Model
from polychat.sandbox.services.openai.refusals import Refusal
from polychat.sandbox.services.openai.state import ApiCall, account
from polychat.sandbox.services.openai.tools import Schema, Toolbox

_FRAGMENT = 6  # characters of arguments in one piece
_DECLINED = "I'm sorry, I can't help with that."
_THOUGHT = "The question is before me. I read it once more, repeat it, count its words, and say so. "
_EFFORT_TOKENS = {"none": 0, "minimal": 8, "low": 16, "medium": 32, "high": 64, "xhigh": 128, "max": 256}


class Called(msgspec.Struct, frozen=True, kw_only=True):
    """A call of a function."""

    id: str
    name: str
    arguments: str  # JSON


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens."""

    prompt: int
    cached: int  # of those
    completion: int
    reasoning: int  # of those

    @property
    def total(self) -> int:
        """All of them."""
        return self.prompt + self.completion


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a turn."""

    pieces: tuple[str, ...]
    calls: tuple[Called, ...]
    thinking: tuple[str, ...]
    finish_reason: str
    usage: Usage
    refusal: str | None = None

    @property
    def text(self) -> str:
        """The answer, whole."""
        return "".join(self.pieces)


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of the model."""

    model: Model
    turns: tuple[brain.Turn, ...]
    toolbox: Toolbox = Toolbox()
    parallel: bool = True  # several calls at once
    schema: Schema | None = None
    max_tokens: int | None = None  # thinking counts
    stop: tuple[str, ...] = ()
    effort: str | None = None  # None: the model's own way
    param: str = "messages"  # what is too long when the context is
    searched: bool = False  # the web, for nothing
    remarks: tuple[str, ...] = ()  # what the model says at the end


def tell(call: ApiCall, wish: Wish) -> Told:
    """Let the model answer. Raises: Refusal when the context is too small."""
    thinking = _thinking(wish)
    left = None if wish.max_tokens is None else wish.max_tokens - len(thinking)
    question = brain.Question(
        turns=wish.turns, tools=wish.toolbox.tools, tool_choice=wish.toolbox.choice, schema=wish.schema,
        max_tokens=left, stop=wish.stop, searched=wish.searched,
        remarks=(*messages.heard(wish.turns), *wish.remarks),
    )  # fmt: skip
    _judge_size(call, wish, question)
    answer = call.answer(question)
    if call.knobs.refusal:
        answer = brain.Answer(pieces=(), input_tokens=answer.input_tokens)
    calls = tuple(
        Called(id=f"call_{call.world.ids.hex(24)}", name=wanted.name, arguments=_json(wanted.arguments))
        for wanted in _calls(question, answer, wish.parallel)
    )
    pieces = answer.pieces if not answer.revisions else brain.pieces(answer.text)
    refusal = _DECLINED if call.knobs.refusal else None
    said = (*pieces, *_spelled(calls), *brain.pieces(refusal or ""))
    return Told(
        pieces=pieces, calls=calls, thinking=thinking, finish_reason=answer.finish_reason, refusal=refusal,
        usage=_usage(call, wish, answer.input_tokens, len(thinking), len(said)),
    )  # fmt: skip


def fragments(arguments: str) -> tuple[str, ...]:
    """The arguments of a call as they are streamed."""
    return tuple(arguments[start : start + _FRAGMENT] for start in range(0, len(arguments), _FRAGMENT))


def _thinking(wish: Wish) -> tuple[str, ...]:
    if not wish.model.reasons:
        return ()
    effort = wish.effort or ("medium" if "medium" in wish.model.efforts else wish.model.efforts[0])
    count = _EFFORT_TOKENS[effort]
    return tuple(islice(cycle(brain.pieces(_THOUGHT)), min(count, wish.max_tokens or count)))


def _judge_size(call: ApiCall, wish: Wish, question: brain.Question) -> None:
    limit = call.knobs.context_tokens or wish.model.context_tokens
    size = brain.size(question)
    if size > limit:
        message = f"The model '{wish.model.id}' takes at most {limit} tokens of context; this request has {size}."
        raise Refusal(message, param=wish.param, code="context_length_exceeded")


def _calls(question: brain.Question, answer: brain.Answer, parallel: bool) -> tuple[brain.ToolCall, ...]:
    """The calls the model makes: all whose tool the question names, if it may make several."""
    if not answer.tool_calls or not parallel or len(question.tools) == 1:
        return answer.tool_calls[:1]
    alone = [msgspec.structs.replace(question, tools=(tool,), tool_choice="auto") for tool in question.tools]
    return tuple(call for each in alone for call in brain.answer(each).tool_calls) or answer.tool_calls


def _usage(call: ApiCall, wish: Wish, prompt: int, reasoning: int, said: int) -> Usage:
    cached = call.state.cached_tokens(account(call), wish.model.id, wish.turns, call.knobs.cache_ttl_s)
    usage = Usage(prompt=prompt, cached=cached, completion=said + reasoning, reasoning=reasoning)
    spend(call, usage.total)
    return usage


def _spelled(calls: tuple[Called, ...]) -> tuple[str, ...]:
    return tuple(piece for call in calls for piece in (call.name, *fragments(call.arguments)))


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
