"""What a model says to a question put in words, read strictly. Pure.

    answer = plain words  |  call  |  JSON of the format asked for
    call   = {"tool_calls":[{"name":"...","arguments":{...}}, ...]}      and nothing around it

A call and JSON may stand in one code fence, marked `json` or not marked. Whether an answer is a call is told by its
beginning alone, up to the key `"tool_calls"`: until that is certain the text is held back, and what cannot be one goes
out at once, unchanged. A call in the middle of words is words: nothing is searched for, and nothing is mended.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from polychat.engine.emulation.schemas import Schema
from polychat.types import (
    Event,
    Finish,
    NamedTool,
    Revised,
    TextDelta,
    Thread,
    ThreadMoved,
    ToolCallDelta,
    Usage,
)

Opening = Literal["call", "words", "open"]

_FENCE = "```"
_MARKS = frozenset({"", "json"})
_KEY = '"tool_calls"'
_DECIDING = 1024  # characters; a beginning that is still open after so many, all white space, is words
_CUT = frozenset({"length", "content_filter"})
_OWN_ID = re.compile(r"call_[0-9a-f]{16}_(?P<number>[1-9][0-9]*)")


class WrongAnswer(ValueError):
    """The model did not keep to the form; the text is a sentence that it can be told, path first."""


class Called(msgspec.Struct, frozen=True, kw_only=True):
    """One call as the model writes it."""

    name: str
    arguments: msgspec.Raw


class _Calls(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole of a call. An unknown key beside it could hold words that would be lost."""

    tool_calls: list[Called]


_decode_calls = msgspec.json.Decoder(_Calls).decode
_decode_value = msgspec.json.Decoder().decode


def call_id(number: int) -> str:
    """A new id for the `number`th call of an answer, from 1 on."""
    return f"call_{secrets.token_hex(8)}_{number}"


def call_number(id: str) -> int | None:  # noqa: A002 - the field's word
    """Which call of its answer one of our own ids names; None for an id of others."""
    own = _OWN_ID.fullmatch(id)
    return int(own["number"]) if own else None


