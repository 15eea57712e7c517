"""A vault's file that somebody changed: the account is refused by name, the others stay readable."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from polychat.credentials import Account, ApiKey, BearerToken, Secret, SessionCookies
from polychat.errors import ConfigError, NoAccount
from polychat.vault.file import FileVault

ACCOUNTS = (
    Account(name="key", provider="reka", credential=ApiKey(key=Secret("canary"))),
    Account(name="token", provider="reka", credential=BearerToken(token=Secret("canary"))),
    Account(name="session", provider="chatgpt", credential=SessionCookies(cookies={"a": Secret("canary")})),
)
NAMES = [account.name for account in ACCOUNTS]
Rows = list[dict[str, Any]]


class Tampered:
    """A vault of three accounts whose file is changed again and again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        for account in ACCOUNTS:
            FileVault(path).put(account)
        self.whole = path.read_bytes()

    def change(self, edit: Callable[[Rows], object]) -> FileVault:
        """A new look at the vault after `edit` of its rows."""
        facts = json.loads(self.whole)
        edit(facts["accounts"])
        self.path.write_bytes(json.dumps(facts).encode())
        return FileVault(self.path)


@pytest.fixture(scope="module")
def tampered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tampered]:
    return Tampered(tmp_path_factory.mktemp("vault") / "data" / "accounts.json")


def check_refused(vault: FileVault, *refused: str) -> None:
    """These are refused by name, all others are whole."""
    assert set(vault.status().damaged) == set(refused)
    for name in refused:
        with pytest.raises(ConfigError) as caught:
            vault.get(name)
        assert caught.value.message == (
            f"the account {name!r} in the vault file {vault.path} was changed, moved or cut off, and is not opened"
        )
        assert f"--name {name}" in str(caught.value.hint)
        assert "canary" not in str(caught.value)
    for account in ACCOUNTS:
        if account.name in NAMES and account.name not in refused and vault_has(vault, account.name):
            assert vault.get(account.name) == account


def vault_has(vault: FileVault, name: str) -> bool:
    return any(entry.name == name for entry in vault.entries())


def recoded(text: str, change: Callable[[bytearray], object]) -> str:
    data = bytearray(base64.b64decode(text))
    change(data)
    return base64.b64encode(data).decode()


VALUES = ["reka", "chatgpt", "api_key", "bearer", "cookies"]
WHICH = st.sampled_from(range(3))
quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@quick
@given(which=WHICH, part=st.sampled_from(["nonce", "sealed"]), at=st.integers(0, 10_000), mask=st.integers(1, 255))
def test_any_changed_byte_is_noticed(tampered: Tampered, which: int, part: str, at: int, mask: int) -> None:
    """Of the sealed text and of its nonce."""

    def flip(data: bytearray) -> None:
        data[at % len(data)] ^= mask

    def edit(rows: Rows) -> None:
        rows[which][part] = recoded(rows[which][part], flip)

    check_refused(tampered.change(edit), NAMES[which])


@quick
@given(which=WHICH, part=st.sampled_from(["nonce", "sealed"]), length=st.integers(0, 60))
def test_what_is_cut_off_is_noticed(tampered: Tampered, which: int, part: str, length: int) -> None:
    """Wherever it is cut; an entry too short to be one is not even listed."""

    def cut(data: bytearray) -> None:
        del data[min(length, len(data) - 1) :]

    def edit(rows: Rows) -> None:
        rows[which][part] = recoded(rows[which][part], cut)

    check_refused(tampered.change(edit), NAMES[which])


@pytest.mark.parametrize(("one", "two"), [(0, 1), (0, 2), (1, 2)])
@pytest.mark.parametrize("parts", [["sealed"], ["nonce"], ["sealed", "nonce"]])
def test_swapped_entries_are_noticed(tampered: Tampered, one: int, two: int, parts: list[str]) -> None:
    """A credential opens under its own name only, also with its own nonce."""

    def edit(rows: Rows) -> None:
        for part in parts:
            rows[one][part], rows[two][part] = rows[two][part], rows[one][part]

    check_refused(tampered.change(edit), NAMES[one], NAMES[two])


@quick
@given(which=WHICH, field=st.sampled_from(["provider", "kind"]), value=st.sampled_from(VALUES))
def test_changed_metadata_is_noticed(tampered: Tampered, which: int, field: str, value: str) -> None:
    """A cookie is not sent to another service because somebody wrote another one beside it."""
    seen: list[bool] = []

    def edit(rows: Rows) -> None:
        seen.append(rows[which][field] == value)
        rows[which][field] = value

    vault = tampered.change(edit)
    check_refused(vault, *([] if seen[0] else [NAMES[which]]))


@pytest.mark.parametrize("which", range(3))
def test_a_changed_name_is_noticed(tampered: Tampered, which: int) -> None:
    """The account is not there under the new name, and not under the old one."""
    vault = tampered.change(lambda rows: rows[which].update(name="renamed"))

    check_refused(vault, "renamed")
    with pytest.raises(NoAccount):
        vault.get(NAMES[which])


def test_a_row_of_another_vault_is_noticed(tampered: Tampered, tmp_path: Path) -> None:
    """The same account of the same name, sealed with the same key file, for another vault."""
    other = tmp_path / "accounts.json"
    tmp_path.chmod(0o700)
    key = tampered.path.with_name("vault.key").read_bytes()
    tmp_path.joinpath("vault.key").write_bytes(key)
    tmp_path.joinpath("vault.key").chmod(0o600)
    FileVault(other).put(ACCOUNTS[0])
    row = json.loads(other.read_bytes())["accounts"][0]

    def edit(rows: Rows) -> None:
        rows[0] = row

    check_refused(tampered.change(edit), "key")


def test_what_was_damaged_is_mended_by_a_new_sign_in(tampered: Tampered) -> None:
    """Or removed; the others are not touched by either."""

    def edit(rows: Rows) -> None:
        rows[0]["sealed"] = rows[1]["sealed"]
        rows[2]["sealed"] = ""

    vault = tampered.change(edit)
    check_refused(vault, "key", "session")
    vault.put(ACCOUNTS[0])
    check_refused(vault, "session")
    vault.remove("session")
    check_refused(vault)
    assert [entry.name for entry in vault.entries()] == ["key", "token"]


def test_a_damaged_account_stays_as_it_is_until_then(tampered: Tampered) -> None:
    """A change elsewhere keeps it, in case it can be mended by hand; another key is refused."""
    vault = tampered.change(lambda rows: rows[0].update(sealed=rows[1]["sealed"], note="mine"))
    damaged = json.loads(tampered.path.read_bytes())["accounts"][0]
    vault.put(Account(name="more", provider="reka", credential=ApiKey(key=Secret("canary"))))
    vault.prefer("more")

    assert json.loads(tampered.path.read_bytes())["accounts"][1] == damaged
    before = tampered.path.read_bytes()
    with pytest.raises(ConfigError, match="has accounts that cannot be opened: key") as caught:
        vault.rekey()
    assert "polychat logout NAME" in str(caught.value.hint)
    assert before == tampered.path.read_bytes()


def test_a_changed_header_opens_nothing_and_is_named(tampered: Tampered) -> None:
    """It looks like another key, and the accounts are still listed."""
    facts = json.loads(tampered.whole)
    facts["key"]["kdf"]["salt"] = base64.b64encode(b"0" * 16).decode()
    tampered.path.write_bytes(json.dumps(facts).encode())
    vault = FileVault(tampered.path)

    assert [entry.name for entry in vault.entries()] == NAMES
    with pytest.raises(ConfigError, match=r"vault\.key does not hold the key of the vault file"):
        vault.get("key")
