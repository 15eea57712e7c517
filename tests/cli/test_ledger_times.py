"""Moments as a person writes them."""

from __future__ import annotations

import pytest

from polychat.cli.ledger_times import moment
from polychat.errors import BadOption

NOW = 1_790_000_000.0
DAY_S = 86_400.0


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("30s", NOW - 30),
        ("5m", NOW - 300),
        ("12h", NOW - DAY_S / 2),
        ("1d", NOW - DAY_S),
        ("2w", NOW - 14 * DAY_S),
        (" 7 D ", NOW - 7 * DAY_S),
        ("1970-01-02", DAY_S),
        ("1970-01-02T01:00", DAY_S + 3_600),
        ("1970-01-02 01:00:30", DAY_S + 3_630),
        ("1970-01-02T01:00+01:00", DAY_S),
    ],
)
def test_a_moment_is_understood(written: str, expected: float) -> None:
    """How long ago, a day, or a day and a time, in UTC unless another zone is written."""
    assert moment(written, NOW, field="since") == expected


@pytest.mark.parametrize("written", ["", "yesterday", "1y", "-1d", "2026-13-01", "2026-11-31", "99999999999d", "1.5h"])
def test_anything_else_is_refused(written: str) -> None:
    """One sentence with the option, and how to write it."""
    with pytest.raises(BadOption) as caught:
        moment(written, NOW, field="before")
    assert (caught.value.message, caught.value.field) == (f"--before {written} is not a moment", "before")
    assert caught.value.hint == (
        "write it like --before 12h, --before 7d, --before 2026-11-01 or --before 2026-11-01T18:30"
    )
