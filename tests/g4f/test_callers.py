"""Who asks: equal arguments make equal callers, different credentials, proxies and settings different ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from polychat.credentials import BearerToken, Secret, SessionCookies
from polychat.errors import ConfigError
from polychat.g4f.callers import Caller, caller
from polychat.g4f.cookies import set_cookies
from polychat.g4f.Provider import Reka


def test_equal_arguments_make_equal_callers(home: Path) -> None:
    """Class and name are the same service; key and proxy tell callers apart."""
    mine = caller(Reka, api_key="one", proxy=None)
    assert mine == caller("Reka", api_key="one", proxy=None)
    assert mine != caller(Reka, api_key="two", proxy=None)
    assert mine != caller(Reka, api_key=None, proxy=None)
    assert mine != caller(Reka, api_key="one", proxy="http://127.0.0.1:3128")


def test_settings_tell_callers_apart(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment in force at the call counts."""
    before = caller(Reka, api_key="one", proxy=None)
    monkeypatch.setenv("POLYCHAT_SANDBOX", "http://127.0.0.1:8765")
    after = caller(Reka, api_key="one", proxy=None)
    assert (before.settings.sandbox, after.settings.sandbox) == (None, "http://127.0.0.1:8765")
    assert before != after


def test_the_credential_is_what_was_given(home: Path) -> None:
    """A key is a bearer at Reka; cookies of an older domain of the service count too; neither shows itself."""
    keyed = caller(Reka, api_key="one-secret", proxy=None)
    set_cookies("chat.reka.ai", {"appSession": "two-secret"})
    session = caller(Reka, api_key=None, proxy=None)
    set_cookies("chat.reka.ai")
    assert credential(keyed) == BearerToken(token=Secret("one-secret"))
    assert credential(session) == SessionCookies(cookies={"appSession": Secret("two-secret")})
    assert "secret" not in repr((keyed, session)).lower().replace("secret(********)", "")


def credential(asking: Caller) -> object:
    """What the caller proves itself with."""
    assert asking.account is not None
    return asking.account.credential


def test_a_proxy_that_is_none_is_a_config_error(home: Path) -> None:
    """The proxy is checked before anything is sent, and its text is not repeated."""
    with pytest.raises(ConfigError, match="proxy is not a URL") as raised:
        caller(Reka, api_key=None, proxy="me:password@host")
    assert "password" not in str(raised.value)
