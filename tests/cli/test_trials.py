"""What came of a sign-in, in words, facts and exit codes."""

from __future__ import annotations

import pytest

from polychat.cli.trials import Trial, exit_code
from polychat.engine.engine import Tried
from polychat.errors import (
    AuthExpired,
    ChallengeRequired,
    ConfigError,
    ConnectFailed,
    PolychatError,
    QuotaSpent,
    RateLimited,
    Unavailable,
)
from polychat.vault.base import Entry

ENTRY = Entry(name="work", provider="reka", kind="cookies", created_at=None, source="file")
LOGIN = "polychat login reka --name work --browser"


def failed(error: PolychatError) -> Trial:
    """A trial that ended so."""
    return Trial(ENTRY, None, error)


@pytest.mark.parametrize(
    ("error", "mend"),
    [
        (AuthExpired("it has ended", hint="polychat login reka"), LOGIN),
        (
            ChallengeRequired("it wants a person"),
            f"pass the check in your browser at https://space.reka.ai/chat, then: {LOGIN}",
        ),
        (RateLimited("too often", hint="try again in 90 s"), "try again in 90 s"),
        (Unavailable("it is down"), "wait a little and ask again, or ask another service"),
        (ConnectFailed("there is nobody"), "try again later"),
    ],
)
def test_every_failure_has_a_mend(error: PolychatError, mend: str) -> None:
    """A new sign-in goes by the same name; otherwise it is the error's own."""
    trial = failed(error)
    assert trial.finding == ("broken", f"work (reka): {error.message}", mend, "account", "")
    assert (trial.facts["ok"], trial.facts["error"]["code"], trial.facts["mend"]) == (False, error.code, mend)


@pytest.mark.parametrize(
    ("tried", "level", "said"),
    [
        (Tried(asked=True, who="alice", expires_at=None), "good", "signed in as alice"),
        (Tried(asked=True, who=None, expires_at=0.0), "good", "the service accepts it, its access token expired"),
        (Tried(asked=False, who=None, expires_at=None), "notice", "the service first sees it with a question"),
    ],
)
def test_what_was_accepted(tried: Tried, level: str, said: str) -> None:
    """Who it is, where the service tells; one that nobody was asked about is not called good."""
    found = Trial(ENTRY, tried, None).finding
    assert (found.level, found.said.startswith(f"work (reka): {said}")) == (level, True)


@pytest.mark.parametrize(
    ("errors", "code"),
    [
        ([], 0),
        ([Unavailable("")], 1),
        ([ConnectFailed(""), Unavailable("")], 7),
        ([ConnectFailed(""), QuotaSpent("")], 5),
        ([RateLimited(""), AuthExpired("")], 4),
        ([ChallengeRequired(""), ConfigError("")], 3),
    ],
)
def test_the_gravest_failure_is_the_exit_code(errors: list[PolychatError], code: int) -> None:
    """Whatever else there was, and in whatever order."""
    good = Trial(ENTRY, Tried(asked=True, who=None, expires_at=None), None)
    trials = [good, *map(failed, errors)]
    assert (exit_code(trials), exit_code(trials[::-1])) == (code, code)
