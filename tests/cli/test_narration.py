"""Steps on the wire in words."""

from __future__ import annotations

import pytest

from polychat.cli.narration import Narration
from polychat.net.session import Step

URL = "https://space.reka.ai/api/upload-image"
STEPS = (
    Step(name="asked", method="POST", url=URL),
    Step(name="uploading", method="POST", url=URL, sent_bytes=48_000, total_bytes=48_000),
    Step(name="answered", method="POST", url=URL, status=200, elapsed_s=0.0031),
)


def test_an_answered_request_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Method, place, status, time and size; on stderr."""
    narration = Narration(steps=True)
    for step in STEPS:
        narration(step)
    assert capsys.readouterr() == ("", "→ POST space.reka.ai/api/upload-image  200  3 ms  48 kB\n")


def test_what_was_sent_can_have_a_name(capsys: pytest.CaptureFixture[str]) -> None:
    """A word for the end of a path stands before the size."""
    narration = Narration(steps=True, words={"/upload-image": "picture"})
    for step in STEPS:
        narration(step)
    assert capsys.readouterr().err == "→ POST /api/upload-image  200  3 ms  picture, 48 kB\n"


def test_without_steps_a_pipe_hears_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """Upload progress is for terminals only."""
    narration = Narration(steps=False)
    for step in STEPS:
        narration(step)
    assert capsys.readouterr() == ("", "")
