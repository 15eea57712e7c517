"""Sizes and moments as a person says them, and rows as a table."""

from __future__ import annotations

from collections.abc import Sequence

_SPANS = ((86_400.0, "day"), (3_600.0, "hour"), (60.0, "minute"), (1.0, "second"))


def size(size_bytes: int) -> str:
    """312 B, 48 kB, 1.2 MB."""
    if size_bytes < 1_000:
        return f"{size_bytes} B"
    if size_bytes < 1_000_000:
        return f"{size_bytes / 1_000:.0f} kB"
    return f"{size_bytes / 1_000_000:.1f} MB"


def span(seconds: float) -> str:
    """50 minutes, 3 days."""
    for length, name in _SPANS:
        if seconds >= length:
            count = int(seconds // length)
            return f"{count} {name}{'' if count == 1 else 's'}"
    return "less than a second"


def expiry(expires_at: float | None, now: float) -> str:
    """When something ends (both in Unix seconds)."""
    if expires_at is None:
        return "with no end known"
    if expires_at <= now:
        return f"expired {span(now - expires_at)} ago"
    return f"good for another {span(expires_at - now)}"


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines with every column but the last as wide as its widest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
