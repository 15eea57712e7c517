"""Recordings of real exchanges with the sandbox, and of a server that does exactly what it is told."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import logging
import re
import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from polychat.credentials import Secret
from polychat.errors import BadOption, ConfigError, ConnectFailed, IdleTimeout, Interrupted, PolychatError
from polychat.net.aiohttp import AiohttpTransport
from polychat.net.clocks import Clocks
from polychat.net.traffic import recorded
from polychat.net.traffic.recording import Recorder, RecordingTransport
from polychat.net.transport import FilePart, HttpRequest
from polychat.sandbox import Sandbox
from polychat.testing.bench import Bench, Subject
from polychat.testing.transports import TRANSPORT_CHECKS

HEAD = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n"
NOTHING = b"HTTP/1.1 204 No\r\nconnection: close\r\n\r\n"
SERVICES = ("openai", "anthropic", "gemini", "reka", "chatgpt", "raycast")
ALICE = "sandbox-alice"


class Owner:
    """Whoever holds these secrets at a service."""

    def __init__(self, host: str, *secrets: str) -> None:
        self.provider = "someone"
        self.hosts = {"api": host}
        self._secrets = list(map(Secret, secrets))

    def secrets(self) -> list[Secret]:
        return self._secrets


@asynccontextmanager
async def saying(*pieces: bytes, stay: bool = False) -> AsyncIterator[str]:
    """The address of a server that sends each piece as a network read of its own, then closes or stays."""
    left, tasks = asyncio.Event(), []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.append(asyncio.current_task())
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            if size := re.search(rb"content-length: (\d+)", head, re.IGNORECASE):
                await reader.readexactly(int(size[1]))
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0.01)
            if stay:
                await left.wait()
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        left.set()
        server.close()
        await asyncio.gather(*filter(None, tasks), return_exceptions=True)


def chunk(data: bytes) -> bytes:
    """One chunk of a chunked body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def record(folder: Path, ask: Callable[[RecordingTransport], Awaitable[None]]) -> list[recorded.Exchange]:
    """What is in `folder` after `ask` has asked through a recorder there."""

    async def main() -> None:
        transport = RecordingTransport(AiohttpTransport(), Recorder(folder))
        try:
            await ask(transport)
        finally:
            await transport.aclose()

    asyncio.run(main())
    return [one.exchange for one in recorded.read(folder)]


async def read(transport: RecordingTransport, request: HttpRequest, clocks: Clocks | None = None) -> bytes:
    async with transport.open(request, clocks or Clocks()) as response:
        return await response.read(1_000_000)


def get(url: str, **more: Any) -> HttpRequest:
    return HttpRequest(method="GET", url=url, **more)


@pytest.mark.parametrize("check", TRANSPORT_CHECKS, ids=str)
def test_it_is_a_transport_like_the_one_it_watches(check: Any, tmp_path: Path) -> None:
    """Everything a transport promises is passed on."""
    check(lambda: RecordingTransport(AiohttpTransport(), Recorder(tmp_path)))


@pytest.mark.parametrize("service", SERVICES)
def test_a_turn_is_in_the_folder_and_its_credential_is_not(service: str, sandbox: Sandbox, tmp_path: Path) -> None:
    """Each exchange of a turn is one private file; no byte of any holds what the person proves himself with."""
    bench = Bench(Subject(service, sandbox))
    folder = tmp_path / "recordings"

    async def ask(transport: RecordingTransport) -> None:
        async with bench.engine(transport=transport) as engine:
            await (await engine.ask(bench.request())).reply()

    exchanges = record(folder, ask)
    files = sorted(folder.iterdir())
    assert [one.request.path for one in exchanges] == [
        entry.path if service != "openai" else entry.path.removeprefix("/v1") for entry in bench.journal()
    ]
    assert [file.name[:5] for file in files] == [f"{number:04}-" for number in range(1, len(exchanges) + 1)]
    assert {one.service for one in exchanges} == {service}
    assert {one.ended.how for one in exchanges} <= {"whole", "left"}
    assert [file.name for file in files if ALICE.encode() in file.read_bytes()] == []
    assert [stat.S_IMODE(path.stat().st_mode) for path in (folder, files[0])] == [0o700, 0o600]


def test_reads_are_kept_one_by_one_with_their_times(tmp_path: Path) -> None:
    """One entry a network read, its bytes exact: as text, or as base64 where it ends inside a character."""
    pieces = ["a€".encode()[:2], "a€".encode()[2:], b"end"]

    async def ask(transport: RecordingTransport) -> None:
        async with saying(HEAD, *map(chunk, pieces), b"0\r\n\r\n") as url:
            assert await read(transport, get(url)) == "a€end".encode()

    [exchange] = record(tmp_path, ask)
    assert exchange.response is not None
    chunks = exchange.response.chunks
    assert [(one.data, one.text) for one in chunks] == [(pieces[0], None), (pieces[1], None), (b"end", "end")]
    times = [0.0, exchange.response.at_s, *(one.at_s for one in chunks), exchange.ended.at_s]
    assert (times, exchange.ended.how, exchange.response.status) == (sorted(times), "whole", 200)


