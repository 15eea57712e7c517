"""One thing that was found out, as a line with a mark, and what to do about it on the line below."""

from __future__ import annotations

from typing import Literal, NamedTuple

import click

Area = Literal["setup", "account"]
Level = Literal["good", "notice", "broken"]

_MARKS: dict[Level, tuple[str, str]] = {"good": ("✓", "green"), "notice": ("!", "yellow"), "broken": ("✗", "red")}


class Finding(NamedTuple):
    """What was found; `mend` is there for whatever is not good."""

    level: Level
    said: str
    mend: str | None = None
    area: Area = "setup"
    section: str = ""  # of the checkup

    @property
    def lines(self) -> list[str]:
        """As a person reads it."""
        mark, colour = _MARKS[self.level]
        said = [f"{click.style(mark, fg=colour)} {self.said}"]
        return said + ([f"  {click.style('mend:', fg='cyan')} {self.mend}"] if self.mend else [])
