"""`polychat version`."""

from __future__ import annotations

import json
from typing import Any

from polychat import __version__


def test_version_as_text_and_as_json(polychat: Any) -> None:
    """One line for people, a document for programs; --version is the same line."""
    assert polychat("version").stdout == polychat("--version").stdout == f"polychat {__version__}\n"
    assert json.loads(polychat("version", "--json").stdout)["version"] == __version__
