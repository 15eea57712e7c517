"""Accounts on their way to another machine."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from polychat.credentials import Account, ApiKey, BearerToken, Secret, SessionCookies
from polychat.errors import BadOption, ConfigError
from polychat.vault.parcel import opened, sealed

CHEAP = 2**10
CANARY = "canary-2b7e"
PASSPHRASE = Secret("canary horse")
ACCOUNTS = (
    Account(
        name="work",
        provider="reka",
        credential=SessionCookies(
            cookies={"appSession": Secret(CANARY)}, headers={"x-device": Secret(CANARY)}, ends_at=1_800_000_000.0
        ),
        created_at=1_700_000_000.25,
    ),
    Account(name="key", provider="other", credential=ApiKey(key=Secret(CANARY))),
    Account(name="token", provider="reka", credential=BearerToken(token=Secret(CANARY), expires_at=1.0)),
)


def made(**changes: Any) -> bytes:
    """An export, with other values for some of its fields."""
    fields = json.loads(sealed(ACCOUNTS, PASSPHRASE, scrypt_n=CHEAP)) | changes
    return json.dumps(fields, separators=(",", ":")).encode()


def test_what_went_in_comes_out() -> None:
    """Every kind of credential, with its end and the moment of its sign-in."""
    assert opened(sealed(ACCOUNTS, PASSPHRASE, scrypt_n=CHEAP), PASSPHRASE) == ACCOUNTS
    assert opened(sealed((), PASSPHRASE, scrypt_n=CHEAP), PASSPHRASE) == ()


def test_nothing_of_an_account_stands_in_the_clear() -> None:
    """Neither secrets nor names, and no two exports are the same."""
    one, other = (sealed(ACCOUNTS, PASSPHRASE, scrypt_n=CHEAP) for _ in range(2))
    assert [word in one for word in (CANARY.encode(), b"work", b"reka", b"horse")] == [False] * 4
    assert one != other


def test_a_passphrase_is_the_same_from_every_keyboard() -> None:
    """Spaces around it do not count, and marks may be typed in one key or two."""
    data = sealed(ACCOUNTS, Secret("caf\u00e9"), scrypt_n=CHEAP)
    assert opened(data, Secret(" cafe\u0301\n")) == ACCOUNTS


def test_a_wrong_passphrase_and_a_changed_file_look_the_same() -> None:
    """The message says both, and holds neither passphrase."""
    with pytest.raises(ConfigError) as caught:
        opened(made(), Secret("wrong-secret"))
    assert caught.value.message == "the passphrase is not the one of this export, or the export was changed"
    assert "wrong-secret" not in str(caught.value)


def _flipped(text: str) -> str:
    return ("B" if text[0] == "A" else "A") + text[1:]


@pytest.mark.parametrize(
    "change",
    [
        lambda fields: fields | {"sealed": _flipped(fields["sealed"])},
        lambda fields: fields | {"nonce": _flipped(fields["nonce"])},
        lambda fields: fields | {"kdf": fields["kdf"] | {"salt": _flipped(fields["kdf"]["salt"])}},
        lambda fields: fields | {"kdf": fields["kdf"] | {"n": 2 * CHEAP}},
        lambda fields: fields | {"version": 0},
    ],
    ids=["sealed", "nonce", "salt", "cost", "version"],
)
def test_a_changed_byte_is_refused(change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Whatever part of the file it is in."""
    fields = json.loads(made())
    with pytest.raises(ConfigError, match="or the export was changed"):
        opened(json.dumps(change(fields)).encode(), PASSPHRASE)


def test_every_cut_is_named() -> None:
    """A file that lost its end is cut off; one that lost nearly all is no export any more."""
    data = made()
    for size_bytes in range(len(data)):
        with pytest.raises(ConfigError, match=r"^the export is cut off or damaged|^this is no export of accounts"):
            opened(data[:size_bytes], PASSPHRASE)
    with pytest.raises(ConfigError, match=r"^the export is cut off or damaged\n"):
        opened(data[:200], PASSPHRASE)


@pytest.mark.parametrize(
    "data", [b"", b"\xff\x00", b"{}", b"[]", b'{"version": 2, "accounts": []}', b"a=b", made(polychat="talks")]
)
def test_what_is_no_export_is_named(data: bytes) -> None:
    """A vault, another JSON, no JSON: the hint says what makes one."""
    with pytest.raises(ConfigError, match=r"^this is no export of accounts") as caught:
        opened(data, PASSPHRASE)
    assert caught.value.hint == "polychat accounts export -O FILE makes one"


def test_a_newer_version_is_named_whatever_else_is_in_it() -> None:
    """Its form is not guessed at."""
    with pytest.raises(ConfigError, match=r"^the export is of version 2; this polychat knows versions up to 1"):
        opened(b'{"polychat": "accounts", "version": 2, "of": "the future"}', PASSPHRASE)


@pytest.mark.parametrize(
    "cost", [{"n": 2**30}, {"n": 1000}, {"r": 0}, {"p": 99}, {"n": "many"}, {"salt": "AAAA"}, {"name": "md5"}]
)
def test_the_cost_is_bounded_before_it_is_paid(cost: dict[str, Any]) -> None:
    """A file cannot make its reader spend memory or time, nor choose a weak derivation."""
    kdf = json.loads(made())["kdf"] | cost
    with pytest.raises(ConfigError, match=r"^the export is cut off or damaged: "):
        opened(made(kdf=kdf), PASSPHRASE)


@pytest.mark.parametrize("empty", ["", " \n"])
def test_an_empty_passphrase_is_none(empty: str) -> None:
    """Neither to seal with nor to open with."""
    with pytest.raises(BadOption, match=r"^the passphrase is empty"):
        sealed(ACCOUNTS, Secret(empty))
    with pytest.raises(BadOption, match=r"^the passphrase is empty"):
        opened(made(), Secret(empty))
