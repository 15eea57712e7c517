"""Keys from texts, and seals that open for one key and one account only."""

from __future__ import annotations

import base64
import copy
import hashlib
import hmac
import pickle
import secrets
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polychat.credentials import Secret
from polychat.vault.private import Hidden
from polychat.vault.seal import (
    Hkdf,
    Key,
    Keyhole,
    Scrypt,
    Sealed,
    about_account,
    keyhole,
    new_id,
    new_text,
)

RAW = bytes(range(32))
SALT = b"0123456789abcdef"
N = 2**10
ABOUT = about_account("work", "reka", "cookies")


def hole(text: str) -> tuple[Keyhole, Key]:
    return keyhole(Secret(text), "passphrase", vault_id=new_id(), scrypt_n=N)


def flipped(data: bytes, at: int, bit: int) -> bytes:
    changed = bytearray(data)
    changed[at % len(data)] ^= 1 << bit
    return bytes(changed)


# ---------------------------------------------------------------- texts


@pytest.mark.parametrize(
    "text",
    [
        RAW.hex(),
        RAW.hex().upper(),
        base64.b64encode(RAW).decode(),
        base64.urlsafe_b64encode(b"\xff" * 32).decode(),
        f"\n {base64.b64encode(RAW).decode()}\n",
    ],
)
def test_32_bytes_are_a_key_already(text: str) -> None:
    """In hex or padded base64, of either alphabet."""
    assert isinstance(hole(text)[0].kdf, Hkdf)


@pytest.mark.parametrize(
    "text",
    ["correct horse", "x" * 43, RAW.hex()[:-1], RAW.hex()[:-1] + "g", f"{RAW.hex()[:31]} {RAW.hex()[:32]}", "é" * 64],
)
def test_anything_else_is_a_passphrase(text: str) -> None:
    """Also what nearly spells a key: 43 letters without padding may be words."""
    assert isinstance(hole(text)[0].kdf, Scrypt)


def test_the_same_bytes_are_the_same_key() -> None:
    """However they are spelled."""
    lock, _ = hole(RAW.hex())

    assert lock.key(Secret(base64.b64encode(RAW).decode())) is not None


def test_a_passphrase_is_the_same_from_every_keyboard() -> None:
    """Composed or not, and with blanks and line ends around it."""
    lock, _ = hole("caf\u00e9 olé")

    assert lock.key(Secret(" cafe\u0301 olé\r\n")) is not None


@pytest.mark.parametrize("right", ["correct horse", RAW.hex()])
@pytest.mark.parametrize("wrong", ["correct horse ", "Correct horse", "", "00" * 32])
def test_another_text_is_told_at_once(right: str, wrong: str) -> None:
    """Before any account is tried; blanks at the ends are no part of it."""
    lock, _ = hole(right)

    assert (lock.key(Secret(wrong)) is not None) == (wrong.strip() == right)


def test_the_keys_are_those_of_the_standards() -> None:
    """RFC 5869 and RFC 7914, as the standard library computes them."""
    prk = hmac.digest(SALT, RAW, "sha256")
    expected = hmac.digest(prk, b"polychat vault\x01", "sha256")
    key = Hkdf(salt=SALT).key(Secret(RAW.hex()))
    assert key is not None
    assert expected == key.reveal()
    expected = hashlib.scrypt(b"correct horse", salt=SALT, n=N, r=8, p=1, dklen=32)
    assert expected == Scrypt(salt=SALT, n=N).key(Secret("correct horse")).reveal()


def test_no_two_vaults_have_one_key() -> None:
    """The salt is random, so the same text makes another key."""
    assert hole("correct horse")[1].reveal() != hole("correct horse")[1].reveal()
    assert len({new_text().reveal() for _ in range(20)} | {new_id() for _ in range(20)}) == 40


# ---------------------------------------------------------------- a header that was tampered with