@pytest.mark.parametrize(
    ("said", "stay", "expected"),
    [
        ((HEAD, chunk(b"one"), b"0\r\n\r\n"), False, (None, "whole", None)),
        ((HEAD, chunk(b"one")), False, (Interrupted, "cut", None)),
        ((HEAD, chunk(b"one")), True, (Interrupted, "stalled", "between_events")),
        ((HEAD,), True, (IdleTimeout, "stalled", "first_event")),
        ((), True, (IdleTimeout, "stalled", "first_event")),
        ((), False, (Interrupted, "cut", None)),
    ],
)
def test_how_it_ended_is_written_down(said: Any, stay: bool, expected: Any, tmp_path: Path) -> None:
    """Whole, cut, or stalled with the clock that ran out, before the head and after it."""
    errors: list[type[PolychatError]] = []

    async def ask(transport: RecordingTransport) -> None:
        async with saying(*said, stay=stay) as url:
            try:
                await read(transport, get(url), Clocks(first_event_s=0.15, between_events_s=0.15))
            except PolychatError as error:
                errors.append(type(error))

    [exchange] = record(tmp_path, ask)
    error, how, clock = expected
    assert (errors, exchange.ended.how, exchange.ended.clock) == ([error] if error else [], how, clock)


def test_leaving_and_being_cancelled_are_told_apart(tmp_path: Path) -> None:
    """Who has read enough left; whose task was cancelled was cancelled."""

    async def ask(transport: RecordingTransport) -> None:
        reading = asyncio.Event()

        async def wait(url: str) -> None:
            async with transport.open(get(url), Clocks()) as response:
                async for _ in response.chunks():
                    reading.set()

        async with saying(HEAD, chunk(b"one"), stay=True) as url:
            async with transport.open(get(f"{url}/left"), Clocks()) as response:
                await anext(response.chunks())
            task = asyncio.create_task(wait(f"{url}/cancelled"))
            await reading.wait()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    assert [(one.request.path, one.ended.how) for one in record(tmp_path, ask)] == [
        ("/left", "left"),
        ("/cancelled", "cancelled"),
    ]


def test_no_connection_is_recorded_and_a_bad_address_is_not(tmp_path: Path) -> None:
    """What was sent nowhere because it could not be sent is no exchange."""

    async def ask(transport: RecordingTransport) -> None:
        with pytest.raises(ConnectFailed):
            await read(transport, get("http://127.0.0.1:1/"))
        with pytest.raises(BadOption):
            await read(transport, get("ftp://127.0.0.1/"))

    assert [(one.ended.how, one.response) for one in record(tmp_path, ask)] == [("failed", None)]


def test_files_that_are_sent_are_kept_as_size_and_hash(tmp_path: Path) -> None:
    """In a form, as a body of its own, and in JSON; fields and names stay."""
    data = b"\x89PNG" * 700

    async def ask(transport: RecordingTransport) -> None:
        picture = json.dumps({"url": f"data:image/png;base64,{base64.b64encode(data).decode()}"}).encode()
        parts = (FilePart(name="model", data=b"m-1"), FilePart(name="password", data=b"p-1"),
                 FilePart(name="file", data=data, filename="cat.png", media_type="image/png"))  # fmt: skip
        async with saying(NOTHING) as url:
            for more in (
                {"parts": parts},
                {"body": data, "headers": {"content-type": "image/png"}},
                {"body": picture, "headers": {"content-type": "application/json"}},
            ):
                await read(transport, HttpRequest(method="POST", url=url, **more))

    digest = hashlib.sha256(data).hexdigest()
    form, body, document = (one.request for one in record(tmp_path, ask))
    assert [(part.name, part.text, part.filename, part.sha256) for part in form.parts] == [
        ("model", "m-1", None, None),
        ("password", "REDACTED-1", None, None),
        ("file", None, "cat.png", digest),
    ]
    assert (body.text, body.size_bytes, body.sha256) == (None, 2800, digest)
    assert document.text == json.dumps({"url": f"data:image/png;base64,<2800 bytes, sha256 {digest}>"})


def test_many_recorders_share_a_folder(tmp_path: Path) -> None:
    """Exchanges at once, a second recorder and a later one never take each other's names."""

    async def main(recorders: int, asks: int) -> None:
        transports = [RecordingTransport(AiohttpTransport(), Recorder(tmp_path)) for _ in range(recorders)]
        async with saying(NOTHING) as url:
            await asyncio.gather(*(read(each, get(f"{url}/x")) for each in transports for _ in range(asks)))
        for each in transports:
            await each.aclose()

    asyncio.run(main(2, 5))
    asyncio.run(main(1, 2))
    names = sorted(path.name for path in tmp_path.iterdir())
    assert (len(names), len(recorded.read(tmp_path))) == (12, 12)
    assert names[-1].startswith("00")


