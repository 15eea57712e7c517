"""What a record is called."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polychat.engine.ledger.record import ID_DIGITS, new_id, opened, place
from polychat.engine.settings import load

MOMENTS = st.floats(min_value=0, max_value=10_000_000_000)


@given(MOMENTS, MOMENTS)
def test_ids_sort_by_time(one: float, other: float) -> None:
    """Of two requests that are a millisecond apart the later one has the later id."""
    earlier, later = sorted((one, other))
    assert later - earlier < 0.001 or new_id(earlier) < new_id(later)


@given(MOMENTS)
def test_ids_are_of_one_length(at: float) -> None:
    """Twenty hexadecimal digits, so that text sorts as numbers do."""
    assert len(new_id(at)) == ID_DIGITS
    assert int(new_id(at), 16) >= 0


def test_ids_differ() -> None:
    """Requests of the same millisecond have ids of their own."""
    assert len({new_id(1_790_000_000.0) for _ in range(1_000)}) == 1_000


def test_the_ledger_is_among_the_states(tmp_path: Path) -> None:
    """POLYCHAT_HOME moves it with everything else; another file may be named."""
    environ = {"POLYCHAT_HOME": str(tmp_path)}
    assert place(load(environ=environ)) == tmp_path / "state" / "ledger.sqlite"
    own = tmp_path / "own.sqlite"
    assert place(load(environ=environ, overrides={"logging": {"file": str(own)}})) == own


def test_what_is_asked_of_a_sandbox_is_kept_apart(tmp_path: Path) -> None:
    """A rehearsal is in nobody's sums; a file that is named is that file."""
    environ = {"POLYCHAT_HOME": str(tmp_path), "POLYCHAT_SANDBOX": "http://127.0.0.1:9"}
    assert place(load(environ=environ)) == tmp_path / "state" / "ledger-sandbox.sqlite"
    named = {"logging": {"file": str(tmp_path / "mine.sqlite")}}
    assert place(load(environ=environ, overrides=named)) == tmp_path / "mine.sqlite"


@pytest.mark.parametrize(("store", "kept"), [(None, False), ("none", False), ("facts", True), ("full", True)])
def test_a_ledger_is_kept_where_it_is_wanted(tmp_path: Path, store: str | None, kept: bool) -> None:
    """A program's own client keeps none unless the config says so."""
    settings = load(environ={"POLYCHAT_HOME": str(tmp_path)}, overrides={"logging": {"store": store}})
    ledger = opened(settings)
    assert (ledger is not None) == kept
    assert ledger is None or ledger.path == place(settings)
