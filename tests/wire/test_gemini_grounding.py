"""wire/gemini_grounding.py: what an answer rests on, with places in characters."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polychat.types import Citation
from polychat.wire.gemini_grounding import Grounding, Quotations, citations

TEXT = "Łódź lies in Poland. Żółw naps. Łódź!"
A = {"web": {"uri": "https://a.example", "title": "A", "domain": "a.example"}}
B = {"web": {"uri": "https://b.example"}}


def cited(*supports: Any, chunks: Any = (A, B), text: str = TEXT) -> list[Citation]:
    """The sources of `text`."""
    whole = {"groundingChunks": list(chunks), "groundingSupports": list(supports), "webSearchQueries": ["q"]}
    return citations(text, msgspec.convert(whole, Grounding), None)


def support(*indices: int, **segment: Any) -> dict[str, Any]:
    """A stretch that rests on these."""
    return {"segment": segment, "groundingChunkIndices": list(indices), "confidenceScores": [0.5]}


def at(start: int | None, end: int | None, name: str = "a", title: str | None = "A") -> Citation:
    """What one is cited as."""
    return Citation(url=f"https://{name}.example", title=title, start=start, end=end)


@given(st.text(), st.data())
def test_bytes_become_characters(text: str, data: st.DataObject) -> None:
    """Whatever the characters are."""
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    first, last = len(text[:start].encode()), len(text[:end].encode())
    assert cited(support(0, startIndex=first, endIndex=last), chunks=[A], text=text) == [at(start, end)]


def test_every_source_of_a_stretch_is_cited_with_it() -> None:
    """A start of zero is left out on the wire; a source of no stretch comes last."""
    end = len("Łódź".encode())
    assert cited(support(1, 0, endIndex=end), support(0, startIndex=end, endIndex=end + 1)) == [
        at(0, 4, "b", None), at(0, 4), at(4, 5),
    ]  # fmt: skip
    assert cited(support(1, endIndex=end)) == [at(0, 4, "b", None), at(None, None)]
    assert cited() == [at(None, None), at(None, None, "b", None)]


def test_the_words_decide_where_the_place_is_another() -> None:
    """A part of a text is counted from its own beginning."""
    words = "Żółw naps."
    assert cited(support(0, endIndex=len(words.encode()), text=words), chunks=[A]) == [at(21, 31)]
    assert cited(support(0, startIndex=len(TEXT.encode()) - 8, endIndex=len(TEXT.encode()) - 1, text="Łódź"),
                 chunks=[A]) == [at(32, 36)]  # fmt: skip


@pytest.mark.parametrize(
    "segment",
    [{}, {"endIndex": 999}, {"startIndex": 5, "endIndex": 2}, {"text": "nowhere"}, {"startIndex": -1, "endIndex": 2}],
)
def test_a_place_that_is_none_is_left_out(segment: dict[str, Any]) -> None:
    """The source stands."""
    assert cited(support(0, **segment), chunks=[A]) == [at(None, None)]
    assert cited({"groundingChunkIndices": [0]}, chunks=[A]) == [at(None, None)]


def test_sources_are_pages_places_pictures_and_documents() -> None:
    """Each by its address; one without any is none."""
    kinds = [
        {"maps": {"uri": "https://maps.example", "title": "M", "text": "A place", "placeId": "p"}},
        {"image": {"sourceUri": "https://page.example", "imageUri": "https://i.example", "title": "I"}},
        {"retrievedContext": {"uri": "https://doc.example", "text": "words"}},
        {"retrievedContext": {"title": "no address"}},
        {},
    ]
    assert cited(chunks=kinds) == [
        Citation(url="https://maps.example", title="M", snippet="A place"),
        Citation(url="https://page.example", title="I"),
        Citation(url="https://doc.example", snippet="words"),
    ]


def test_an_index_of_nothing_is_passed_over_and_nothing_is_cited_twice() -> None:
    """The same stretch may be told again."""
    assert cited(support(7, -1, endIndex=1), support(0, endIndex=2), support(0, endIndex=2), chunks=[A]) == [at(0, 1)]


def test_quotations_are_sources() -> None:
    """Counted in bytes too."""
    whole = {"citationSources": [{"endIndex": 7, "uri": "https://a.example", "license": ""}, {"startIndex": 1}]}
    assert citations(TEXT, None, msgspec.convert(whole, Quotations)) == [at(0, 4, title=None)]
    assert citations(TEXT, None, None) == []
