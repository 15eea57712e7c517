"""`polychat accounts`: what is told of accounts, what is changed, and that states are those of real answers."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import pytest

from polychat.credentials import Account, BearerToken, Credential, Secret, SessionCookies, token_expiry
from polychat.engine.accounts import file_vault
from polychat.engine.settings import load
from polychat.vault.file import FileVault

CANARY = "canary-77a0"
HOUR_S = 3_600.0


@pytest.fixture
def polychat(polychat: Any) -> Any:
    """The program with a key for its vault, so that no passphrase is needed."""
    polychat.env["POLYCHAT_VAULT_KEY"] = base64.b64encode(bytes(32)).decode()
    return polychat


def vault(polychat: Any) -> FileVault:
    """What the program keeps."""
    return file_vault(load(environ=polychat.env), polychat.env)


def keep(polychat: Any, name: str, credential: Credential | None = None, provider: str = "reka") -> None:
    """An account that was signed in to a while ago; Alice's token unless told."""
    credential = credential or BearerToken(token=Secret("sandbox-alice"))
    created_at = time.time() - HOUR_S
    vault(polychat).put(Account(name=name, provider=provider, credential=credential, created_at=created_at))


def session(person: str = "sandbox-alice", **facts: Any) -> SessionCookies:
    """A browser session of one of the sandbox's people."""
    return SessionCookies(cookies={"appSession": Secret(person)}, **facts)


def jwt(expires_at: float) -> Secret:
    """A token that says when it ends."""

    def part(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return Secret(f"{part({'alg': 'none'})}.{part({'exp': expires_at})}.x")


def facts(polychat: Any, name: str) -> dict[str, Any]:
    """What the list tells of one account."""
    (found,) = (one for one in json.loads(polychat("accounts", "list", "--json").stdout) if one["name"] == name)
    return dict(found)


# ---------------------------------------------------------------- list


def test_nothing_is_kept(polychat: Any) -> None:
    """One sentence says where to begin, also where one service is asked for; JSON is an empty list."""
    env = {"POLYCHAT_SANDBOX": None}
    done = polychat("accounts", "list", env=env)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "there is no account yet: polychat providers lists the services, polychat login PROVIDER keeps a sign-in\n"
    )
    assert "no reka account yet" in polychat("accounts", "list", "reka", env=env).stdout
    assert polychat("accounts", "--json", env=env).stdout == "[]\n"


def test_the_list_needs_no_key(polychat: Any) -> None:
    """What is plain is plain also where the vault stays locked, and the network is not touched."""
    keep(polychat, "work", session(CANARY, ends_at=time.time() + 3 * 24 * HOUR_S + 60))
    locked = {"POLYCHAT_VAULT_KEY": None, "POLYCHAT_SANDBOX": polychat.sandbox.url}
    done = polychat("accounts", "list", "reka", env=locked)
    lines = [line.split("  ") for line in done.stdout.splitlines()]
    assert (done.returncode, done.stderr) == (0, "")
    assert [cell.strip() for cell in lines[1] if cell] == ["* work", "reka", "cookies", "ok", "in 3 days", "-", "-"]
    assert polychat.sandbox.journal() == []
    assert CANARY not in done.stdout


def test_people_of_the_sandbox_are_marked_as_such(polychat: Any) -> None:
    """Their source is in the table where it has room, and below it always."""
    done = polychat("accounts", "list", "chatgpt")
    assert "* sandbox-alice@chatgpt  chatgpt   cookies (sandbox)  ok " in done.stdout
    assert done.stdout.splitlines()[-1] == "* is asked first; sandbox-... are the sandbox's own people"


def test_a_limit_makes_an_account_cool(polychat: Any) -> None:
    """As long as the service said; resume ends it, and the next question is asked."""
    keep(polychat, "work")
    polychat.sandbox.fault("reka", "status", code=429, retry_after="90", path="/api/chat")
    assert polychat("--account", "work", "hi").returncode == 5
    polychat.sandbox.clear_faults()
    known = facts(polychat, "work")
    assert (known["state"], known["state_words"]) == ("cooling", "cooling, 1 minute left")
    assert 60 < known["until"] - time.time() <= 90
    assert known["last_error"]["code"] == "rate_limited"
    told = polychat("accounts", "list").stdout
    assert "\n! work: reka says that these are too many requests (HTTP 429" in told
    assert "\n  mend: wait; to have it asked at once: polychat accounts resume work\n" in told
    assert polychat("accounts", "resume", "work").returncode == 0
    assert facts(polychat, "work")["state"] == "ok"
    assert polychat("--account", "work", "hi").returncode == 0


