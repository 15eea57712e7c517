"""The messages of a request: who may say what, in which order, and what the model is told of them.

Messages of one role after the other are one turn. Every call of a turn is answered in the very next turn, before
anything else is said there, and nothing but calls is answered. System messages among the others are for some models.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from polychat.sandbox.services.anthropic import refusals
from polychat.sandbox.services.anthropic.blocks import (
    AnyBlock,
    Document,
    Image,
    Redacted,
    SearchResult,
    SearchResults,
    ServerToolUse,
    Some,
    Text,
    Thought,
    ToolResult,
    ToolUse,
)
from polychat.sandbox.services.anthropic.bodies import Wire
from polychat.sandbox.services.anthropic.models import Model


class Message(Wire, frozen=True, kw_only=True, tag_field="role"):
    """A message."""


class UserMessage(Message, frozen=True, kw_only=True, tag="user"):
    """What a person says and shows, and what tools answered."""

    content: str | tuple[AnyBlock, ...]


class AssistantMessage(Message, frozen=True, kw_only=True, tag="assistant"):
    """What the model said, thought and called before."""

    content: str | tuple[AnyBlock, ...]


class SystemMessage(Message, frozen=True, kw_only=True, tag="system"):
    """Instructions from here on."""

    content: str | Some[Text]


AnyMessage = UserMessage | AssistantMessage | SystemMessage
Placed = tuple[str, AnyBlock]  # a block and its place in the request


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """Messages of one role that follow each other."""

    role: str
    place: str  # of its first message
    blocks: tuple[Placed, ...]


_BY_ROLE: dict[str, tuple[type, ...]] = {
    "user": (Text, Image, Document, SearchResult, ToolResult),
    "assistant": (Text, Thought, Redacted, ToolUse, ServerToolUse, SearchResults),
    "system": (Text,),
}


def turns(messages: Sequence[AnyMessage], model: Model, *, newest: bool) -> tuple[Turn, ...]:
    """The messages as turns, in an order that makes sense; `newest`: by the API's newest version. Raises: Refusal."""
    if not messages:
        raise refusals.wrong("messages", "at least one message is required")
    found: list[Turn] = []
    for index, message in enumerate(messages):
        turn = _turn(message, f"messages.{index}", last=index == len(messages) - 1, newest=newest)
        if found and found[-1].role == turn.role:
            turn = Turn(role=turn.role, place=found[-1].place, blocks=found.pop().blocks + turn.blocks)
        found.append(turn)
    _judge_roles(found, model)
    _judge_calls(found)
    return tuple(found)


def _turn(message: AnyMessage, place: str, *, last: bool, newest: bool) -> Turn:
    role = str(message.__struct_config__.tag)
    content = message.content
    if isinstance(content, str):
        blocks: tuple[Placed, ...] = ((f"{place}.content", Text(text=content)),) if content else ()
        if content:
            _judge_text(content, f"{place}.content")
    else:
        blocks = tuple((f"{place}.content.{index}", block) for index, block in enumerate(content))
        for where, block in blocks:
            _judge_block(block, where, role, newest=newest)
    if not blocks and not (last and role == "assistant"):
        raise refusals.wrong(place, "must have content; only a last message of the assistant may be empty")
    return Turn(role=role, place=place, blocks=blocks)


def _judge_block(block: AnyBlock, place: str, role: str, *, newest: bool) -> None:
    kind = str(block.__struct_config__.tag)
    older = role == "assistant" and isinstance(block, Document) and not newest
    if not isinstance(block, _BY_ROLE[role]) and not older:
        raise refusals.wrong(place, f"blocks of the type '{kind}' are not taken from the role '{role}'")
    if isinstance(block, Text):
        _judge_text(block.text, f"{place}.text")
        if block.citations and newest and role == "user":
            raise refusals.wrong(f"{place}.citations", "only what the assistant said has citations")
    if isinstance(block, ToolResult) and not isinstance(block.content, str):
        for index, inner in enumerate(block.content):
            _judge_result(inner, f"{place}.content.{index}", failed=bool(block.is_error))


