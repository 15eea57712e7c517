"""Where the ledger is, and whether one is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from polychat.engine.ledger.opening import opened, place
from polychat.engine.settings import load


def test_the_ledger_is_among_the_states(tmp_path: Path) -> None:
    """POLYCHAT_HOME moves it with everything else; another file may be named."""
    environ = {"POLYCHAT_HOME": str(tmp_path)}
    assert place(load(environ=environ)) == tmp_path / "state" / "ledger.sqlite"
    own = tmp_path / "own.sqlite"
    assert place(load(environ=environ, overrides={"logging": {"file": str(own)}})) == own


def test_what_is_asked_of_a_sandbox_is_kept_apart(tmp_path: Path) -> None:
    """A rehearsal is in nobody's sums; a file that is named is that file."""
    environ = {"POLYCHAT_HOME": str(tmp_path), "POLYCHAT_SANDBOX": "http://127.0.0.1:9"}
    assert place(load(environ=environ)) == tmp_path / "state" / "ledger-sandbox.sqlite"
    named = {"logging": {"file": str(tmp_path / "mine.sqlite")}}
    assert place(load(environ=environ, overrides=named)) == tmp_path / "mine.sqlite"


@pytest.mark.parametrize(("store", "kept"), [(None, False), ("none", False), ("facts", True), ("full", True)])
def test_a_ledger_is_kept_where_it_is_wanted(tmp_path: Path, store: str | None, kept: bool) -> None:
    """A program's own client keeps none unless the config says so."""
    settings = load(environ={"POLYCHAT_HOME": str(tmp_path)}, overrides={"logging": {"store": store}})
    ledger = opened(settings)
    assert (ledger is not None) == kept
    assert ledger is None or ledger.path == place(settings)
