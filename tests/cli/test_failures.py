"""Errors as words and exit codes."""

from __future__ import annotations

import json

import pytest

from polychat import errors
from polychat.cli import failures
from polychat.types import Reply

CODES = {
    errors.BadOption: 2, errors.UnknownModel: 2, errors.UnsupportedFeature: 2, errors.ConfigError: 3,
    errors.NoAccount: 4, errors.AuthExpired: 4, errors.ChallengeRequired: 4, errors.QuotaSpent: 5,
    errors.RateLimited: 5, errors.Refused: 6, errors.ConnectFailed: 7, errors.IdleTimeout: 7, errors.Interrupted: 7,
    errors.BadRequest: 1, errors.ContextTooLong: 1, errors.ConversationNotFound: 1, errors.FormatChanged: 1,
    errors.Unavailable: 1, errors.Overloaded: 1,
}  # fmt: skip


@pytest.mark.parametrize(("kind", "code"), CODES.items(), ids=lambda value: getattr(value, "__name__", value))
def test_each_error_has_its_exit_code(kind: type[errors.PolychatError], code: int) -> None:
    """A script can tell errors apart by what to do next."""
    assert failures.exit_code(kind("x")) == code


def test_an_error_is_a_sentence_and_a_hint(capsys: pytest.CaptureFixture[str]) -> None:
    """A person reads two lines on stderr, and nothing on stdout."""
    code = failures.failed(errors.AuthExpired("the session has ended", provider="reka"), as_json=False)
    assert (code, *capsys.readouterr()) == (
        4,
        "",
        "error: the session has ended\nhint: sign in again: polychat login reka\n",
    )


def test_an_error_as_json_keeps_what_had_come(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing of a broken answer is lost, although stdout stays data."""
    error = errors.Interrupted("cut", provider="reka", account="me", retry_after_s=3.0, partial=Reply(text="Hel"))
    failures.failed(error, as_json=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert json.loads(err) == {
        "error": {
            "code": "interrupted", "message": "cut", "hint": None, "provider": "reka", "account": "me",
            "retry_after_s": 3.0, "partial": "Hel",
        }
    }  # fmt: skip


def test_a_mistake_of_our_own_shows_its_place_and_no_value(capsys: pytest.CaptureFixture[str]) -> None:
    """What went wrong inside may have a secret in its message."""
    try:
        raise ValueError("sk-secret")
    except ValueError as error:
        failures.broken(ValueError, error, error.__traceback__)
    out, err = capsys.readouterr()
    assert (out, "sk-secret" in err, "Traceback" in err) == ("", False, False)
    assert err.startswith("error: something inside polychat went wrong (ValueError at test_failures.py:")
