"""A search of the web: pages, and the words that rest on them."""

from __future__ import annotations

from polychat.sandbox.services.gemini import grounding

SEARCH = [{"google_search": {}}]


def test_the_words_that_rest_on_a_page_are_told_in_bytes(generate):
    """From where to where in UTF-8."""
    told = generate("Grüße", tools=SEARCH)
    found = told.candidates[0].grounding_metadata
    assert [chunk.web.title for chunk in found.grounding_chunks] == ["example.org", "example.net"]
    assert all("/grounding-api-redirect/" in chunk.web.uri for chunk in found.grounding_chunks)
    assert found.web_search_queries == ["Grüße"]
    assert "Grüße" in found.search_entry_point.rendered_content
    data = told.text.encode()
    segments = [support.segment for support in found.grounding_supports]
    assert [data[it.start_index : it.end_index].decode() for it in segments] == [it.text for it in segments]
    assert [it.text for it in segments] == [page.sentence for page in grounding.PAGES]
    assert [support.grounding_chunk_indices for support in found.grounding_supports] == [[0], [0, 1]]


def test_in_a_stream_it_comes_last(stream):
    """With the finish reason."""
    chunks = stream(tools=SEARCH)
    assert [chunk.candidates[0].grounding_metadata is not None for chunk in chunks] == [False] * (len(chunks) - 1) + [
        True
    ]


def test_only_what_was_said_rests_on_something(answered):
    """A limit leaves out the second page, or everything."""
    body = {"tools": [{"googleSearch": {"timeRangeFilter": {"startTime": "2025-01-01T00:00:00Z"}}}]}
    model = "gemini-2.5-flash-lite"
    some = answered(body | {"generationConfig": {"stopSequences": [" Naïve"]}}, model)
    assert len(some["groundingMetadata"]["groundingSupports"]) == 1
    assert answered(body | {"generationConfig": {"maxOutputTokens": 3}}, model)["groundingMetadata"] == {}
    assert "groundingMetadata" not in answered({}, model)


def test_a_start_of_nothing_is_left_out():
    """As every default is."""
    first, second = grounding.metadata(" ".join(page.sentence for page in grounding.PAGES), "<q>")["groundingSupports"]
    assert first["segment"]["endIndex"] == 48
    assert "startIndex" not in first["segment"]
    assert second["segment"]["startIndex"] == 49


def test_a_query_is_no_markup():
    """In what is rendered."""
    entry = grounding.metadata(grounding.PAGES[0].sentence, "<q>")["searchEntryPoint"]
    assert "&lt;q&gt;" in entry["renderedContent"]
