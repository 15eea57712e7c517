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
from typing import Self

import msgspec

from polychat.credentials import Account, BearerToken, ends_at, token_expiry
from polychat.engine import accounts, attachments, features
from polychat.engine.calls import Calls
from polychat.engine.emulation import provider as emulation
from polychat.engine.health import EXPIRING_S, Changed
from polychat.engine.leases import Lease, Leases
from polychat.engine.links import Links
from polychat.engine.register import Register
from polychat.engine.routing import Route, route
from polychat.engine.services import Services
from polychat.engine.settings import Settings
from polychat.engine.stream import Running
from polychat.engine.turn import Turn
from polychat.errors import BadOption, NoAccount, PolychatError, UnknownModel
from polychat.fold import Fold
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
from polychat.types import Event, Message, Request, Thread, ThreadMoved
from polychat.vault.base import Vault

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
        strict: bool = False,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.vault = vault
        self.settings = settings
        self.catalogue = Services(settings, services)
        self._captures = settings.folders.state / "captures"
        self._given = transport
        self._transports: dict[bool, Transport] = {}
        self._observe = observe
        self._strict = strict
        self._now = now
        self.register = Register(accounts.health_path(settings), now=now, observe=watch)
        self._leases = Leases(
            vault,
            self.register,
            make=self._session,
            preferred=settings.accounts,
            concurrency=settings.concurrency,
            wait_s=settings.clocks.pool_s,
            now=now,
        )
        links = Links(
            partial(self._transport, public_only=True), self._own_origins(), proxied=settings.proxy is not None
        )
        self.calls = Calls(self, self._leases, links, total_s=settings.clocks.total_s)

    # ------------------------------------------------------------ asking

    async def ask(
        self,
        request: Request,
        *,
        account: str | None = None,
        provider: str | None = None,
        total_s: float | None = None,
    ) -> Turn:
        """Send `request`, whose `model` is in the caller's words, and wait for the first batch of its answer.

        `provider` limits the choice to one service; `total_s` replaces the clock of the whole turn.

        Raises: `ConfigError` before anything is sent; any other `PolychatError` of what happened then.
        """
        thread = request.thread
        chosen = await self._chosen(request.model, provider or (thread.provider if thread else None), account)
        service = self.service(chosen.provider)
        if thread is not None:
            request = _continued(request, thread, chosen, account)
        request = emulation.moded(request, chosen, self.settings)
        features.check(service.info, chosen.model, request)
        service = emulation.over(service, chosen.model, request)
        who = _named(chosen, account, thread)
        self._leases.entry(service.info, who)  # that there is one, before anything is fetched
        request = msgspec.structs.replace(request, model=chosen.model.id)
        if not service.info.can(chosen.model, "remote_media"):
            request = await self._inlined(request)
        lease = await self._leases.lease(service.info, who, chosen.model.id)
        turn = self._turn(service, lease, request, chosen, total_s)
        await turn.start()
        return turn

    async def _inlined(self, request: Request) -> Request:
        if self.settings.proxy is not None and attachments.has_links(request):
            raise BadOption(
                "a file named by its URL is not fetched through a proxy", field="image", hint="give the file itself"
            )
        return await attachments.inlined(request, self._transport(public_only=True), self._own_origins())

    def _turn(self, service: Provider, lease: Lease, request: Request, chosen: Route, total_s: float | None) -> Turn:
        account = lease.entry.name
        clocks = self.settings.clocks
        if total_s is not None:
            clocks = msgspec.structs.replace(clocks, total_s=total_s)
        running = Running(lease, clocks, strict=self._strict, folder=self._captures)

        def finishing(fold: Fold) -> Sequence[Event]:
            reply = fold.reply()
            thread = reply.thread or Thread(provider=chosen.provider, account=account)
            if thread.id is not None:
                return ()
            history = (*request.messages, reply.message())  # the service keeps none: it goes along with the thread
            return (ThreadMoved(thread=msgspec.structs.replace(thread, history=history)),)

        log.debug("asking", extra={"provider": chosen.provider, "model": request.model, "account": account})
        return Turn(running.batches(service, request, finishing), running, chosen, account)

    async def _chosen(self, model: str, provider: str | None, account: str | None) -> Route:
        """The route; for an id we do not know, the service named with it is asked for its own list."""
        try:
            return self.route(model, provider=provider)
        except UnknownModel as unknown:
            name = provider or model.partition("/")[0]
            service = self.service(name) if name in self.names() else None
            if not isinstance(service, ListsModels) or service.info.any_model:
                raise
            try:
                listed = await self.models(name, account)
            except NoAccount:
                raise unknown from None
        info = msgspec.structs.replace(service.info, models=listed)
        return route(model, {name: info}, accounts={})

    def route(self, model: str, *, provider: str | None = None, to: Capability | None = None) -> Route:
        """The service and model that `model` names, within `provider` if given. Raises `UnknownModel`.

        `to` says what for: where no model is named, the service's default one, or its first that can.
        """
        accounts = {entry.name: entry.provider for entry in self.vault.entries()}
        services = {provider: self.service(provider).info} if provider else self.services()
        held = [name for name in accounts.values() if name in services]
        chosen = route(model, services, accounts=accounts, prefer=held)
        name = model.partition("?")[0]
        if to is None or (name not in services and not name.endswith("/")):
            return chosen
        return _able(chosen, services[chosen.provider], to)

    def names(self) -> tuple[str, ...]:
        """The services there are: this engine's own, then those that all engines know."""
        return self.catalogue.names()

    def service(self, name: str) -> Provider:
        """The service of that name. Raises: `UnknownModel` naming what there is."""
        return self.catalogue.load(name)

    def services(self) -> dict[str, Info]:
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
        with self._leases.trial(service.info, account) as session:
            await self._prolong(service, session)
            if isinstance(service, SignsIn):
                token = await service.access_token(session)
            if isinstance(service, TellsWho):
                who = await service.who(session)
        asked = who is not None or (token is not None and not isinstance(session.credential, BearerToken))
        if asked:
            self._leases.proven(service.info, account)
        return Tried(asked=asked, who=who, expires_at=token_expiry(token) if token else None)

    async def _prolong(self, service: Provider, session: Session) -> None:
        if isinstance(service, ProlongsSession) and self._is_expiring(session):
            await service.prolong(session)

    def _is_expiring(self, session: Session) -> bool:
        ends = ends_at(session.credential) if session.credential else None
        return ends is not None and 0 < ends - self._now() < EXPIRING_S

    async def refresh(self) -> None:
        """Prolong sessions and fetch tokens that are about to end, of accounts in use, also while a quota is spent."""
        for name, session in self._leases.sessions():
            try:
                await self._refresh(self.service(session.provider), name, session)
            except PolychatError as error:  # its health knows; the next question meets it
                log.warning("a sign-in is not renewed: %s", error.message, extra={"account": name})

    async def _refresh(self, service: Provider, name: str, session: Session) -> None:
        prolongs = isinstance(service, ProlongsSession) and self._is_expiring(session)
        fetches = isinstance(service, SignsIn) and session.token_is_ending
        unwell = self.register.state(self._leases.entry(service.info, name)) in _NOT_RENEWED
        if unwell or not (prolongs or fetches):
            return
        with self._leases.trial(service.info, name):
            await self._prolong(service, session)
            if isinstance(service, SignsIn) and session.token_is_ending:
                await service.access_token(session)
        self._leases.proven(service.info, name)

    async def keep_fresh(self, *, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep) -> None:
        """`refresh` again and again, for a process that lives long; ends when it is cancelled."""
        while True:
            await self.refresh()
            await sleep(REFRESH_EARLY_S / 2)

    # ------------------------------------------------------------ sessions

    def session(self, provider: str, account: str | None = None) -> Session:
        """The session of an account, to use what a service offers beyond chat. Raises `NoAccount`, `BadOption`."""
        return self._leases.session(self.service(provider).info, account)

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
            self._transports[public_only] = AiohttpTransport(public_only=public_only, allow_origins=allowed)
        return self._transports[public_only]

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


def _able(chosen: Route, info: Info, to: Capability) -> Route:
    """The same, or the service's first model that can."""
    able = [chosen.model, *info.models]
    model = next((model for model in able if info.can(model, to)), chosen.model)
    return msgspec.structs.replace(chosen, model=model)


def _named(chosen: Route, account: str | None, thread: Thread | None) -> str | None:
    """The account that the call names, else the model's name, else the conversation; None leaves the choice open."""
    return account or chosen.account or (thread.account if thread else None) or None


def _continued(request: Request, thread: Thread, chosen: Route, account: str | None) -> Request:
    """The request with what the thread carries before its own messages."""
    if thread.provider != chosen.provider:
        raise BadOption(f"this conversation is with {thread.provider}, not {chosen.provider}", field="conversation")
    if account and thread.account and account != thread.account:
        raise BadOption(f"this conversation is of account {thread.account!r}, not {account!r}", field="conversation")
    messages: tuple[Message, ...] = (*thread.history, *request.messages)
    return msgspec.structs.replace(request, messages=messages)
