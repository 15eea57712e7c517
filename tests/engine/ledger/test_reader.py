"""What reads the ledger."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from polychat.engine.ledger.reader import Reader
from polychat.engine.ledger.record import Record
from polychat.engine.ledger.statistics import Filters
from polychat.engine.ledger.writer import Ledger
from polychat.errors import BadOption, ConfigError

Make = Callable[..., Record]


def keep(path: Path, records: Sequence[Record]) -> None:
    """Write them in this order."""
    ledger = Ledger(path)
    for record in records:
        ledger.put(record)
    ledger.close()


def test_a_ledger_that_is_not_there_is_empty(path: Path) -> None:
    """Every question has an answer, and looking makes no file."""
    with Reader(path) as reader:
        assert (reader.recent(), reader.after(None), reader.newest(), reader.quotas()) == ([], [], None, [])
        assert (reader.count(), reader.stats("provider"), list(reader.pages())) == (0, [], [])
    assert not path.parent.exists()


def test_a_file_that_appears_is_seen(path: Path, record: Make) -> None:
    """The reader was there before the writer."""
    one = record()
    with Reader(path) as reader:
        assert reader.count() == 0
        keep(path, [one])
        assert reader.count() == 1
        path.unlink()
        assert reader.count() == 0


def test_the_newest_come_first(path: Path, record: Make) -> None:
    """By when they were asked, whatever the order of writing; words are left out."""
    records = [record(at=float(at), content="{}") for at in (3, 1, 2)]
    keep(path, records)
    with Reader(path) as reader:
        assert [one.at for one in reader.recent()] == [3.0, 2.0, 1.0]
        assert [one.at for one in reader.recent(limit=2)] == [3.0, 2.0]
        assert {one.content for one in reader.recent()} == {None}


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(), "abcd"),
        (Filters(since=2), "bcd"),
        (Filters(until=2), "a"),
        (Filters(since=2, until=4), "bc"),
        (Filters(provider="openai"), "b"),
        (Filters(account="home"), "c"),
        (Filters(model="gpt-4o"), "b"),
        (Filters(key="laptop"), "d"),
        (Filters(outcome="error"), "c"),
        (Filters(kind="speech"), "d"),
        (Filters(provider="openai", outcome="error"), ""),
    ],
)
def test_filters_narrow(filters: Filters, expected: str, path: Path, record: Make) -> None:
    """Each by itself, and all that are given together; since is included, until is not."""
    keep(
        path,
        [
            record(at=1.0, wanted="a"),
            record(at=2.0, wanted="b", provider="openai", model="gpt-4o"),
            record(at=3.0, wanted="c", account="home", outcome="error"),
            record(at=4.0, wanted="d", key="laptop", kind="speech"),
        ],
    )
    with Reader(path) as reader:
        assert "".join(sorted(one.wanted for one in reader.recent(filters))) == expected
        assert reader.count(filters) == len(expected)
        assert "".join(one.wanted for page in reader.pages(filters) for one in page) == expected


def test_one_is_found_by_the_beginning_of_its_id(path: Path, record: Make) -> None:
    """As long as no other begins so; capital letters do too, and its words are there."""
    one, other = record(at=1_000.0, content="{}"), record(at=5_000_000.0)
    keep(path, [one, other])
    with Reader(path) as reader:
        assert reader.show(one.id) == one
        assert reader.show(one.id[:9].upper()) == one
        with pytest.raises(BadOption, match="more than one request begins with '0'") as caught:
            reader.show("0")
        assert (caught.value.field, caught.value.hint) == ("id", "write more of the id")


@pytest.mark.parametrize("name", ["ffff", "zz", "%", "'", "", "0" * 20, "0" * 40])
def test_an_id_there_is_not(name: str, path: Path, record: Make) -> None:
    """One sentence, whatever was written; nothing in it is a pattern or a command."""
    keep(path, [record(), record()])
    with Reader(path) as reader, pytest.raises(BadOption):
        reader.show(name)


def test_what_was_written_since_is_told_in_the_order_of_writing(path: Path, record: Make) -> None:
    """Also a request that was asked before the last one and written after it."""
    first, late, third = record(at=5.0), record(at=1.0), record(at=9.0)
    keep(path, [first])
    with Reader(path) as reader:
        last = reader.newest()
        assert (last, reader.after(last)) == (first.id, [])
        keep(path, [late, third])
        assert [one.id for one in reader.after(last)] == [late.id, third.id]
        assert [one.id for one in reader.after(None)] == [first.id, late.id, third.id]


def test_one_may_go_on_from_a_request_that_was_pruned(path: Path, record: Make) -> None:
    """Its id still says when it was."""
    gone, later = record(at=5.0), record(at=9.0)
    keep(path, [later])
    with Reader(path) as reader:
        assert [one.id for one in reader.after(gone.id)] == [later.id]


def test_pages_give_all_of_a_long_ledger(path: Path, record: Make) -> None:
    """In the order of writing, each once, with their words."""
    records = [record(at=float(at), content="{}") for at in range(2_100)]
    keep(path, records)
    with Reader(path) as reader:
        pages = list(reader.pages())
    assert [one for page in pages for one in page] == records
    assert len(pages) == 3


def test_a_damaged_file_is_told(path: Path) -> None:
    """As when writing, whatever is asked."""
    path.parent.mkdir(mode=0o700)
    path.touch(0o600)
    path.write_bytes(b"no database" * 500)
    with Reader(path) as reader, pytest.raises(ConfigError, match="is damaged"):
        reader.recent()
