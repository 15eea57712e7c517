"""`polychat doctor`: sections, findings and exit codes."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import pytest

from polychat.credentials import Account, BearerToken, Secret, SessionCookies
from polychat.engine.accounts import file_vault
from polychat.engine.settings import load

SECTIONS = ["Python", "Files", "Vault", "Browser", "Clock", "Network", "Accounts"]


@pytest.fixture
def polychat(polychat: Any) -> Any:
    """The program with a key for its vault."""
    polychat.env["POLYCHAT_VAULT_KEY"] = base64.b64encode(bytes(32)).decode()
    return polychat


def findings(done: Any, level: str) -> list[str]:
    """What was said at one level."""
    return [finding["said"] for finding in json.loads(done.stdout) if finding["level"] == level]


def keep(polychat: Any, name: str, person: str = "sandbox-alice", ends_at: float | None = None) -> None:
    """A browser session of one of the sandbox's people."""
    credential = SessionCookies(cookies={"appSession": Secret(person)}, ends_at=ends_at)
    file_vault(load(environ=polychat.env), polychat.env).put(
        Account(name=name, provider="reka", credential=credential, created_at=time.time())
    )


def test_a_sound_setup_is_0(polychat: Any) -> None:
    """Every section in its order, every line with its mark; the sandbox is a notice, not a fault."""
    done = polychat("doctor", "--online")
    assert (done.returncode, done.stderr) == (0, "")
    *lines, summary = done.stdout.splitlines()
    assert [line for line in lines if line and not line.startswith(" ")] == SECTIONS
    assert {line[:4] for line in lines if line.startswith(" ")} <= {"  ✓ ", "  ! ", "    "}
    assert "  ✓ the clock agrees with that of the sandbox\n" in done.stdout
    assert "  ✓ sandbox-alice@reka, reka cookies (sandbox): ok; the service accepts it\n" in done.stdout
    assert summary.startswith("nothing is broken, ")


def test_every_finding_that_is_not_good_says_how_to_mend_it(polychat: Any) -> None:
    """One healthy account, and one in each state that time, services and people bring about."""
    now = time.time()
    for name in ("healthy", "limited", "paused"):
        keep(polychat, name)
    keep(polychat, "expiring", ends_at=now + 5 * 3600 + 60)
    keep(polychat, "expired", ends_at=now - 7200 - 60)
    keep(polychat, "refused", "of-nobody")
    assert polychat("accounts", "pause", "paused").returncode == 0
    assert polychat("--account", "refused", "hi").returncode == 4
    polychat.sandbox.fault("reka", "status", code=429, retry_after="90", path="/api/chat")
    assert polychat("--account", "limited", "hi").returncode == 5
    done = polychat("doctor", "--json")
    found = json.loads(done.stdout)
    assert (done.returncode, [one for one in found if one["level"] != "good" and not one["mend"]]) == (4, [])
    accounts = {one["said"].partition(",")[0]: one for one in found if one["area"] == "account"}
    assert {name: (accounts[name]["level"], accounts[name]["said"].partition(": ")[2]) for name in (
        "healthy", "limited", "paused", "expiring", "expired", "refused"
    )} == {
        "healthy": ("good", "ok"),
        "limited": ("notice", "cooling, 1 minute left"),
        "paused": ("notice", "paused"),
        "expiring": ("notice", "expiring, expires in 5 hours"),
        "expired": ("broken", "needs sign-in, expired 2 hours ago"),
        "refused": ("broken", "needs sign-in"),
    }  # fmt: skip
    assert accounts["refused"]["mend"] == "polychat login reka --name refused --browser"


def test_a_terminal_gets_colours_and_no_color_takes_them(polychat: Any) -> None:
    """The marks carry the meaning without."""
    _, drawn = polychat.on_terminal("doctor")
    _, plain = polychat.on_terminal("doctor", NO_COLOR="1")
    assert ("\x1b[32m✓\x1b[0m Python" in drawn, "✓ Python" in plain, "\x1b" in plain) == (True, True, False)


def test_a_sandbox_that_is_gone_is_3(polychat: Any) -> None:
    """It is tried, and the finding says how to start it."""
    done = polychat("doctor", "--json", env={"POLYCHAT_SANDBOX": "http://127.0.0.1:1"})
    assert (done.returncode, findings(done, "broken")) == (3, ["no sandbox answers at http://127.0.0.1:1"])


def test_a_broken_config_is_3(polychat: Any) -> None:
    """The settings' own error is the finding; what does not rest on them is looked at all the same."""
    (polychat.home / "config").mkdir()
    (polychat.home / "config" / "config.toml").write_text("nonsense")
    done = polychat("doctor", "--json")
    assert (done.returncode, len(findings(done, "broken"))) == (3, 1)
    assert {one["section"] for one in json.loads(done.stdout)} == {"Python", "Files", "Browser", "Clock"}


def test_a_vault_that_others_can_open_is_3(polychat: Any) -> None:
    """Folder and file are looked at, each with its chmod, and each once."""
    vault = polychat.home / "data" / "sandbox-accounts.json"
    vault.parent.mkdir()
    vault.write_text('{"version": 1, "accounts": []}')
    vault.parent.chmod(0o755)
    vault.chmod(0o644)
    done = polychat("doctor")
    assert done.returncode == 3
    for mend in (f"mend: chmod 700 {vault.parent}\n", f"mend: chmod 600 {vault}\n"):
        assert done.stdout.count(mend) == 1


def test_an_account_that_is_refused_is_4(polychat: Any) -> None:
    """--online tries each account; without it only what is known is told, and then it is known."""
    keep(polychat, "gone", "of-nobody")
    assert polychat("doctor").returncode == 0
    done = polychat("doctor", "--online", "--json")
    (said,) = findings(done, "broken")
    assert (done.returncode, said.startswith("gone, reka cookies: ")) == (4, True)
    assert findings(polychat("doctor", "--json"), "broken") == ["gone, reka cookies: needs sign-in"]


def test_a_locked_vault_leaves_the_accounts_to_be_told(polychat: Any) -> None:
    """What is plain of them is known without its key."""
    keep(polychat, "work")
    done = polychat("doctor", "--json", env={"POLYCHAT_VAULT_KEY": None})
    assert (done.returncode, "work, reka cookies: ok" in findings(done, "good")) == (3, True)


def test_a_token_without_a_service_to_ask_is_not_called_accepted(polychat: Any) -> None:
    """Only what was tried is said to be accepted."""
    file_vault(load(environ=polychat.env), polychat.env).put(
        Account(name="token", provider="reka", credential=BearerToken(token=Secret("sandbox-alice")))
    )
    assert "token, reka token: ok" in findings(polychat("doctor", "--online", "--json"), "good")


def test_the_ledger_is_looked_at(polychat: Any) -> None:
    """How much it holds, or why nothing is recorded; before the first question there is none."""
    ledger = polychat.home / "state" / "ledger-sandbox.sqlite"
    assert not any(said.startswith("the ledger") for said in findings(polychat("doctor", "--json"), "good"))
    polychat("chat", "hi")
    assert f"the ledger {ledger} holds 1 request" in findings(polychat("doctor", "--json"), "good")
    ledger.write_bytes(b"nonsense" * 100)
    done = polychat("doctor", "--json")
    assert (done.returncode, findings(done, "broken")) == (3, [f"the ledger {ledger} is damaged, or no ledger"])


def test_no_account_is_a_notice(polychat: Any) -> None:
    """A first start is not broken."""
    done = polychat("doctor", "--json", env={"POLYCHAT_SANDBOX": None})
    assert (done.returncode, "there is no account yet" in findings(done, "notice")) == (0, True)
