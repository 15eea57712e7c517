"""docs/: what the pages name exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "ARCHITECTURE.md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_test_and_file_a_page_names_exists(page: Path) -> None:
    """A proof that is not there proves nothing."""
    missing = []
    for path, _, name in re.findall(r"`((?:tests|src|docs|examples)/[\w/.-]+?)(::(\w+))?`", page.read_text("utf-8")):
        found = ROOT / path
        if not found.exists() or (name and f"def {name}(" not in found.read_text("utf-8")):
            missing.append(f"{path}::{name}")
    assert missing == []