@pytest.mark.parametrize(
    "change",
    [{"n": 2**40}, {"n": 2**17, "r": 1024}, {"n": 3}, {"n": 0}, {"n": -2}, {"r": 0}, {"r": -8}, {"p": 0}, {"p": 2**30}],
)
def test_the_cost_is_bounded_when_it_is_read(change: dict[str, int]) -> None:
    """A changed header must not eat memory or time."""
    written = {"name": "scrypt", "salt": base64.b64encode(SALT).decode(), "n": N, "r": 8, "p": 1} | change
    with pytest.raises(msgspec.ValidationError, match="the cost of scrypt is out of bounds"):
        msgspec.json.decode(msgspec.json.encode(written), type=Scrypt)


@pytest.mark.parametrize(
    "change",
    [
        {"id": "../../etc/passwd"},
        {"id": "0" * 31},
        {"source": "elsewhere"},
        {"kdf": {"name": "md5", "salt": "MDEyMzQ1Njc4OWFiY2RlZg=="}},
        {"kdf": {"name": "hkdf-sha256", "salt": ""}},
        {"check": {"nonce": "AAAA", "sealed": "MDEyMzQ1Njc4OWFiY2RlZg=="}},
        {"check": {"nonce": "MDEyMzQ1Njc4OWFi", "sealed": "AAAA"}},
    ],
)
def test_a_header_is_what_it_should_be_or_nothing(change: dict[str, Any]) -> None:
    """An id names no other file, and nothing is shorter than it can be."""
    written = msgspec.to_builtins(hole(RAW.hex())[0])
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(msgspec.json.encode(written | change), type=Keyhole)


def test_a_header_of_another_vault_does_not_fit() -> None:
    """The check is bound to the vault's id."""
    lock, key = hole(RAW.hex())

    assert lock.fits(key)
    assert not msgspec.structs.replace(lock, id=new_id()).fits(key)


# ---------------------------------------------------------------- seals


@given(st.binary(max_size=500))
def test_what_is_sealed_comes_back(plain: bytes) -> None:
    """Byte for byte, and each time sealed anew."""
    key = Key(RAW)
    one, two = (key.seal(Hidden(plain), ABOUT) for _ in range(2))

    assert plain == key.open(one, ABOUT) == key.open(two, ABOUT)
    assert one.nonce != two.nonce
    assert one.sealed != two.sealed


@given(st.integers(min_value=0), st.integers(0, 7), st.sampled_from(["nonce", "sealed", "about", "key"]))
def test_any_flipped_bit_closes_it(at: int, bit: int, part: str) -> None:
    """Of the nonce, the sealed bytes, what they are about, or the key."""
    seal = Key(RAW).seal(Hidden(b"canary"), ABOUT)
    nonce, sealed, about, raw = (
        flipped(data, at, bit) if name == part else data
        for name, data in {"nonce": seal.nonce, "sealed": seal.sealed, "about": ABOUT, "key": RAW}.items()
    )

    assert Key(raw).open(Sealed(nonce=nonce, sealed=sealed), about) is None


@given(st.integers(16, 21))
def test_what_is_cut_off_stays_closed(length: int) -> None:
    """Wherever it is cut."""
    seal = Key(RAW).seal(Hidden(b"canary"), ABOUT)

    assert Key(RAW).open(Sealed(nonce=seal.nonce, sealed=seal.sealed[:length]), ABOUT) is None


CUTS = st.tuples(st.integers(0, 8), st.integers(0, 8)).map(sorted)


@given(st.text(alphabet='ab",[]\\é', max_size=8), CUTS, CUTS)
def test_no_two_accounts_are_about_the_same(text: str, first: list[int], second: list[int]) -> None:
    """However the same letters are cut into name, provider and kind."""
    one, two = ((text[:a], text[a:b], text[b:]) for a, b in (first, second))

    assert (about_account(*one) == about_account(*two)) == (one == two)


def test_a_key_shows_itself_to_nobody() -> None:
    """No repr, pickle or copy."""
    key = Key(raw := secrets.token_bytes(32))

    assert repr(key) == "Key(********)"
    assert repr(key.reveal()) == "<32 hidden bytes>"
    assert bytes(raw) == key.reveal()
    for act in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            act(key)
