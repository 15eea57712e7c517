"""What an answer of the Gemini API rests on, as citations.

    groundingMetadata   groundingChunks: the sources; groundingSupports: which stretch of the text rests on which
    citationMetadata    citationSources: stretches that are quoted

A stretch is counted in bytes of UTF-8, a citation in characters. Where the service says which words it means and they
stand elsewhere (a text in several parts is counted from its part), the words decide. A source that no stretch names is
cited without one. Shapes as in the types of `google-genai` 3.4; 2026-11.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from polychat.types import Citation

_Span = tuple[int | None, int | None]
_NOWHERE: _Span = (None, None)


class _Source(msgspec.Struct, rename="camel"):
    """A page, a place or a document; a found picture has its page."""

    uri: str | None = None
    source_uri: str | None = None  # of a picture: the page it is on
    title: str | None = None
    text: str | None = None


class _Chunk(msgspec.Struct, rename="camel"):
    web: _Source | None = None
    maps: _Source | None = None
    image: _Source | None = None
    retrieved_context: _Source | None = None

    @property
    def source(self) -> _Source | None:
        return self.web or self.maps or self.image or self.retrieved_context


class _Segment(msgspec.Struct, rename="camel"):
    start_index: int = 0  # left out where it is zero
    end_index: int | None = None
    text: str | None = None


class _Support(msgspec.Struct, rename="camel"):
    segment: _Segment | None = None
    grounding_chunk_indices: list[int] = []


class Grounding(msgspec.Struct, rename="camel"):
    """`groundingMetadata`, as far as it cites."""

    grounding_chunks: list[_Chunk] = []
    grounding_supports: list[_Support] = []


class _Quotation(msgspec.Struct, rename="camel"):
    uri: str | None = None
    title: str | None = None
    start_index: int = 0
    end_index: int | None = None


class Quotations(msgspec.Struct, rename="camel"):
    """`citationMetadata`."""

    citation_sources: list[_Quotation] = []


def citations(text: str, grounding: Grounding | None, quotations: Quotations | None) -> list[Citation]:
    """The sources of an answer of these words, in the order of the stretches."""
    raw = text.encode()
    found = [*_grounded(raw, grounding or Grounding()), *_quoted(raw, quotations or Quotations())]
    return list(dict.fromkeys(found))


def _grounded(raw: bytes, grounding: Grounding) -> Iterator[Citation]:
    named: set[int] = set()
    for support in grounding.grounding_supports:
        span = _stretch(raw, support.segment) if support.segment else _NOWHERE
        for index in support.grounding_chunk_indices:
            named.add(index)
            if 0 <= index < len(grounding.grounding_chunks):
                yield from _cited(grounding.grounding_chunks[index], span)
    for index, chunk in enumerate(grounding.grounding_chunks):
        if index not in named:
            yield from _cited(chunk, _NOWHERE)


def _cited(chunk: _Chunk, span: _Span) -> Iterator[Citation]:
    source = chunk.source
    if source is not None and (url := source.uri or source.source_uri):
        yield Citation(url=url, title=source.title, snippet=source.text, start=span[0], end=span[1])


def _quoted(raw: bytes, quotations: Quotations) -> Iterator[Citation]:
    for one in quotations.citation_sources:
        if one.uri:
            start, end = _stretch(raw, _Segment(start_index=one.start_index, end_index=one.end_index))
            yield Citation(url=one.uri, title=one.title, start=start, end=end)


def _stretch(raw: bytes, segment: _Segment) -> _Span:
    """Where it begins and ends, in characters."""
    start, end = segment.start_index, segment.end_index
    if segment.text:
        words = segment.text.encode()
        if raw[start:end] != words:
            start = raw.find(words)
        end = start + len(words)
    if end is None or not 0 <= start <= end <= len(raw):
        return _NOWHERE
    return _characters(raw, start), _characters(raw, end)


def _characters(raw: bytes, at: int) -> int:
    return len(raw[:at].decode("utf-8", "ignore"))
