"""What a message of ChatGPT's conversation tree is, told by its author, recipient, channel and kind of content.

Messages are plain JSON objects that grow while a turn streams; the functions here look at one as it stands. Shapes as
last known 2026-11, from independent clients; every field may be missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

from polychat.types import Citation
from polychat.wire.markers import strip_utm

Kind = Literal["answer", "thinking", "call", "output", "picture", "question", "hidden"]

_HIDDEN_CONTENT = frozenset(
    {"model_editable_context", "user_editable_context", "tether_browsing_display", "tether_browsing_code"}
)
_POINTER = re.compile(r"(?:file-service|sediment)://(?P<id>[^?#]+)")


class Pointer(msgspec.Struct, frozen=True, kw_only=True):
    """A picture that the service keeps under a name of its own."""

    id: str  # of the file
    address: str  # file-service://... or sediment://...
    prompt: str | None = None


def kind(message: Mapping[str, Any]) -> Kind:
    """What the message is to a reader."""
    role, metadata = _at(message, "author", "role"), _mapping(message, "metadata")
    if role in {"user", "system"}:
        return "question" if role == "user" else "hidden"
    if role == "tool":
        return _kind_of_tool(message, metadata)
    if metadata.get("is_visually_hidden_from_conversation") or content_type(message) in _HIDDEN_CONTENT:
        return "hidden"
    if message.get("recipient") not in {None, "all"}:
        return "call"
    if content_type(message) in {"thoughts", "reasoning_recap"} or metadata.get("is_thinking_preamble_message"):
        return "thinking"
    return "answer" if message.get("channel") in {None, "final"} else "thinking"


def _kind_of_tool(message: Mapping[str, Any], metadata: Mapping[str, Any]) -> Kind:
    if any(True for _ in pointers(message)) or "image_gen_task_id" in metadata:
        return "picture"
    if "initial_text" in metadata:  # how reasoning was shown until 2025-03
        return "thinking"
    return "hidden" if content_type(message) in _HIDDEN_CONTENT else "output"


def content_type(message: Mapping[str, Any]) -> str:
    """The kind of content."""
    return str(_at(message, "content", "content_type") or "text")


def text(message: Mapping[str, Any]) -> str:
    """All words of the message as it stands, markers included."""
    content = _mapping(message, "content")
    match content_type(message):
        case "thoughts":
            return "\n\n".join(_thought(one) for one in _list(content, "thoughts"))
        case "reasoning_recap":
            return str(content.get("content") or "")
        case "text" | "multimodal_text":
            return "".join(part for part in _list(content, "parts") if isinstance(part, str))
    return str(content.get("text") or content.get("result") or "")


def _thought(thought: Any) -> str:
    if not isinstance(thought, Mapping):
        return ""
    return "\n".join(str(thought[name]) for name in ("summary", "content") if thought.get(name))


def finished(message: Mapping[str, Any]) -> bool:
    """True once nothing more comes for it."""
    return message.get("status") in {"finished_successfully", "finished_partial_completion"}


def finish_type(message: Mapping[str, Any]) -> str | None:
    """Why it ended: stop, max_tokens, interrupted ...; None while it has not said."""
    found = _at(message, "metadata", "finish_details", "type")
    return found if isinstance(found, str) else None


def pointers(message: Mapping[str, Any]) -> Iterator[Pointer]:
    """The pictures of a message, in order."""
    for part in _list(_mapping(message, "content"), "parts"):
        if isinstance(part, Mapping) and part.get("content_type", "image_asset_pointer") == "image_asset_pointer":
            address = part.get("asset_pointer")
            if isinstance(address, str) and (found := _POINTER.match(address)):
                prompt = _at(part, "metadata", "dalle", "prompt") or _at(message, "metadata", "image_gen_title")
                yield Pointer(id=found["id"], address=address, prompt=prompt if isinstance(prompt, str) else None)


# ---------------------------------------------------------------- sources


def sources(message: Mapping[str, Any]) -> dict[tuple[int | None, str, int], Citation]:
    """Every source by the reference that names it: (turn, kind, index)."""
    metadata = _mapping(message, "metadata")
    found: dict[tuple[int | None, str, int], Citation] = {}
    for group in _list(metadata, "search_result_groups"):
        for entry in _list(group, "entries"):
            _note(found, entry, _list({"refs": [_mapping(entry, "ref_id")]}, "refs"))
    for reference in _list(metadata, "content_references"):
        for item in (*_list(reference, "items"), *_list(reference, "fallback_items"), *_list(reference, "sources")):
            _note(found, item, _list(item, "refs") or _list(reference, "refs"))
    return found


def footnotes(message: Mapping[str, Any]) -> list[Citation]:
    """Sources of the whole answer, that no marker stands for."""
    metadata = _mapping(message, "metadata")
    return [
        citation
        for reference in _list(metadata, "content_references")
        for source in _list(reference, "sources")
        if (citation := _citation(source))
    ]


def _note(found: dict[tuple[int | None, str, int], Citation], entry: Any, refs: list[Any]) -> None:
    citation = _citation(entry)
    if citation is None:
        return
    for ref in refs:
        if isinstance(ref, Mapping) and isinstance(ref.get("ref_index"), int):
            turn = ref.get("turn_index")
            key = (turn if isinstance(turn, int) else None, str(ref.get("ref_type")), ref["ref_index"])
            found.setdefault(key, citation)


def _citation(entry: Any) -> Citation | None:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("url"), str) or not entry["url"]:
        return None
    title, snippet = entry.get("title"), entry.get("snippet")
    return Citation(
        url=strip_utm(entry["url"]),
        title=title if isinstance(title, str) else None,
        snippet=snippet if isinstance(snippet, str) else None,
    )


# ---------------------------------------------------------------- looking into data of unknown shape


def _at(data: Any, *path: str) -> Any:
    for name in path:
        if not isinstance(data, Mapping):
            return None
        data = data.get(name)
    return data


def _mapping(data: Any, name: str) -> Mapping[str, Any]:
    found = data.get(name) if isinstance(data, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _list(data: Any, name: str) -> list[Any]:
    found = data.get(name) if isinstance(data, Mapping) else None
    return found if isinstance(found, list) else []
