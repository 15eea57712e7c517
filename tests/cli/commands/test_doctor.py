"""`polychat doctor`: findings and exit codes."""

from __future__ import annotations

import json
from typing import Any


def findings(done: Any, level: str) -> list[str]:
    """What was said at one level."""
    return [finding["said"] for finding in json.loads(done.stdout) if finding["level"] == level]


def test_a_sound_setup_is_0(polychat: Any) -> None:
    """Every line has its mark; the sandbox is a notice, not a fault."""
    done = polychat("doctor", "--online")
    assert (done.returncode, done.stderr) == (0, "")
    assert {line[0] for line in done.stdout.splitlines()} == {"✓", "!", " "}
    assert "✓ reka account 'sandbox-alice@reka' (cookies, from memory); the service accepts it\n" in done.stdout


def test_a_sandbox_that_is_gone_is_3(polychat: Any) -> None:
    """It is tried, and the finding says how to start it."""
    done = polychat("doctor", "--json", env={"POLYCHAT_SANDBOX": "http://127.0.0.1:1"})
    assert (done.returncode, findings(done, "broken")) == (3, ["no sandbox answers at http://127.0.0.1:1"])


def test_a_broken_config_is_3(polychat: Any) -> None:
    """The settings' own error is the finding."""
    (polychat.home / "config").mkdir()
    (polychat.home / "config" / "config.toml").write_text("nonsense")
    done = polychat("doctor", "--json")
    assert (done.returncode, len(findings(done, "broken"))) == (3, 1)


def test_a_vault_that_others_can_open_is_3(polychat: Any) -> None:
    """Folder and file are looked at, each with its chmod."""
    vault = polychat.home / "data" / "sandbox-accounts.json"
    vault.parent.mkdir()
    vault.write_text('{"version": 1, "accounts": []}')
    vault.parent.chmod(0o755)
    vault.chmod(0o644)
    done = polychat("doctor")
    assert done.returncode == 3
    assert f"mend: chmod 700 {vault.parent}\n" in done.stdout
    assert f"mend: chmod 600 {vault}\n" in done.stdout


def test_an_account_that_is_refused_is_4(polychat: Any) -> None:
    """--online tries each account; without it only what is known is told."""
    polychat("login", "reka", "--cookies", "-", "--name", "gone", "--no-check", stdin=b'{"appSession": "of-nobody"}')
    assert polychat("doctor").returncode == 0
    done = polychat("doctor", "--online", "--json")
    (said,) = findings(done, "broken")
    assert (done.returncode, said.startswith("reka account 'gone' (cookies, from file): ")) == (4, True)


def test_no_account_is_a_notice(polychat: Any) -> None:
    """A first start is not broken."""
    done = polychat("doctor", "--json", env={"POLYCHAT_SANDBOX": None})
    assert (done.returncode, "there is no account yet" in findings(done, "notice")) == (0, True)
