"""Recordings served over real HTTP: what a client gets is what was recorded, and how it ended."""

from __future__ import annotations

import asyncio
import json
import re
from http.client import HTTPConnection, HTTPResponse, IncompleteRead
from pathlib import Path
from typing import Any

import msgspec
import pytest

from polychat.net.aiohttp import AiohttpTransport
from polychat.net.traffic.recording import Recorder, RecordingTransport
from polychat.net.transport import Transport
from polychat.sandbox import Sandbox
from polychat.sandbox.control import Refusal
from polychat.testing.bench import Bench, Subject, picture
from polychat.types import Event, Image

UUID = re.compile(rb"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")


def recording(folder: Path, name: str = "0001-x.json", **changed: Any) -> None:
    """A recording in `folder`, of one question to OpenAI's dialect unless told otherwise."""
    usual = {
        "format": 1, "polychat": "0", "service": "openai", "started_at": 1.0,
        "request": {
            "method": "POST", "url": "https://api.example/v1/chat", "path": "/chat", "host": "api",
            "text": '{"n":1,"who":"REDACTED-1"}',
        },
        "response": {
            "status": 203, "at_s": 0.0, "headers": {"content-type": "text/plain", "content-length": "1"},
            "set_cookies": ["a=REDACTED-2; Path=/"],
            "chunks": [{"at_s": 0.0, "text": "see https://api.example/v1/file"}, {"at_s": 0.0, "base64": "AP8="}],
        },
        "ended": {"how": "whole", "at_s": 0.0},
    }  # fmt: skip
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(json.dumps(usual | changed))


def ask(sandbox: Sandbox, body: Any = None, path: str = "/openai/v1/chat", method: str = "POST") -> HTTPResponse:
    """What the service answers; its body is still to be read."""
    connection = HTTPConnection(sandbox.url.removeprefix("http://"), timeout=10)
    headers = {"content-type": "application/json", "connection": "close"}
    connection.request(method, path, json.dumps({"n": 1, "who": "me"} if body is None else body), headers)
    return connection.getresponse()


@pytest.mark.parametrize("name", ["openai", "anthropic", "gemini", "reka", "chatgpt", "raycast"])
def test_a_recorded_turn_is_held_again_over_http(name: str, sandbox: Sandbox, tmp_path: Path) -> None:
    """The engine gets the events that it got when the turn was recorded, whatever the emulation would say now."""
    bench = Bench(Subject(name, sandbox))

    async def hold(transport: Transport | None) -> bytes:
        async with bench.engine(transport=transport) as engine:
            turn = await engine.ask(bench.request())
            events: list[Event] = [event async for batch in turn for event in batch]
        if transport is not None:
            await transport.aclose()
        return UUID.sub(b"ours", msgspec.json.encode(events))

    live = asyncio.run(hold(RecordingTransport(AiohttpTransport(), Recorder(tmp_path))))
    sandbox.reset()
    bench.sandbox.script(name, text="something else", times=5)
    other = asyncio.run(hold(None))
    sandbox.reset()
    sandbox.script(name, text="something else", times=5)
    sandbox.replay(name, str(tmp_path), rest="refuse")
    again = asyncio.run(hold(None))
    assert (joined(again), joined(again) == joined(other)) == (joined(live), False)


def joined(events: bytes) -> bytes:
    """Events as JSON, with neighbouring deltas as one: where reads are cut is the network's business."""
    told: list[Any] = []
    for event in json.loads(events):
        if told and event.get("type") == told[-1].get("type") == "text_delta":
            told[-1]["text"] += event["text"]
        else:
            told.append(event)
    return json.dumps(told).encode()


def test_an_answer_is_the_recorded_one(sandbox: Sandbox, tmp_path: Path) -> None:
    """Status, headers, cookies and bytes; links to the service's own host lead here, and its length is right."""
    recording(tmp_path)
    sandbox.replay("openai", str(tmp_path))
    answer = ask(sandbox)
    assert (answer.status, answer.headers["content-type"], answer.headers["set-cookie"]) == (
        203,
        "text/plain",
        "a=REDACTED-2; Path=/",
    )
    assert answer.read() == f"see {sandbox.url}/openai/v1/file".encode() + b"\x00\xff"


@pytest.mark.parametrize(
    ("body", "path", "method"),
    [({"n": 2, "who": "me"}, "/openai/v1/chat", "POST"), ({"n": 1}, "/openai/v1/chat", "POST"),
     (None, "/openai/v1/chat?limit=1", "POST"), (None, "/openai/v1/other", "POST"), (None, "/openai/v1/chat", "PUT")],
)  # fmt: skip
def test_another_request_is_not_answered(body: Any, path: str, method: str, sandbox: Sandbox, tmp_path: Path) -> None:
    """By another body, query, path or method; with "refuse" that is 404 in one sentence."""
    recording(tmp_path)
    sandbox.replay("openai", str(tmp_path), rest="refuse")
    answer = ask(sandbox, body, path, method)
    said = f"no recording in {tmp_path} answers {method} {path[7:].partition('?')[0]} with this query and body"
    assert (answer.status, json.loads(answer.read())) == (404, {"error": said})


def test_the_rest_is_emulated_unless_refused(sandbox: Sandbox, tmp_path: Path) -> None:
    """And so is everything once the recordings are gone, or the sandbox is as new."""
    recording(tmp_path)
    sandbox.replay("openai", str(tmp_path))
    assert ask(sandbox, path="/openai/v1/models", method="GET").status == 401
    sandbox.reset()
    assert ask(sandbox).status == 404


