"""Citations of what the request shows."""

from __future__ import annotations

import pytest

CITE = {"citations": {"enabled": True}}


@pytest.fixture
def cited(chat):
    """cited(*blocks): the citations of an answer to them, each with the words it stands under."""

    def cited(*blocks):
        told = chat([{"role": "user", "content": [*blocks, {"type": "text", "text": "Read"}]}])
        return [(block.text, *(block.citations or ())) for block in told.content[1:]]

    return cited


def test_a_text_is_cited_by_its_characters(cited, document):
    """The first ones."""
    ((words, place),) = cited(document("A cat " * 20, title="Cats", **CITE))
    quoted = ("A cat " * 20)[:40]
    assert words == f" It is written: {quoted}"
    assert (place.type, place.cited_text, place.start_char_index, place.end_char_index) == (
        "char_location",
        quoted,
        0,
        40,
    )
    assert (place.document_index, place.document_title) == (0, "Cats")


def test_a_pdf_is_cited_by_its_page(cited, document):
    """The first one."""
    ((_words, place),) = cited(document(b"%PDF-1.7", **CITE))
    assert (place.type, place.start_page_number, place.end_page_number) == ("page_location", 1, 2)


def test_blocks_are_cited_by_their_number(cited, png, picture):
    """The whole first one."""
    for content, words in (
        ([{"type": "text", "text": "One cat"}], "One cat"),
        ("Two cats", "Two cats"),
        ([picture(png())], ""),
    ):
        ((_words, place),) = cited({"type": "document", "source": {"type": "content", "content": content}, **CITE})
        assert (place.type, place.cited_text, place.start_block_index, place.end_block_index) == (
            "content_block_location", words, 0, 1,
        )  # fmt: skip


def test_a_search_result_is_cited_by_its_source(cited, document):
    """Counted apart from documents."""
    found = {"type": "search_result", "source": "here", "title": "T", "content": [{"type": "text", "text": "Cats"}]}
    _document, (words, place) = cited(document("One", **CITE), found | CITE)
    assert words == " It is written: Cats"
    assert place.to_dict() == {
        "type": "search_result_location", "cited_text": "Cats", "source": "here", "title": "T",
        "search_result_index": 0, "start_block_index": 0, "end_block_index": 1,
    }  # fmt: skip


def test_what_a_tool_found_is_cited_too(chat, tool):
    """In its result."""
    found = {"type": "search_result", "source": "here", "title": "T", "content": [{"type": "text", "text": "Cats"}]}
    call = {"type": "tool_use", "id": "a", "name": "look", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "a", "content": [found | CITE]}
    talk = [
        {"role": "user", "content": "Read"}, {"role": "assistant", "content": [call]},
        {"role": "user", "content": [result]},
    ]  # fmt: skip
    assert chat(talk, tools=[tool("look")]).content[1].citations[0].source == "here"


def test_citations_keep_to_the_limit(chat, document):
    """Each is whole or not there."""
    asked = [{"role": "user", "content": [document("One", **CITE), document("Two", **CITE)]}]
    whole = chat(asked)
    assert (whole.stop_reason, len(whole.content)) == ("end_turn", 3)
    exact = chat(asked, max_tokens=whole.usage.output_tokens)
    assert (exact.stop_reason, len(exact.content)) == ("end_turn", 3)
    cut = chat(asked, max_tokens=whole.usage.output_tokens - 1)
    assert (cut.stop_reason, len(cut.content)) == ("max_tokens", 2)
    assert cut.usage.output_tokens == whole.usage.output_tokens - 4


def test_a_script_cites_nothing(chat, document, sandbox):
    """It speaks for itself, and is stopped by nothing."""
    sandbox.script("anthropic", text="You asked nothing of me")
    asked = [{"role": "user", "content": [document("One", **CITE)]}]
    told = chat(asked, stop_sequences=[":", "I see"])
    assert [(block.text, block.citations) for block in told.content] == [("You asked nothing of me", None)]
    assert told.stop_reason == "end_turn"


def test_nothing_is_cited_that_may_not(cited, document):
    """Which is the rule."""
    assert cited(document("One"), document("Two", citations={"enabled": False})) == []


def test_all_or_none_may_be_cited(refused, document):
    """400 with the place of the first that may not."""
    content = [document("One", **CITE), document("Two")]
    assert refused({"messages": [{"role": "user", "content": content}]}) == (400, "messages.0.content.1.citations")


def test_json_cites_nothing(refused, document):
    """An answer by a schema and citations exclude each other."""
    schema = {"type": "object", "properties": {}, "additionalProperties": False}
    body = {
        "messages": [{"role": "user", "content": [document("One", **CITE)]}],
        "output_config": {"format": {"type": "json_schema", "schema": schema}},
    }
    assert refused(body) == (400, "output_config.format")


def test_citations_come_back_as_they_were_given(chat, document):
    """In the newest version of the API too."""
    asked = {"role": "user", "content": [document("One", **CITE)]}
    assert chat([asked, chat([asked]).to_param(), asked]).stop_reason == "end_turn"
