"""Citations of the documents of a request: for each document that may be cited, where its first words are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from polychat.sandbox.services.anthropic import refusals
from polychat.sandbox.services.anthropic.blocks import (
    ContentSource,
    Document,
    Image,
    PlainSource,
    SearchResult,
    Text,
    ToolResult,
)
from polychat.sandbox.services.anthropic.history import Turn

_QUOTED = 40  # characters of a document that are cited
Cited = tuple[str, dict[str, Any]]  # the words, and where they come from


def citations(turns: Sequence[Turn]) -> tuple[Cited, ...]:
    """What is cited, document by document. Raises: Refusal when only some of the documents may be cited."""
    parts = list(_parts(turns))
    enabled = [part.citations is not None and part.citations.enabled for _place, part in parts]
    if any(enabled) and not all(enabled):
        place = parts[enabled.index(False)][0]
        raise refusals.wrong(f"{place}.citations", "must be enabled for all documents or for none")
    if not any(enabled):
        return ()
    documents = [part for _place, part in parts if isinstance(part, Document)]
    found = [part for _place, part in parts if isinstance(part, SearchResult)]
    return (
        *(_document(document, index) for index, document in enumerate(documents)),
        *(_found(result, index) for index, result in enumerate(found)),
    )


def _parts(turns: Sequence[Turn]) -> Iterator[tuple[str, Document | SearchResult]]:
    for turn in turns:
        for place, block in turn.blocks:
            inner = block.content if isinstance(block, ToolResult) and not isinstance(block.content, str) else ()
            for where, part in ((place, block), *((f"{place}.content.{at}", it) for at, it in enumerate(inner))):
                if isinstance(part, Document | SearchResult):
                    yield where, part


def _document(document: Document, index: int) -> Cited:
    source = document.source
    about = {"document_index": index, "document_title": document.title, "file_id": None}
    if isinstance(source, PlainSource):
        words = source.data[:_QUOTED]
        place: dict[str, Any] = {"type": "char_location", "start_char_index": 0, "end_char_index": len(words)}
    elif isinstance(source, ContentSource):
        words = _first(source)
        place = {"type": "content_block_location", "start_block_index": 0, "end_block_index": 1}
    else:
        words = "%PDF-"
        place = {"type": "page_location", "start_page_number": 1, "end_page_number": 2}
    return words, {**place, "cited_text": words, **about}


def _first(source: ContentSource) -> str:
    if isinstance(source.content, str):
        return source.content
    first = source.content[0]
    assert isinstance(first, Text | Image)
    return first.text if isinstance(first, Text) else ""


def _found(result: SearchResult, index: int) -> Cited:
    words = result.content[0].text
    return words, {
        "type": "search_result_location", "cited_text": words, "source": result.source, "title": result.title,
        "search_result_index": index, "start_block_index": 0, "end_block_index": 1,
    }  # fmt: skip