def _judge_text(text: str, place: str) -> None:
    if not text.strip():
        raise refusals.wrong(place, "a text must not be empty or blank")


def _judge_result(block: Text | Image | SearchResult | Document, place: str, *, failed: bool) -> None:
    if isinstance(block, Text):
        _judge_text(block.text, f"{place}.text")
    if failed and not isinstance(block, Text):
        raise refusals.wrong(place, "a result with 'is_error' holds text only")


def _judge_roles(found: Sequence[Turn], model: Model) -> None:
    for turn in found:
        if turn.role == "system" and not model.told:
            message = f"the role 'system' is not taken by {model.id}; instructions go into the field 'system'"
            raise refusals.wrong(f"{turn.place}.role", message)
    if found[0].role != "user":
        raise refusals.wrong("messages.0.role", "the first message must have the role 'user'")
    last = found[-1]
    if last.role == "assistant":
        _judge_prefill(last, model)


def _judge_prefill(last: Turn, model: Model) -> None:
    if not model.prefill:
        message = f"{model.id} does not go on from a message of the assistant; the last one must be the user's"
        raise refusals.wrong(last.place, message)
    if last.blocks:
        place, block = last.blocks[-1]
        if isinstance(block, Text) and block.text != block.text.rstrip():
            raise refusals.wrong(place, "the last message of the assistant must not end with whitespace")


def _judge_calls(found: Sequence[Turn]) -> None:
    seen: set[str] = set()
    waiting: tuple[str, ...] = ()
    before = ""
    for turn in found:
        _judge_answers(turn, waiting, before)
        waiting = tuple(_calls(turn, seen))
        before = turn.place
        _judge_searches(turn)
    if waiting:
        raise _unanswered(before, waiting)


def _calls(turn: Turn, seen: set[str]) -> Iterator[str]:
    """The ids of the calls of a turn, each new."""
    for place, block in turn.blocks:
        if isinstance(block, ToolUse | ServerToolUse):
            if block.id in seen:
                raise refusals.wrong(f"{place}.id", "the ids of calls must be unique")
            seen.add(block.id)
        if isinstance(block, ToolUse):
            yield block.id


def _judge_answers(turn: Turn, waiting: Sequence[str], before: str) -> None:
    """The turn begins with one result for each call that waits, and has no other."""
    left = list(waiting)
    spoken = False
    for place, block in turn.blocks:
        if not isinstance(block, ToolResult):
            spoken = True
        elif block.tool_use_id not in waiting:
            message = f"'{block.tool_use_id}' names no 'tool_use' of the turn before"
            raise refusals.wrong(f"{place}.tool_use_id", message)
        elif block.tool_use_id not in left:
            raise refusals.wrong(f"{place}.tool_use_id", f"'{block.tool_use_id}' is answered more than once")
        elif spoken:
            raise refusals.wrong(place, "results come before everything else in their turn")
        else:
            left.remove(block.tool_use_id)
    if left:
        raise _unanswered(before, left)


def _unanswered(place: str, ids: Sequence[str]) -> refusals.Refusal:
    message = f"'tool_use' without a 'tool_result' at the beginning of the next message: {', '.join(ids)}"
    return refusals.wrong(place, message)


def _judge_searches(turn: Turn) -> None:
    """Every search of the service has its results in the same turn, and there are no other results."""
    searched = [block.id for _place, block in turn.blocks if isinstance(block, ServerToolUse)]
    for place, block in turn.blocks:
        if isinstance(block, SearchResults):
            if block.tool_use_id not in searched:
                raise refusals.wrong(f"{place}.tool_use_id", "names no 'server_tool_use' of this message")
            searched.remove(block.tool_use_id)
    if searched:
        raise refusals.wrong(turn.place, f"'server_tool_use' without its result: {', '.join(searched)}")
