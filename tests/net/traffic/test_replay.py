"""Recorded exchanges with the sandbox, asked again without it; and recordings of every way to end."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from polychat.errors import BadOption, ConfigError, ConnectFailed, IdleTimeout, Interrupted, PolychatError
from polychat.net.aiohttp import AiohttpTransport
from polychat.net.clocks import Clocks
from polychat.net.traffic import recorded
from polychat.net.traffic.recorded import Answered, Asked, Ended, Exchange, Piece
from polychat.net.traffic.recording import Recorder, RecordingTransport
from polychat.net.traffic.replay import ReplayTransport
from polychat.net.transport import HttpRequest, Transport
from polychat.sandbox import Sandbox
from polychat.testing.bench import Bench, Subject, picture
from polychat.types import Event

SERVICES = ("openai", "anthropic", "gemini", "reka", "chatgpt", "raycast")
UUID = re.compile(rb"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
POST = HttpRequest(
    method="POST", url="https://any.example/v1/chat", body=b'{"n":1}', headers={"content-type": "application/json"}
)


def exchange(**changed: Any) -> Exchange:
    """A question and its answer in two reads, unless told otherwise."""
    usual = {
        "format": 1, "polychat": "0", "started_at": 1.0,
        "request": Asked(method="POST", url="http://h/v1/chat", path="/v1/chat", text='{"n":1}'),
        "response": Answered(
            status=200, at_s=0.5, headers={"content-type": "text/plain"},
            chunks=(Piece(at_s=0.75, text="Hel"), Piece(at_s=1.75, base64=b"l\xffo")),
        ),
        "ended": Ended(how="whole", at_s=2.0),
    }  # fmt: skip
    return Exchange(**{**usual, **changed})


def folder(path: Path, *exchanges: Exchange) -> Path:
    """A folder with these recordings."""
    for number, one in enumerate(exchanges, start=1):
        (path / f"{number:04}-x.json").write_bytes(recorded.encoded(one))
    return path


async def read(transport: Transport, request: HttpRequest = POST) -> list[bytes]:
    async with transport.open(request, Clocks()) as response:
        return [chunk async for chunk in response.chunks()]


def error(kind: type[PolychatError], asking: Callable[[], Awaitable[Any]]) -> PolychatError:
    """What asking raises."""

    async def main() -> None:
        await asking()

    with pytest.raises(kind) as raised:
        asyncio.run(main())
    return raised.value


@pytest.mark.parametrize("name", SERVICES)
def test_a_replay_gives_the_events_of_the_turn(name: str, sandbox: Sandbox, tmp_path: Path) -> None:
    """Batch by batch what was decoded live, but for the ids that are ours; and every recording is used."""
    bench = Bench(Subject(name, sandbox))
    bench.script(times=1)

    async def ask(transport: Transport) -> bytes:
        async with bench.engine(transport=transport) as engine:
            turn = await engine.ask(bench.request())
            batches: list[list[Event]] = [list(batch) async for batch in turn]
        await transport.aclose()
        return UUID.sub(b"ours", msgspec.json.encode(batches))

    live = asyncio.run(ask(RecordingTransport(AiohttpTransport(), Recorder(tmp_path))))
    sandbox.reset()
    replay = ReplayTransport(tmp_path)
    assert (asyncio.run(ask(replay)), replay.unused, bench.journal()) == (live, [], [])


def test_a_picture_is_uploaded_to_a_recording(sandbox: Sandbox, tmp_path: Path) -> None:
    """A form with a file matches by what the file is, and a link in an answer is the link that is asked next."""
    bench = Bench(Subject("chatgpt", sandbox))
    shown, other = picture(), picture(9)

    async def ask(transport: Transport, image: Any) -> str:
        async with bench.engine(transport=transport) as engine:
            reply = await (await engine.ask(bench.request("What is this?", image))).reply()
        await transport.aclose()
        return reply.text

    live = asyncio.run(ask(RecordingTransport(AiohttpTransport(), Recorder(tmp_path)), shown))
    assert asyncio.run(ask(ReplayTransport(tmp_path), shown)) == live
    assert "PNG" in live
    with pytest.raises(ConfigError, match=r"differs in body\.(file_size|size_bytes|sha256|height)"):
        asyncio.run(ask(ReplayTransport(tmp_path), other))


def test_reads_come_as_they_came(tmp_path: Path) -> None:
    """One chunk for each network read, whatever host is asked; the status and the headers with them."""

    async def main() -> tuple[Any, ...]:
        async with ReplayTransport(folder(tmp_path, exchange())).open(POST, Clocks()) as response:
            first = await response.read(2)
            rest = [chunk async for chunk in response.chunks()]
            return response.status, dict(response.headers), response.set_cookies, first, rest

    assert asyncio.run(main()) == (200, {"content-type": "text/plain"}, (), b"He", [b"l\xffo"])


@pytest.mark.parametrize(
    ("speed", "waits"), [("full", []), ("real", [0.5, 0.25, 1.0, 0.25]), (4, [0.125, 0.0625, 0.25, 0.0625])]
)
def test_time_passes_as_it_is_told_to(speed: Any, waits: list[float], tmp_path: Path) -> None:
    """At full speed not at all, in reality as recorded, or so many times as fast."""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    asyncio.run(read(ReplayTransport(folder(tmp_path, exchange()), speed=speed, sleep=sleep)))
    assert slept == waits


@pytest.mark.parametrize("speed", [0, -1, "fast", float("inf"), float("nan")])
def test_a_speed_that_is_none_is_refused(speed: Any, tmp_path: Path) -> None:
    """Before anything is read."""
    with pytest.raises(BadOption, match="speed is"):
        ReplayTransport(folder(tmp_path, exchange()), speed=speed)


@pytest.mark.parametrize("answered", [True, False])
@pytest.mark.parametrize(
    ("ended", "kind"),
    [
        (Ended(how="cut", at_s=9), Interrupted),
        (Ended(how="cancelled", at_s=9), Interrupted),
        (Ended(how="stalled", at_s=9, clock="between_events", limit_s=3.0), IdleTimeout),
        (Ended(how="failed", at_s=9), ConnectFailed),
    ],
)
def test_it_ends_as_it_ended(ended: Ended, kind: type[PolychatError], answered: bool, tmp_path: Path) -> None:
    """After the reads that were recorded, or instead of an answer; a stall names its clock."""
    got: list[bytes] = []
    one = exchange(ended=ended) if answered else exchange(ended=ended, response=None)

    async def main() -> None:
        async with ReplayTransport(folder(tmp_path, one)).open(POST, Clocks()) as response:
            async for chunk in response.chunks():
                got.append(chunk)  # noqa: PERF401 - what came before the error

    raised = error(kind, main)
    assert (b"".join(got), getattr(raised, "clock", None)) == (
        b"Hell\xffo" if answered else b"",
        ended.clock,
    )
    assert "0001-x.json" in raised.message


def test_an_answer_whose_reader_left_ends_there(tmp_path: Path) -> None:
    """Who read no further had all that mattered."""
    recording = folder(tmp_path, exchange(ended=Ended(how="left", at_s=9)))
    assert asyncio.run(read(ReplayTransport(recording))) == [b"Hel", b"l\xffo"]


def test_equal_requests_are_answered_in_recorded_order(tmp_path: Path) -> None:
    """Each recording once; once more is told in a sentence."""
    answers = [Answered(status=200, at_s=0, chunks=(Piece(at_s=0, text=text),)) for text in ("one", "two")]
    later = exchange(started_at=2.0, response=answers[1])
    replay = ReplayTransport(folder(tmp_path, later, exchange(response=answers[0])))
    assert (asyncio.run(read(replay)), asyncio.run(read(replay)), replay.unused) == ([b"one"], [b"two"], [])
    assert error(ConfigError, lambda: read(replay)).message == (
        "the recording 0001-x.json is used up: POST /v1/chat was asked 2 times when it was made"
    )


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"body": b'{"n":2}'}, "0001-x.json, differs in body.n: 1 -> 2"),
        ({"body": b'{"n":1,"m":["a"]}'}, '0001-x.json, differs in body.m[0]: nothing -> "a"'),
        ({"body": None}, "0001-x.json, differs in body.n: 1 -> nothing"),
        ({"url": "https://h/v1/chat?limit=3"}, '0001-x.json, differs in query.limit: nothing -> "3"'),
        ({"url": "https://h/v1/other", "method": "PUT"},
         '0001-x.json, differs in method: "POST" -> "PUT"; path: "/v1/chat" -> "/v1/other"'),
        ({"body": b'{"n":"' + b"long " * 40 + b'"}'}, f'0001-x.json, differs in body.n: 1 -> "{"long " * 11}lon…'),
        ({"body": b'{"a":1,"b":2,"c":3,"d":4,"n":1}'},
         "0001-x.json, differs in body.a: nothing -> 1; body.b: nothing -> 2; body.c: nothing -> 3; and 1 more"),
        ({"body": b'{"n":1,"api_key":"s3cret-0123"}'},
         '0001-x.json, differs in body.api_key: nothing -> "REDACTED"'),
    ],
)  # fmt: skip
def test_another_request_is_told_what_differs_from_the_nearest(
    changed: dict[str, Any], told: str, tmp_path: Path
) -> None:
    """The nearest recording and the fields, recorded -> asked, without secrets."""
    far = exchange(request=Asked(method="GET", url="http://h/far", path="/far"))
    replay = ReplayTransport(folder(tmp_path, exchange(), far))
    asked = msgspec.structs.replace(POST, **changed)
    assert error(ConfigError, lambda: read(replay, asked)).message == (
        f"no recording answers this request; the nearest, {told}"
    )


def test_what_is_new_each_time_is_no_difference(tmp_path: Path) -> None:
    """UUIDs and moments of ours, and secrets, whatever they are now."""
    said = '{"id":"0b0f0e6c-1111-4222-8333-444455556666","at":1795274665.77,"token":"REDACTED-7"}'
    asked = b'{"id":"ffffffff-1111-4222-8333-444455556666","at":1895274000,"token":"my0wn-0123456789"}'
    one = exchange(request=Asked(method="POST", url="http://h/v1/chat", path="/v1/chat", text=said))
    replay = ReplayTransport(folder(tmp_path, one))
    assert len(asyncio.run(read(replay, msgspec.structs.replace(POST, body=asked)))) == 2


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"format": 2}', "has format 2, and this polychat reads format 1"),
        (b'{"format": 1}', "is damaged: Object missing required field"),
        (b'{"form', "is damaged: Input data was truncated"),
        (b"\xff\x00", "is damaged: "),
        (b'{"polychat": "9"}', "is damaged: Object missing required field `format`"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(content: bytes, said: str, tmp_path: Path) -> None:
    """A later format, a damaged file: one sentence with its name."""
    (tmp_path / "0009-bad.json").write_bytes(content)
    with pytest.raises(ConfigError) as raised:
        ReplayTransport(folder(tmp_path, exchange()))
    assert raised.value.message.startswith(f"the recording {tmp_path / '0009-bad.json'} {said}")


def test_a_folder_without_recordings_is_refused(tmp_path: Path) -> None:
    """Empty, or not there at all."""
    for place, said in ((tmp_path, "there are no recordings in"), (tmp_path / "nowhere", "cannot read the recordings")):
        with pytest.raises(ConfigError, match=said):
            ReplayTransport(place)


def test_a_websocket_is_replayed(tmp_path: Path) -> None:
    """The messages of the other side, and its end."""
    pieces = (Piece(at_s=0.1, text="ours", sent=True), Piece(at_s=0.2, text="one"), Piece(at_s=0.3, text="two"))
    ws = Asked(method="GET", url="ws://h/ws?limit=1", path="/ws")
    one = exchange(request=ws, response=None, messages=pieces, ended=Ended(how="cut", at_s=1))

    async def main() -> list[bytes]:
        got: list[bytes] = []
        request = HttpRequest(method="GET", url="wss://other/ws?limit=1")
        async with ReplayTransport(folder(tmp_path, one)).websocket(request, Clocks()) as socket:
            await socket.send("anything")
            messages: AsyncIterator[bytes] = socket.messages()
            got = [await anext(messages), await anext(messages)]
            with pytest.raises(Interrupted):
                await anext(messages)
        return got

    assert asyncio.run(main()) == [b"one", b"two"]
