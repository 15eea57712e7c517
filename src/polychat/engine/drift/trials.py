"""The two witnesses beside a recording: our decoder, given its bytes, and the sandbox, given its request.

The decoder is tried by holding a turn with the provider: the request that was recorded is answered from the recording,
frame by frame, and every other step by the sandbox. Nothing here knows a service.
"""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from pathlib import Path
from urllib.parse import quote, urlsplit

import msgspec

from polychat.credentials import Account, ApiKey, BearerToken, Credential, Secret, SessionCookies
from polychat.engine.drift.shapes import frames
from polychat.engine.engine import Engine
from polychat.engine.settings import Folders, Settings
from polychat.errors import FormatChanged, PolychatError, TransportProblem
from polychat.net.clocks import Clocks
from polychat.net.traffic.recorded import Exchange
from polychat.net.traffic.redaction import PLACEHOLDER
from polychat.net.transport import HttpRequest, HttpResponse, Transport, WebSocket
from polychat.net.upload import Progress
from polychat.providers.base import Info
from polychat.types import Event, Finish, Media, Message, Request, Text, TextDelta, ThinkingDelta, ToolCallDelta
from polychat.vault.memory import MemoryVault

PERSON = "sandbox-alice"
_UUID = re.compile(rb"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_MODEL_IN_PATH = re.compile(r"/models/([^/:]+)")
_ANSWER_BYTES = 32 * 1024 * 1024
_CONTENT = (TextDelta, ThinkingDelta, ToolCallDelta, Media)
_NOT_SENT = frozenset({"content-length", "transfer-encoding", "connection", "host"})


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a recording in the decoder."""

    asked: bool = False  # whether the turn asked for it at all
    events: bytes = b""  # as JSON, without ids of our own making
    finished: bool = False
    empty: bool = True
    refused: str | None = None  # why
    frame: int = 0  # how many frames had been read then


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What the sandbox answers."""

    status: int
    media_type: str
    body: bytes


class _Over(TransportProblem):
    """The step after the one in question: the turn need not go on."""


class Bench:
    """A sandbox, and who is asked there as."""

    def __init__(self, sandbox: str) -> None:
        nowhere = Path(os.devnull)
        folders = Folders(config=nowhere, data=nowhere, state=nowhere, cache=nowhere)
        self._settings = Settings(folders=folders, sandbox=sandbox)

    def engine(self, service: str, transport: Transport | None = None) -> Engine:
        """An engine with the sandbox's person. Raises: `UnknownModel` for a service that there is not."""
        info = Engine(MemoryVault(), self._settings).service(service).info
        account = Account(name=PERSON, provider=service, credential=_credential(info))
        return Engine(MemoryVault(account), self._settings, transport=transport)

    # ------------------------------------------------------------ the decoder

    async def decoded(self, exchange: Exchange, body: bytes, inner: Transport) -> Outcome:
        """What the provider makes of `body` in place of the recorded one."""
        outcome = Outcome()
        for stream in (True, False):
            outcome = await self._turn(exchange, body, inner, stream=stream)
            if outcome.asked:
                break
        return outcome

    async def _turn(self, exchange: Exchange, body: bytes, inner: Transport, *, stream: bool) -> Outcome:
        tape = _Tape(exchange, body, inner)
        service = exchange.service or ""
        engine = self.engine(service, tape)
        provider = engine.service(service)
        question = Message(role="user", parts=(Text(text="Hello"),))
        model = _model(exchange) or provider.info.default_model
        request = Request(model=model, messages=(question,), stream=stream)
        events: list[Event] = []
        refused: str | None = None
        try:
            async with aclosing(provider.chat(engine.session(service), request)) as batches:  # type: ignore[type-var]
                async for batch in batches:
                    events += batch
        except FormatChanged as error:
            refused = error.message
        except PolychatError:  # an error that the service told, or the step after this one
            pass
        return Outcome(
            asked=tape.served,
            events=_UUID.sub(b"", msgspec.json.encode(events)),
            finished=any(isinstance(event, Finish) for event in events),
            empty=not any(isinstance(event, _CONTENT) for event in events),
            refused=refused if tape.served else None,
            frame=tape.frame,
        )

    # ------------------------------------------------------------ the sandbox

    async def answered(self, exchange: Exchange, values: dict[str, str], transport: Transport) -> Answer:
        """What the sandbox answers to the recorded request; `values` stand for recorded ones.

        Raises: `PolychatError`.
        """
        service = exchange.service or ""
        engine = self.engine(service)
        hosts = engine.hosts(engine.service(service).info)
        asked = exchange.request
        base = hosts.get(asked.host or "", next(iter(hosts.values())))
        query = urlsplit(asked.url).query
        url = base + asked.path + (f"?{query}" if query else "")
        request = HttpRequest(
            method=asked.method,
            url=_filled(url, {name: quote(value) for name, value in values.items()}),
            headers={name: _filled(value, values) for name, value in asked.headers.items() if name not in _NOT_SENT},
            body=None if asked.text is None else _filled(asked.text, values).encode(),
        )
        async with transport.open(request, Clocks()) as response:
            body = await response.read(_ANSWER_BYTES)
            return Answer(status=response.status, media_type=response.headers.get("content-type", ""), body=body)


def can_be_asked(exchange: Exchange) -> bool:
    """Whether all of the request was recorded: a file's bytes never are."""
    asked = exchange.request
    return not asked.parts and asked.sha256 is None and " bytes, sha256 " not in (asked.text or "")


def _filled(text: str, values: dict[str, str]) -> str:
    for recorded in sorted(values, key=len, reverse=True):
        text = re.sub(re.escape(recorded) + r"(?![0-9])", lambda _, value=values[recorded]: value, text)  # type: ignore[misc]
    return PLACEHOLDER.sub(PERSON, text)


def _credential(info: Info) -> Credential:
    secret = Secret(PERSON)
    if "cookies" in info.accepts:
        return SessionCookies(cookies=dict.fromkeys(info.sign_in.cookies, secret))
    return ApiKey(key=secret) if "api_key" in info.accepts else BearerToken(token=secret)


def _model(exchange: Exchange) -> str | None:
    """The model that was asked, in the path or in the body."""
    if found := _MODEL_IN_PATH.search(exchange.request.path):
        return found[1]
    try:
        return msgspec.json.decode(exchange.request.text or "", type=_Asked).name
    except msgspec.MsgspecError:
        return None


class _Asked(msgspec.Struct):
    model: str | None = None
    provider: str | None = None  # of services that name models by who makes them

    @property
    def name(self) -> str | None:
        return f"{self.provider}-{self.model}" if self.provider and self.model else self.model


# ---------------------------------------------------------------- one recording among live answers


class _Tape:
    """A transport that answers one request from a recording, once, and the others by another transport."""

    def __init__(self, exchange: Exchange, body: bytes, inner: Transport) -> None:
        self._exchange = exchange
        self._frames = frames(body)
        self._inner = inner
        self.served = False
        self.frame = 0

    @asynccontextmanager
    async def open(
        self, request: HttpRequest, clocks: Clocks, *, progress: Progress | None = None
    ) -> AsyncIterator[HttpResponse]:
        """The recorded answer if it is that request; what would come after it is not asked."""
        if self.served:
            raise _Over("the recording was read")
        if self._is_it(request):
            self.served = True
            yield _Response(self, self._exchange, request.url)
            return
        async with self._inner.open(request, clocks, progress=progress) as response:
            yield response

    def websocket(self, request: HttpRequest, clocks: Clocks) -> AbstractAsyncContextManager[WebSocket]:
        """Another way than the recorded one."""
        raise _Over("a recording opens no websocket")

    async def aclose(self) -> None:
        """The other transport is its owner's."""

    async def frames(self) -> AsyncIterator[bytes]:
        """The body, a frame at a time, counted."""
        for frame in self._frames:
            self.frame += 1
            yield frame

    def _is_it(self, request: HttpRequest) -> bool:
        from polychat.net.traffic.asking import place

        asked = self._exchange.request
        host, path = place(request.url, request.owner)
        return (request.method, host, path) == (asked.method, asked.host, asked.path)


class _Response:
    def __init__(self, tape: _Tape, exchange: Exchange, url: str) -> None:
        assert exchange.response is not None
        self.status = exchange.response.status
        self.headers: Mapping[str, str] = exchange.response.headers
        self.set_cookies: tuple[str, ...] = ()
        self.url = url
        self._tape = tape

    def chunks(self) -> AsyncIterator[bytes]:
        return self._tape.frames()

    async def read(self, limit_bytes: int) -> bytes:
        return b"".join([frame async for frame in self._tape.frames()])[:limit_bytes]
