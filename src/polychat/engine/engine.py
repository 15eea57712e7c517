"""One turn, whatever happens: from a request in the caller's words to checked batches of events.

    turn = await engine.ask(request)        # resolved, checked, sent; the first batch is here
    async with turn:
        async for batch in turn: ...

An engine owns its transports and sessions, belongs to one event loop, and shares nothing with another engine.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING, Any, Self

import msgspec

from polychat.credentials import Account, BearerToken, ends_at, token_expiry
from polychat.engine import accounts
from polychat.engine.asking import Asking
from polychat.engine.calls import Calls
from polychat.engine.chats import Chats
from polychat.engine.health import EXPIRING_S, Changed
from polychat.engine.leases import Leases
from polychat.engine.ledger.entry import Entry
from polychat.engine.links import Links
from polychat.engine.outcomes import Outcomes
from polychat.engine.places import Places
from polychat.engine.register import Register
from polychat.engine.routing import Route
from polychat.engine.services import Services
from polychat.engine.sessions import Sessions
from polychat.engine.settings import Settings
from polychat.engine.targets import Known, Missed, Target
from polychat.engine.turn import Turn
from polychat.errors import PolychatError
from polychat.net.clocks import Waits
from polychat.net.session import REFRESH_EARLY_S, Session, Step
from polychat.net.transport import Transport
from polychat.providers.base import (
    Capability,
    ExplainsErrors,
    Info,
    ListsModels,
    Model,
    ProlongsSession,
    Provider,
    SignsIn,
    TellsWho,
)
from polychat.types import Request
from polychat.vault.base import Entry as Held
from polychat.vault.base import Vault

if TYPE_CHECKING:
    from polychat.engine.ledger.writer import Ledger
    from polychat.net.traffic.recording import Recorder

log = logging.getLogger("polychat.engine")

_NOT_RENEWED = frozenset({"paused", "needs_sign_in", "challenged"})


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """What came of using a sign-in once."""

    asked: bool  # False: the service sees it with the first question only
    who: str | None  # the account's own name there
    expires_at: float | None  # of the access token, Unix seconds


class Engine:
    """Everything needed to answer questions with the accounts of one vault."""

    def __init__(
        self,
        vault: Vault,
        settings: Settings,
        *,
        services: Mapping[str, Provider] | None = None,
        transport: Transport | None = None,
        observe: Callable[[Step], None] | None = None,
        watch: Callable[[Changed], None] | None = None,
        ledger: Ledger | None = None,
        recorder: Recorder | None = None,
        strict: bool = False,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.vault = vault
        self.settings = settings
        self.catalogue = Services(settings, services)
        self._given = transport
        self._transports: dict[bool, Transport] = {}
        self._observe = observe
        self._now = now
        self._last_known: dict[str | None, tuple[Sequence[Held], Services, Known]] = {}  # by provider
        self._ledger = ledger
        self._recorder = recorder
        self.register = Register(accounts.health_path(settings), now=now, observe=watch)
        self.outcomes = Outcomes(now)
        self._places = Places(settings.concurrency)
        self._sessions = Sessions(vault, self.register, make=self._session, preferred=settings.accounts, now=now)
        leases = Leases(self._sessions, self._places, self.outcomes, saw=ledger.saw if ledger else None)
        self._asking = Asking(self, leases, ledger.path if ledger else None)
        public = partial(self._transport, public_only=True)
        self.chats = Chats(
            self._asking,
            public=public,
            origins=self._own_origins(),
            captures=settings.folders.state / "captures",
            strict=strict,
            entry=self._entry,
        )
        links = Links(public, self._own_origins(), proxied=settings.proxy is not None)
        self.calls = Calls(self._asking, links, entry=self._entry)

    # ------------------------------------------------------------ asking

    async def ask(
        self,
        request: Request,
        *,
        account: str | None = None,
        provider: str | None = None,
        waits: Waits | None = None,
        key: str | None = None,
    ) -> Turn:
        """Send `request`, whose `model` is in the caller's words, and wait until somebody begins; see `Chats.ask`."""
        turn = await self.chats.ask(request, account=account, provider=provider, waits=waits, key=key)
        if self._ledger is not None:
            self._ledger.warm()  # its imports are done while the answer comes, not before
        return turn

    def route(self, model: str, *, provider: str | None = None, to: Capability | None = None) -> Route:
        """The service and model that `model` names first, within `provider` if given. Raises `UnknownModel`.

        `to` says what for: where no model is named, the service's default one, or its first that can.
        """
        found = self._asking.targets(model, provider, to=to)
        if reached := [one.route for one in found if isinstance(one, Target)]:
            return reached[0]
        raise next(one.error for one in found if isinstance(one, Missed))

    def known(self, provider: str | None = None) -> Known:
        """The services and accounts that names are resolved among; `provider` limits them to one service."""
        entries, catalogue = self.vault.entries(), self.catalogue
        last = self._last_known.get(provider)
        if last is None or last[0] != entries or last[1] is not catalogue:
            last = self._last_known[provider] = entries, catalogue, self._known_now(provider, entries)
        return last[2]

    def _known_now(self, provider: str | None, entries: Sequence[Held]) -> Known:
        accounts = {entry.name: entry.provider for entry in entries}
        services = {provider: self.service(provider).info} if provider else self.services()
        held = [name for name in accounts.values() if name in services]
        reachable = {name: of for name, of in accounts.items() if of in services}
        others: set[str] = set()
        if provider and self.settings.routed:
            others = {*self.names(), *accounts} - {provider, *reachable}
        return Known(services, reachable, held, self.settings.routed, others)

    def names(self) -> tuple[str, ...]:
        """The services there are: this engine's own, then those that all engines know."""
        return self.catalogue.names()

    def service(self, name: str) -> Provider:
        """The service of that name. Raises: `UnknownModel` naming what there is."""
        return self.catalogue.load(name)

    def services(self) -> Mapping[str, Info]:
        """Every service there is, by name."""
        return self.catalogue.infos()

    async def models(self, provider: str, account: str | None = None) -> tuple[Model, ...]:
        """The models of a service: as it lists them for the account, or as we know them."""
        service = self.service(provider)
        if not isinstance(service, ListsModels):
            return service.info.models
        session = self.session(provider, account)
        with session.owning():
            return await service.list_models(session)

    async def tried(self, provider: str, account: str | None = None) -> Tried:
        """Use a sign-in once, in the cheapest way the service offers; one that is expiring is prolonged where possible.

        Raises what the service makes of it.
        """
        service = self.service(provider)
        token, who = None, None
        with self._sessions.trial(service.info, account) as session:
            await self._prolong(service, session)
            if isinstance(service, SignsIn):
                token = await service.access_token(session)
            if isinstance(service, TellsWho):
                who = await service.who(session)
        asked = who is not None or (token is not None and not isinstance(session.credential, BearerToken))
        if asked:
            self._sessions.proven(service.info, account)
        return Tried(asked=asked, who=who, expires_at=token_expiry(token) if token else None)

    async def _prolong(self, service: Provider, session: Session) -> None:
        if isinstance(service, ProlongsSession) and self._is_expiring(session):
            await service.prolong(session)

    def _is_expiring(self, session: Session) -> bool:
        ends = ends_at(session.credential) if session.credential else None
        return ends is not None and 0 < ends - self._now() < EXPIRING_S

    async def refresh(self) -> None:
        """Prolong sessions and fetch tokens that are about to end, of accounts in use, also while a quota is spent."""
        for name, session in self._sessions.used():
            try:
                await self._refresh(self.service(session.provider), name, session)
            except PolychatError as error:  # its health knows; the next question meets it
                log.warning("a sign-in is not renewed: %s", error.message, extra={"account": name})

    async def _refresh(self, service: Provider, name: str, session: Session) -> None:
        prolongs = isinstance(service, ProlongsSession) and self._is_expiring(session)
        fetches = isinstance(service, SignsIn) and session.token_is_ending
        unwell = self.register.state(self._sessions.entries(service.info, name)[0]) in _NOT_RENEWED
        if unwell or not (prolongs or fetches):
            return
        with self._sessions.trial(service.info, name):
            await self._prolong(service, session)
            if isinstance(service, SignsIn) and session.token_is_ending:
                await service.access_token(session)
        self._sessions.proven(service.info, name)

    async def keep_fresh(self, *, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep) -> None:
        """`refresh` again and again, for a process that lives long; ends when it is cancelled."""
        while True:
            await self.refresh()
            await sleep(REFRESH_EARLY_S / 2)

    def _entry(self, **asked: Any) -> Entry:
        """What the ledger keeps of a request begins."""
        if self._ledger is None:
            return Entry(None, **asked)
        store, rehearsed = self.settings.logging.store or "facts", self.settings.sandbox is not None
        return Entry(self._ledger.put, store=store, priced=not rehearsed, now=self._now, **asked)

    # ------------------------------------------------------------ sessions

    def session(self, provider: str, account: str | None = None) -> Session:
        """The session of an account, to use what a service offers beyond chat. Raises `NoAccount`, `BadOption`."""
        info = self.service(provider).info
        return self._sessions.of(info, self._sessions.entries(info, account)[0])

    def _session(self, info: Info, account: Account | None) -> Session:
        service = self.service(info.name)
        return Session(
            provider=info.name,
            hosts=self.hosts(info),
            transport=self._transport(public_only=False),
            account=account,
            clocks=self.settings.clocks,
            proxy=self.settings.proxy,
            now=self._now,
            observe=self._observe,
            explain=service.explain if isinstance(service, ExplainsErrors) else None,
        )

    def hosts(self, info: Info) -> dict[str, str]:
        """Where the service is: its own origins, or its place in the sandbox."""
        if self.settings.sandbox is None or self.catalogue.is_given(info.name):
            return dict(info.hosts)
        home, *others = info.hosts
        place = f"{self.settings.sandbox}/{info.emulation or info.name}"
        return {home: place} | {alias: f"{place}/@{alias}" for alias in others}

    def _own_origins(self) -> frozenset[str]:
        return frozenset({self.settings.sandbox} if self.settings.sandbox else ())

    def _transport(self, *, public_only: bool) -> Transport:
        if self._given is not None:
            return self._given
        if public_only not in self._transports:
            from polychat.net.aiohttp import AiohttpTransport

            allowed = self._own_origins()
            opened = AiohttpTransport(public_only=public_only, allow_origins=allowed)
            self._transports[public_only] = self._recorded(opened)
        return self._transports[public_only]

    def _recorded(self, transport: Transport) -> Transport:
        if self._recorder is None:
            return transport
        from polychat.net.traffic.recording import RecordingTransport

        return RecordingTransport(transport, self._recorder)

    def running(self) -> int:
        """How many requests hold a place at an account now."""
        return self._places.taken()

    def reload(self, settings: Settings) -> None:
        """Go on with other settings; what runs ends under those it began with.

        The vault, the ledger, the folders and what was handed over in place stay. Sessions are made anew where they
        would go elsewhere.
        """
        moved = (settings.sandbox, settings.proxy, settings.services) != (
            self.settings.sandbox, self.settings.proxy, self.settings.services,
        )  # fmt: skip
        self.settings = settings
        self.catalogue = self.catalogue.under(settings)
        self._places.concurrency = settings.concurrency
        self._sessions.reload(settings.accounts, afresh=moved)

    async def aclose(self) -> None:
        """Close every connection."""
        async with AsyncExitStack() as stack:
            for transport in self._transports.values():
                stack.push_async_callback(transport.aclose)
            self._transports = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()
