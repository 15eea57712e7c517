"""README and examples/ do what they say, against the sandbox, as a new user would run them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import PIL.Image
import pytest

from polychat.sandbox.server import Sandbox

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")
SNIPPETS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


def run(arguments: list[str], home: Path, sandbox: Sandbox, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """A program in the project's folder, or another, pointed at the sandbox."""
    environ = {**os.environ, "POLYCHAT_HOME": str(home), "POLYCHAT_SANDBOX": sandbox.url, "PYTHONWARNINGS": "default"}
    return subprocess.run(
        [sys.executable, *arguments], cwd=cwd, env=environ, capture_output=True, text=True, timeout=30, check=False
    )


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs_and_is_short(path: Path, tmp_path: Path, sandbox: Sandbox) -> None:
    """Exit code 0, an answer on stdout, silence on stderr, under 40 lines."""
    done = run([str(path)], tmp_path, sandbox)
    assert (done.returncode, done.stderr) == (0, "")
    assert "You asked" in done.stdout
    assert len(path.read_text().splitlines()) < 40


def test_the_readmes_first_snippet_streams_about_the_picture(tmp_path: Path, sandbox: Sandbox) -> None:
    """It prints both answers; the picture arrived, and the second turn knew the first."""
    done = run(["-c", SNIPPETS[0]], tmp_path, sandbox)
    assert (done.returncode, "JPEG picture, 640 × 480 pixels" in done.stdout) == (0, True), done.stderr
    first, second = sandbox.journal(path="/api/chat")
    assert len(second.json["conversation_history"]) == len(first.json["conversation_history"]) + 2


def test_the_readmes_picture_and_sound_are_there_afterwards(tmp_path: Path, sandbox: Sandbox) -> None:
    """Files that open."""
    done = run(["-c", SNIPPETS[2]], tmp_path, sandbox, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    with PIL.Image.open(tmp_path / "cat.png") as picture:
        assert picture.format == "PNG"
    assert (tmp_path / "morning.aac").read_bytes()[:1] == b"\xff"


@pytest.mark.parametrize(
    ("fault", "printed"),
    [
        ({"fault": "status", "code": 401}, "polychat login reka"),
        ({"fault": "status", "code": 429, "retry_after": "90"}, "come back in 90.0 s"),
        ({"fault": "cut_frame", "after": 3}, "cut off after: "),
    ],
    ids=["expired", "limited", "cut"],
)
def test_the_readmes_failures_are_caught_as_shown(
    fault: dict[str, object], printed: str, tmp_path: Path, sandbox: Sandbox
) -> None:
    """Each except clause of that snippet is reached by its failure."""
    name = str(fault.pop("fault"))
    sandbox.fault("reka", name, path="/api/chat", **fault)
    done = run(["-c", SNIPPETS[3]], tmp_path, sandbox)
    assert (done.returncode, printed in done.stdout) == (0, True), done.stdout + done.stderr


def test_a_client_of_an_address_is_made_as_shown(tmp_path: Path, sandbox: Sandbox) -> None:
    """It asks nobody until it is asked."""
    done = run(["-c", SNIPPETS[1]], tmp_path, sandbox)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert sandbox.journal() == []


def test_the_readmes_test_passes_in_a_folder_of_its_own(tmp_path: Path, sandbox: Sandbox) -> None:
    """The `sandbox` fixture is there wherever polychat is installed."""
    (tmp_path / "test_mine.py").write_text(SNIPPETS[4])
    done = run(
        ["-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path), f"--rootdir={tmp_path}"], tmp_path, sandbox
    )
    assert "1 passed" in done.stdout, done.stdout


def test_every_command_the_readme_names_exists() -> None:
    """No command is promised that is not there."""
    from polychat.cli import program

    named = set(re.findall(r"^polychat ([a-z]+)", README, re.MULTILINE))
    assert named <= set(program.COMMANDS), named
