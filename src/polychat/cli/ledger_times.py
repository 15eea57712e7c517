"""Moments as a person writes them on the command line: how long ago, a day, or a day and a time. All in UTC."""

from __future__ import annotations

import datetime
import re
from typing import TYPE_CHECKING

import click

from polychat.errors import BadOption

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    F = TypeVar("F", bound=Callable[..., Any])

_AGO = re.compile(r"(\d{1,9})\s*([smhdw])")
_UNITS = {"s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0, "w": 604_800.0}
_METAVAR = "WHEN"


def moment(written: str, now: float, *, field: str) -> float:
    """The moment that is meant, in Unix seconds; `now` is the time, `field` the option. Raises: `BadOption`."""
    if ago := _AGO.fullmatch(written.strip().lower()):
        return now - int(ago[1]) * _UNITS[ago[2]]
    try:
        day = datetime.datetime.fromisoformat(written.strip())
        return (day if day.tzinfo else day.replace(tzinfo=datetime.UTC)).timestamp()
    except (ValueError, OverflowError) as error:
        raise BadOption(
            f"--{field} {written} is not a moment",
            field=field,
            hint=f"write it like --{field} 12h, --{field} 7d, --{field} 2026-11-01 or --{field} 2026-11-01T18:30",
        ) from error


def since(command: F) -> F:
    """`--since WHEN` and `--until WHEN`."""
    what = "Only those asked {} then: 12h, 7d, 2026-11-01, 2026-11-01T18:30 (UTC)."
    command = click.option("--until", metavar=_METAVAR, help=what.format("before"))(command)
    return click.option("--since", metavar=_METAVAR, help=what.format("since"))(command)
