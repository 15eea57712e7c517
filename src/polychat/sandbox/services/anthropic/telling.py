"""What the brain is told of a conversation: turns of plain words, with the files that were shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from polychat.sandbox import brain
from polychat.sandbox.services.anthropic import sources
from polychat.sandbox.services.anthropic.blocks import (
    AnyBlock,
    Document,
    Image,
    SearchResult,
    Text,
    ToolResult,
    ToolUse,
)
from polychat.sandbox.services.anthropic.history import Placed, Turn
from polychat.sandbox.services.anthropic.knobs import Knobs


def turns(system: str, talk: Sequence[Turn], knobs: Knobs) -> tuple[brain.Turn, ...]:
    """Instructions first, then the talk; a result of a tool is a turn of its own. Raises: Refusal for broken files."""
    told = [it for turn in talk for it in _told(turn, knobs)]
    instructions = [brain.Turn(role="system", text=system)] if system else []
    instructions += [turn for turn in told if turn.role == "system"]
    return (*instructions, *(turn for turn in told if turn.role != "system"))


def titles(talk: Sequence[Turn]) -> tuple[str, ...]:
    """A remark on each document that has a title."""
    blocks = [block for turn in talk for _place, block in turn.blocks if isinstance(block, Document)]
    return tuple(f"One document is titled “{block.title}”." for block in blocks if block.title)


def _told(turn: Turn, knobs: Knobs) -> Iterator[brain.Turn]:
    role: brain.Role = "user"
    if turn.role == "assistant":
        role = "assistant"
    elif turn.role == "system":
        role = "system"
    for place, block in turn.blocks:
        if isinstance(block, ToolResult):
            yield _result(block, place, knobs)
    spoken = [placed for placed in turn.blocks if not isinstance(placed[1], ToolResult)]
    if spoken or not turn.blocks:
        yield _turn(role, spoken, knobs)


def _result(block: ToolResult, place: str, knobs: Knobs) -> brain.Turn:
    if isinstance(block.content, str):
        return brain.Turn(role="tool", text=block.content)
    return _turn("tool", [(f"{place}.content.{index}", it) for index, it in enumerate(block.content)], knobs)


def _turn(role: brain.Role, placed: Sequence[Placed], knobs: Knobs) -> brain.Turn:
    words = "\n".join(said for _place, block in placed for said in _words(block))
    shown = tuple(data for place, block in placed for data in _files(block, place, knobs))
    return brain.Turn(role=role, text=words, attachments=shown)


def _words(block: AnyBlock) -> Iterator[str]:
    if isinstance(block, Text):
        yield block.text
    elif isinstance(block, SearchResult):
        yield from (part.text for part in block.content)
    elif isinstance(block, ToolUse):
        yield f"{block.name}({msgspec.json.encode(block.input).decode()})"


def _files(block: AnyBlock, place: str, knobs: Knobs) -> Iterator[bytes]:
    if isinstance(block, Image):
        yield sources.picture(block, place, knobs)
    elif isinstance(block, Document):
        yield from sources.document(block, place, knobs)
