"""Sizes and moments as a person says them, and rows as a table."""

from __future__ import annotations

import click
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


@pytest.mark.parametrize(
    ("expires_at", "said"),
    [
        (None, "-"),
        (1_000.0 + 3 * 86_400, "in 3 days"),
        (1_000.0 - 7_200, "expired 2 hours ago"),
        (1_001.0, "in 1 second"),
    ],
)
def test_ending(expires_at: float | None, said: str) -> None:
    """The same, as a cell of a table."""
    assert phrases.ending(expires_at, now=1_000.0) == said


def test_moment() -> None:
    """The date, in a zone that is named, and how long ago that is."""
    assert phrases.moment(1_767_225_600.0, now=1_767_225_660.0) == "2026-01-01 00:00 UTC, 1 minute ago"


@pytest.mark.parametrize(("count", "said"), [(None, "-"), (8192, "8k"), (1_000_000, "1M"), (1_047_576, "1.05M")])
def test_tokens(count: int | None, said: str) -> None:
    """How much a model takes in, at a glance."""
    assert phrases.tokens(count) == said


def test_shortened() -> None:
    """What does not fit ends in an ellipsis, within the width."""
    assert [phrases.shortened(name, 5) for name in ("short", "longer")] == ["short", "long…"]


def test_table() -> None:
    """Columns stand under one another, without spaces at the ends of lines."""
    assert phrases.table([("a", "bb", "c"), ("aaa", "b", "")]) == ["a    bb  c", "aaa  b"]


def test_a_styled_cell_is_as_wide_as_it_looks() -> None:
    """Colour takes no room."""
    lines = phrases.table([(click.style("a", fg="red"), "x"), ("bb", "y")])
    assert [click.unstyle(line) for line in lines] == ["a   x", "bb  y"]