def test_a_refused_sign_in_is_needed_again(polychat: Any) -> None:
    """The mending command keeps the account's name, and its kind of credential."""
    keep(polychat, "work")
    polychat.sandbox.fault("reka", "status", code=401, path="/api/chat")
    assert polychat("--account", "work", "hi").returncode == 4
    known = facts(polychat, "work")
    assert (known["state"], known["mend"]) == ("needs_sign_in", "polychat login reka --name work --key -")


def test_a_token_that_has_ended_needs_nobody_to_find_out(polychat: Any) -> None:
    """Its own words are enough."""
    token = jwt(time.time() - 2 * HOUR_S - 60)
    keep(polychat, "work", BearerToken(token=token, expires_at=token_expiry(token)))
    done = polychat("accounts", "list")
    assert "✗ work: its sign-in expired 2 hours ago\n" in done.stdout
    assert facts(polychat, "work")["expires"] == "expired 2 hours ago"


def test_a_session_near_its_end_is_expiring(polychat: Any) -> None:
    """A day before its end there is still time; where the service allows it, a test makes it last longer."""
    keep(polychat, "work", session(ends_at=time.time() + 5 * HOUR_S + 60))
    known = facts(polychat, "work")
    assert (known["state"], known["expires"]) == ("expiring", "in 5 hours")
    again = "polychat login reka --name work --browser"
    assert known["mend"] == f"polychat accounts test work has it last longer; if not: {again}"
    assert polychat("accounts", "test", "work").returncode == 0
    assert facts(polychat, "work")["state"] == "ok"


def test_a_quota_is_told_as_the_service_told_it(polychat: Any) -> None:
    """After an answer that said so."""
    keep(polychat, "gpt", provider="chatgpt")
    assert polychat("-m", "chatgpt", "--account", "gpt", "hi").returncode == 0
    (quota,) = facts(polychat, "gpt")["quotas"]
    assert (quota["feature"], quota["remaining"]) == ("image_gen", 50.0)
    assert quota["words"] == "50 image gen left, resets in 23 hours"
    assert "quota     50 image gen left, resets in 23 hours\n" in polychat("accounts", "show", "gpt").stdout


def test_a_terminal_gets_colours_in_its_width(polychat: Any) -> None:
    """80 columns hold the table; NO_COLOR is the same in plain."""
    keep(polychat, f"a-name-that-is-{'much-' * 8}longer", session(ends_at=time.time() + 5 * HOUR_S))
    keep(polychat, "work")
    assert polychat("accounts", "pause", "work").returncode == 0
    code, drawn = polychat.on_terminal("accounts", "list", "reka")
    _, plain = polychat.on_terminal("accounts", "list", "reka", NO_COLOR="1")
    assert (code, "\x1b[33mexpiring\x1b[0m" in drawn, "\x1b" in plain) == (0, True, False)
    rows = plain.partition("\n\n")[0].splitlines()
    assert max(map(len, rows)) <= 80
    assert rows[1].startswith("* a-name-that-is-much-muc…  reka ")


def test_an_unknown_service_is_a_mistake(polychat: Any) -> None:
    """An empty list would hide it."""
    done = polychat("accounts", "list", "rekka")
    assert (done.returncode, done.stderr.startswith("error: there is no provider 'rekka'")) == (2, True)


# ---------------------------------------------------------------- show


