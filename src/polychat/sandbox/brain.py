"""The mind behind every emulated model: deterministic, and honest about what arrived.

It repeats the question (and nothing but a text that it is to repeat exactly, after a blank line), counts, names the
turns it was given in order and role, describes attachments from their real bytes, calls tools with arguments that obey
their schema, answers in JSON when given a schema, and keeps to `max_tokens` and `stop`. The same question always gets
the same answer, in the same pieces.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec

from polychat.sandbox import pictures, schemas

Role = Literal["system", "user", "assistant", "tool"]
_PIECE = re.compile(r"\s*\S{1,16}|\s+")  # a word with the space before it; a long word in several pieces
_DICTATION = re.compile(r"repeat [^\n]*exactly[^\n]*\n\n(?P<text>.+)", re.IGNORECASE | re.DOTALL)
_QUOTED = 160  # characters of the question that are repeated
_RECALLED = 60  # characters of an earlier turn
_REMEMBERED = 8  # earlier turns that are named one by one


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """One turn of the talk as the service understood it."""

    role: Role
    text: str = ""
    attachments: tuple[bytes, ...] = ()


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    """A function the model may call."""

    name: str
    parameters: Mapping[str, Any] = {}  # JSON Schema


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """All that a service passes on to its model."""

    turns: tuple[Turn, ...]  # oldest first
    searched: bool = False
    tools: tuple[Tool, ...] = ()
    tool_choice: str = "auto"  # auto, none, required, or the name of a tool
    schema: Mapping[str, Any] | None = None  # JSON Schema the answer must obey
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()  # what the service wants said at the end: the settings it saw


class ToolCall(msgspec.Struct, frozen=True, kw_only=True):
    """The model wants a tool to be run."""

    name: str
    arguments: dict[str, Any]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What the model says, cut as it is streamed. One piece is one token."""

    pieces: tuple[str, ...]
    finish_reason: str = "stop"  # stop, length, tool_calls; a script may say anything
    input_tokens: int = 0
    tool_calls: tuple[ToolCall, ...] = ()
    revisions: tuple[str, ...] = ()  # whole texts that replace the answer, one after the other

    @property
    def text(self) -> str:
        """The answer in the end."""
        return self.revisions[-1] if self.revisions else "".join(self.pieces)

    @property
    def output_tokens(self) -> int:
        """How many pieces were said."""
        return len(self.pieces)


def pieces(text: str) -> tuple[str, ...]:
    """`text` cut into tokens; joined they are `text` again."""
    return tuple(_PIECE.findall(text))


def size(question: Question) -> int:
    """Tokens of the question, attachments at 256 each."""
    return sum(len(pieces(turn.text)) + 256 * len(turn.attachments) for turn in question.turns)


def answer(question: Question) -> Answer:
    """The answer to `question`."""
    if tool := _wanted_tool(question):
        arguments = schemas.example(tool.parameters or {"type": "object"}, _asked(question).text)
        call = ToolCall(name=tool.name, arguments=arguments)
        return Answer(pieces=(), finish_reason="tool_calls", input_tokens=size(question), tool_calls=(call,))
    if dictation := _DICTATION.match(_asked(question).text):
        text = dictation["text"]
    elif question.schema is not None:
        text = msgspec.json.encode(schemas.example(question.schema, _asked(question).text)).decode()
    else:
        text = " ".join(_sentences(question))
    said, finish_reason = _limited(text, question)
    return Answer(pieces=said, finish_reason=finish_reason, input_tokens=size(question))


def _limited(text: str, question: Question) -> tuple[tuple[str, ...], str]:
    ends = [found for stop in question.stop if stop and (found := text.find(stop)) >= 0]
    said = pieces(text[: min(ends, default=len(text))])
    if question.max_tokens is not None and len(said) > question.max_tokens:
        return said[: question.max_tokens], "length"
    return said, "stop"


def _asked(question: Question) -> Turn:
    return question.turns[-1] if question.turns else Turn(role="user")


def _wanted_tool(question: Question) -> Tool | None:
    """With `auto`, a tool is wanted when the question holds one of the words of its name."""
    if not question.tools or question.tool_choice == "none" or _asked(question).role == "tool":
        return None
    if question.tool_choice == "required":
        return question.tools[0]
    text = _asked(question).text.lower()
    for tool in question.tools:
        words = [word for word in re.split(r"[\W_]+", tool.name.lower()) if len(word) > 3]
        if question.tool_choice == tool.name:
            return tool
        if question.tool_choice == "auto" and any(word in text for word in words):
            return tool
    return None


def _sentences(question: Question) -> Iterable[str]:
    *earlier, asked = question.turns or (Turn(role="user"),)
    yield _echo(asked)
    yield from _seen(asked)
    instructions = [turn for turn in earlier if turn.role == "system"]
    talk = [turn for turn in earlier if turn.role != "system"]
    if instructions:
        yield f"My instructions hold {_words(' '.join(turn.text for turn in instructions))}."
    if talk:
        yield _recollection(talk)
        for turn in talk:
            yield from (f"Earlier you showed {pictures.describe(data)}." for data in turn.attachments)
    if question.searched:
        yield "I searched the web as you wished, and found nothing: the sandbox has no network."
    yield from question.remarks


def _echo(asked: Turn) -> str:
    if not asked.text.strip():
        return "You asked nothing."
    verb = "The tool answered" if asked.role == "tool" else "You asked"
    return f"{verb}: “{_shortened(asked.text, _QUOTED)}” ({_words(asked.text)})."


def _seen(asked: Turn) -> Iterable[str]:
    if len(asked.attachments) == 1:
        yield f"I see {pictures.describe(asked.attachments[0])}."
    elif asked.attachments:
        yield f"I see {len(asked.attachments)} attachments."
        for number, data in enumerate(asked.attachments, 1):
            yield f"Number {number} is {pictures.describe(data)}."


def _recollection(talk: list[Turn]) -> str:
    named = [f"{turn.role} “{_shortened(turn.text, _RECALLED)}”" for turn in talk[-_REMEMBERED:]]
    left_out = len(talk) - len(named)
    start = f"{left_out} more, " if left_out else ""
    turns = "1 turn" if len(talk) == 1 else f"{len(talk)} turns"
    return f"Before that I was given {turns}: {start}{', '.join(named)}."


def _shortened(text: str, limit: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= limit else f"{text[:limit].rstrip()}…"


def _words(text: str) -> str:
    count = len(text.split())
    return "1 word" if count == 1 else f"{count:,} words"
