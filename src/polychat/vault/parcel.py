"""Accounts on their way to another machine: one file, sealed with a passphrase of its own.

    {"polychat": "accounts", "version": 1,
     "kdf": {"name": "scrypt", "salt": "...", "n": 131072, "r": 8, "p": 1},
     "nonce": "...", "sealed": "..."}

One seal covers all accounts and what stands before them, so that nothing is changed, added or left out unnoticed. A
file that was tampered with looks the same as one that the passphrase does not fit.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import TypeVar

import msgspec

from polychat.credentials import Account, Secret
from polychat.errors import BadOption, ConfigError
from polychat.vault.private import Hidden
from polychat.vault.seal import SCRYPT_N, Nonce, Scrypt, Sealed, SealedBytes, conceal, reveal

VERSION = 1

_T = TypeVar("_T")
_KIND = "accounts"
_BEGINNING = b'{"polychat"'
_AGAIN = "make the export again: polychat accounts export -O FILE"


class _Mark(msgspec.Struct):
    polychat: str
    version: int


class _Parcel(msgspec.Struct, kw_only=True):
    polychat: str = _KIND
    version: int = VERSION
    kdf: Scrypt
    nonce: Nonce
    sealed: SealedBytes


def sealed(accounts: Iterable[Account], passphrase: Secret, *, scrypt_n: int = SCRYPT_N) -> bytes:
    """The file's bytes. Raises: `BadOption` for an empty passphrase."""
    _refuse_empty(passphrase)
    kdf = Scrypt(salt=secrets.token_bytes(16), n=scrypt_n)
    plain = Hidden(msgspec.json.encode(tuple(accounts), enc_hook=reveal))
    seal = kdf.key(passphrase).seal(plain, _about(VERSION, kdf))
    return msgspec.json.encode(_Parcel(kdf=kdf, nonce=seal.nonce, sealed=seal.sealed)) + b"\n"


def opened(data: bytes, passphrase: Secret) -> tuple[Account, ...]:
    """The accounts in `data`.

    Raises: `ConfigError` for what is no export, cut off, of a newer version, tampered with, or has another passphrase.
    """
    _refuse_empty(passphrase)
    _refuse_foreign(data)
    parcel = _decoded(data, _Parcel)
    seal = Sealed(nonce=parcel.nonce, sealed=parcel.sealed)
    plain = parcel.kdf.key(passphrase).open(seal, _about(parcel.version, parcel.kdf))
    if plain is None:
        raise ConfigError("the passphrase is not the one of this export, or the export was changed", hint="try again")
    return _decoded(plain, tuple[Account, ...])


def _refuse_empty(passphrase: Secret) -> None:
    if not passphrase.reveal().strip():
        raise BadOption("the passphrase is empty", field="passphrase")


def _refuse_foreign(data: bytes) -> None:
    try:
        mark = msgspec.json.decode(data, type=_Mark)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        if data.startswith(_BEGINNING):
            raise ConfigError("the export is cut off or damaged", hint=_AGAIN) from error
        mark = _Mark(polychat="", version=0)
    if mark.polychat != _KIND:
        raise ConfigError("this is no export of accounts", hint="polychat accounts export -O FILE makes one")
    if mark.version > VERSION:
        raise ConfigError(
            f"the export is of version {mark.version}; this polychat knows versions up to {VERSION}",
            hint="update polychat",
        )


def _decoded(data: bytes, shape: type[_T]) -> _T:
    try:
        return msgspec.json.decode(data, type=shape, dec_hook=conceal)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"the export is cut off or damaged: {error}", hint=_AGAIN) from error


def _about(version: int, kdf: Scrypt) -> bytes:
    return msgspec.json.encode([_KIND, version, kdf])
