"""Accounts as a table, as wide as there is room for, and one account in full."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import click

from polychat.cli.phrases import ending, moment, shortened, table
from polychat.cli.standing import Standing

if TYPE_CHECKING:
    from polychat.credentials import Account

_NARROW, _NARROWEST = 24, 14  # of a name
_LEGEND = {
    "*": "* is asked first",
    "memory": "sandbox-... are the sandbox's own people",
    "environment": "env:... come from the environment",
}


class _Column(NamedTuple):
    heading: str
    cell: Callable[[Standing], str]


def _named(width: int) -> _Column:
    return _Column("  NAME", lambda one: f"{'*' if one.is_default else ' '} {shortened(one.entry.name, width)}")


def _quota(*, brief: bool) -> _Column:
    return _Column("QUOTA", lambda one: one.quota(one.quotas[0], brief=brief) if one.quotas else "-")


def _last_error(one: Standing) -> str:
    return one.health.trouble.code.replace("_", " ") if one.health.trouble else "-"


_NAME = _named(64)
_PROVIDER = _Column("PROVIDER", lambda one: one.entry.provider)
_KIND = _Column("KIND", lambda one: one.kind)
_STATE = _Column("STATE", lambda one: one.styled)
_EXPIRES = _Column("EXPIRES", lambda one: ending(one.entry.expires_at, one.now))
_QUOTA = _quota(brief=False)
_BRIEF_QUOTA = _quota(brief=True)
_WIDE = (_NAME, _PROVIDER, _KIND, _STATE, _EXPIRES, _QUOTA, _Column("LAST ERROR", _last_error))
_VIEWS = (  # from wide to narrow; of a quota that has no column, a line below tells
    _WIDE,
    _WIDE[:6],
    (*_WIDE[:5], _BRIEF_QUOTA),
    _WIDE[:5],
    (_NAME, _PROVIDER, _STATE, _EXPIRES),
    (_named(_NARROW), _PROVIDER, _STATE, _EXPIRES),
    (_named(_NARROWEST), _PROVIDER, _STATE, _EXPIRES),
)


def listed(standings: Sequence[Standing], columns: int | None) -> Iterator[str]:
    """The table, those of a service together, in so many columns where it fits; below it what is to be mended."""
    services = list(dict.fromkeys(one.entry.provider for one in standings))
    standings = sorted(standings, key=lambda one: services.index(one.entry.provider))
    view, lines = _fitting(standings, columns)
    yield click.style(lines[0], bold=True)
    yield from lines[1:]
    below = [] if {_QUOTA, _BRIEF_QUOTA} & {*view} else [line for one in standings for line in _allowances(one)]
    for one in standings:
        if one.trouble:
            below += one.finding.lines
    if below:
        yield ""
        yield from below
    yield ""
    sources = {one.entry.source for one in standings}
    yield click.style("; ".join(words for source, words in _LEGEND.items() if source in sources | {"*"}), dim=True)


def _fitting(standings: Sequence[Standing], columns: int | None) -> tuple[Sequence[_Column], list[str]]:
    """The widest view that fits, or else the narrowest."""
    views = [(view, _drawn(view, standings)) for view in _VIEWS]
    return next(((view, lines) for view, lines in views if columns is None or _width(lines) <= columns), views[-1])


def _drawn(view: Sequence[_Column], standings: Sequence[Standing]) -> list[str]:
    return table([[column.heading for column in view], *([column.cell(one) for column in view] for one in standings)])


def _width(lines: Sequence[str]) -> int:
    return max(len(click.unstyle(line)) for line in lines)


def _allowances(one: Standing) -> Iterator[str]:
    for seen in one.quotas:
        yield f"  {one.entry.name}: {one.quota(seen)}"


# ---------------------------------------------------------------- one account


def shown(one: Standing, held: dict[str, list[str]], locked: str | None) -> Iterator[str]:
    """One account in full. `held` are the names of what it holds; `locked` says why they are not known."""
    rows = [row for row in (*_about(one), *_told(one), *_holding(held, locked)) if row[1]]
    yield from table(rows)


def _about(one: Standing) -> Iterator[tuple[str, str]]:
    entry = one.entry
    yield "name", entry.name + (f", the default of {entry.provider}" if one.is_default else "")
    yield "provider", entry.provider
    yield "kind", one.kind
    yield "created", "" if entry.created_at is None else moment(entry.created_at, one.now)
    yield "expires", ending(entry.expires_at, one.now)
    yield "state", one.styled
    for model, hold in one.health.holds.items():
        left = "next question tries it" if hold.until <= one.now else f"asked again {ending(hold.until, one.now)}"
        yield f"  {model}", f"{hold.kind.replace('_', ' ')}, {left}"


def _told(one: Standing) -> Iterator[tuple[str, str]]:
    for seen in one.quotas:
        yield "quota", one.quota(seen)
    yield "answered", moment(one.health.answered_at, one.now) if one.health.answered_at else "never, as far as is known"
    if trouble := one.health.trouble:
        yield "last error", f"{trouble.message} ({moment(trouble.at, one.now)})"
        yield "hint", trouble.hint or ""
    yield "mend", one.mend or ""


def _holding(held: dict[str, list[str]], locked: str | None) -> Iterator[tuple[str, str]]:
    yield "holds", f"locked: {locked}" if locked else ""
    for what, names in held.items():
        yield what.replace("_", " "), ", ".join(names)


def held(account: Account) -> dict[str, list[str]]:
    """The names of what the account holds."""
    from polychat.credentials import SessionCookies

    credential = account.credential
    if not isinstance(credential, SessionCookies):
        return {}
    return {
        "cookies": sorted(credential.cookies),
        "headers": sorted(credential.headers),
        "gate_tokens": sorted(credential.gate_tokens),
    }
