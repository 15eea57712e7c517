"""The blocks of an answer: each as a message has it, as a stream begins it, and the deltas that fill it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

_FRAGMENT = 6  # characters of a tool's input in one piece
_DIRECT = {"caller": {"type": "direct"}}
Wire = dict[str, Any]


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """A block of an answer."""

    whole: Wire
    begun: Wire
    deltas: tuple[Wire, ...] = ()


def text(pieces: Sequence[str], citations: Sequence[Wire] = ()) -> Said:
    """Words, and where they come from."""
    more: Wire = {"citations": list(citations)} if citations else {}
    cited = ({"type": "citations_delta", "citation": citation} for citation in citations)
    spoken = ({"type": "text_delta", "text": piece} for piece in pieces)
    return Said(
        whole={"type": "text", "text": "".join(pieces), **more},
        begun={"type": "text", "text": "", **({"citations": []} if citations else {})},
        deltas=(*cited, *spoken),
    )


def thinking(pieces: Sequence[str], signature: str) -> Said:
    """A thought; without pieces one whose text is kept back, which is streamed as one empty piece."""
    head = {"type": "thinking", "thinking": "".join(pieces), "signature": signature}
    thoughts = ({"type": "thinking_delta", "thinking": piece} for piece in pieces or ("",))
    return Said(
        whole=head,
        begun={**head, "thinking": "", "signature": ""},
        deltas=(*thoughts, {"type": "signature_delta", "signature": signature}),
    )


def redacted(data: str) -> Said:
    """A thought that cannot be read."""
    block = {"type": "redacted_thinking", "data": data}
    return Said(whole=block, begun=block)


def call(kind: str, call_id: str, tool: str, arguments: str) -> Said:
    """A `tool_use` or `server_tool_use` of a tool, with its input as JSON."""
    head = {"type": kind, "id": call_id, "name": tool, "input": {}, **_DIRECT}
    parts = ("", *fragments(arguments))
    return Said(
        whole={**head, "input": msgspec.Raw(arguments.encode())},
        begun=head,
        deltas=tuple({"type": "input_json_delta", "partial_json": part} for part in parts),
    )


def results(call_id: str, content: Any) -> Said:
    """What a search found."""
    block = {"type": "web_search_tool_result", "tool_use_id": call_id, "content": content, **_DIRECT}
    return Said(whole=block, begun=block)


def fragments(arguments: str) -> tuple[str, ...]:
    """The input of a tool as it is streamed."""
    return tuple(arguments[start : start + _FRAGMENT] for start in range(0, len(arguments), _FRAGMENT))
