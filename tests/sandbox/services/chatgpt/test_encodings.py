"""The same turn in every way it can be written down says the same."""

from __future__ import annotations

import itertools
import json

import pytest

TEXT = "You asked: “Hello there” (2 words)."
FAILED = "Something went wrong. (sandbox)"


@pytest.mark.parametrize("placed", ["stream", "root", "closing"])
@pytest.mark.parametrize("addressing", ["sticky", "text", "explicit"])
@pytest.mark.parametrize("dialect", ["2026", "2025-03"])
def test_the_text_is_the_same_however_it_is_told(web, dialect, addressing, placed):
    """Both dialects, three ways of leaving `p` and `o` out, three places of the words."""
    told = web.turn(scenario=f"dialect={dialect}, addressing={addressing}, text={placed}")
    assert told.text == TEXT
    assert told.answer["status"] == "finished_successfully"
    assert told.answer["end_turn"] is True
    assert told.answer["metadata"]["finish_details"] == {"type": "stop", "stop_tokens": [200002]}
    assert told.done


def test_v1_begins_with_its_name(web):
    """One record, once, first."""
    told = web.turn()
    assert [record for record in told.records if record[0] == "delta_encoding"] == [told.records[0]]
    assert told.records[0] == ("delta_encoding", '"v1"')


def deltas(told) -> list[dict]:
    """The records of patches and roots."""
    return [json.loads(data) for name, data in told.records if name == "delta"]


def test_sticky_records_leave_out_what_holds_on(web):
    """Bare text, a path alone, an operation alone; roots without either; after a root both are there."""
    told = web.turn(scenario="thinking")
    shapes = [tuple(sorted(record.keys() - {"v", "c"})) for record in deltas(told)]
    assert {(), ("p",), ("o", "p")} == set(shapes)
    roots = [index for index, record in enumerate(deltas(told)) if "c" in record]
    assert [shapes[index] for index in roots] == [()] * len(roots)
    followers = [shapes[index + 1] for index in roots if index + 1 < len(shapes) and index + 1 not in roots]
    assert set(followers) == {("o", "p")}


def test_explicit_records_leave_out_nothing(web):
    """Every record has its place and operation."""
    told = web.turn(scenario="addressing=explicit, thinking, search")
    assert {tuple(sorted(record.keys() - {"v", "c"})) for record in deltas(told)} == {("o", "p")}


def test_between_pieces_of_text_only_they_are_left_out(web):
    """Bare records come only after the path of the text, as the clients of spring 2025 need it."""
    path = None
    for record in deltas(web.turn(scenario="addressing=text, thinking, search, tool")):
        path = record.get("p", path)
        assert "p" in record or path == "/message/content/parts/0"
        assert ("o" in record) == ("p" in record)


def test_roots_are_counted(web):
    """`c` goes 0, 1, 2, ..."""
    counts = [record["c"] for record in deltas(web.turn(scenario="tool, thinking")) if "c" in record]
    assert counts == list(range(len(counts)))
    assert len(counts) > 5


def test_the_first_words_may_lie_in_the_root(web):
    """`text=root`: the rest comes in deltas."""
    roots = [record["v"]["message"] for record in deltas(web.turn(scenario="text=root")) if "c" in record]
    assert roots[-1]["content"]["parts"] == ["You"]


def test_all_words_may_lie_in_the_closing_patch(web):
    """`text=closing`: one patch of four operations."""
    (patch,) = [record for record in deltas(web.turn(scenario="text=closing")) if record.get("o") == "patch"]
    assert patch["v"][0] == {"p": "/message/content/parts/0", "o": "append", "v": TEXT}
    assert len(patch["v"]) == 4


def test_without_the_name_of_v1_the_stream_is_classic(web):
    """Whole messages, the text growing, `[DONE]`, and no record with an event name."""
    told = web.turn(supported_encodings=[])
    assert {name for name, _data in told.records} == {None}
    texts = [
        value["message"]["content"]["parts"][0]
        for _name, data in told.records
        if data != "[DONE]" and "message" in (value := json.loads(data)) and value["message"]["status"] == "in_progress"
    ]
    assert all(later.startswith(earlier) for earlier, later in itertools.pairwise(texts))
    assert len(texts) > 5
    assert told.text == TEXT
    assert told.answer["metadata"]["message_type"] == "next"
    assert told.done


def test_classic_moderation_has_no_type(web):
    """The old object, after the answer."""
    told = web.turn(supported_encodings=[], scenario="blocked")
    (verdict,) = [event for event in told.events if "moderation_response" in event]
    assert "type" not in verdict
    assert verdict["moderation_response"]["blocked"] is True
    assert verdict["message_id"] == told.answer["id"]


@pytest.mark.parametrize(
    ("failure", "encodings", "error"),
    [
        ("root", ["v1"], FAILED),
        ("record", ["v1"], {"message": FAILED, "code": "sandbox_error"}),
        ("root", [], FAILED),
        ("record", [], FAILED),
    ],
)
def test_a_turn_can_fail_in_its_stream(web, failure, encodings, error):
    """Some words, then an error, in v1 by a root or a record; nothing says that the turn is complete."""
    told = web.turn(scenario=f"failure={failure}", supported_encodings=encodings)
    assert told.errors == [error]
    assert told.text == "You asked:"
    assert told.answer["status"] == "in_progress"
    assert "message_stream_complete" not in told.types()


def test_the_end_mark_can_be_missing(web):
    """`done=false`."""
    assert not web.turn(scenario="done=false").done


@pytest.mark.parametrize("scenario", ["chunk_bytes=1", "split_character", "coalesce", "coalesce=100"])
def test_the_faults_of_the_wire_lose_nothing(web, scenario):
    """Pieces of any size are the same stream."""
    assert web.turn(scenario=f"search, {scenario}").text == web.turn(scenario="search").text
