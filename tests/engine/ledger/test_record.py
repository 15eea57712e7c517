"""What a record is called."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from polychat.engine.ledger.record import ID_DIGITS, new_id

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