def test_show_names_what_is_held_and_no_value(polychat: Any) -> None:
    """Cookies, headers and gate tokens by name."""
    held = session(CANARY, headers={"x-device": Secret(CANARY)}, gate_tokens={"proof": Secret(CANARY)})
    keep(polychat, "work", held)
    done = polychat("accounts", "show", "work")
    assert (done.returncode, done.stderr, CANARY in done.stdout) == (0, "", False)
    rows = dict(line.split(None, 1) for line in done.stdout.splitlines() if not line.startswith("gate"))
    assert (rows["name"], rows["kind"]) == ("work, the default of reka", "cookies")
    assert (rows["cookies"], rows["headers"], rows["answered"]) == (
        "appSession", "x-device", "never, as far as is known"
    )  # fmt: skip
    held_names = json.loads(polychat("accounts", "show", "work", "--json").stdout)["held"]
    assert held_names == {"cookies": ["appSession"], "headers": ["x-device"], "gate_tokens": ["proof"]}


def test_show_works_where_the_vault_is_locked(polychat: Any) -> None:
    """All but the names is told, and what is missing is said."""
    keep(polychat, "work")
    done = polychat("accounts", "show", "work", env={"POLYCHAT_VAULT_KEY": None})
    assert (done.returncode, done.stderr) == (0, "")
    assert "\nholds     locked: the key of the vault file " in done.stdout
    known = json.loads(polychat("accounts", "show", "work", "--json", env={"POLYCHAT_VAULT_KEY": None}).stdout)
    assert (known["held"], known["locked"].startswith("the key of")) == (None, True)


# ---------------------------------------------------------------- test


def test_each_account_is_tried(polychat: Any) -> None:
    """A line for each, and the gravest failure is the exit code."""
    keep(polychat, "good", session())
    keep(polychat, "gone", session("of-nobody"))
    done = polychat("accounts", "test")
    lines = done.stdout.splitlines()
    listed = json.loads(polychat("accounts", "list", "--json").stdout)
    assert (done.returncode, done.stderr, len(lines)) == (4, "", len(listed) + 1)
    good = "✓ good (reka): the service accepts it, its access token good for another 59 minutes"
    assert good in lines
    assert "✓ sandbox-bob@chatgpt (chatgpt): signed in as sandbox bob, its access token " in done.stdout
    (gone,) = (at for at, line in enumerate(lines) if line.startswith("✗ gone (reka): "))
    assert lines[gone + 1] == "  mend: polychat login reka --name gone --browser"
    assert facts(polychat, "gone")["state"] == "needs_sign_in"


def test_only_those_named_are_tried(polychat: Any) -> None:
    """And told as JSON, without a secret."""
    keep(polychat, "good", session())
    done = polychat("accounts", "test", "good", "--json")
    (tried,) = json.loads(done.stdout)
    assert (done.returncode, tried["name"], tried["ok"], tried["asked"], tried["error"]) == (
        0,
        "good",
        True,
        True,
        None,
    )
    assert {entry.account for entry in polychat.sandbox.journal()} == {"sandbox-alice"}


def test_a_limit_met_in_a_trial_is_5(polychat: Any) -> None:
    """What a script does next depends on it."""
    keep(polychat, "work", session())
    polychat.sandbox.fault("reka", "status", path="/bff/auth/access_token", code=429)
    assert polychat("accounts", "test", "work").returncode == 5


def test_a_service_that_is_out_of_reach_is_7(polychat: Any) -> None:
    """The sign-in is not called bad for that."""
    keep(polychat, "work", session())
    done = polychat("accounts", "test", "work", env={"POLYCHAT_SANDBOX": "http://127.0.0.1:1"})
    assert (done.returncode, facts(polychat, "work")["state"]) == (7, "ok")


def test_a_locked_vault_is_not_tried(polychat: Any) -> None:
    """It would fail for each account alike."""
    keep(polychat, "work", session())
    done = polychat("accounts", "test", env={"POLYCHAT_VAULT_KEY": None})
    assert (done.returncode, done.stdout, polychat.sandbox.journal()) == (3, "", [])


# ---------------------------------------------------------------- default, pause, resume, remove


def test_the_default_is_asked_first(polychat: Any) -> None:
    """Where the configuration names another, that is said."""
    keep(polychat, "alice")
    keep(polychat, "bob", BearerToken(token=Secret("sandbox-bob")))
    done = polychat("accounts", "default", "bob")
    assert (done.returncode, done.stdout) == (0, "bob is asked first of all reka accounts\n")
    assert polychat("hi").returncode == 0
    assert polychat.sandbox.journal(path="/api/chat")[-1].account == "sandbox-bob"
    (polychat.home / "config").mkdir()
    (polychat.home / "config" / "config.toml").write_text('[accounts]\nreka = "alice"\n')
    assert "config.toml names alice for reka" in polychat("accounts", "default", "bob").stderr
    assert (facts(polychat, "alice")["default"], facts(polychat, "bob")["default"]) == (True, False)


