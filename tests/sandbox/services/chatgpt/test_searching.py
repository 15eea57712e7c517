"""A search: results, marks in the text, references that come late."""

from __future__ import annotations

import json
import re

import pytest

MARK = "\ue200cite\ue202turn0search0\ue202turn0news1\ue201"


@pytest.mark.parametrize("asked", [{"scenario": "search"}, {"system_hints": ["search"]}])
def test_a_search_is_a_call_a_result_and_a_cited_answer(web, asked):
    """Two groups of pages, a mark for both, a reference that says what it stands for."""
    told = web.turn(**asked)
    _system, _user, call, _result, answer = told.messages.values()
    assert (call["recipient"], call["content"]["content_type"]) == ("web", "code")
    groups = answer["metadata"]["search_result_groups"]
    entries = [entry for group in groups for entry in group["entries"]]
    assert [(entry["ref_id"]["ref_type"], entry["ref_id"]["ref_index"]) for entry in entries] == [
        ("search", 0), ("news", 1),
    ]  # fmt: skip
    assert all("utm_source=chatgpt.com" in entry["url"] for entry in entries)
    (reference,) = answer["metadata"]["content_references"]
    start, end = reference["start_idx"], reference["end_idx"]
    assert told.text[start:end] == reference["matched_text"] == MARK
    assert [item["url"] for item in reference["items"]] == [entry["url"] for entry in entries]


def test_the_text_has_stray_marks_and_a_mark_split_over_deltas(web):
    """E203, E204, E206 stray; the one mark comes in three pieces; references come after the last word."""
    told = web.turn(scenario="search, addressing=explicit")
    records = [json.loads(data) for name, data in told.records if name == "delta"]
    pieces = [record["v"] for record in records if record["p"] == "/message/content/parts/0"]
    assert re.findall("[\ue203-\ue206]", told.text) == ["\ue203", "\ue204", "\ue206"]
    assert MARK not in pieces
    assert MARK in "".join(pieces)
    assert len([piece for piece in pieces if re.search("[\ue200-\ue202]", piece) or piece.startswith("search0")]) == 3
    paths = [record["p"] for record in records]
    last_word = len(paths) - 1 - paths[::-1].index("/message/content/parts/0")
    assert paths.index("/message/metadata/content_references") > last_word
    assert any(isinstance(record["v"], int) for record in records)
