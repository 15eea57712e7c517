"""`polychat sandbox --replay`: recordings in the emulation's stead."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

RECORDING = {
    "format": 1, "polychat": "0", "service": "openai", "started_at": 1.0,
    "request": {"method": "POST", "url": "https://api.example/v1/chat", "path": "/chat", "host": "api", "text": "{}"},
    "response": {"status": 200, "at_s": 0.0, "chunks": [{"at_s": 0.0, "text": "as recorded"}]},
    "ended": {"how": "whole", "at_s": 0.0},
}  # fmt: skip


def test_it_answers_from_a_folder(polychat: Any, tmp_path: Path) -> None:
    """What was recorded comes from there, also after a reset; the rest is emulated."""
    (tmp_path / "recordings").mkdir()
    (tmp_path / "recordings" / "0001-openai-chat.json").write_text(json.dumps(RECORDING))
    process = polychat.start("sandbox", "--port", "0", "--json", "--replay", str(tmp_path / "recordings"))
    url = json.loads(process.stdout.readline())["url"]
    said = []
    for _ in range(2):
        with urlopen(Request(f"{url}/openai/v1/chat", data=b"{}", method="POST")) as answer:
            said.append(answer.read())
        with urlopen(Request(f"{url}/_sandbox/reset", method="POST")) as answer:
            assert answer.status == 200
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert said == [b"as recorded", b"as recorded"]


@pytest.mark.parametrize("speed", ["slow", "0", "-1", "inf", "nan"])
def test_a_speed_that_is_none_is_2(polychat: Any, tmp_path: Path, speed: str) -> None:
    """With what it may be."""
    done = polychat("sandbox", "--port", "0", "--replay", str(tmp_path), f"--speed={speed}")
    assert (done.returncode, done.stderr) == (
        2, f"error: --speed {speed} is no speed\nhint: full, real, or how many times as fast: 2\n",
    )  # fmt: skip


def test_a_folder_without_recordings_is_2(polychat: Any, tmp_path: Path) -> None:
    """In one sentence, before anything listens."""
    done = polychat("sandbox", "--port", "0", "--replay", str(tmp_path))
    assert (done.returncode, done.stdout, done.stderr) == (
        2,
        "",
        f"error: the recordings in {tmp_path} are of no service that is emulated here\n",
    )
