"""docs/providers/index.md says what the providers say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_is_in_step(tmp_path: Path) -> None:
    """Written anew it is the same; to mend it: make docs."""
    written = tmp_path / "index.md"
    subprocess.run([sys.executable, ROOT / "docs" / "provider_index.py", written], check=True, timeout=30)
    assert (ROOT / "docs" / "providers" / "index.md").read_text("utf-8") == written.read_text("utf-8")
