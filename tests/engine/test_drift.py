"""Recordings of the sandbox, with a change on one side: the report names the side, the file and the path."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from polychat.engine import drift
from polychat.engine.drift import Report
from polychat.errors import ConfigError
from polychat.net.aiohttp import AiohttpTransport
from polychat.net.traffic.recording import Recorder, RecordingTransport
from polychat.sandbox import Sandbox
from polychat.testing.bench import Bench, Subject, picture
from polychat.types import Image

SERVICES = ("openai", "anthropic", "gemini", "reka", "chatgpt", "raycast")


def recorded(folder: Path, sandbox: Sandbox, service: str, *pictures: Image, stream: bool = True) -> Path:
    """The folder with the exchanges of one turn."""
    bench = Bench(Subject(service, sandbox))

    async def main() -> None:
        transport = RecordingTransport(AiohttpTransport(), Recorder(folder))
        async with bench.engine(transport=transport) as engine:
            await (await engine.ask(bench.request("Hello", *pictures, stream=stream))).reply()
        await transport.aclose()

    asyncio.run(main())
    sandbox.reset()
    return folder


def changed(folder: Path, path: str, change: Callable[[str], str]) -> str:
    """Change the answer's body of the exchange at that path; the name of its file."""
    for file in sorted(folder.iterdir()):
        exchange = json.loads(file.read_bytes())
        if exchange["request"]["path"] == path:
            whole = "".join(chunk["text"] for chunk in exchange["response"]["chunks"])
            assert change(whole) != whole
            exchange["response"]["chunks"] = [{"at_s": 0.0, "text": change(whole)}]
            file.write_text(json.dumps(exchange))
            return file.name
    raise AssertionError(f"nothing was asked at {path}")


def look(folder: Path, sandbox: Sandbox) -> Report:
    async def main() -> Report:
        transport = AiohttpTransport()
        try:
            return await drift.look(folder, sandbox.url, transport)
        finally:
            await transport.aclose()

    return asyncio.run(main())


def told(report: Report) -> list[tuple[str, str, str, str]]:
    return [(one.file, one.side, one.path, one.sentence) for one in report.findings]


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("stream", [True, False])
def test_nothing_has_drifted_from_itself(service: str, stream: bool, sandbox: Sandbox, tmp_path: Path) -> None:
    """A turn with the sandbox decodes, and the sandbox answers it again with the same fields, step by step."""
    report = look(recorded(tmp_path, sandbox, service, stream=stream), sandbox)
    assert (told(report), report.skipped) == ([], ())
    assert report.recordings == report.compared == report.decoded > 0


def test_a_new_field_is_the_service_s(sandbox: Sandbox, tmp_path: Path) -> None:
    """Neither the decoder nor the sandbox knows it; what lies in it is not told again."""
    folder = recorded(tmp_path, sandbox, "openai")
    new = '"new":{"inner":1},"object":"chat.completion.chunk"'
    name = changed(folder, "/chat/completions", lambda body: body.replace('"object":"chat.completion.chunk"', new))
    assert told(look(folder, sandbox)) == [
        (name, "service", "new", "the service sends new which neither decoder nor sandbox knows")
    ]


def test_a_new_kind_of_event_is_the_service_s(sandbox: Sandbox, tmp_path: Path) -> None:
    """An event is known by its type."""
    folder = recorded(tmp_path, sandbox, "anthropic")
    event = 'event: mood\ndata: {"type":"mood","mood":{"level":3}}\n\n'
    name = changed(
        folder,
        "/v1/messages",
        lambda body: body.replace("event: content_block_stop", f"{event}event: content_block_stop"),
    )
    assert told(look(folder, sandbox)) == [
        (name, "service", "(mood)", "the service sends (mood) which neither decoder nor sandbox knows")
    ]


