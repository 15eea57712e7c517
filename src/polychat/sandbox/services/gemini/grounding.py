"""A search of the web that finds two pages: what the model says of them, and which words rest on which page.

Places in the answer are offsets in bytes of UTF-8; a start of 0 is left out, as every default is.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any, NamedTuple

from polychat.sandbox import brain


class Page(NamedTuple):
    """A page that is found."""

    domain: str
    sentence: str  # that the model says of it


PAGES = (
    Page("example.org", "An echo repeats what it hears, says example.org."),
    Page("example.net", "Naïve answers are the surest, says example.net."),
)
TOKENS = sum(len(brain.pieces(page.sentence)) for page in PAGES)  # that they bring into the prompt
_REDIRECT = "https://vertexaisearch.cloud.google.com/grounding-api-redirect/"


def metadata(text: str, query: str) -> dict[str, Any]:
    """What is told of a search beside the answer `text`; nothing where the answer uses none of it."""
    supports = list(_supports(text))
    if not supports:
        return {}
    chunks = [{"web": {"uri": f"{_REDIRECT}{page.domain}", "title": page.domain}} for page in PAGES]
    rendered = f'<div class="container"><a class="chip" href="{_REDIRECT}search">{escape(query)}</a></div>'
    return {
        "webSearchQueries": [query], "searchEntryPoint": {"renderedContent": rendered}, "groundingChunks": chunks,
        "groundingSupports": supports,
    }  # fmt: skip


def _supports(text: str) -> Iterator[dict[str, Any]]:
    for index, page in enumerate(PAGES):
        at = text.find(page.sentence)
        if at < 0:
            continue
        start = len(text[:at].encode())
        segment: dict[str, Any] = {"endIndex": start + len(page.sentence.encode()), "text": page.sentence}
        yield {
            "segment": ({"startIndex": start} if start else {}) | segment,
            "groundingChunkIndices": list(range(index + 1)),
        }
