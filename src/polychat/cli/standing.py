"""How an account is doing, in words and as facts. No key, no network, and nothing secret."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from polychat.cli.finding import Finding, Level
from polychat.cli.phrases import ending, span
from polychat.errors import ConfigError

if TYPE_CHECKING:
    from polychat.engine.health import Health, Hold, State
    from polychat.engine.register import Act, Register
    from polychat.engine.settings import Settings
    from polychat.types import QuotaSeen
    from polychat.vault.base import Entry, Vault

KINDS = {"cookies": "cookies", "bearer": "token", "api_key": "API key"}
_SOURCES = {"environment": "environment", "memory": "sandbox"}
_STATES: dict[State, tuple[str, str, Level]] = {
    "ok": ("ok", "green", "good"),
    "expiring": ("expiring", "yellow", "notice"),
    "cooling": ("cooling", "yellow", "notice"),
    "quota_spent": ("quota spent", "yellow", "notice"),
    "needs_sign_in": ("needs sign-in", "red", "broken"),
    "challenged": ("challenged", "red", "broken"),
    "paused": ("paused", "blue", "notice"),
}


class Standing(NamedTuple):
    """One account, and how it was doing at `now` (Unix seconds)."""

    entry: Entry
    health: Health
    state: State
    is_default: bool
    now: float

    # ------------------------------------------------------------ in words

    @property
    def kind(self) -> str:
        """What it is, and where it comes from unless it is kept: "token (environment)"."""
        source = _SOURCES.get(self.entry.source)
        return f"{KINDS[self.entry.kind]} ({source})" if source else KINDS[self.entry.kind]

    @property
    def hold(self) -> Hold | None:
        """The wait that its state is about."""
        from polychat.engine.health import resting

        return resting(self.health, self.now) if self.state in ("cooling", "quota_spent") else None

    @property
    def words(self) -> str:
        """The state: "ok", "cooling, 4 minutes left"."""
        word = _STATES[self.state][0]
        if self.hold is None:
            return word
        left_s = self.hold.until - self.now
        return f"{word}, {span(left_s)} left" if left_s > 0 else f"{word}, next question tries it"

    @property
    def styled(self) -> str:
        """The same in its colour."""
        return click.style(self.words, fg=_STATES[self.state][1])

    @property
    def level(self) -> Level:
        """How grave it is."""
        return _STATES[self.state][2]

    @property
    def expired(self) -> bool:
        """True when the sign-in has ended by what is known of it."""
        return self.entry.expires_at is not None and self.entry.expires_at <= self.now

    @property
    def end(self) -> str:
        """expires in 3 days, expired 2 hours ago; nothing where no end is known."""
        if self.entry.expires_at is None:
            return ""
        when = ending(self.entry.expires_at, self.now)
        return when if self.expired else f"expires {when}"

    @property
    def quotas(self) -> list[QuotaSeen]:
        """What is left of each allowance, the scarcest first, without those that have been renewed since."""
        lasting = [seen for seen in self.health.quotas.values() if not seen.resets_at or seen.resets_at > self.now]
        return sorted(lasting, key=lambda seen: (seen.remaining or 0.0) / (seen.limit or 1.0))

    def quota(self, seen: QuotaSeen, *, brief: bool = False) -> str:
        """12 of 40 messages, resets in 3 hours."""
        return _allowance(seen) + (
            f", resets {ending(seen.resets_at, self.now)}" if seen.resets_at and not brief else ""
        )

    @property
    def trouble(self) -> str | None:
        """Why it is not simply asked, in a sentence; None where it is."""
        if self.state == "ok":
            return None
        if self.state == "paused":
            return "it is not asked, as you said"
        if self.state == "expiring" or self.expired:
            return f"its sign-in {self.end}"
        return self.health.trouble.message if self.health.trouble else self.words

    @property
    def mend(self) -> str | None:
        """What to do about it."""
        match self.state:
            case "ok":
                return None
            case "paused":
                return f"polychat accounts resume {self.entry.name}"
            case "cooling" | "quota_spent":
                return self._to_ask
            case "challenged":
                return passing(self.entry)
            case "expiring" if _prolongs(self.entry.provider):
                return f"polychat accounts test {self.entry.name} has it last longer; if not: {again(self.entry)}"
        return again(self.entry)

    @property
    def _to_ask(self) -> str:
        if self.hold is None or self.hold.until <= self.now:
            return "the wait is over: ask again"
        return f"wait; to have it asked at once: polychat accounts resume {self.entry.name}"

    @property
    def finding(self) -> Finding:
        """What is wrong with it, if anything is, and how it is mended."""
        said = f"{self.entry.name}: {self.trouble or self.words}"
        return Finding(self.level, said, self.mend, "account")

    # ------------------------------------------------------------ as facts

    @property
    def facts(self) -> dict[str, Any]:
        """Everything, for a program; moments are Unix seconds."""
        import msgspec

        entry, health = self.entry, self.health
        return {
            "name": entry.name,
            "provider": entry.provider,
            "kind": entry.kind,
            "source": entry.source,
            "default": self.is_default,
            "state": self.state,
            "state_words": self.words,
            "until": self.hold and self.hold.until,
            "created_at": entry.created_at,
            "expires_at": entry.expires_at,
            "expires": ending(entry.expires_at, self.now),
            "answered_at": health.answered_at,
            "holds": {
                model: {"kind": hold.kind, "until": hold.until, "failures": hold.failures}
                for model, hold in health.holds.items()
            },
            "quotas": [msgspec.to_builtins(seen) | {"words": self.quota(seen)} for seen in self.quotas],
            "last_error": msgspec.to_builtins(health.trouble),
            "mend": self.mend,
        }


def again(entry: Entry) -> str:
    """How to sign in anew under the same name."""
    if entry.source == "environment":
        return f"set {entry.name.removeprefix('env:')} to a key that the service accepts"
    name = "" if entry.name == entry.provider else f" --name {entry.name}"
    return f"polychat login {entry.provider}{name} {'--browser' if entry.kind == 'cookies' else '--key -'}"


def passing(entry: Entry) -> str:
    """What to do where the service wants to see a person."""
    return f"pass the check in your browser at {_login_page(entry.provider)}, then: {again(entry)}"


def _allowance(seen: QuotaSeen) -> str:
    what = seen.feature.replace("_", " ")
    if seen.remaining is None:
        return what if seen.limit is None else f"at most {seen.limit:g} {what}"
    return f"{seen.remaining:g} {what} left" if seen.limit is None else f"{seen.remaining:g} of {seen.limit:g} {what}"


def _prolongs(provider: str) -> bool:
    from polychat import providers
    from polychat.providers.base import ProlongsSession

    return provider in providers.names() and isinstance(providers.load(provider), ProlongsSession)


def _login_page(provider: str) -> str:
    from polychat import providers

    return providers.load(provider).info.sign_in.url if provider in providers.names() else provider


# ---------------------------------------------------------------- where it is known from


def standings(settings: Settings, vault: Vault, provider: str | None = None) -> list[Standing]:
    """Every account of one provider or of all. Raises: `ConfigError` for a vault that cannot be read."""
    entries, known, now = vault.entries(provider), register(settings), time.time()
    defaults = _defaults(settings, entries)
    return [Standing(one, known.of(one), known.state(one), one.name in defaults, now) for one in entries]


def named(settings: Settings, vault: Vault, name: str) -> Standing:
    """The account of that name. Raises: `NoAccount`, `ConfigError`."""
    from polychat.vault.base import no_account

    found = standings(settings, vault)
    for standing in found:
        if standing.entry.name == name:
            return standing
    raise no_account(name, [standing.entry for standing in found])


def register(settings: Settings) -> Register:
    """Where the health of accounts is remembered."""
    from polychat.engine.accounts import health_path
    from polychat.engine.register import Register

    return Register(health_path(settings), now=time.time)


def change(settings: Settings, entry: Entry, act: Act) -> None:
    """Change what is remembered of an account. Raises: `ConfigError` where that cannot be kept."""
    from polychat.engine.accounts import health_path

    lasting(entry)
    register(settings).change(entry, act)
    kept = register(settings).of(entry)
    if act(kept) != kept:
        path = health_path(settings)
        raise ConfigError(f"the health file {path} does not keep it", hint="polychat doctor says why")


def lasting(entry: Entry) -> None:
    """Raise `ConfigError` for an account that is the sandbox's own: nothing that is done to it would last."""
    if entry.source == "memory":
        raise ConfigError(
            f"the account {entry.name!r} is the sandbox's own, the same at every start",
            hint=f"keep one that you can change: polychat login {entry.provider} --name NAME",
        )


def _defaults(settings: Settings, entries: Sequence[Entry]) -> set[str]:
    """The account of each provider that is asked first."""
    defaults: dict[str, str] = {}
    for entry in entries:
        if entry.name == settings.accounts.get(entry.provider):
            defaults[entry.provider] = entry.name
        defaults.setdefault(entry.provider, entry.name)
    return set(defaults.values())
