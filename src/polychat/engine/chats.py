"""Questions to models: each planned, held against what the model can do, and asked until somebody answers."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import msgspec

from polychat.engine import attachments, features
from polychat.engine.asking import Asking, Countdown
from polychat.engine.emulation import provider as emulation
from polychat.engine.failover import Failover
from polychat.engine.ledger.entry import Entry
from polychat.engine.planning import Candidate, Considered, Plan
from polychat.engine.stream import Running
from polychat.engine.targets import Target
from polychat.engine.turn import Turn
from polychat.errors import BadOption, TransportProblem
from polychat.fold import Fold
from polychat.net.clocks import Waits
from polychat.net.transport import Transport
from polychat.providers.base import Info, Provider
from polychat.types import Event, Message, Request, Thread, ThreadMoved

log = logging.getLogger("polychat.engine")


class Chats:
    """The questions of one engine.

    `public` opens the transport that refuses private addresses but `origins`; `captures` is where answers of unknown
    form are kept, redacted; `entry` begins what the ledger keeps of a question.
    """

    def __init__(
        self,
        asking: Asking,
        *,
        public: Callable[[], Transport],
        origins: frozenset[str],
        captures: Path,
        strict: bool,
        entry: Callable[..., Entry],
    ) -> None:
        self.asking = asking
        self.captures = captures
        self.strict = strict
        self._public = public
        self._origins = origins
        self._entry = entry

    async def ask(
        self,
        request: Request,
        *,
        account: str | None = None,
        provider: str | None = None,
        waits: Waits | None = None,
        key: str | None = None,
    ) -> Turn:
        """Send `request`, whose `model` is in the caller's words, and wait until somebody begins to answer.

        `provider` limits the choice to one service; `waits` are clocks of this question; `key` is the name of who asks,
        for the ledger.

        Raises: `ConfigError` before anything is sent; any other `PolychatError` of what happened then, with `attempts`.
        """
        entry = self._entry(wanted=request.model, stream=request.stream, key=key)
        try:
            question = _Question(self, request, account, waits or {}, entry)
            return await question.answered(await question.planned(provider))
        except BaseException as error:
            entry.ended(request, error=error)
            raise

    async def explain(
        self, request: Request, *, account: str | None = None, provider: str | None = None
    ) -> list[Considered]:
        """Who would be asked, in order, and why the others would not; nothing is asked.

        Raises: `UnknownModel` where the name leads nowhere at all.
        """
        question = _Question(self, request, account, {}, self._entry(wanted=request.model))
        return (await question.planned(provider)).considered

    async def with_bytes(self, request: Request) -> Request:
        """The request with the files themselves in place of their addresses. Raises: `BadOption`."""
        if self.asking.settings.proxy is not None and attachments.has_links(request):
            raise BadOption(
                "a file named by its URL is not fetched through a proxy", field="image", hint="give the file itself"
            )
        try:
            return await attachments.inlined(request, self._public(), self._origins)
        except TransportProblem as error:  # of the file's host, so that no service is to blame
            raise BadOption(
                f"a file named by its URL cannot be fetched: {error.message}",
                field="image",
                hint="give the file itself",
            ) from error


class _Question:
    """One question on its way."""

    def __init__(self, chats: Chats, request: Request, account: str | None, waits: Waits, entry: Entry) -> None:
        self._chats = chats
        self._asking = chats.asking
        self._request = request
        self._account = account
        self._entry = entry
        self._countdown = Countdown(self._asking.clocks("chat", waits))
        self._put: dict[int, tuple[Provider, Request]] = {}  # by target: how it is asked
        self._fetched: dict[tuple[Message, ...], tuple[Message, ...]] = {}  # messages -> the same with bytes

    async def planned(self, provider: str | None) -> Plan:
        """Who may be asked."""
        thread = self._request.thread
        found = await self._asking.found(
            self._request.model, provider or (thread.provider if thread else None), self._account, self._countdown
        )
        await self._asking.recalled(found)
        named = self._account or (thread.account if thread else None)
        return self._asking.plan(found, named, self._fit, self._request)

    def _fit(self, target: Target, info: Info) -> None:
        """Note how the target is asked. Raises: `ConfigError` where it cannot do what is asked."""
        route, request = target.route, self._request
        if request.thread is not None:
            request = _continued(request, request.thread, route.provider, self._account)
        request = emulation.moded(request, route, self._asking.settings)
        features.check(info, route.model, request)
        service = emulation.over(self._asking.service(info), route.model, request)
        self._put[id(target)] = service, msgspec.structs.replace(request, model=route.model.id)

    async def answered(self, plan: Plan) -> Turn:
        """The answer of the first candidate that gives one."""
        turn, before = await self._asking.first(plan, self._ask, self._entry, binds=self._binds)
        turn.attempts = before
        turn.running.recorded(self._entry, self._request)
        return turn

    async def _ask(self, failover: Failover, candidate: Candidate) -> Turn:
        service, request = self._put[id(candidate.target)]
        if not candidate.info.can(candidate.target.route.model, "remote_media"):
            inlined = self._with_bytes(request)
            request = await self._countdown.over(inlined, candidate.info.name, candidate.entry.name)
        lease = await self._asking.lease(candidate, self._countdown, failover, self._entry)
        route, account = candidate.target.route, candidate.entry.name
        log.debug("asking", extra={"provider": route.provider, "model": route.model.id, "account": account})
        clocks, deadline = self._countdown.clocks, self._countdown.deadline
        running = Running(lease, clocks, deadline, strict=self._chats.strict, folder=self._chats.captures)
        batches = running.batches(service, request, partial(_moved, request, route.provider, account))
        turn = Turn(batches, running, route, account)
        await turn.start(until_content=not failover.last)
        self._entry.began()
        return turn

    def _binds(self, candidate: Candidate) -> bool:
        """Whether asking twice may do something twice: tools, pictures, a conversation or files that are kept there."""
        request = self._request
        keeps_files = "threads" in candidate.info.capabilities and any(one.attachments for one in request.messages)
        kept = request.thread is not None and request.thread.id is not None
        return bool(request.tools) or kept or keeps_files or "image" in request.modalities

    async def _with_bytes(self, request: Request) -> Request:
        if request.messages not in self._fetched:
            self._fetched[request.messages] = (await self._chats.with_bytes(request)).messages
        return msgspec.structs.replace(request, messages=self._fetched[request.messages])


def _moved(request: Request, provider: str, account: str, fold: Fold) -> Sequence[Event]:
    """Where the conversation stands, of a service that keeps none: the history goes along with the thread."""
    reply = fold.reply()
    thread = reply.thread or Thread(provider=provider, account=account)
    if thread.id is not None:
        return ()
    history = (*request.messages, reply.message())
    return (ThreadMoved(thread=msgspec.structs.replace(thread, history=history)),)


def _continued(request: Request, thread: Thread, provider: str, account: str | None) -> Request:
    """The request with what the thread carries before its own messages."""
    if thread.provider != provider:
        raise BadOption(f"this conversation is with {thread.provider}, not {provider}", field="conversation")
    if account and thread.account and account != thread.account:
        raise BadOption(f"this conversation is of account {thread.account!r}, not {account!r}", field="conversation")
    messages: tuple[Message, ...] = (*thread.history, *request.messages)
    return msgspec.structs.replace(request, messages=messages)
