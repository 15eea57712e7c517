"""What stands in a vault's file: read without a key, named where it is damaged, kept where it is not known."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from polychat.credentials import Account, ApiKey, BearerToken, Secret, SessionCookies
from polychat.errors import BadOption, ConfigError
from polychat.vault.base import Entry
from polychat.vault.document import Document, Plain, read, spare
from polychat.vault.private import Hidden, PrivateFile
from polychat.vault.seal import Key, keyhole, new_id, new_text

LOCK, KEY = keyhole(new_text(), "local", vault_id=new_id())
PLAIN_ROW = {"name": "a", "provider": "reka", "credential": {"type": "api_key", "key": "canary"}, "created_at": None}


@pytest.fixture
def file(tmp_path: Path) -> PrivateFile:
    return PrivateFile(tmp_path / "accounts.json", "vault file")


def account(name: str, provider: str = "reka", key: str = "canary") -> Account:
    return Account(name=name, provider=provider, credential=ApiKey(key=Secret(key)))


def of(*accounts: Account, key: Key = KEY) -> Document:
    document = Document(LOCK)
    for one in accounts:
        document = document.with_account(one, key)
    return document


def written(document: Document) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads(document.encoded())
    return facts


def again(facts: dict[str, Any], file: PrivateFile) -> Document:
    """The document that these facts are."""
    document = read(Hidden(json.dumps(facts).encode()), file)
    assert isinstance(document, Document)
    return document


def row(document: Document, name: str) -> Any:
    found = document.row(name)
    assert found is not None
    return found


def opened(document: Document, name: str) -> Account | None:
    record = row(document, name).record
    return record.account(KEY) if record else None


def test_the_file_is_the_documented_json() -> None:
    """What may be shown is in the clear, the credential is not."""
    cookies = SessionCookies(cookies={"appSession": Secret("canary")}, token=Secret("canary"), ends_at=2.0)
    facts = written(of(Account(name="a", provider="reka", credential=cookies, created_at=1.0)))
    (shown,) = facts.pop("accounts")

    assert {"version": 2, "key": msgspec.to_builtins(LOCK)} == facts
    assert len(base64.b64decode(shown.pop("nonce"))) == 12
    sealed = base64.b64decode(shown.pop("sealed"))
    assert shown == {"name": "a", "provider": "reka", "kind": "cookies", "created_at": 1.0, "expires_at": 2.0}
    assert b"canary" not in sealed


def test_a_document_comes_back_as_it_was_written(file: PrivateFile) -> None:
    """Keyhole, order and every account."""
    token = Account(name="b", provider="chatgpt", credential=BearerToken(token=Secret("t"), expires_at=3.0))
    document = again(written(of(account("a"), token)), file)

    assert document.keyhole == LOCK
    assert document.entries == (
        Entry(name="a", provider="reka", kind="api_key", created_at=None, source="file"),
        Entry(name="b", provider="chatgpt", kind="bearer", created_at=None, source="file", expires_at=3.0),
    )
    assert [opened(document, "a"), opened(document, "b")] == [account("a"), token]
    assert document.damaged(KEY) == ()


def test_unknown_fields_survive_every_change(file: PrivateFile) -> None:
    """Those of the account replaced, of the others, and under another key."""
    facts = written(of(account("a"), account("b")))
    note = {"note": "mine", "colour": {"of": ["money", 1.50]}}
    for shown in facts["accounts"]:
        shown |= note
    document = again(facts, file).with_account(account("a", key="renewed"), KEY)
    document = document.preferring(row(document, "b"))
    lock, key = keyhole(new_text(), "local", vault_id=new_id())
    document = document.resealed(lock, KEY, key)

    assert [shown["name"] for shown in written(document)["accounts"]] == ["b", "a"]
    assert all(note.items() <= shown.items() for shown in written(document)["accounts"])


def test_a_preferred_account_is_the_first_of_its_provider(file: PrivateFile) -> None:
    """The others, and those of other providers, stay in order."""
    document = of(account("a"), account("x", "chatgpt"), account("b"), account("y", "chatgpt"), account("c"))
    document = document.preferring(row(document, "c"))
    document = document.preferring(row(document, "y"))

    assert [entry.name for entry in document.entries] == ["c", "a", "y", "x", "b"]


@pytest.mark.parametrize(
    "change",
    [
        {"provider": 3},
        {"provider": "re\x1b[31mka"},
        {"provider": ""},
        {"kind": "passkey"},
        {"created_at": "yesterday"},
        {"nonce": "AAAA"},
        {"nonce": None},
        {"sealed": "AAAA"},
        {"sealed": "not base64"},
        {"sealed": None},
    ],
)
def test_a_row_that_cannot_be_read_is_named_and_kept(file: PrivateFile, change: dict[str, Any]) -> None:
    """It is not listed, the others are, and it is written again as it was."""
    facts = written(of(account("a"), account("b")))
    facts["accounts"][0] |= change
    document = again(facts, file)

    assert [entry.name for entry in document.entries] == ["b"]
    assert document.damaged(None) == document.damaged(KEY) == ("a",)
    assert opened(document, "b") == account("b")
    assert written(document) == facts


@pytest.mark.parametrize("name", [None, 3, "No Name", "\x1b[31m", "env:X", ""])
def test_a_row_without_a_name_is_counted(file: PrivateFile, name: Any) -> None:
    """What is no name is not repeated: it may steer a terminal."""
    facts = written(of(account("a"), account("b")))
    facts["accounts"][1]["name"] = name

    assert again(facts, file).damaged(KEY) == ("accounts[1]",)


def test_of_two_rows_with_one_name_the_first_counts(file: PrivateFile) -> None:
    """An older copy of a row, put back beside it, is listed as damaged and never used, also under another key."""
    facts = written(of(account("a", key="new"), account("b")))
    facts["accounts"].append(written(of(account("a", key="old")))["accounts"][0])
    document = again(facts, file)

    assert [entry.name for entry in document.entries] == ["a", "b"]
    assert document.damaged(KEY) == ("accounts[2]",)
    assert opened(document.resealed(LOCK, KEY, KEY), "a") == account("a", key="new")
    plain = read(
        Hidden(json.dumps({"version": 1, "accounts": [PLAIN_ROW, PLAIN_ROW | {"provider": "x"}]}).encode()), file
    )
    assert isinstance(plain, Plain)
    assert opened(plain.sealed(LOCK, KEY), "a") == account("a")


def test_what_could_not_be_read_again_is_not_written() -> None:
    """A provider is something that can be printed."""
    for provider in ("", "re\nka", "x" * 201):
        with pytest.raises(BadOption, match="its provider is no name") as caught:
            of(account("a", provider))
        assert caught.value.field == "provider"


def test_another_key_opens_nothing(file: PrivateFile) -> None:
    """Every account is then named."""
    document = of(account("a"), account("b"))
    _, other = keyhole(new_text(), "local", vault_id=new_id())

    assert document.damaged(None) == ()
    assert document.damaged(other) == ("a", "b")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b'{"version": 2, "accounts": [{"name": "a" "canary"', "JSON is malformed: "),
        (b'{"version": 2, "accounts": [', "Input data was truncated"),
        (b"", "Input data was truncated"),
        (b'{"version": 1, "accounts": [], "\xff": "canary"}', "can't decode byte 0xff"),
        ([], "Expected `object`, got `array`"),
        ({"accounts": []}, "missing required field `version`"),
        ({"version": 0, "accounts": []}, "Expected `int` >= 1"),
        ({"version": 2, "accounts": []}, "missing required field `key`"),
        ({"version": 2, "key": {}, "accounts": []}, "`$.key`"),
        ({"version": 2, "key": msgspec.to_builtins(LOCK), "accounts": [], "more": "canary"}, "unknown field `more`"),
        ({"version": 2, "key": msgspec.to_builtins(LOCK), "accounts": ["canary"]}, "`$.accounts[0]`"),
        ({"version": 1, "accounts": [], "sealed": "canary"}, "unknown field `sealed`"),
        ({"version": 1, "accounts": [PLAIN_ROW, {**PLAIN_ROW, "provider": 3}]}, "(accounts[1]) is damaged"),
        ({"version": 1, "accounts": [{**PLAIN_ROW, "name": "No Name"}]}, "`$.name`"),
        ({"version": 1, "accounts": [PLAIN_ROW | {"credential": {"type": "api_key", "key": 5}}]}, "`$.credential.key`"),
        ({"version": 1, "accounts": [PLAIN_ROW | {"credential": {"type": "passkey"}}]}, "Invalid value 'passkey'"),
    ],
)
def test_a_damaged_whole_is_named(file: PrivateFile, content: Any, complaint: str) -> None:
    """The error says which file and where in it, and holds no secret."""
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    with pytest.raises(ConfigError) as caught:
        read(Hidden(data), file)

    assert f"the vault file {file.path}" in caught.value.message
    assert "is damaged and was left as it is: " in caught.value.message
    assert complaint in caught.value.message
    assert "canary" not in str(caught.value)
    assert caught.value.hint == "mend it in an editor, or move it away and sign in again"


def test_where_there_is_a_copy_the_hint_is_to_put_it_back(tmp_path: Path) -> None:
    """As a command that can be pasted."""
    file = PrivateFile(tmp_path / "my accounts.json", "vault file")
    copy = spare(file)
    copy.path.write_bytes(b"")
    with pytest.raises(ConfigError) as caught:
        read(Hidden(b"{"), file)

    assert caught.value.hint == f"put back what was there before the last change: cp -p '{copy.path}' '{file.path}'"


@pytest.mark.parametrize("rest", [{}, {"key": "of another kind"}, {"accounts": "sealed"}])
def test_a_newer_version_is_only_called_newer(file: PrivateFile, rest: dict[str, Any]) -> None:
    """Whatever else it changed."""
    with pytest.raises(ConfigError, match="is of version 3; this polychat knows versions up to 2") as caught:
        read(Hidden(json.dumps({"version": 3, **rest}).encode()), file)
    assert caught.value.hint == "update polychat"


def test_version_1_is_read_and_sealed(file: PrivateFile) -> None:
    """Its accounts in order, with the fields that nobody knows, and nothing in the clear."""
    facts = {"version": 1, "accounts": [{**PLAIN_ROW, "note": "mine"}, {**PLAIN_ROW, "name": "b", "created_at": 1.5}]}
    plain = read(Hidden(json.dumps(facts).encode()), file)
    assert isinstance(plain, Plain)
    assert [entry.name for entry in plain.entries] == ["a", "b"]

    document = plain.sealed(LOCK, KEY)
    assert [entry.name for entry in document.entries] == ["a", "b"]
    assert opened(document, "a") == account("a")
    assert [shown.get("note") for shown in written(document)["accounts"]] == ["mine", None]
    assert b"canary" not in document.encoded()
    assert "credential" not in written(document)["accounts"][0]