def test_a_paused_account_is_not_asked(polychat: Any) -> None:
    """Until it is resumed; both tell how the account is then."""
    keep(polychat, "work")
    paused = json.loads(polychat("accounts", "pause", "work", "--json").stdout)
    assert (paused["state"], paused["mend"]) == ("paused", "polychat accounts resume work")
    assert polychat("--account", "work", "hi").returncode == 4
    assert polychat.sandbox.journal() == []
    assert json.loads(polychat("accounts", "resume", "work", "--json").stdout)["state"] == "ok"


def test_a_pause_that_cannot_be_kept_is_an_error(polychat: Any) -> None:
    """A damaged health file must not look like success."""
    keep(polychat, "work")
    state = polychat.home / "state"
    state.mkdir(mode=0o700)
    path = state / "sandbox-health.json"
    path.write_text("half of it")
    path.chmod(0o600)
    done = polychat("accounts", "pause", "work")
    assert (done.returncode, f"error: the health file {path} does not keep it\n" in done.stderr) == (3, True)
    assert "hint: polychat doctor says why\n" in done.stderr


@pytest.mark.parametrize("act", ["default", "pause", "resume", "remove"])
def test_people_of_the_sandbox_stay_as_they_are(polychat: Any, act: str) -> None:
    """What is done to them would be undone by the next start."""
    done = polychat("accounts", act, "sandbox-bob@reka")
    assert done.returncode == 3
    assert done.stderr == (
        "error: the account 'sandbox-bob@reka' is the sandbox's own, the same at every start\n"
        "hint: keep one that you can change: polychat login reka --name NAME\n"
    )


@pytest.mark.parametrize("act", ["show", "test", "default", "pause", "resume", "remove"])
def test_a_name_that_is_none_is_4(polychat: Any, act: str) -> None:
    """The error names those that exist."""
    done = polychat("accounts", act, "nobody")
    assert (done.returncode, "there is no account named 'nobody'; those kept are " in done.stderr) == (4, True)
    assert "polychat accounts list" in done.stderr


def test_removing_asks_first(polychat: Any) -> None:
    """No is no; yes takes the sign-in and what was known of it."""
    keep(polychat, "work")
    assert polychat("accounts", "pause", "work").returncode == 0
    _, drawn = polychat.on_terminal("accounts", "remove", "work", replies={"[y/N]": "n\n"})
    assert "nothing was removed" in drawn
    code, drawn = polychat.on_terminal("accounts", "remove", "work", replies={"[y/N]": "y\n"})
    assert (code, "the account 'work' is removed" in drawn) == (0, True)
    assert vault(polychat).entries() == ()
    assert json.loads((polychat.home / "state" / "sandbox-health.json").read_text())["accounts"] == {}


def test_nobody_to_ask_is_no_consent(polychat: Any) -> None:
    """--yes is; where neither is there nothing happens."""
    keep(polychat, "work")
    done = polychat("accounts", "remove", "work", stdin=b"y\n")
    assert (done.returncode, "hint: polychat accounts remove work --yes\n" in done.stderr) == (2, True)
    assert [entry.name for entry in vault(polychat).entries()] == ["work"]
    assert polychat("accounts", "remove", "work", "--yes", "--json").stdout == '{"removed": "work"}\n'
    assert vault(polychat).entries() == ()


def test_an_account_that_no_list_shows_can_be_removed(polychat: Any) -> None:
    """A damaged one is in the way of rekey until it is gone; the others stay."""
    keep(polychat, "work")
    keep(polychat, "broken")
    path = vault(polychat).path
    path.write_text(path.read_text().replace('"name": "broken",\n   "provider": "reka"', '"name": "broken"'))
    assert polychat("accounts", "remove", "broken", "--yes").returncode == 0
    assert [entry.name for entry in vault(polychat).entries()] == ["work"]
    assert vault(polychat).status().damaged == ()
