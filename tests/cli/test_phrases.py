"""Sizes and moments as a person says them."""

from __future__ import annotations

import pytest

from polychat.cli import phrases


@pytest.mark.parametrize(
    ("size_bytes", "said"),
    [(0, "0 B"), (999, "999 B"), (48_123, "48 kB"), (12_340_000, "12.3 MB")],
)
def test_sizes(size_bytes: int, said: str) -> None:
    """Three digits or so, in the unit that fits."""
    assert phrases.size(size_bytes) == said


@pytest.mark.parametrize(
    ("expires_at", "said"),
    [
        (None, "with no end known"),
        (1_000.0 + 3_599, "good for another 59 minutes"),
        (1_000.0 + 86_400, "good for another 1 day"),
        (1_000.0 - 7_200, "expired 2 hours ago"),
        (1_000.0, "expired less than a second ago"),
    ],
)
def test_expiry(expires_at: float | None, said: str) -> None:
    """The largest whole unit, before and after the end."""
    assert phrases.expiry(expires_at, now=1_000.0) == said


def test_table() -> None:
    """Columns stand under one another, without spaces at the ends of lines."""
    assert phrases.table([("a", "bb", "c"), ("aaa", "b", "")]) == ["a    bb  c", "aaa  b"]
