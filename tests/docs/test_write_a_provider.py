"""docs/guides/write-a-provider.md: the toy runs, and all other code on the page is of files that are tested."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "guides" / "write-a-provider.md").read_text("utf-8")
OUTSIDE = ROOT / "tests" / "providers" / "outside_package"
TOY, *PIECES = re.findall(r"```(?:python|toml)\n(.*?)```", PAGE, re.DOTALL)


def scaffolded() -> list[str]:
    """The files that `make new-provider NAME=tern` writes; tests/docs/test_new_provider.py holds them to their word."""
    spec = importlib.util.spec_from_file_location("new_provider", ROOT / "scaffold" / "new_provider.py")
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    return list(tool.rendered("tern", ROOT).values())


@pytest.fixture(scope="module")
def tested() -> list[str]:
    """Every file that the page may quote."""
    outside = [path.read_text("utf-8") for path in OUTSIDE.rglob("*") if path.suffix in (".py", ".toml")]
    return scaffolded() + outside


def test_the_toy_echoes_and_asks_nobody(tmp_path: Path) -> None:
    """As the page says, with every connection refused."""
    guarded = (
        "import sys\nsys.addaudithook(lambda event, _: sys.exit('asked') if event == 'socket.connect' else None)\n"
    )
    environ = {**os.environ, "POLYCHAT_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", guarded + TOY], env=environ, capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "Hello\n", "")


def test_the_toys_chat_is_what_a_reader_has_to_learn() -> None:
    """Ten lines, from `class` to `Finish`."""
    toy = TOY[TOY.index("class Echo") : TOY.index("with Client")].strip()
    assert len([line for line in toy.splitlines() if line.strip()]) <= 10


@pytest.mark.parametrize("piece", PIECES, ids=lambda piece: piece.split("(")[0].split("\n")[0].strip())
def test_a_piece_of_code_is_of_a_file_that_is_tested(piece: str, tested: list[str]) -> None:
    """Word for word, so that the page cannot fall behind."""
    assert [True for text in tested if piece.strip("\n") in text] != [], textwrap.dedent(piece)


def test_the_whole_of_the_packaging_is_shown() -> None:
    """A reader can take it as it is."""
    assert (OUTSIDE / "pyproject.toml").read_text("utf-8") in PIECES


def test_every_step_of_a_provider_is_on_the_page() -> None:
    """What the page is for."""
    steps = [
        "Info",
        "recipe",
        "decoder",
        "Errors.",
        "Uploads.",
        "Tokens.",
        "capabilities",
        "PROVIDER_CHECKS",
        "entry-points",
    ]
    assert [step for step in steps if step not in PAGE] == []


def test_every_name_of_polychat_on_the_page_exists() -> None:
    """A module, or what one of them holds."""
    modules = set(re.findall(r"`(polychat(?:\.\w+)+)`", PAGE))
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    assert (missing, len(modules) > 5) == ([], True)


def test_every_command_on_the_page_exists() -> None:
    """Of the program and of make."""
    from polychat.cli import program

    assert set(re.findall(r"`polychat ([a-z]+)", PAGE)) <= set(program.COMMANDS)
    assert "\nnew-provider:" in (ROOT / "Makefile").read_text("utf-8")
