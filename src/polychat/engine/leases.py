"""Which account answers, and the right to ask one question with it.

A session is made once and kept while the engine lives, so that tokens are fetched once. A lease is taken for each
question: it waits for a free place at the account, refuses where the account must not be asked now, hands its outcome
to the account's health, and brings cookies and tokens that the service renewed back to the vault.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import NamedTuple, Self

import msgspec

from polychat.credentials import Account, ApiKey, BearerToken, CredentialKind, SessionCookies
from polychat.engine import health
from polychat.engine.health import Gate, Health, Verdict
from polychat.engine.register import Register
from polychat.errors import (
    AuthExpired,
    BadOption,
    ChallengeRequired,
    ConfigError,
    IdleTimeout,
    NoAccount,
    PolychatError,
    QuotaSpent,
    RateLimited,
)
from polychat.net.session import Session
from polychat.providers.base import Info
from polychat.types import QuotaSeen
from polychat.vault.base import Entry, Vault

log = logging.getLogger("polychat.accounts")

_ORDER: dict[Verdict, int] = {"go": 0, "try": 1, "last": 3, "wait": 4, "paused": 5}
_AT_ONCE = (0, 0.0)
_BUSY = 2  # an account that may be asked, once a place is free: after a try, before a last resort
_NOBODYS = "nowhere"  # rests the account of a service that needs none
_TRIED_NOW_S = 5.0  # when to come back while another question tries the account


class Lease:
    """One question's right to ask with one account; a context manager that ends it."""

    def __init__(self, leases: Leases, info: Info, entry: Entry, model: str, session: Session) -> None:
        self.session = session
        self._leases = leases
        self._info = info
        self.entry = entry
        self._model = model
        self._settled = False

    def answered(self) -> None:
        """The account was served."""
        self._settled = True
        self._change(lambda known: health.answered(known, self._model, now=self._leases.now()))

    def failed(self, error: PolychatError) -> None:
        """The question broke."""
        self._settled = True
        self._change(lambda known: health.failed(known, self._model, error, now=self._leases.now()))

    def told(self, quota: QuotaSeen) -> None:
        """The service said what is left."""
        self._change(lambda known: health.told(known, quota))

    @contextmanager
    def judging(self) -> Iterator[None]:
        """What happens inside is the outcome, and its error knows where it came from."""
        try:
            with self.session.owning():
                yield
        except PolychatError as error:
            self.failed(error)
            raise
        self.answered()

    def _change(self, act: Callable[[Health], Health]) -> None:
        self._leases.register.change(self.entry, act)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        if not self._settled:
            self._change(lambda known: health.left(known, self._model))
        self._leases.give_back(self._info, self.entry)


class _Kept(NamedTuple):
    """A session, and what it was made of."""

    entry: Entry
    account: Account | None  # None where none is needed
    session: Session


