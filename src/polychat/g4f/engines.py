"""Where the engines of this face live, and what is asked of them: an answer, an upload, a token, a session.

The synchronous names share one portal thread, started at first use and ended with the process. The asynchronous client
uses engines of its caller's own loop, which leave with it. The pages' names are classes and functions; so that a token
is still fetched only once, engines outlive a call: the one state of this process beside its cookies.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from functools import cache
from typing import Self

from polychat import providers
from polychat.credentials import Secret
from polychat.engine import features
from polychat.engine.engine import Engine
from polychat.engine.portal import Portal
from polychat.engine.turn import Turn
from polychat.errors import AuthExpired, NoAccount, PolychatError
from polychat.g4f.callers import Caller
from polychat.g4f.errors import value_errors
from polychat.g4f.questions import Question
from polychat.net.session import Session
from polychat.providers.base import SignsIn, UploadsImages
from polychat.types import Event, Reply

KEPT = 32  # engines a loop keeps when nobody uses them


class _Kept:
    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self.engine = Engine(caller.vault(), caller.settings)
        self.guests = 0


class Engines:
    """The engines of one event loop: one a caller, so that tokens are fetched once and accounts stay apart."""

    def __init__(self) -> None:
        self._kept: list[_Kept] = []  # least recently used first

    @asynccontextmanager
    async def lent(self, caller: Caller) -> AsyncIterator[Engine]:
        """The caller's engine, not closed while it is lent."""
        kept = next((kept for kept in self._kept if kept.caller == caller), None)
        if kept is None:
            kept = _Kept(caller)
        else:
            self._kept.remove(kept)
        self._kept.append(kept)
        kept.guests += 1
        try:
            yield kept.engine
        finally:
            kept.guests -= 1
            await self._close_surplus()

    async def _close_surplus(self) -> None:
        while len(self._kept) > KEPT and (idle := next((kept for kept in self._kept if not kept.guests), None)):
            self._kept.remove(idle)
            await idle.engine.aclose()

    async def aclose(self) -> None:
        """Close every connection."""
        kept, self._kept = self._kept, []
        for one in kept:
            await one.engine.aclose()


@cache
def portal() -> Portal[Engines]:
    """The process's one portal; its thread starts at the first call."""
    return Portal(Engines)


class _Loops:
    """The engines of every loop that asked. They are closed as it ends, for asyncio then closes open generators."""

    def __init__(self) -> None:
        self._stays: dict[asyncio.AbstractEventLoop, tuple[AsyncGenerator[Engines], Engines]] = {}

    async def here(self) -> Engines:
        """The engines of the running loop."""
        loop = asyncio.get_running_loop()
        if loop not in self._stays:
            self._forget_ended()
            stay = self._stay(loop)
            self._stays[loop] = stay, await anext(stay)
        return self._stays[loop][1]

    async def _stay(self, loop: asyncio.AbstractEventLoop) -> AsyncGenerator[Engines]:
        engines = Engines()
        try:
            yield engines
        finally:
            self._stays.pop(loop, None)
            await engines.aclose()

    def _forget_ended(self) -> None:
        for loop in [loop for loop in list(self._stays) if loop.is_closed()]:
            self._stays.pop(loop, None)


here = _Loops().here


class Answer:
    """One answer as it comes; entered, iterated and left by one task."""

    def __init__(self, turn: Turn, held: AsyncExitStack) -> None:
        self.turn = turn
        self._held = held

    async def batches(self) -> AsyncGenerator[list[Event]]:
        """The events, one list a network read."""
        async for batch in self.turn:
            yield list(batch)

    async def reply(self) -> Reply:
        """The whole answer. Raises what breaks it."""
        async with self:
            return await self.turn.reply()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._held.aclose()


async def ask(question: Question, engines: Engines) -> Answer:
    """Sign in, send the question and wait for the first batch of its answer.

    Raises: `ConfigError` before anything is sent; any other `PolychatError`; for no account, a refused credential or no
    access token one that is a `ValueError` too.
    """
    request, service = question.request, question.caller.service
    async with AsyncExitStack() as stack:
        engine = await stack.enter_async_context(engines.lent(question.caller))
        chosen = engine.route(request.model, provider=service)
        features.check(providers.load(chosen.provider).info, chosen.model, request)
        await _sign_in(engine, chosen.provider, chosen.account)
        with value_errors(NoAccount, AuthExpired):
            waits = {} if question.timeout_s is None else {"total_s": question.timeout_s}
            turn = await engine.ask(request, provider=service, waits=waits)
        await stack.enter_async_context(turn)
        return Answer(turn, stack.pop_all())


async def upload(caller: Caller, service: str, data: bytes, media_type: str, name: str, engines: Engines) -> str:
    """Store a picture with the service; its URL there. Raises as `ask` does."""
    provider = providers.load(service)
    assert isinstance(provider, UploadsImages), f"{service} keeps no pictures"
    async with session(caller, service, engines, AuthExpired) as own:
        return await provider.upload_image(own, data, media_type=media_type, name=name)


@asynccontextmanager
async def session(
    caller: Caller, service: str, engines: Engines, *kinds: type[PolychatError]
) -> AsyncIterator[Session]:
    """The caller's session, for what a service does beyond chat; errors inside of `kinds` are `ValueError`s too."""
    async with engines.lent(caller) as engine:
        with _session(engine, service, None, *kinds) as own:
            yield own


async def token(caller: Caller, service: str, engines: Engines) -> str:
    """An access token that is valid now. Every failure is a `ValueError` too."""
    async with engines.lent(caller) as engine:
        found = await _sign_in(engine, service)
        assert found is not None, f"{service} gives no access tokens"
        return str(found.reveal())


async def _sign_in(engine: Engine, service: str, account: str | None = None) -> Secret | None:
    """The access token that the account asks with; None at a service that has none."""
    provider = providers.load(service)
    if not isinstance(provider, SignsIn):
        return None
    with _session(engine, service, account, PolychatError) as own:
        return await provider.access_token(own)


@contextmanager
def _session(engine: Engine, service: str, account: str | None, *kinds: type[PolychatError]) -> Iterator[Session]:
    """The account's session; an error inside knows its account, and is a `ValueError` too if it is of `kinds`."""
    with value_errors(*kinds):
        session = engine.session(service, account)
        with session.owning():
            yield session