def test_equal_requests_are_answered_in_order_and_the_last_again(sandbox: Sandbox, tmp_path: Path) -> None:
    """A server is asked more often than a recording was."""
    for number, text in enumerate(("one", "two"), start=1):
        response = {"status": 200, "at_s": 0.0, "chunks": [{"at_s": 0.0, "text": text}]}
        recording(tmp_path, f"{number}.json", started_at=float(number), response=response)
    sandbox.replay("openai", str(tmp_path))
    assert [ask(sandbox).read() for _ in range(3)] == [b"one", b"two", b"two"]


def test_a_cut_answer_is_cut(sandbox: Sandbox, tmp_path: Path) -> None:
    """After what was recorded, or before any answer."""
    recording(tmp_path, ended={"how": "cut", "at_s": 0.0})
    sandbox.replay("openai", str(tmp_path))
    with pytest.raises(IncompleteRead) as cut:
        ask(sandbox).read()
    assert cut.value.partial.endswith(b"\x00\xff")
    recording(tmp_path, response=None, ended={"how": "cut", "at_s": 0.0})
    sandbox.replay("openai", str(tmp_path))
    with pytest.raises(ConnectionError):
        ask(sandbox)
    assert [entry.ended for entry in sandbox.journal(service="openai")] == ["cut", "cut"]


def test_a_stalled_answer_stays_open(sandbox: Sandbox, tmp_path: Path) -> None:
    """Until the client leaves."""
    recording(tmp_path, ended={"how": "stalled", "at_s": 0.0, "clock": "between_events"})
    sandbox.replay("openai", str(tmp_path))
    answer = ask(sandbox)
    assert answer.read(3) == b"see"
    assert [entry.ended for entry in sandbox.journal(service="openai")] == ["open"]
    answer.close()


def test_time_passes_as_told(sandbox: Sandbox, tmp_path: Path) -> None:
    """Not at all at full speed; a thousand times as fast is a thousandth of it."""
    recording(tmp_path, ended={"how": "whole", "at_s": 3600.0})
    sandbox.replay("openai", str(tmp_path))
    assert ask(sandbox).read().endswith(b"\x00\xff")
    recording(tmp_path, ended={"how": "whole", "at_s": 10.0})
    sandbox.replay("openai", str(tmp_path), speed=1000)
    assert ask(sandbox).read().endswith(b"\x00\xff")


def test_files_match_by_what_they_are(sandbox: Sandbox, tmp_path: Path) -> None:
    """A picture inside JSON is known by its hash; another picture is another question."""
    bench = Bench(Subject("openai", sandbox))
    shown, other = picture(40), picture(41)
    assert shown.data is not None

    async def hold(image: Image, transport: Transport | None = None) -> str:
        async with bench.engine(transport=transport) as engine:
            reply = await (await engine.ask(bench.request("What is it?", big(image)))).reply()
        if transport is not None:
            await transport.aclose()
        return reply.text

    live = asyncio.run(hold(shown, RecordingTransport(AiohttpTransport(), Recorder(tmp_path))))
    assert "sha256" in next(tmp_path.iterdir()).read_text()
    sandbox.script("openai", text="something else", times=2)
    sandbox.replay("openai", str(tmp_path))
    assert (asyncio.run(hold(shown)), asyncio.run(hold(other))) == (live, "something else")


def big(image: Image) -> Image:
    """The same with a tail that makes it long enough to be kept as a hash."""
    return Image(data=(image.data or b"") + b"\0" * 2000, name=image.name)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"format":2,"started_at":1,"request":{"method":"","url":"","path":""},"ended":{"how":"","at_s":1}}',
         "has format 2, and this sandbox reads format 1"),
        ("{", "is damaged: Input data was truncated"),
        ('{"format": 1}', "is damaged: Object missing required field"),
    ],
)  # fmt: skip
def test_what_is_no_recording_is_refused_by_name(content: str, said: str, sandbox: Sandbox, tmp_path: Path) -> None:
    """In one sentence with the file."""
    (tmp_path / "bad.json").write_text(content)
    with pytest.raises(Refusal, match=re.escape(f"the recording {tmp_path / 'bad.json'} {said}")):
        sandbox.replay("openai", str(tmp_path))


def test_a_folder_without_that_service_is_refused(sandbox: Sandbox, tmp_path: Path) -> None:
    """So that a wrong name does not pass as an emulation."""
    recording(tmp_path)
    with pytest.raises(Refusal, match="there are no recordings of reka in"):
        sandbox.replay("reka", str(tmp_path))
    with pytest.raises(Refusal, match="cannot read the recordings in"):
        sandbox.replay("openai", str(tmp_path / "nowhere"))


def test_what_was_used_can_be_seen(sandbox: Sandbox, tmp_path: Path) -> None:
    """The control plane tells which recordings have answered."""
    recording(tmp_path)
    sandbox.replay("openai", str(tmp_path))
    before = json.loads(ask(sandbox, path="/_sandbox/replay", method="GET").read())
    ask(sandbox).read()
    after = json.loads(ask(sandbox, path="/_sandbox/replay", method="GET").read())
    assert [one["openai"]["recordings"] for one in (before, after)] == [
        {"0001-x.json": "unused"},
        {"0001-x.json": "used"},
    ]
