"""What every writable vault promises.

    @pytest.mark.parametrize("check", VAULT_CHECKS, ids=str)
    def test_x(check, tmp_path):
        check(lambda: XVault(tmp_path / "accounts"))

`make_vault` is called once a check and gives a vault that keeps nothing yet.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from polychat.credentials import Account, ApiKey, BearerToken, Secret, SessionCookies
from polychat.errors import BadOption, NoAccount
from polychat.testing.checks import Check, check_all, require, require_equal
from polychat.vault.base import Vault

MakeVault = Callable[[], Vault]

_CANARY = "canary-2f1c"
_BAD_NAMES = ("", "Work", "-work", "two words", "work/1", "a" * 65)


def check_vault(make_vault: MakeVault) -> None:
    """Hold a vault to every promise; `make_vault` gives an empty one each time it is handed to a check.

    Raises: `AssertionError` with a sentence at the first broken promise.
    """
    check_all(VAULT_CHECKS, lambda: make_vault)


def _account(name: str, provider: str = "reka", key: str = _CANARY) -> Account:
    return Account(name=name, provider=provider, credential=ApiKey(key=Secret(key)))


def _keeps(make_vault: MakeVault) -> None:
    vault = make_vault()
    accounts = (
        Account(name="key", provider="reka", credential=ApiKey(key=Secret(_CANARY)), created_at=1.5),
        Account(name="bearer", provider="reka", credential=BearerToken(token=Secret("Ł🐈"), expires_at=2.0)),
        Account(name="cookies", provider="reka", credential=SessionCookies(cookies={"a.0": Secret("x=y; z")})),
    )
    for account in accounts:
        vault.put(account)
    for account in accounts:
        require(vault.get(account.name) == account, f"{account.name} comes back changed")


def _orders(make_vault: MakeVault) -> None:
    vault = make_vault()
    require_equal((), vault.entries(), "what an empty vault keeps")
    for name, provider in (("zoe", "reka"), ("adam", "chatgpt"), ("mia", "reka")):
        vault.put(_account(name, provider))
    require_equal(["zoe", "adam", "mia"], [entry.name for entry in vault.entries()], "the order of entries")
    require_equal(["zoe", "mia"], [entry.name for entry in vault.entries("reka")], "the order of one provider's")
    require_equal((), vault.entries("nobody"), "what is kept of an unknown provider")


def _replaces(make_vault: MakeVault) -> None:
    vault = make_vault()
    for name in ("first", "second"):
        vault.put(_account(name))
    newer = _account("first", key="canary-new")
    vault.put(newer)
    require(vault.get("first") == newer, "put does not replace an account of the same name")
    require_equal(["first", "second"], [entry.name for entry in vault.entries()], "the order after replacing")


def _removes(make_vault: MakeVault) -> None:
    vault = make_vault()
    vault.put(_account("gone"))
    vault.put(_account("stays"))
    vault.remove("gone")
    require_equal(["stays"], [entry.name for entry in vault.entries()], "what is kept after removing")
    _raises(NoAccount, lambda: vault.get("gone"), "getting what was removed")


def _prefers(make_vault: MakeVault) -> None:
    vault = make_vault()
    for name, provider in (("a", "reka"), ("x", "chatgpt"), ("b", "reka"), ("y", "chatgpt")):
        vault.put(_account(name, provider))
    vault.prefer("b")
    require_equal(["b", "a", "x", "y"], [entry.name for entry in vault.entries()], "the order after preferring")
    require(vault.get("b") == _account("b"), "preferring changes the account")


def _knows_no_stranger(make_vault: MakeVault) -> None:
    vault = make_vault()
    vault.put(_account("known"))
    error = _raises(NoAccount, lambda: vault.get("stranger"), "getting an unknown name")
    require("stranger" in str(error) and "known" in str(error), f"{str(error)!r} names neither asked nor kept")
    _raises(NoAccount, lambda: vault.remove("stranger"), "removing an unknown name")
    _raises(NoAccount, lambda: vault.prefer("stranger"), "preferring an unknown name")


def _refuses_names(make_vault: MakeVault) -> None:
    vault = make_vault()
    for name in _BAD_NAMES:
        _raises(BadOption, partial(vault.put, _account(name)), f"keeping an account named {name!r}")
    require_equal((), vault.entries(), "what is kept after refusals")


def _shows_no_secret(make_vault: MakeVault) -> None:
    vault = make_vault()
    vault.put(_account("mine"))
    for shown in (vault, vars(vault), vault.entries(), vault.get("mine")):
        require(_CANARY not in repr(shown), f"the secret is in the repr of {type(shown).__name__}")


def _raises(kind: type[Exception], act: Callable[[], object], what: str) -> Exception:
    try:
        act()
    except kind as error:
        return error
    raise AssertionError(f"{what} does not raise {kind.__name__}")


VAULT_CHECKS: tuple[Check[MakeVault], ...] = (
    Check("keeps every kind", _keeps),
    Check("orders", _orders),
    Check("replaces", _replaces),
    Check("removes", _removes),
    Check("prefers", _prefers),
    Check("unknown names", _knows_no_stranger),
    Check("refuses names", _refuses_names),
    Check("shows no secret", _shows_no_secret),
)
