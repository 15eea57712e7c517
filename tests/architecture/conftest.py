"""The tree as text: what every rule is a pure function over."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def sources() -> dict[str, str]:
    """Every module of the package: path below src/ -> source."""
    src = ROOT / "src"
    return {path.relative_to(src).as_posix(): path.read_text("utf-8") for path in sorted(src.rglob("*.py"))}


@pytest.fixture(scope="session")
def test_files() -> list[str]:
    """Every test module: path below tests/."""
    tests = ROOT / "tests"
    return [path.relative_to(tests).as_posix() for path in sorted(tests.rglob("test_*.py"))]


@pytest.fixture(scope="session")
def tracked() -> dict[str, str]:
    """Every file that git keeps: path -> text, empty for what is no text. Skips outside a git checkout."""
    listed = subprocess.run(["git", "-C", ROOT, "ls-files", "-z"], capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("this is no git checkout")
    found = {}
    for name in filter(None, listed.stdout.split("\0")):
        data = (ROOT / name).read_bytes() if (ROOT / name).is_file() else b""
        found[name] = "" if b"\0" in data else data.decode("utf-8", "replace")
    return found
