"""`polychat logout`: which account is meant, and what is said about the service."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from polychat.credentials import Account, BearerToken, Secret
from polychat.engine.accounts import file_vault
from polychat.engine.settings import load


@pytest.fixture
def polychat(polychat: Any) -> Any:
    """The program with a key for its vault."""
    polychat.env["POLYCHAT_VAULT_KEY"] = base64.b64encode(bytes(32)).decode()
    return polychat


def keep(polychat: Any, *names: str) -> None:
    """Reka accounts of those names."""
    for name in names:
        credential = BearerToken(token=Secret("sandbox-alice"))
        file_vault(load(environ=polychat.env), polychat.env).put(
            Account(name=name, provider="reka", credential=credential)
        )


def kept(polychat: Any) -> list[str]:
    """The names in the vault."""
    return [entry.name for entry in file_vault(load(environ=polychat.env), polychat.env).entries()]


def test_a_service_with_one_account_needs_no_name(polychat: Any) -> None:
    """It is said that the service does not know, and where to end the session there."""
    keep(polychat, "work")
    done = polychat("logout", "reka", "--yes")
    assert (done.returncode, done.stdout, kept(polychat)) == (0, "the account 'work' is removed\n", [])
    assert done.stderr.splitlines()[-1] == (
        "note: Reka was not told; to end the session there too, log out at https://space.reka.ai/chat"
    )
    assert polychat.sandbox.journal() == []


def test_a_service_with_several_accounts_needs_one(polychat: Any) -> None:
    """The error names them; a name, also that of the service, is then enough."""
    keep(polychat, "work", "home")
    done = polychat("logout", "reka", "--yes")
    assert (done.returncode, done.stderr) == (
        2, "error: there are 2 reka accounts: work, home\nhint: name one: polychat logout work\n"
    )  # fmt: skip
    keep(polychat, "reka")
    assert polychat("logout", "home", "--yes").returncode == 0
    assert polychat("logout", "reka", "--yes").returncode == 0
    assert kept(polychat) == ["work"]


def test_it_asks_first(polychat: Any) -> None:
    """On a terminal; without one it wants --yes."""
    keep(polychat, "work")
    done = polychat("logout", "work", stdin=b"y\n")
    assert (done.returncode, "hint: polychat logout work --yes\n" in done.stderr) == (2, True)
    code, drawn = polychat.on_terminal("logout", "reka", replies={"[y/N]": "n\n"})
    assert (code, "nothing was removed" in drawn, kept(polychat)) == (0, True, ["work"])
    code, _ = polychat.on_terminal("logout", "reka", replies={"[y/N]": "y\n"})
    assert (code, kept(polychat)) == (0, [])


def test_it_tells_a_script_what_is_gone(polychat: Any) -> None:
    """As JSON."""
    keep(polychat, "work")
    assert json.loads(polychat("logout", "work", "--yes", "--json").stdout) == {"removed": "work", "provider": "reka"}


@pytest.mark.parametrize("who", ["reka", "nobody"])
def test_nothing_to_log_out_of_is_4(polychat: Any, who: str) -> None:
    """The sandbox's own people do not count: nobody signed them in."""
    done = polychat("logout", who, "--yes")
    assert (done.returncode, "polychat accounts list" in done.stderr) == (4, True)
