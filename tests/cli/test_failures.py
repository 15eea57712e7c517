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


@pytest.mark.parametrize(
    ("kind", "sentence", "told"),
    [
        (errors.RateLimited, "reka says: too many", "account work: reka says: too many"),
        (errors.QuotaSpent, "reka says: no more working", "account work: reka says: no more working"),
        (errors.QuotaSpent, "the reka account 'work' has spent its quota", None),
        (errors.AuthExpired, "given@work has ended", "account work: given@work has ended"),
        (errors.Unavailable, "reka is in trouble", None),
    ],
)
def test_the_account_in_trouble_is_named_once(
    capsys: pytest.CaptureFixture[str], kind: type[errors.PolychatError], sentence: str, told: str | None
) -> None:
    """With several of a service, a person sees which one it is; the trouble of a service is nobody's."""
    failures.failed(kind(sentence, provider="reka", account="work"), as_json=False)
    assert capsys.readouterr().err.splitlines()[0] == f"error: {told or sentence}"


def tried() -> errors.PolychatError:
    """An error after two others."""
    error = errors.ConnectFailed("no connection to reka")
    error.attempts = (
        errors.Attempt("openai", "gpt-5", "work", "rate_limited", "too many", 0.31),
        errors.Attempt("openai", "gpt-5", "home", "auth_expired", "no", 12.0),
    )
    return error


def test_who_was_asked_before_stands_before_the_error(capsys: pytest.CaptureFixture[str]) -> None:
    """A line each, in the order they were asked."""
    failures.failed(tried(), as_json=False)
    out, err = capsys.readouterr()
    assert (out, err.splitlines()) == (
        "",
        [
            "tried openai/gpt-5 (work): rate_limited, 0.3 s",
            "tried openai/gpt-5 (home): auth_expired, 12.0 s",
            "error: no connection to reka",
        ],
    )


def test_who_was_asked_before_is_a_list_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    """With everything known of each; the sentence stays as it was raised."""
    failures.failed(tried(), as_json=True)
    (line,) = capsys.readouterr().err.splitlines()
    told = json.loads(line)["error"]
    assert (told["message"], len(told["attempts"])) == ("no connection to reka", 2)
    assert told["attempts"][0] == {
        "provider": "openai", "model": "gpt-5", "account": "work", "code": "rate_limited", "message": "too many",
        "seconds": 0.31,
    }  # fmt: skip


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
