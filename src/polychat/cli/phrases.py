"""Sizes and moments as a person says them, and rows as a table."""

from __future__ import annotations

import time
from collections.abc import Sequence

import click

_SPANS = ((86_400.0, "day"), (3_600.0, "hour"), (60.0, "minute"), (1.0, "second"))


def size(size_bytes: int) -> str:
    """312 B, 48 kB, 1.2 MB."""
    if size_bytes < 1_000:
        return f"{size_bytes} B"
    if size_bytes < 1_000_000:
        return f"{size_bytes / 1_000:.0f} kB"
    return f"{size_bytes / 1_000_000:.1f} MB"


def tokens(count: int | None) -> str:
    """128k, 1M, - where nobody knows."""
    if count is None:
        return "-"
    return f"{count / 1_000_000:.3g}M" if count >= 1_000_000 else f"{count // 1_000}k"


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


def ending(expires_at: float | None, now: float) -> str:
    """in 3 days, expired 2 hours ago, - (both in Unix seconds)."""
    if expires_at is None:
        return "-"
    return f"expired {span(now - expires_at)} ago" if expires_at <= now else f"in {span(expires_at - now)}"


def moment(at: float, now: float) -> str:
    """2026-11-20 21:59 UTC, 3 days ago (both in Unix seconds)."""
    return f"{time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime(at))}, {span(now - at)} ago"


def shortened(text: str, width: int) -> str:
    """`text` in at most so many characters, the last one an ellipsis where some are left out."""
    return text if len(text) <= width else f"{text[: width - 1]}…"


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines with every column but the last as wide as its widest cell; styled cells count without their style."""
    widths = [max(len(click.unstyle(cell)) for cell in column) for column in zip(*rows, strict=True)]
    return ["  ".join(map(_padded, row, widths)).rstrip() for row in rows]


def _padded(cell: str, width: int) -> str:
    return cell + " " * (width - len(click.unstyle(cell)))