class Leases:
    """The sessions of one engine, and who may use them.

    `make` builds the session of an account; `preferred` names a provider's default account, `concurrency` says how many
    questions an account, or each account of a provider, is asked at once; `wait_s` is how long one waits for a place.
    """

    def __init__(
        self,
        vault: Vault,
        register: Register,
        *,
        make: Callable[[Info, Account | None], Session],
        preferred: dict[str, str],
        concurrency: dict[str, int],
        wait_s: float | None,
        now: Callable[[], float],
    ) -> None:
        self.register = register
        self.now = now
        self._vault = vault
        self._make = make
        self._preferred = preferred
        self._concurrency = concurrency
        self._wait_s = wait_s
        self._slots: dict[str, asyncio.Semaphore] = {}
        self._sessions: dict[str, _Kept] = {}

    # ------------------------------------------------------------ sessions

    def session(self, info: Info, name: str | None = None) -> Session:
        """The session of the account `name`, or of the provider's default one, whatever its health.

        Raises: `NoAccount` when there is none, `BadOption` when it belongs to another service or is of the wrong kind.
        """
        return self._session(info, self._candidates(info, name)[0])

    def sessions(self) -> list[tuple[str, Session]]:
        """Those that were used, by account."""
        return [(name, kept.session) for name, kept in self._sessions.items()]

    @contextmanager
    def trial(self, info: Info, name: str | None) -> Iterator[Session]:
        """A session to try a sign-in with, whatever its health; a refusal counts, and what is renewed is kept."""
        entry = self.entry(info, name)
        session = self._session(info, entry)
        try:
            with session.owning():
                yield session
        except (AuthExpired, ChallengeRequired) as error:
            told = error
            self.register.change(entry, lambda known: health.failed(known, "", told, now=self.now()))
            raise
        self._keep_renewed(info, entry)

    def proven(self, info: Info, name: str | None) -> None:
        """The service took the sign-in."""
        self.register.change(self.entry(info, name), lambda known: health.answered(known, None, now=self.now()))

    def _session(self, info: Info, entry: Entry) -> Session:
        kept = self._sessions.get(entry.name)
        if kept is not None and kept.entry is entry:  # the vault has not changed since
            return kept.session
        if entry.source == _NOBODYS:
            return self._remember(_Kept(entry, None, self._make(info, None)))
        account = self._vault.get(entry.name)
        if (kind := kind_of(account)) not in info.accepts:
            raise BadOption(
                f"account {account.name!r} holds {kind}; {info.name} needs {' or '.join(info.accepts)}", field="account"
            )
        session = kept.session if kept is not None and kept.account == account else self._make(info, account)
        return self._remember(_Kept(entry, account, session))

    def _remember(self, kept: _Kept) -> Session:
        self._sessions[kept.entry.name] = kept
        return kept.session

    def entry(self, info: Info, name: str | None = None) -> Entry:
        """What is known of the account `name`, or of the default one. Raises as `session` does."""
        return self._candidates(info, name)[0]

    def _candidates(self, info: Info, name: str | None) -> Sequence[Entry]:
        """The account that is meant; without a name all of the provider's, the default one first."""
        entries = self._vault.entries(info.name)
        if name is None and not entries and not info.needs_account:
            return [_without_account(info.name)]
        if name is None and not entries:
            raise NoAccount(f"there is no {info.label} account", hint=login_hint(info), provider=info.name)
        wanted = name or self._preferred.get(info.name)
        if wanted is None:
            return entries
        chosen = next((entry for entry in entries if entry.name == wanted), None)
        if chosen is None:
            account = self._vault.get(wanted)
            raise BadOption(f"account {wanted!r} is of {account.provider}, not {info.name}", field="account")
        return [chosen] if name else [chosen, *(entry for entry in entries if entry is not chosen)]

    # ------------------------------------------------------------ leases

    async def lease(self, info: Info, name: str | None, model: str) -> Lease:
        """The right to ask `model` with the account `name`, or with the best one there is.

        Raises: as `session`; `RateLimited`, `QuotaSpent` or `NoAccount` when no account may be asked now, without
        anything sent; `IdleTimeout` when no place became free in time.
        """
        entry, gate = self._best(self._candidates(info, name), model)
        self._let_pass(entry, model, gate)
        session = self._session(info, entry)
        slot = self._slot(info, entry)
        await self._wait(slot, entry)
        try:
            self._begin(entry, model)
        except PolychatError:
            slot.release()
            raise
        return Lease(self, info, entry, model, session)

    def give_back(self, info: Info, entry: Entry) -> None:
        """A lease has ended."""
        self._slot(info, entry).release()
        self._keep_renewed(info, entry)

    def _keep_renewed(self, info: Info, entry: Entry) -> None:
        kept = self._sessions.get(entry.name)
        renewed = kept.session.renewed(info.sign_in.cookies) if kept else None
        if kept and kept.account and renewed:
            self._bring_back(kept, kept.account, renewed)

    def _best(self, entries: Sequence[Entry], model: str) -> tuple[Entry, Gate]:
        """The first of those that can be asked soonest; one that can be asked now is not compared with others."""
        gates: list[tuple[tuple[int, float], Entry, Gate]] = []
        for entry in entries:
            gate = self._gate(entry, model)
            rank = self._rank(entry, gate)
            if rank == _AT_ONCE:
                return entry, gate
            gates.append((rank, entry, gate))
        _, entry, gate = min(gates, key=lambda one: one[0])
        return entry, gate

    def _rank(self, entry: Entry, gate: Gate) -> tuple[int, float]:
        slot = self._slots.get(entry.name)
        busy = gate.verdict in ("go", "try") and slot is not None and slot.locked()
        return (_BUSY if busy else _ORDER[gate.verdict]), gate.hold.until if gate.hold else 0.0

    def _gate(self, entry: Entry, model: str) -> Gate:
        return health.gate(self.register.of(entry), model, expires_at=entry.expires_at, now=self.now())

    def _begin(self, entry: Entry, model: str) -> None:
        """Once more at the last moment, under the register's lock: of those who wait for a try, one gets it."""

        def begin(known: Health) -> Health:
            gate = health.gate(known, model, expires_at=entry.expires_at, now=self.now())
            self._let_pass(entry, model, gate)
            return health.begun(known, model, now=self.now()) if gate.verdict == "try" else known

        self.register.change(entry, begin)

    def _let_pass(self, entry: Entry, model: str, gate: Gate) -> None:
        """Raise when the account must not be asked now."""
        if gate.verdict == "paused":
            raise NoAccount(
                f"the {entry.provider} account {entry.name!r} is paused",
                hint=f"polychat accounts resume {entry.name}",
                provider=entry.provider,
                account=entry.name,
            )
        if gate.verdict == "wait" and gate.hold is not None:
            left_s = max(gate.hold.until - self.now(), _TRIED_NOW_S if gate.hold.trying_since else 0.0)
            cooling = gate.hold.kind == "cooling"
            why = "is cooling down after a rate limit" if cooling else "has spent its quota"
            raise (RateLimited if cooling else QuotaSpent)(
                f"the {entry.provider} account {entry.name!r} {why} and is not asked for {model} for {left_s:.0f} s",
                hint=f"wait, or ask with another account; to ask at once: polychat accounts resume {entry.name}",
                provider=entry.provider,
                account=entry.name,
                retry_after_s=left_s,
            )

    def _slot(self, info: Info, entry: Entry) -> asyncio.Semaphore:
        if entry.name not in self._slots:
            of_provider = self._concurrency.get(info.name, info.concurrency)
            self._slots[entry.name] = asyncio.Semaphore(self._concurrency.get(entry.name, of_provider))
        return self._slots[entry.name]

    async def _wait(self, slot: asyncio.Semaphore, entry: Entry) -> None:
        if not slot.locked():  # a clock costs more than the slot
            await slot.acquire()
            return
        try:
            async with asyncio.timeout(self._wait_s):
                await slot.acquire()
        except TimeoutError as error:
            raise IdleTimeout(
                f"the {entry.provider} account {entry.name!r} was busy with other questions for {self._wait_s:.0f} s",
                clock="pool",
                hint="close streams that are not read to their end, or raise clocks.pool_s",
                provider=entry.provider,
                account=entry.name,
            ) from error

    def _bring_back(self, kept: _Kept, account: Account, renewed: SessionCookies) -> None:
        """Keep what the service renewed, unless the person has signed in anew meanwhile."""
        name, fresh = kept.entry.name, msgspec.structs.replace(account, credential=renewed)
        try:
            if self._vault.get(name) != account:
                return
            self._vault.put(fresh)
        except ConfigError as error:
            log.warning("a renewed sign-in is not kept: %s", error.message, extra={"account": name})
            return
        kept.session.account = fresh
        self._sessions[name] = kept._replace(account=fresh)


@cache
def _without_account(info_name: str) -> Entry:
    """What stands for the account of a service that needs none; its health lives as long as the engine."""
    return Entry(name=f"anyone@{info_name}", provider=info_name, kind="api_key", created_at=None, source=_NOBODYS)


def kind_of(account: Account) -> CredentialKind:
    """How the account proves itself."""
    match account.credential:
        case ApiKey():
            return "api_key"
        case BearerToken():
            return "bearer"
        case SessionCookies():
            return "cookies"


def login_hint(info: Info) -> str:
    """What to do to sign in."""
    if "cookies" in info.accepts:
        own = f"log in at {info.sign_in.url} in your own browser, then: polychat login {info.name} --cookies FILE"
        return f"{login_command(info)} opens a window for it; or {own}"
    return login_command(info)


def login_command(info: Info) -> str:
    """What to type to sign in."""
    return f"polychat login {info.name} {'--browser' if 'cookies' in info.accepts else '--key -'}"
