"""What a prompt costs: its tokens, piece by piece in the order tools, system, messages, and how many are cached.

A piece marked with `cache_control` ends a beginning that is remembered. Of a later prompt the longest remembered
beginning is read that ends at one of its marks or at most 19 pieces before one, and the rest up to its last mark is
written. What is shorter than the model's least is not remembered.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import msgspec

from polychat.sandbox import brain
from polychat.sandbox.services.anthropic import refusals
from polychat.sandbox.services.anthropic.blocks import (
    AnyBlock,
    CacheControl,
    ContentSource,
    Document,
    Image,
    PlainSource,
    Redacted,
    SearchResult,
    SearchResults,
    ServerToolUse,
    Text,
    Thought,
    ToolResult,
    ToolUse,
)
from polychat.sandbox.services.anthropic.history import Turn
from polychat.sandbox.services.anthropic.models import Model
from polychat.sandbox.services.anthropic.state import ApiCall, account
from polychat.sandbox.services.anthropic.tools import AnyTool

_MARKS = 4  # of a request at most
_LOOKED_BACK = 20  # pieces from a mark, itself among them
_TTL_S = {"5m": 300.0, "1h": 3600.0}
_FILE_TOKENS = 256  # of a picture or a PDF


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the prompt that can end a remembered beginning."""

    place: str
    data: bytes
    tokens: int
    mark: CacheControl | None


class Cached(msgspec.Struct, frozen=True, kw_only=True):
    """Where the tokens of a prompt came from."""

    fresh: int
    read: int = 0
    written_5m: int = 0
    written_1h: int = 0


def pieces(
    tools: Sequence[AnyTool], system: Sequence[Text], turns: Sequence[Turn], automatic: CacheControl | None
) -> tuple[Piece, ...]:
    """The prompt, its marks judged; `automatic` marks its last piece. Raises: Refusal."""
    found = [
        *(_piece(f"tools.{index}", "tool", tool) for index, tool in enumerate(tools)),
        *(_piece(f"system.{index}", "system", block) for index, block in enumerate(system)),
        *(_piece(place, turn.role, block) for turn in turns for place, block in turn.blocks),
    ]
    if automatic is not None and found and found[-1].mark is None:
        found[-1] = msgspec.structs.replace(found[-1], mark=automatic)
    _judge_marks(found)
    return tuple(found)


def size(prompt: Sequence[Piece]) -> int:
    """Tokens of the whole prompt."""
    return sum(piece.tokens for piece in prompt)


def _piece(place: str, role: str, part: AnyTool | AnyBlock) -> Piece:
    mark = None if isinstance(part, Thought | Redacted) else part.cache_control
    plain = part if mark is None else msgspec.structs.replace(part, cache_control=None)
    data = msgspec.json.encode([role, plain])
    return Piece(place=place, data=data, tokens=_tokens(part), mark=mark)


def _judge_marks(found: Sequence[Piece]) -> None:
    marks = [piece for piece in found if piece.mark is not None]
    if len(marks) > _MARKS:
        raise refusals.wrong("cache_control", f"at most {_MARKS} blocks may have one; found {len(marks)}")
    brief = False
    for piece in marks:
        if brief and piece.mark is not None and piece.mark.ttl == "1h":
            raise refusals.wrong(f"{piece.place}.cache_control.ttl", "'1h' must not come after '5m'")
        brief = brief or (piece.mark is not None and piece.mark.ttl == "5m")


def _tokens(part: Any) -> int:
    """Tokens of a tool or a block."""
    match part:
        case Text():
            return _words(part.text)
        case Image():
            return _FILE_TOKENS
        case Document():
            return _document(part)
        case SearchResult() | ToolResult() if not isinstance(part.content, str):
            return sum(map(_tokens, part.content))
        case ToolResult():
            return _words(str(part.content))
        case Thought() | Redacted():
            return 0
        case ToolUse() | ServerToolUse():
            return _words(part.name) + _words(msgspec.json.encode(part.input).decode())
        case SearchResults():
            return _FILE_TOKENS
    return _words(msgspec.json.encode(part).decode())


def _document(part: Document) -> int:
    source = part.source
    about = _words(part.title or "") + _words(part.context or "")
    if isinstance(source, PlainSource):
        return about + _words(source.data)
    if isinstance(source, ContentSource):
        if isinstance(source.content, str):
            return about + _words(source.content)
        return about + sum(map(_tokens, source.content))
    return about + _FILE_TOKENS


def _words(text: str) -> int:
    return len(brain.pieces(text))


def look_up(call: ApiCall, model: Model, prompt: Sequence[Piece]) -> Cached:
    """How much of the prompt is read and written; remembers it."""
    least = model.cache_least_tokens if call.knobs.cache_least_tokens is None else call.knobs.cache_least_tokens
    beginnings = list(_beginnings(f"{account(call)}\0{model.id}", prompt))
    marked = [index for index, it in enumerate(beginnings) if it.mark is not None and it.tokens >= least]
    near = {back for index in marked for back in range(max(0, index - _LOOKED_BACK + 1), index + 1)}
    start = read = max((beginnings[it].tokens for it in near if call.state.cached(beginnings[it].digest)), default=0)
    written = {"5m": 0, "1h": 0}
    for it in (beginnings[index] for index in marked):
        written[it.ttl] += max(0, it.tokens - start)
        start = max(start, it.tokens)
        call.state.cache(it.digest, _TTL_S[it.ttl])
    return Cached(fresh=size(prompt) - start, read=read, written_5m=written["5m"], written_1h=written["1h"])


class _Beginning(msgspec.Struct, frozen=True, kw_only=True):
    digest: str
    tokens: int
    mark: CacheControl | None

    @property
    def ttl(self) -> Literal["5m", "1h"]:
        """For how long it is remembered."""
        return "5m" if self.mark is None else self.mark.ttl


def _beginnings(owner: str, prompt: Sequence[Piece]) -> Iterator[_Beginning]:
    digest = hashlib.sha256(owner.encode())
    tokens = 0
    for piece in prompt:
        digest.update(len(piece.data).to_bytes(8, "big") + piece.data)
        tokens += piece.tokens
        yield _Beginning(digest=digest.hexdigest(), tokens=tokens, mark=piece.mark)
