"""The ledger as text for other programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from polychat.engine.ledger.export import export
from polychat.engine.ledger.reader import Reader
from polychat.engine.ledger.record import Record
from polychat.engine.ledger.statistics import Filters
from polychat.engine.ledger.writer import Ledger

Make = Callable[..., Record]


@pytest.fixture
def records(path: Path, record: Make) -> list[Record]:
    """Two of them, one with everything that CSV could trip over."""
    hard = record(at=2.0, wanted='a,"b"\nü', content='{"messages": []}', cost_usd=0.25, stream=True)
    kept = [record(at=1.0), hard]
    ledger = Ledger(path)
    for one in kept:
        ledger.put(one)
    ledger.close()
    return kept


def test_json_lines_are_the_records(path: Path, records: list[Record]) -> None:
    """A line each, whole."""
    with Reader(path) as reader:
        assert [msgspec.json.decode(line, type=Record) for line in export(reader, "jsonl")] == records


def test_csv_has_headings_and_a_row_each(path: Path, records: list[Record]) -> None:
    """What reads CSV gets every value back; nothing is an empty cell."""
    with Reader(path) as reader:
        rows = list(csv.DictReader(io.StringIO("".join(export(reader, "csv")))))
    assert [row["id"] for row in rows] == [one.id for one in records]
    assert (rows[1]["wanted"], rows[1]["content"]) == (records[1].wanted, records[1].content)
    assert (rows[1]["cost_usd"], rows[0]["cost_usd"], rows[1]["stream"]) == ("0.25", "", "True")


def test_no_cell_is_a_formula(path: Path, record: Make) -> None:
    """What somebody wrote as a model's name is not calculated by a spreadsheet."""
    ledger = Ledger(path)
    ledger.put(record(wanted='=HYPERLINK("https://example.org")'))
    ledger.close()
    with Reader(path) as reader:
        (row,) = csv.DictReader(io.StringIO("".join(export(reader, "csv"))))
        assert row["wanted"].startswith("'=")
        assert '"wanted":"=HYPERLINK' in "".join(export(reader, "jsonl"))


def test_lines_are_made_while_they_are_taken(path: Path, records: list[Record]) -> None:
    """A generator, and only of what is meant."""
    with Reader(path) as reader:
        lines = export(reader, "jsonl", Filters(since=2))
        assert isinstance(lines, Iterator)
        assert len(list(lines)) == 1
        assert list(export(reader, "csv", Filters(since=99))) == [",".join(Record.__struct_fields__) + "\n"]
    assert len(records) == 2