def test_a_disk_that_refuses_costs_one_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The calls go on as if nothing was recorded."""
    (tmp_path / "file").write_text("in the way")

    async def main() -> list[bytes]:
        transport = RecordingTransport(AiohttpTransport(), Recorder(tmp_path / "file" / "folder"))
        async with saying(HEAD, chunk(b"words"), b"0\r\n\r\n") as url:
            said = [await read(transport, get(url)) for _ in range(3)]
        await transport.aclose()
        return said

    with caplog.at_level(logging.DEBUG, "polychat.net"):
        assert asyncio.run(main()) == [b"words"] * 3
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "is not recorded" in caplog.text


def test_a_secret_that_the_session_learns_later_is_hidden_in_what_came_before(tmp_path: Path) -> None:
    """The owner is asked when the exchange ends, too: a token fetched by it was in its answer."""

    async def ask(transport: RecordingTransport) -> None:
        async with saying(HEAD, chunk(b"tok3n-"), chunk(b"abcdefgh"), b"0\r\n\r\n") as url:
            owner = Owner(url)
            async with transport.open(get(url, owner=owner), Clocks()) as response:
                assert await response.read(100) == b"tok3n-abcdefgh"
                owner._secrets.append(Secret("tok3n-abcdefgh"))

    [exchange] = record(tmp_path, ask)
    assert exchange.response is not None
    assert exchange.response.body == b"REDACTED-1"


def test_what_the_answer_shows_to_be_a_secret_is_hidden_in_the_question(tmp_path: Path) -> None:
    """Everything is learned before anything is written, and one secret has one placeholder."""
    token = "tok3n-0123456789"

    async def ask(transport: RecordingTransport) -> None:
        answer = json.dumps({"accessToken": token}).encode()
        async with saying(HEAD, chunk(answer), b"0\r\n\r\n") as url:
            request = HttpRequest(
                method="POST",
                url=url,
                body=b'{"words":"tok3n-0123456789"}',
                headers={"content-type": "application/json"},
            )
            await read(transport, request)

    [exchange] = record(tmp_path, ask)
    assert exchange.response is not None
    assert (exchange.request.text, exchange.response.body) == (
        '{"words":"REDACTED-1"}',
        b'{"accessToken": "REDACTED-1"}',
    )


def test_what_one_exchange_hands_out_is_hidden_in_the_next(tmp_path: Path) -> None:
    """A token from an answer is the same placeholder in the address that it opens, whoever asks there."""
    token = "tok3n-0123456789"

    async def ask(transport: RecordingTransport) -> None:
        async with saying(HEAD, chunk(json.dumps({"accessToken": token}).encode()), b"0\r\n\r\n") as url:
            await read(transport, get(url))
        async with saying(NOTHING) as url:
            await read(transport, get(f"{url}/files/{token}"))

    first, second = record(tmp_path, ask)
    assert first.response is not None
    assert (first.response.body, second.request.path) == (b'{"accessToken": "REDACTED-1"}', "/files/REDACTED-1")


def test_an_answer_full_of_secrets_does_not_make_the_first_ones_forgotten(tmp_path: Path) -> None:
    """However many an exchange holds, those of its owner are hidden in it, and in the next."""
    secret = "canary-0123456789"
    links = [f"https://h/?sig={number:032x}" for number in range(700)]

    async def ask(transport: RecordingTransport) -> None:
        async with saying(HEAD, chunk(json.dumps([*links, secret]).encode()), b"0\r\n\r\n") as url:
            for _ in range(2):
                await read(transport, get(url, owner=Owner(url, secret)))

    said = [json.loads(one.response.body)[-1] for one in record(tmp_path, ask) if one.response]
    assert said == ["REDACTED-701"] * 2


def test_an_exchange_out_of_which_a_secret_cannot_be_cut_is_not_kept(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A name is written as it is, so a secret for a name keeps all of it out of the folder, with one warning."""
    secret = "canary-0123456789"

    async def ask(transport: RecordingTransport) -> None:
        async with saying(NOTHING) as url:
            for _ in range(2):
                await read(transport, get(url, owner=Owner(url, secret), headers={f"x-{secret}": "1"}))

    with pytest.raises(ConfigError, match="cannot read the recordings"):
        record(tmp_path / "folder", ask)
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_a_websocket_is_kept_message_by_message(tmp_path: Path) -> None:
    """Ours and theirs, in order."""

    async def ask(transport: RecordingTransport) -> None:
        async def endpoint(request: web.Request) -> web.WebSocketResponse:
            socket = web.WebSocketResponse()
            await socket.prepare(request)
            heard = await socket.receive_str()
            await socket.send_str(f"heard {heard}")
            await socket.close()
            return socket

        app = web.Application()
        app.router.add_get("/ws", endpoint)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        url = f"ws://127.0.0.1:{port}/ws?token=t0ken-0123456789"
        async with transport.websocket(get(url), Clocks()) as socket:
            await socket.send("hello t0ken-0123456789")
            assert [message async for message in socket.messages()] == [b"heard hello t0ken-0123456789"]
        await runner.cleanup()

    [exchange] = record(tmp_path, ask)
    assert exchange.messages is not None
    assert [(one.text, one.sent) for one in exchange.messages] == [
        ("hello REDACTED-1", True),
        ("heard hello REDACTED-1", False),
    ]
    assert (exchange.ended.how, exchange.request.url[-17:]) == ("whole", "?token=REDACTED-1")
