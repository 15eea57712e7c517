"""`polychat demo`: the main job, start to end."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

CAT = Path(__file__).parents[3] / "docs" / "images" / "cat.jpeg"


def test_the_demo_shows_a_picture_and_proves_that_it_arrived(polychat: Any) -> None:
    """The answer alone is on stdout; each step, the summary and the proof are on stderr."""
    done = polychat("demo", "--image", str(CAT), "What is on the picture?")
    sha256 = hashlib.sha256(CAT.read_bytes()).hexdigest()
    assert done.returncode == 0, done.stderr
    assert (done.stdout.startswith("You asked: “What is on the picture?”"), sha256 in done.stdout) == (True, True)
    assert [line.split()[1:4] for line in done.stderr.splitlines() if line.startswith("→")] == [
        ["GET", "/reka/bff/auth/access_token", "200"],
        ["POST", "/reka/api/upload-image", "200"],
        ["POST", "/reka/api/chat", "200"],
    ]
    assert "finish reason: stop\n" in done.stderr
    assert f"one sha256, {sha256[:12]}…\n" in done.stderr


def test_without_an_image_one_is_drawn(polychat: Any) -> None:
    """The demo needs no file, no account and no settings; a set sandbox is left alone."""
    done = polychat("demo", env={"POLYCHAT_SANDBOX": "http://127.0.0.1:1", "POLYCHAT_MODEL": "none/such"})
    assert (done.returncode, "I see a PNG picture, 240 × 160 pixels" in done.stdout) == (0, True)


def test_a_bad_image_is_2_in_one_sentence(polychat: Any) -> None:
    """A missing file or one that is no picture is told before anything starts."""
    (polychat.home / "notes.txt").write_text("not a picture")
    missing, text = polychat("demo", "--image", "nowhere.jpeg"), polychat("demo", "--image", "notes.txt")
    assert (missing.returncode, missing.stdout, missing.stderr) == (
        2,
        "",
        "error: cannot read nowhere.jpeg: No such file or directory\n",
    )
    assert (text.returncode, text.stdout, text.stderr) == (2, "", "error: notes.txt is text/plain, not a picture\n")
