"""An HTTP answer that is not a success, as the error of the tree it is.

Status first; the body is only quoted, so that the person reads the service's own words. A provider that knows its
service's error codes refines this by raising from what it is given.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from polychat.errors import (
    AuthExpired,
    BadRequest,
    ChallengeRequired,
    ContextTooLong,
    FormatChanged,
    Overloaded,
    PolychatError,
    QuotaSpent,
    RateLimited,
    Unavailable,
)
from polychat.net.retry import retry_after_s

_CLASSES: dict[int, type[PolychatError]] = {
    401: AuthExpired,
    402: QuotaSpent,
    403: ChallengeRequired,
    408: Unavailable,
    413: ContextTooLong,
    425: Unavailable,
    429: RateLimited,
    529: Overloaded,
}
_SAYINGS: dict[type[PolychatError], str] = {
    AuthExpired: "does not accept this sign-in",
    QuotaSpent: "says that this account's allowance is used up",
    ChallengeRequired: "refuses this session and may want proof that a person is there",
    ContextTooLong: "says that the request is too large",
    RateLimited: "says that these are too many requests",
    Overloaded: "is overloaded",
    Unavailable: "is in trouble",
    BadRequest: "calls the request malformed",
    FormatChanged: "answered in a way we do not know",
}
_QUOTED_CHARACTERS = 200


def error_for(status: int, headers: Mapping[str, str], body: bytes, *, provider: str, now: float) -> PolychatError:
    """The error that an answer with `status` means; `body` may be cut."""
    wait_s = retry_after_s(headers, now)
    return class_for(status)(
        _sentence(provider, status, wait_s, body),
        hint=None if wait_s is None else f"try again in {wait_s:.0f} s",
        provider=provider,
        upstream_status=status,
        request_id=headers.get("x-request-id") or headers.get("request-id"),
        retry_after_s=wait_s,
    )


def class_for(status: int) -> type[PolychatError]:
    """The class of an unsuccessful status."""
    if status in _CLASSES:
        return _CLASSES[status]
    if status >= 500:
        return Unavailable
    return BadRequest if status >= 400 else FormatChanged


def _sentence(provider: str, status: int, wait_s: float | None, body: bytes) -> str:
    saying = _SAYINGS[class_for(status)]
    wait = "" if wait_s is None else f", to be repeated after {wait_s:.0f} s"
    quoted = quote(body).rstrip(".")
    return f"{provider} {saying} (HTTP {status}{wait})" + (f": {quoted}" if quoted else "")


def looks_like_html(body: bytes) -> bool:
    """True for a web page where data was expected."""
    head = body.lstrip()[:64].lower()
    return head.startswith((b"<!doctype", b"<html", b"<head", b"<body", b"<?xml"))


def quote(body: bytes) -> str:
    """The service's own words from an error body, on one line, at most 200 characters."""
    if looks_like_html(body):
        return "a web page" + _title(body)
    try:
        text = _message(msgspec.json.decode(body))
    except (msgspec.DecodeError, UnicodeDecodeError):
        text = body.decode("utf-8", "replace")
    return " ".join(text.split())[:_QUOTED_CHARACTERS]


def _title(body: bytes) -> str:
    found = re.search(rb"<title[^>]*>([^<]{1,80})", body, re.IGNORECASE)
    return f" “{found.group(1).decode('utf-8', 'replace').strip()}”" if found else ""


def _message(document: Any) -> str:
    """The words inside the usual envelopes: {"error": {"message"}}, {"detail": text or [{"loc", "msg"}]}."""
    match document:
        case str():
            return document
        case {"error": inner} | {"detail": inner} | {"message": inner}:
            return _message(inner)
        case [{"msg": str(msg), "loc": [*loc]}, *_]:
            return f"{'.'.join(map(str, loc))}: {msg}"
    return msgspec.json.encode(document).decode()
