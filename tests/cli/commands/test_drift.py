"""`polychat drift`: a table, a document, and an exit code."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from polychat.net.aiohttp import AiohttpTransport
from polychat.net.traffic.recording import Recorder, RecordingTransport
from polychat.sandbox import Sandbox
from polychat.testing.bench import Bench, Subject


@pytest.fixture
def folder(sandbox: Sandbox, tmp_path: Path) -> Path:
    """The exchange of one turn with OpenAI's dialect."""
    bench = Bench(Subject("openai", sandbox))

    async def main() -> None:
        transport = RecordingTransport(AiohttpTransport(), Recorder(tmp_path / "recordings"))
        async with bench.engine(transport=transport) as engine:
            await (await engine.ask(bench.request())).reply()
        await transport.aclose()

    asyncio.run(main())
    return tmp_path / "recordings"


def drifted(folder: Path) -> str:
    """Add a field to the recorded answer; the name of its file."""
    [file] = folder.iterdir()
    file.write_text(file.read_text().replace('\\"object\\":\\"chat', '\\"news\\":1,\\"object\\":\\"chat'))
    return file.name


def test_no_drift_is_0(polychat: Any, folder: Path) -> None:
    """Nothing on stdout, the counts on stderr; the set sandbox is left alone."""
    done = polychat("drift", str(folder), env={"POLYCHAT_SANDBOX": "http://127.0.0.1:1"})
    assert (done.returncode, done.stdout, done.stderr) == (
        0,
        "",
        "1 recordings: 1 decoded, 1 compared with the sandbox, no drift\n",
    )


def test_drift_is_1_and_a_table(polychat: Any, folder: Path) -> None:
    """File, side, path and sentence, one line each."""
    name = drifted(folder)
    done = polychat("drift", str(folder))
    assert done.returncode == 1
    assert [line.split(maxsplit=3) for line in done.stdout.splitlines()] == [
        ["FILE", "SIDE", "PATH", "WHAT"],
        [name, "service", "news", "the service sends news which neither decoder nor sandbox knows"],
    ]


def test_drift_as_json(polychat: Any, folder: Path) -> None:
    """The whole report as one document."""
    name = drifted(folder)
    done = polychat("drift", str(folder), "--json")
    report = json.loads(done.stdout)
    assert (done.returncode, report["recordings"], report["compared"], report["decoded"]) == (1, 1, 1, 1)
    assert [(one["file"], one["service"], one["side"], one["path"]) for one in report["findings"]] == [
        (name, "openai", "service", "news")
    ]


@pytest.mark.parametrize("there", [True, False])
def test_a_folder_without_recordings_is_2(there: bool, polychat: Any, tmp_path: Path) -> None:
    """In one sentence, before anything starts."""
    if there:
        (tmp_path / "empty").mkdir()
    done = polychat("drift", str(tmp_path / "empty"))
    said = "there are no recordings in" if there else "cannot read the recordings in"
    assert (done.returncode, done.stdout, done.stderr.startswith(f"error: {said} {tmp_path / 'empty'}")) == (
        2,
        "",
        True,
    )


def test_a_damaged_recording_is_2(polychat: Any, folder: Path) -> None:
    """The file is named."""
    (folder / "0009-bad.json").write_text("{")
    done = polychat("drift", str(folder))
    assert (done.returncode, f"the recording {folder / '0009-bad.json'} is damaged" in done.stderr) == (2, True)
