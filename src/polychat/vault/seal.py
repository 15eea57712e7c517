"""How a vault is sealed: AES-256-GCM under a key that is made from a text.

A text that is 32 bytes in hex or padded base64 is a key already and goes through HKDF-SHA256; any other is a passphrase
and goes through scrypt, whose cost stands in the vault and is bounded when read. Every seal has a random nonce of its
own and covers what it belongs to, so that nothing is changed, swapped or moved unnoticed; 2**32 seals under one key
would be too many for random nonces, a vault makes thousands at most.
"""

from __future__ import annotations

import base64
import secrets
import unicodedata
from typing import Annotated, Any, Literal, NoReturn

import msgspec

from polychat.credentials import Secret
from polychat.vault.private import Hidden

VERSION = 2  # of the vault's file; part of everything that is sealed
SCRYPT_N = 2**17  # with r = 8 and p = 1: 128 MiB and about a quarter of a second

Source = Literal["key_file", "environment", "systemd", "docker", "keyring", "passphrase", "local"]

_SIZE_BYTES = 32
_HEX_LENGTH = 64
_SCRYPT_LARGEST_BYTES = 256 * 2**20
_SCRYPT_LARGEST_P = 4
_PURPOSE = b"polychat vault"
_URL_SAFE = str.maketrans("-_", "+/")

Salt = Annotated[bytes, msgspec.Meta(min_length=16, max_length=64)]
Nonce = Annotated[bytes, msgspec.Meta(min_length=12, max_length=12)]
SealedBytes = Annotated[bytes, msgspec.Meta(min_length=16)]  # the last 16 are the tag
Id = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}\Z")]


class Sealed(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes that only the key opens."""

    nonce: Nonce
    sealed: SealedBytes


class Key:
    """A key that refuses to be shown, pickled or copied."""

    __slots__ = ("__cipher", "__value")

    def __init__(self, value: bytes) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self.__value = Hidden(value)
        self.__cipher = AESGCM(value)

    def seal(self, plain: Hidden, about: bytes) -> Sealed:
        """`plain` as only this key opens it, and only together with `about`."""
        nonce = secrets.token_bytes(12)
        return Sealed(nonce=nonce, sealed=self.__cipher.encrypt(nonce, plain, about))

    def open(self, sealed: Sealed, about: bytes) -> Hidden | None:
        """What was sealed; None when it, its nonce or `about` is not what it was, or the key is another."""
        from cryptography.exceptions import InvalidTag

        try:
            return Hidden(self.__cipher.decrypt(sealed.nonce, sealed.sealed, about))
        except InvalidTag:
            return None

    def reveal(self) -> Hidden:
        """The key itself, for the file of an unlocked vault and nothing else."""
        return self.__value

    def __repr__(self) -> str:
        return "Key(********)"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a vault's key is not pickled or copied")


class Hkdf(msgspec.Struct, frozen=True, kw_only=True, tag="hkdf-sha256", tag_field="name"):
    """From a text that is a key already."""

    salt: Salt

    def key(self, text: Secret) -> Key | None:
        """The key made of `text`; None when that is no key."""
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        raw = _raw(text)
        return Key(HKDF(SHA256(), _SIZE_BYTES, self.salt, _PURPOSE).derive(raw)) if raw else None


class Scrypt(msgspec.Struct, frozen=True, kw_only=True, tag="scrypt", tag_field="name"):
    """From a passphrase, at a cost."""

    salt: Salt
    n: int
    r: int = 8
    p: int = 1

    def __post_init__(self) -> None:
        bounded = self.r > 0 and 0 < self.p <= _SCRYPT_LARGEST_P and 128 * self.n * self.r <= _SCRYPT_LARGEST_BYTES
        if not bounded or self.n < 2 or self.n & (self.n - 1):
            raise ValueError("the cost of scrypt is out of bounds")

    def key(self, text: Secret) -> Key:
        """The key made of `text`."""
        from cryptography.hazmat.primitives.kdf.scrypt import Scrypt as Derivation

        return Key(Derivation(self.salt, _SIZE_BYTES, self.n, self.r, self.p).derive(_typed(text)))


class Keyhole(msgspec.Struct, frozen=True, kw_only=True):
    """What a vault says about its key: enough to tell whether one fits, and nothing of the key."""

    id: Id  # of the vault under this key; another after `rekey`
    source: Source  # where the key was made to live
    kdf: Hkdf | Scrypt
    check: Sealed  # of nothing; it opens for the right key only

    def key(self, text: Secret) -> Key | None:
        """The key that `text` makes; None when it is not the one of this vault."""
        key = self.kdf.key(text)
        return key if key and self.fits(key) else None

    def fits(self, key: Key) -> bool:
        """True for the key of this vault."""
        return key.open(self.check, _about("check", self.id)) is not None


def keyhole(text: Secret, source: Source, *, vault_id: str, scrypt_n: int = SCRYPT_N) -> tuple[Keyhole, Key]:
    """A new vault's keyhole for `text`, and the key."""
    salt = secrets.token_bytes(16)
    kdf = Hkdf(salt=salt) if _raw(text) else Scrypt(salt=salt, n=scrypt_n)
    key = kdf.key(text)
    if key is None:
        raise ValueError("a text that is no key has scrypt")
    return Keyhole(id=vault_id, source=source, kdf=kdf, check=key.seal(Hidden(), _about("check", vault_id))), key


def new_id() -> str:
    """A new vault's."""
    return secrets.token_hex(16)


def new_text() -> Secret:
    """A new key as text: 32 random bytes in base64."""
    return Secret(base64.b64encode(secrets.token_bytes(_SIZE_BYTES)).decode())


def reveal(value: Any) -> str:
    """For msgspec's `enc_hook`: a secret as the text it is, on its way into a seal."""
    if isinstance(value, Secret):
        return str(value.reveal())
    raise TypeError(f"a vault holds no {type(value).__name__}")


def conceal(kind: type, value: Any) -> Any:
    """For msgspec's `dec_hook`: such a text as a secret again."""
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    raise ValueError(f"Expected text for a {kind.__name__}")


def about_account(name: str, provider: str, kind: str) -> bytes:
    """What is sealed with an account's credential, so that it opens nowhere else."""
    return _about("account", name, provider, kind)


def _about(*words: str) -> bytes:
    """The words so that no other words look the same: a JSON array."""
    return msgspec.json.encode([VERSION, *words])


def _raw(text: Secret) -> Hidden | None:
    """The 32 bytes that `text` spells, or None.

    Base64 without padding counts as a passphrase: 43 letters may be words.
    """
    spelled = text.reveal().strip()
    try:
        if len(spelled) == _HEX_LENGTH:
            decoded = bytes.fromhex(spelled)
        else:
            decoded = base64.b64decode(spelled.translate(_URL_SAFE), validate=True)
    except ValueError:
        return None
    return Hidden(decoded) if len(decoded) == _SIZE_BYTES else None


def _typed(text: Secret) -> Hidden:
    """The bytes of a passphrase, the same from every keyboard: marks composed with their letters (NFC)."""
    return Hidden(unicodedata.normalize("NFC", text.reveal().strip()).encode(errors="surrogateescape"))
