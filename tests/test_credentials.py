"""credentials.py: a secret shows itself to nobody."""

from __future__ import annotations

import base64
import copy
import json
import logging
import pickle
import traceback

import msgspec
import pytest

from polychat.credentials import Account, ApiKey, BearerToken, Secret, SessionCookies, token_expiry

CANARY = "sandbox-canary-5f3a"
HOLDERS = [
    Secret(CANARY),
    ApiKey(key=Secret(CANARY)),
    BearerToken(token=Secret(CANARY)),
    SessionCookies(cookies={"appSession": Secret(CANARY)}, headers={"x-a": Secret(CANARY)}),
    Account(name="me", provider="reka", credential=ApiKey(key=Secret(CANARY))),
]


@pytest.mark.parametrize("holder", HOLDERS, ids=lambda holder: type(holder).__name__)
def test_no_way_of_showing_a_holder_shows_the_secret(holder: object) -> None:
    """repr, str, format, % and a log line all stay silent."""
    record = logging.LogRecord("x", logging.DEBUG, "f", 1, "%s %r", (holder, holder), None)
    shown = [repr(holder), str(holder), f"{holder}", f"{holder!r:>80}", "%s" % holder, record.getMessage()]  # noqa: UP031
    assert [text for text in shown if CANARY in text] == []


@pytest.mark.parametrize("holder", HOLDERS, ids=lambda holder: type(holder).__name__)
def test_a_holder_is_neither_pickled_nor_encoded(holder: object) -> None:
    """No serializer gets it by accident."""
    for refuse in (pickle.dumps, msgspec.json.encode, msgspec.msgpack.encode, json.dumps, copy.deepcopy):
        with pytest.raises(TypeError):
            refuse(holder)  # type: ignore[operator]


def test_a_traceback_with_locals_does_not_show_it() -> None:
    """Crash reporters print the locals of every frame."""
    secret = Secret(CANARY)
    try:
        raise ValueError(secret)
    except ValueError as error:
        report = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    assert "Secret(" in report
    assert CANARY not in report


def test_it_is_still_there_for_who_asks_by_name() -> None:
    """`reveal` gives the value, and equal values are equal."""
    assert Secret(CANARY).reveal() == CANARY
    assert Secret(CANARY) == Secret(CANARY)
    assert Secret(CANARY) != Secret("other")
    assert not Secret("")


def _jwt(claims: object) -> str:
    part = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"eyJhbGciOiJub25lIn0.{part}.sig"


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        (_jwt({"exp": 1_800_000_000, "sub": "ÿþ?>"}), 1_800_000_000.0),  # needs the url-safe alphabet
        (_jwt({"exp": 1_800_000_000.5}), 1_800_000_000.5),
        (_jwt({"sub": "me"}), None),
        (_jwt({"exp": "tomorrow"}), None),
        (_jwt([1]), None),
        ("a.b", None),
        ("a.b.c", None),
        ("a.!!!.c", None),
        ("sandbox-alice", None),
        ("", None),
    ],
)
def test_only_a_three_part_token_tells_when_it_ends(token: str, expected: float | None) -> None:
    """Anything else is opaque, never an error."""
    assert token_expiry(Secret(token)) == expected
