"""A search of the web that finds two pages, an answer that cites them by marks, and references that come late.

The marks are characters of the private use area: E200 opens, E202 separates, E201 closes; E203, E204 and E206 stray.
One mark is split over three deltas. What it stands for is told only after the words that follow it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from polychat.sandbox.services.chatgpt.encodings import Change, Step, say
from polychat.sandbox.services.chatgpt.patches import Patch
from polychat.sandbox.services.chatgpt.turns import Turn, closing, finished, text

OPEN, CLOSE, BETWEEN = "\ue200", "\ue201", "\ue202"
STRAY = "\ue203\ue204\ue206"
PAGES = (
    ("search", "https://example.org/echo?utm_source=chatgpt.com", "On echoes", "An echo repeats."),
    ("news", "https://example.net/today?a=1&utm_source=chatgpt.com", "News of today", "Nothing happened."),
)
MARK = f"{OPEN}cite{BETWEEN}turn0search0{BETWEEN}turn0news1{CLOSE}"
_WORDS = ("Two", " pages", f" say{STRAY[0]} the", f" same{STRAY[1:]}.", " ")
_AFTER = (" That", " is", " all", ".")
_GROUPS = "/message/metadata/search_result_groups"
_REFERENCES = "/message/metadata/content_references"


def scene(turn: Turn) -> Iterator[Step]:
    """The call, the results, the answer."""
    content = {"content_type": "code", "language": "unknown", "response_format_name": None, "text": ""}
    yield turn.begin("assistant", content, recipient="web", channel="commentary", status="in_progress")
    yield say(f'search("{turn.prompt[:40]}")', "/message/content/text")
    yield finished()
    yield turn.begin("tool", text(""), name="web", channel="commentary", is_visually_hidden_from_conversation=True)
    yield from _speech(turn)


def _speech(turn: Turn) -> Iterator[Step]:
    yield turn.begin("assistant", text(""), channel="final", status="in_progress", content_references=[])
    if turn.newest_dialect:
        yield turn.event("message_marker", message_id=turn.tail, marker="search_start", event="first")
    yield from _results()
    said = (*turn.answer.pieces, " ")
    for piece in said:
        yield say(piece)
    before = "".join((*said, *_WORDS))
    for piece in (*_WORDS, MARK[:3], MARK[3:11], MARK[11:], *_AFTER):
        yield say(piece)
    yield from _references(len(before))
    yield closing(turn.knobs, "stop")


def _results() -> Iterator[Step]:
    """The first page at once, the second one later, into the group of its own."""
    first, second = (_result(index) for index in range(2))
    group = {"type": "search_result_group", "domain": "example.org", "entries": [first]}
    other = {"type": "search_result_group", "domain": "example.net", "entries": []}
    yield Change((Patch(_GROUPS, "append", [group, other]),))
    yield Change((Patch(f"{_GROUPS}/1/entries", "append", [second]),))


def _result(index: int) -> dict[str, Any]:
    kind, url, title, snippet = PAGES[index]
    return {
        "type": "search_result", "url": url, "title": title, "snippet": snippet, "pub_date": None,
        "attribution": url.split("/")[2], "ref_id": {"turn_index": 0, "ref_type": kind, "ref_index": index},
    }  # fmt: skip


def _references(start: int) -> Iterator[Step]:
    items = [
        {"title": title, "url": url, "pub_date": None, "snippet": snippet, "attribution": url.split("/")[2]}
        for _kind, url, title, snippet in PAGES
    ]
    reference = {
        "matched_text": MARK, "start_idx": start, "end_idx": start, "type": "grouped_webpages", "alt": None,
        "items": items[:1], "fallback_items": [], "sources": [],
        "refs": [{"turn_index": 0, "ref_type": kind, "ref_index": index} for index, (kind, *_) in enumerate(PAGES)],
    }  # fmt: skip
    yield Change((Patch(_REFERENCES, "append", [reference]),))
    yield Change((Patch(f"{_REFERENCES}/0/end_idx", "replace", start + len(MARK)),))
    yield Change((Patch(f"{_REFERENCES}/0/items", "append", items[1:]),))
