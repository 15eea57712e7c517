"""A person with accounts of several services, an engine on them, and the sandbox they all lead to."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from polychat import providers
from polychat.credentials import Account, ApiKey, Secret, SessionCookies
from polychat.engine.engine import Engine
from polychat.engine.ledger.record import Record
from polychat.engine.settings import load
from polychat.engine.turn import Turn
from polychat.errors import PolychatError
from polychat.net.session import Session
from polychat.providers.base import Info
from polychat.sandbox import Sandbox
from polychat.sandbox.journal import Entry
from polychat.testing.bench import soon
from polychat.types import Event, Message, Request, Text
from polychat.vault.memory import MemoryVault

PEOPLE = (
    ("alice", "openai"), ("bob", "openai"), ("carol", "anthropic"), ("dave", "reka"), ("erin", "chatgpt"),
    ("frank", "groq"), ("grace", "gemini"),
)  # fmt: skip
WHO = {"alice": "sandbox-alice", "bob": "sandbox-bob"}
COOKIES = {"reka": "appSession", "chatgpt": "__Secure-next-auth.session-token"}
OPENAI, ANTHROPIC, REKA = "openai/gpt-4o-mini", "anthropic/claude-haiku-4-5-20251001", "reka/reka-core"
CHATS = ("/v1/chat/completions", "/v1/messages", "/api/chat")  # where questions are put


class Book:
    """A ledger that keeps its records in a list."""

    path = None

    def __init__(self) -> None:
        self.records: list[Record] = []

    def put(self, record: Record) -> None:
        """Keep it."""
        self.records.append(record)

    def saw(self, *quota: Any) -> None:
        """Keep none."""

    def warm(self) -> None:
        """Ready as it is."""


class Scripted:
    """A service in place that does what it is told: batches to yield, pauses to make, an error to raise."""

    def __init__(self, info: Info, *steps: Any) -> None:
        self.info = info
        self.steps = steps
        self.asked = 0
        self.closed = 0
        self.parting: Callable[[], Awaitable[None]] | None = None  # what it still does when it is left

    async def chat(self, session: Session, request: Request) -> AsyncIterator[Sequence[Event]]:
        """As told; a number is a pause, an event is waited for, an exception is raised."""
        self.asked += 1
        try:
            for step in self.steps:
                if isinstance(step, BaseException):
                    raise step
                if isinstance(step, float):
                    await asyncio.sleep(step)
                elif isinstance(step, asyncio.Event):
                    await step.wait()
                else:
                    yield step
        finally:
            self.closed += 1
            if self.parting is not None:
                await self.parting()


class House:
    """Who there is, what is set, and what the sandbox saw."""

    openai, anthropic, reka = OPENAI, ANTHROPIC, REKA

    def __init__(self, sandbox: Sandbox, home: Path) -> None:
        self.sandbox = sandbox
        self.ahead_s = 0.0
        self.people = ["alice", "bob", "carol", "dave"]
        self.services: dict[str, Any] = {}
        self.book = Book()
        self.environ = {"POLYCHAT_HOME": str(home), "POLYCHAT_SANDBOX": sandbox.url}

    def run(self, act: Callable[[Engine], Awaitable[Any]], **settings: Any) -> Any:
        """What `act` gives with a fresh engine under those settings."""
        people = [_account(name, dict(PEOPLE)[name]) for name in self.people]

        async def main() -> Any:
            engine = Engine(
                MemoryVault(*people), load(environ=self.environ, overrides=settings), services=self.services,
                ledger=self.book, strict=True, now=self.now,
            )  # fmt: skip
            async with engine:
                before = asyncio.all_tasks()
                result = await act(engine)
                assert await soon(lambda: asyncio.all_tasks() <= before)
                assert {name: room.running for name, room in engine._places._rooms.items() if room.running} == {}
                return result

        return asyncio.run(main())

    def now(self) -> float:
        """Time, that is moved by hand."""
        return time.time() + self.ahead_s

    def later(self, seconds: float) -> None:
        """Let time pass, here and in the sandbox."""
        self.ahead_s += seconds
        self.sandbox.clock(advance_s=seconds)

    def fault(self, service: str, fault: str, **details: Any) -> None:
        """Questions to that service meet a fault."""
        path = {"anthropic": "/v1/messages", "reka": "/api/chat", "openai": "/v1/chat/completions"}.get(service, "*")
        self.sandbox.fault(service, fault, **{"path": path} | details)

    def status(self, service: str, code: int, **details: Any) -> None:
        """Questions to that service are answered with an error."""
        self.fault(service, "status", code=code, **details)

    def journal(self) -> list[Entry]:
        """The questions that were put, in order."""
        return [entry for entry in self.sandbox.journal() if entry.path in CHATS]

    def asked(self) -> list[str]:
        """Which services they were put to."""
        return [entry.service for entry in self.journal()]

    def add(self, name: str, *steps: Any, like: str = "ollama", **facts: Any) -> Scripted:
        """A service in place, which needs no account; `steps` are what it does."""
        info = msgspec.structs.replace(
            providers.load(like).info, name=name, label=name.title(), needs_account=False, **facts
        )
        self.services[name] = Scripted(info, *steps)
        return self.services[name]

    @staticmethod
    def question(model: str, text: str = "Hello", **given: Any) -> Request:
        """Something to ask."""
        messages = (Message(role="user", parts=(Text(text=text), *given.pop("parts", ()))),)
        return Request(model=model, messages=messages, **given)

    async def answer(self, engine: Engine, model: str, **given: Any) -> tuple[Turn, str]:
        """The turn that answered, and its words."""
        options = {name: given.pop(name) for name in ("account", "provider", "waits") if name in given}
        async with await engine.ask(self.question(model, **given), **options) as turn:
            return turn, (await turn.reply()).text

    async def whom(self, engine: Engine, model: str, **given: Any) -> str:
        """The account that answered."""
        return (await self.answer(engine, model, **given))[0].account

    async def failure(self, engine: Engine, model: str, **given: Any) -> PolychatError:
        """What a question raises."""
        with pytest.raises(PolychatError) as caught:
            await self.answer(engine, model, **given)
        return caught.value


def _account(name: str, provider: str) -> Account:
    secret = Secret(WHO.get(name, "sandbox-alice"))
    credential: Any = ApiKey(key=secret)
    if provider in COOKIES:
        credential = SessionCookies(cookies={COOKIES[provider]: secret})
    return Account(name=name, provider=provider, credential=credential, created_at=1.0)


@pytest.fixture
def house(sandbox: Sandbox, tmp_path: Path) -> House:
    """Two accounts of OpenAI, one of Anthropic and one of Reka."""
    return House(sandbox, tmp_path)


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port of this machine where nobody listens, and nobody else will."""
    with closing(socket.socket()) as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]