def test_a_field_that_the_decoder_reads_is_the_sandbox_s(sandbox: Sandbox, tmp_path: Path) -> None:
    """The service sends it and our decoder makes something of it: the emulation lags behind."""
    folder = recorded(tmp_path, sandbox, "raycast")
    name = changed(
        folder, "/api/v1/ai/chat_completions", lambda body: body.replace('{"text":', '{"reasoning":"hm","text":', 1)
    )
    said = "the service sends reasoning which the decoder reads and the sandbox does not send"
    assert told(look(folder, sandbox)) == [(name, "sandbox", "reasoning", said)]


def test_a_field_that_is_gone_is_the_sandbox_s(sandbox: Sandbox, tmp_path: Path) -> None:
    """The sandbox sends what the service no longer does."""
    folder = recorded(tmp_path, sandbox, "openai")
    name = changed(folder, "/chat/completions", lambda body: body.replace('"system_fingerprint":"fp_sandbox",', ""))
    assert told(look(folder, sandbox)) == [
        (name, "sandbox", "system_fingerprint", "the sandbox sends system_fingerprint which the recording does not")
    ]


def test_a_field_of_another_kind_is_told(sandbox: Sandbox, tmp_path: Path) -> None:
    """A number that was a text."""
    folder = recorded(tmp_path, sandbox, "openai")
    name = changed(
        folder,
        "/chat/completions",
        lambda body: body.replace('"system_fingerprint":"fp_sandbox"', '"system_fingerprint":5'),
    )
    said = "the service sends system_fingerprint as number, the sandbox as text"
    assert told(look(folder, sandbox)) == [(name, "sandbox", "system_fingerprint", said)]


def test_a_frame_that_the_decoder_refuses_is_counted(sandbox: Sandbox, tmp_path: Path) -> None:
    """By the number of the frame, with the decoder's own sentence."""
    folder = recorded(tmp_path, sandbox, "openai")
    name = changed(folder, "/chat/completions", lambda body: body.replace('"choices":[', '"choices":5,"was":[', 2))
    [finding, *_] = told(look(folder, sandbox))
    assert finding[:3] == (name, "decoder", "")
    assert finding[3].startswith("the decoder refuses frame 1: ")


def test_an_answer_of_which_nothing_is_left_is_told(sandbox: Sandbox, tmp_path: Path) -> None:
    """It decodes, and there is nothing in it."""
    folder = recorded(tmp_path, sandbox, "openai")
    name = changed(folder, "/chat/completions", lambda body: body.replace('"content":"', '"words":"'))
    assert told(look(folder, sandbox))[0] == (name, "decoder", "", "the decoder makes an empty answer of it")


def test_a_status_that_differs_is_all_that_is_told(sandbox: Sandbox, tmp_path: Path) -> None:
    """Fields of a success and of a failure are not compared."""
    folder = recorded(tmp_path, sandbox, "openai")
    [file] = folder.iterdir()
    file.write_text(file.read_text().replace('\\"gpt-5.5\\"', '\\"gpt-none\\"'))
    assert told(look(folder, sandbox)) == [(file.name, "sandbox", "", "the service answered 200, the sandbox 404")]


def test_what_cannot_be_asked_again_is_said(sandbox: Sandbox, tmp_path: Path) -> None:
    """A request with a file is decoded and not compared: its bytes were not recorded."""
    big = Image(data=(picture().data or b"") + b"\0" * 2000)
    report = look(recorded(tmp_path, sandbox, "openai", big), sandbox)
    assert (report.decoded, report.compared, report.findings) == (1, 0, ())
    assert "not asked of the sandbox" in report.skipped[0]


def test_a_service_that_there_is_not_is_said(sandbox: Sandbox, tmp_path: Path) -> None:
    """Its recordings are passed over."""
    folder = recorded(tmp_path, sandbox, "openai")
    [file] = folder.iterdir()
    file.write_text(file.read_text().replace('"service": "openai"', '"service": "elsewhere"'))
    assert look(folder, sandbox).skipped == (f"{file.name}: there is no service elsewhere here",)


def test_a_folder_without_recordings_is_refused(sandbox: Sandbox, tmp_path: Path) -> None:
    """As everywhere where a folder of recordings is meant."""
    with pytest.raises(ConfigError, match="there are no recordings"):
        look(tmp_path, sandbox)