# ---------------------------------------------------------------- the form


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer has to be."""

    tools: Mapping[str, Schema] | None = None  # by name; None: there was no talk of tools, and nothing is a call
    choice: Literal["auto", "none", "required"] | NamedTool = "auto"
    several: bool = True  # calls in one answer
    format: Schema | None = None  # of an answer that is no call

    @property
    def must_call(self) -> bool:
        """True when words will not do."""
        return self.choice == "required" or isinstance(self.choice, NamedTool)

    @property
    def judged_whole(self) -> bool:
        """True when no beginning of an answer may go out by itself."""
        return self.must_call or self.format is not None

    def read(self, text: str) -> str | list[Called]:
        """The calls of a whole answer, or its words. Raises: `WrongAnswer`."""
        if self.tools is not None and opening(text) == "call":
            return self._calls(self.tools, text)
        if self.must_call:
            raise WrongAnswer("it calls no tool, and it has to")
        if self.format is None:
            return text
        body = _bare(text)
        _judge(self.format, _decoded(_decode_value, body), "the answer")
        return body

    def _calls(self, tools: Mapping[str, Schema], text: str) -> list[Called]:
        calls: list[Called] = _decoded(_decode_calls, _bare(text)).tool_calls
        if not calls:
            raise WrongAnswer("tool_calls is empty")
        for index, call in enumerate(calls):
            self._check(call, tools, f"tool_calls[{index}]")
        if len(calls) > 1 and not self.several:
            raise WrongAnswer(f"tool_calls holds {len(calls)} calls, and one at a time is allowed")
        return calls

    def _check(self, call: Called, tools: Mapping[str, Schema], place: str) -> None:
        allowed = self._allowed(tools)
        if call.name not in allowed:
            which = f"it is one of {', '.join(allowed)}" if allowed else "no tool may be called now"
            raise WrongAnswer(f"{place}.name is {call.name[:80]!r}; {which}")
        arguments = _decoded(_decode_value, call.arguments, f"{place}.arguments")
        if not isinstance(arguments, dict):
            raise WrongAnswer(f"{place}.arguments is not an object")
        _judge(tools[call.name], arguments, f"{place}.arguments")

    def _allowed(self, tools: Mapping[str, Schema]) -> Sequence[str]:
        if isinstance(self.choice, NamedTool):
            return (self.choice.name,)
        return () if self.choice == "none" else tuple(tools)


def opening(text: str) -> Opening:
    """What an answer is that begins like this, or `open` while it may be either. However it came, the same."""
    found = _opening(text[:_DECIDING].lstrip())
    return "words" if found == "open" and len(text) >= _DECIDING else found


def _opening(head: str) -> Opening:
    if _FENCE.startswith(head):
        return "open"
    if head.startswith(_FENCE):
        mark, newline, head = head.removeprefix(_FENCE).partition("\n")
        mark = mark.strip().lower()
        if not newline:
            return "open" if "json".startswith(mark) else "words"
        if mark not in _MARKS:
            return "words"
        head = head.lstrip()
    key = head[1:].lstrip()
    if head[:1] not in {"", "{"}:
        return "words"
    if key.startswith(_KEY):
        return "call"
    return "open" if _KEY.startswith(key) else "words"


def _bare(text: str) -> str:
    """The text without the white space and the one fence around it."""
    text = text.strip()
    if text.startswith(_FENCE) and text.endswith(_FENCE):
        mark, _newline, body = text[len(_FENCE) : -len(_FENCE)].partition("\n")
        if mark.strip().lower() in _MARKS:
            return body.strip()
    return text


def _decoded(decode: Any, text: Any, place: str = "") -> Any:
    try:
        return decode(text)
    except RecursionError:
        raise WrongAnswer("it nests too deep") from None  # of a thousand frames
    except (msgspec.DecodeError, UnicodeError) as error:
        what, _, where = str(error).partition(" - at `$")
        path = f"{place}{where.rstrip('`')}".lstrip(".") or "it is not the JSON asked for"
        what = what[:1].lower() + what[1:] if what[1:2].islower() else what
        raise WrongAnswer(f"{path}: {what}") from error


def _judge(schema: Schema, value: Any, place: str) -> None:
    if complaint := schema.complaint(value):
        raise WrongAnswer(f"{place}{complaint}")


# ---------------------------------------------------------------- the stream


class Reading:
    """One answer as it comes: a service's batches in, what may go out by now out."""

    def __init__(self, form: Form, after: Reading | None = None) -> None:
        self.finish: Finish | None = None  # withheld until `close`
        self.wrong: WrongAnswer | None = None  # the answer has ended, is held, and cannot be used
        self.thread: Thread | None = None  # where the service says that the talk stands
        self.usage: Usage | None = None  # of the whole turn
        self._form = form
        self._after = after  # a wrong answer of the same turn
        self._held: list[str] = []
        self._opening: Opening = "words" if form.tools is None and not form.judged_whole else "open"

    @property
    def held(self) -> str:
        """The text that has not gone out."""
        return "".join(self._held)

    def feed(self, batch: Sequence[Event]) -> Sequence[Event]:
        """What of the batch goes out now."""
        if self._opening == "words" and self._after is None and (not batch or type(batch[-1]) is not Finish):
            return batch
        ready: list[Event] = []
        for event in batch:
            self._take(event, ready)
        return ready

    def _take(self, event: Event, ready: list[Event]) -> None:
        match event:
            case TextDelta() | Revised() if self._opening != "words":
                self._hold(event, ready)
            case Usage():
                self.usage = _sum(self._after.usage if self._after else None, event)
                ready.append(self.usage)
            case Finish():
                self.finish = event
            case _:
                self.thread = event.thread if isinstance(event, ThreadMoved) else self.thread
                ready.append(event)

    def _hold(self, event: TextDelta | Revised, ready: list[Event]) -> None:
        if isinstance(event, Revised):
            self._held, self._opening = [], "open"
        self._held.append(event.text)
        if self._opening == "open" and not self._form.judged_whole:
            self._opening = opening(self.held)
        if self._opening == "words":
            ready += _text(self.held)
            self._held = []

    def remains(self) -> list[Event]:
        """All text of the turn that was held back, as it is; for an answer that breaks, or was wrong again.

        Words that went out have taken the place of a wrong answer before them.
        """
        if self._opening == "words":
            return []
        texts = [reading.held for reading in (self._after, self) if reading is not None]
        return _text("\n\n".join(filter(None, texts)))

    def close(self) -> list[Event]:
        """How the answer ends: its calls, its JSON, or the words that could still have been a call; nothing if `wrong`.

        One that the service cut short is not judged: what came of it goes out, with the service's reason.
        """
        finish = self.finish
        assert finish is not None, "an answer is closed when it has ended"
        try:
            found = self._form.read(self.held)
        except WrongAnswer as error:
            if finish.reason in _CUT:
                return [*_text(self.held), finish]
            self.wrong = error
            return []
        if isinstance(found, str):
            return [*_text(found), finish]
        return [*map(_delta, range(len(found)), found), Finish(reason="tool_calls", raw=finish.raw)]


def _text(text: str) -> list[Event]:
    return [TextDelta(text=text)] if text else []


def _delta(index: int, call: Called) -> ToolCallDelta:
    return ToolCallDelta(index=index, id=call_id(index + 1), name=call.name, arguments=bytes(call.arguments).decode())


def _sum(before: Usage | None, now: Usage) -> Usage:
    """Both turns' tokens; a count that only one of them has is that one's."""
    if before is None:
        return now
    names = ("input_tokens", "output_tokens", "cached_input_tokens", "reasoning_tokens")
    counts = {name: _added(getattr(before, name), getattr(now, name)) for name in names}
    return Usage(**counts, estimated=before.estimated or now.estimated)


def _added(*counts: int | None) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None
