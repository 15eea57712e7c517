"""Where a provider is judged: its service in a sandbox, people to ask as, and an engine that is strict.

Nothing here knows a service. How to sign in comes from the provider's `Info`; which request of a turn carries the
answer is learned by asking once and reading the sandbox's journal.
"""

from __future__ import annotations

import asyncio
import io
import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from polychat import providers
from polychat.credentials import Account, ApiKey, BearerToken, Credential, CredentialKind, Secret, SessionCookies
from polychat.engine.engine import Engine
from polychat.engine.settings import Folders, Settings
from polychat.errors import PolychatError
from polychat.net.clocks import Clocks
from polychat.net.session import Step
from polychat.net.transport import Transport
from polychat.testing.checks import Check, require
from polychat.types import Image, Message, Request, Text
from polychat.vault.memory import MemoryVault

if TYPE_CHECKING:
    from polychat.sandbox import Sandbox
    from polychat.sandbox.journal import Entry

ALICE, BOB = "sandbox-alice", "sandbox-bob"
PIECES = (
    "Grüße ",
    "aus ",
    "Łódź, ",
    "日本語 ",
    "и ",
    "мир: ",
    "🐈‍⬛ ",
    "1 < 2 ",
    "« ",
    "ende ",
    "» ",
    *(f"{number}, " for number in range(16)),
    "…!",
)
_CHECK_LIMIT_S = 60.0
_SOON_S = 5.0
_TICK_S = 0.005
_NOT_THERE = Path(os.devnull)
NOWHERE = Folders(config=_NOT_THERE, data=_NOT_THERE, state=_NOT_THERE, cache=_NOT_THERE)


class Subject(NamedTuple):
    """What is judged, and against what."""

    provider: str
    sandbox: Sandbox


class Paths(NamedTuple):
    """What one turn asks for."""

    answer: str  # the request that carries the answer: the last one
    every: tuple[str, ...]  # in order, each once


class Bench:
    """One provider at work in one sandbox."""

    def __init__(self, subject: Subject) -> None:
        self.name, self.sandbox = subject
        self.provider = providers.load(self.name)
        self.info = self.provider.info

    # ------------------------------------------------------------ people

    def account(self, person: str, kind: CredentialKind | None = None) -> Account:
        """The account of a sandbox person, with the credential of that kind (the one with most steps unless told)."""
        return Account(name=person, provider=self.name, credential=self._credential(Secret(person), kind or self.kind))

    @property
    def kind(self) -> CredentialKind:
        """Cookies where the service takes them, because they have to become a token first."""
        return "cookies" if "cookies" in self.info.accepts else self.info.accepts[0]

    def _credential(self, secret: Secret, kind: CredentialKind) -> Credential:
        match kind:
            case "api_key":
                return ApiKey(key=secret)
            case "bearer":
                return BearerToken(token=secret)
            case "cookies":
                return SessionCookies(cookies=dict.fromkeys(self.info.sign_in.cookies, secret))

    # ------------------------------------------------------------ asking

    @asynccontextmanager
    async def engine(
        self,
        *accounts: Account,
        clocks: Clocks | None = None,
        transport: Transport | None = None,
        observe: Callable[[Step], None] | None = None,
        settings: Settings | None = None,
    ) -> AsyncIterator[Engine]:
        """An engine of these accounts (alice's unless told), closed in the end."""
        if settings is None:
            settings = Settings(folders=NOWHERE, sandbox=self.sandbox.url, clocks=clocks or Clocks())
        vault = MemoryVault(*(accounts or (self.account(ALICE),)))
        async with Engine(vault, settings, transport=transport, observe=observe, strict=True) as engine:
            yield engine

    def request(self, prompt: str = "Hello", *pictures: Image, stream: bool = True) -> Request:
        """A question to the provider's default model."""
        message = Message(role="user", parts=(Text(text=prompt), *pictures))
        return Request(model=f"{self.name}/{self.info.default_model}", messages=(message,), stream=stream)

    def script(self, times: int = 1) -> str:
        """Let the service's next answers be `PIECES`, each a piece of its stream; their sum."""
        self.sandbox.script(self.name, chunks=list(PIECES), times=times)
        return "".join(PIECES)

    def fault(self, fault: str, **details: Any) -> None:
        """Let only `fault` happen from now on."""
        self.sandbox.clear_faults()
        self.sandbox.fault(self.name, fault, **details)

    # ------------------------------------------------------------ looking

    def journal(self, path: str | None = None) -> list[Entry]:
        """What the service has seen."""
        return self.sandbox.journal(service=self.name, path=path)

    async def paths(self, *, stream: bool = True) -> Paths:
        """The requests of a turn, learned by holding one."""
        start = len(self.journal())
        async with self.engine() as engine:
            await (await engine.ask(self.request(stream=stream))).reply()
        seen = [entry.path for entry in self.journal()[start:]]
        require(bool(seen), "a turn asked the service nothing")
        return Paths(answer=seen[-1], every=tuple(dict.fromkeys(seen)))

    async def failed(self, engine: Engine, request: Request, **options: Any) -> PolychatError:
        """The error of a turn that has to fail."""
        try:
            reply = await (await engine.ask(request, **options)).reply()
        except PolychatError as error:
            return error
        raise AssertionError(f"the turn should have failed, and answered {reply.text!r}")


def async_check(name: str, judge: Callable[[Bench], Awaitable[None]]) -> Check[Subject]:
    """A check that has a sandbox as new, a bench and an event loop to itself."""

    async def bounded(subject: Subject) -> None:
        try:
            async with asyncio.timeout(_CHECK_LIMIT_S):
                await judge(Bench(subject))
        except TimeoutError:
            raise AssertionError(f"it did not end within {_CHECK_LIMIT_S:g} s") from None

    def run(subject: Subject) -> None:
        subject.sandbox.reset()
        asyncio.run(bounded(subject))

    return Check(name, run)


async def soon(happened: Callable[[], bool]) -> bool:
    """Whether it happens within five seconds."""
    for _ in range(round(_SOON_S / _TICK_S)):
        if happened():
            return True
        await asyncio.sleep(_TICK_S)
    return False


def picture(side_pixels: int = 8) -> Image:
    """A square PNG of a random colour."""
    from PIL import Image as Pillow

    buffer = io.BytesIO()
    Pillow.new("RGB", (side_pixels, side_pixels), f"#{secrets.token_hex(3)}").save(buffer, "PNG")
    return Image(data=buffer.getvalue(), name="square.png")
