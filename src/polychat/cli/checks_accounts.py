"""The checkup of the accounts: how each is doing and, when that is asked for, what its service makes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from polychat.cli.finding import Finding
from polychat.errors import ConfigError

if TYPE_CHECKING:
    from polychat.cli.standing import Standing
    from polychat.cli.trials import Trial
    from polychat.engine.settings import Settings


async def accounts(settings: Settings, environ: Mapping[str, str], *, online: bool) -> list[Finding]:
    """A finding for each account there is."""
    from polychat.cli.standing import standings
    from polychat.cli.trials import try_all
    from polychat.engine.accounts import kept

    vault = kept(settings, environ)
    try:
        entries = vault.entries()
    except ConfigError as error:
        return [Finding("broken", error.message, error.hint)]
    if not entries:
        return [Finding("notice", "there is no account yet", "polychat providers lists what you can sign in to")]
    trials = await try_all(settings, vault, entries) if online else [None for _ in entries]
    return _judged(standings(settings, vault), trials)


def _judged(found: Sequence[Standing], trials: Sequence[Trial | None]) -> list[Finding]:
    return [_account(one, trial) for one, trial in zip(found, trials, strict=True)]


def _account(one: Standing, trial: Trial | None) -> Finding:
    said = f"{one.entry.name}, {one.entry.provider} {one.kind}"
    if trial and trial.error:
        return Finding("broken", f"{said}: {trial.error.message}", trial.mend, "account")
    ends = f", {one.end}" if one.end else ""
    accepted = "; the service accepts it" if trial and trial.tried and trial.tried.asked else ""
    return Finding(one.level, f"{said}: {one.words}{ends}{accepted}", one.mend, "account")
