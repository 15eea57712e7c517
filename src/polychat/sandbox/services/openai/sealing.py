"""Reasoning that leaves the service sealed, and comes back as it was.

A seal names the account and the item it was made for and a digest of the thought, and proves all three: whoever has no
key to it can neither make one nor move it to another item or account. It begins as the real ones do, with `gAAAA`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

from polychat.sandbox.services.openai.refusals import Refusal

_KEY = b"the sandbox's own, and no secret: nothing is behind it"
_HEAD = b"\x80\0\0\0\0"
_DIGEST = 16  # bytes of each
_SHOWN = 4  # characters of a seal in a message, at each end


def seal(account: str, item: str, thought: str) -> str:
    """The thought of `item`, for `account` alone."""
    named = b"".join(_digest(text) for text in (account, item, thought))
    return base64.urlsafe_b64encode(_HEAD + named + _proof(named)).decode()


def judge(account: str, item: str | None, sealed: str) -> None:
    """Raises: Refusal for what `seal` did not make for this account, and for this item where it is named."""
    named = _opened(sealed)
    if named is None:
        raise _refusal(sealed, "it cannot be decrypted or parsed")
    if named[:_DIGEST] != _digest(account):
        raise _refusal(sealed, "it was made for another organization")
    if item is not None and named[_DIGEST : 2 * _DIGEST] != _digest(item):
        raise _refusal(sealed, f"it was not made for the item '{item}'")


def _opened(sealed: str) -> bytes | None:
    """What the seal names, if it is one."""
    try:
        data = base64.b64decode(sealed, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    named, proof = data[len(_HEAD) : -_DIGEST], data[-_DIGEST:]
    sound = data.startswith(_HEAD) and len(named) == 3 * _DIGEST and hmac.compare_digest(proof, _proof(named))
    return named if sound else None


def _refusal(sealed: str, reason: str) -> Refusal:
    shown = f"{sealed[:_SHOWN]}...{sealed[-_SHOWN:]}"
    return Refusal(f"The encrypted content {shown} cannot be verified: {reason}.", code="invalid_encrypted_content")


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()[:_DIGEST]


def _proof(named: bytes) -> bytes:
    return hmac.new(_KEY, named, hashlib.sha256).digest()[:_DIGEST]
