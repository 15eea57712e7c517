"""Sign-ins are used once, several at a time, and what comes of it is said as it comes."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from polychat.cli import failures
from polychat.cli.finding import Finding
from polychat.cli.phrases import expiry
from polychat.cli.standing import again, passing
from polychat.errors import AuthExpired, ChallengeRequired, ConfigError, NoAccount, PolychatError

if TYPE_CHECKING:
    from polychat.engine.engine import Engine, Tried
    from polychat.engine.settings import Settings
    from polychat.vault.base import Entry, Vault

_AT_ONCE = 4
_VAULT, _SIGN_IN, _QUOTA, _NETWORK, _OTHER = 3, 4, 5, 7, 1
_SEVERITY = (_VAULT, _SIGN_IN, _QUOTA, _NETWORK)


class Trial(NamedTuple):
    """What came of one sign-in."""

    entry: Entry
    tried: Tried | None
    error: PolychatError | None

    @property
    def finding(self) -> Finding:
        """As a person reads it."""
        name = f"{self.entry.name} ({self.entry.provider})"
        if self.tried is None:
            said = self.error.message if self.error else ""
            return Finding("broken", f"{name}: {said}", self.mend, "account")
        return Finding("good" if self.tried.asked else "notice", f"{name}: {outcome(self.tried, time.time())}")

    @property
    def mend(self) -> str | None:
        """What to do about the error."""
        if isinstance(self.error, AuthExpired | NoAccount):
            return again(self.entry)
        if isinstance(self.error, ChallengeRequired):
            return passing(self.entry)
        return (self.error.hint or "try again later") if self.error else None

    @property
    def facts(self) -> dict[str, Any]:
        """For a program."""
        tried, error = self.tried, self.error
        return {
            "name": self.entry.name,
            "provider": self.entry.provider,
            "ok": error is None,
            "asked": bool(tried and tried.asked),
            "who": tried and tried.who,
            "token_expires_at": tried and tried.expires_at,
            "error": error and {"code": error.code, "message": error.message, "retry_after_s": error.retry_after_s},
            "mend": self.mend,
        }


def outcome(tried: Tried, now: float) -> str:
    """What the service made of a sign-in that it took. `now` is in Unix seconds."""
    if not tried.asked:
        return "the service first sees it with a question"
    who = f"signed in as {tried.who}" if tried.who else "the service accepts it"
    return who if tried.expires_at is None else f"{who}, its access token {expiry(tried.expires_at, now)}"


def exit_code(trials: Sequence[Trial]) -> int:
    """What a script is told: the gravest there was."""
    codes = {failures.exit_code(trial.error) for trial in trials if trial.error}
    return next((code for code in _SEVERITY if code in codes), _OTHER if codes else 0)


def open_vault(settings: Settings, vault: Vault, entries: Sequence[Entry]) -> None:
    """Ask for the vault's passphrase now, where one is needed. Raises: `ConfigError` where the vault stays locked."""
    from polychat.engine.accounts import file_vault

    for entry in entries:
        try:
            vault.get(entry.name)
        except ConfigError:
            if file_vault(settings, os.environ).status().locked:
                raise


async def try_all(
    settings: Settings, vault: Vault, entries: Sequence[Entry], tell: Callable[[Trial], None] | None = None
) -> list[Trial]:
    """Try every sign-in with its service; `tell` hears of each at once."""
    from polychat.client.aio import AsyncClient

    places = asyncio.Semaphore(_AT_ONCE)
    async with AsyncClient(vault=vault, settings=settings) as client:

        async def one(entry: Entry) -> Trial:
            async with places:
                trial = await _try(client.engine, entry)
            if tell is not None:
                tell(trial)
            return trial

        return await asyncio.gather(*map(one, entries))


async def _try(engine: Engine, entry: Entry) -> Trial:
    try:
        return Trial(entry, await engine.tried(entry.provider, entry.name), None)
    except PolychatError as error:
        return Trial(entry, None, error)
