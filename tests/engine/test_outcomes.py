"""engine/outcomes.py: the circuit of a service, and the figures of the last hour."""

from __future__ import annotations

from typing import Any

import pytest

from polychat.engine.outcomes import FAILURES, Outcome, Outcomes, ails
from polychat.errors import (
    AuthExpired,
    BadOption,
    BadRequest,
    ConnectFailed,
    FormatChanged,
    IdleTimeout,
    Interrupted,
    Overloaded,
    PolychatError,
    RateLimited,
    Unavailable,
)

DOWN = Unavailable("it is down")


class Watched(Outcomes):
    """Outcomes whose clock is moved by hand."""

    def __init__(self) -> None:
        self.at = 1_000_000.0
        super().__init__(lambda: self.at)

    def broke(self, times: int = 1, error: PolychatError = DOWN, provider: str = "openai") -> None:
        """Questions go out and break."""
        for _ in range(times):
            mark = self.begun(provider)
            self.failed(provider, "alice", error, mark)

    def wait_s(self, provider: str = "openai") -> float | None:
        """How long the service is left alone."""
        barred = self.barred(provider)
        return barred.retry_after_s if barred else None


@pytest.fixture
def seen() -> Watched:
    """Nothing yet."""
    return Watched()


# ---------------------------------------------------------------- the circuit


def test_a_service_that_fails_again_and_again_is_left_alone(seen: Watched) -> None:
    """After five failures in a row, and not before; other services are asked on."""
    seen.broke(FAILURES - 1)
    assert seen.wait_s() is None
    seen.broke()
    assert seen.wait_s() == 5.0
    assert seen.wait_s("anthropic") is None


def test_the_refusal_says_why_and_for_how_long(seen: Watched) -> None:
    """In one sentence, with the service's name."""
    seen.broke(FAILURES)
    refusal = seen.barred("openai")
    assert refusal is not None
    assert (refusal.message, refusal.provider) == (
        "openai failed 5 times in a row and is left alone for 5 s",
        "openai",
    )


def test_an_answer_between_begins_a_new_row(seen: Watched) -> None:
    """Only failures in a row count."""
    seen.broke(FAILURES - 1)
    seen.answered("openai", "alice")
    seen.broke(FAILURES - 1)
    assert seen.wait_s() is None


def test_failures_that_lie_far_apart_are_no_row(seen: Watched) -> None:
    """A minute without one begins a new row."""
    for _ in range(3 * FAILURES):
        seen.broke()
        seen.at += 60.1
    assert seen.wait_s() is None


@pytest.mark.parametrize(
    "error",
    [BadRequest("no"), RateLimited("later"), AuthExpired("who?")],
)
def test_a_service_that_declines_is_well(seen: Watched, error: PolychatError) -> None:
    """It spoke: the row ends."""
    seen.broke(FAILURES - 1)
    seen.broke(error=error)
    seen.broke(FAILURES - 1)
    assert seen.wait_s() is None


@pytest.mark.parametrize(
    "error", [BadOption("wrong"), IdleTimeout("busy", clock="pool"), IdleTimeout("", clock="total")]
)
def test_what_says_nothing_of_the_service_changes_nothing(seen: Watched, error: PolychatError) -> None:
    """The row goes on as if it had not been asked."""
    seen.broke(FAILURES - 1)
    seen.broke(error=error)
    assert seen.wait_s() is None
    seen.broke()
    assert seen.wait_s() == 5.0


def test_one_question_probes_and_its_answer_closes_the_circuit(seen: Watched) -> None:
    """After the wait one goes out; while it is out nobody else does."""
    seen.broke(FAILURES)
    seen.at += 5.0
    assert seen.wait_s() is None
    seen.begun("openai")
    assert seen.wait_s() == 5.0
    seen.answered("openai", "alice")
    assert seen.wait_s() is None
    seen.broke()
    assert seen.wait_s() is None


def test_each_failed_probe_doubles_the_wait_up_to_a_minute(seen: Watched) -> None:
    """5, 10, 20, 40, 60, 60 seconds."""
    seen.broke(FAILURES)
    waits = []
    for _ in range(6):
        waits.append(seen.wait_s())
        seen.at += waits[-1] or 0.0
        seen.broke()
    assert waits == [5.0, 10.0, 20.0, 40.0, 60.0, 60.0]


def test_questions_that_were_out_already_double_nothing(seen: Watched) -> None:
    """Twenty at once that break are one trouble, not fifteen failed probes."""
    for _ in range(20):
        seen.begun("openai")
    for _ in range(20):
        seen.failed("openai", "alice", DOWN)
    assert seen.wait_s() == 5.0


@pytest.mark.parametrize("error", [None, BadOption("wrong"), IdleTimeout("busy", clock="pool")])
def test_a_probe_that_says_nothing_lets_another_probe(seen: Watched, error: PolychatError | None) -> None:
    """Whether it was left, or never got to the service."""
    seen.broke(FAILURES)
    seen.at += 5.0
    mark = seen.begun("openai")
    if error is None:
        seen.left("openai", mark)
    else:
        seen.failed("openai", "alice", error, mark)
    assert seen.wait_s() is None


@pytest.mark.parametrize("error", [None, BadOption("wrong")])
def test_a_straggler_says_nothing_of_the_probe(seen: Watched, error: PolychatError | None) -> None:
    """It was out before the circuit opened; the probe goes on alone."""
    straggler = seen.begun("openai")
    seen.broke(FAILURES)
    seen.at += 5.0
    seen.begun("openai")
    if error is None:
        seen.left("openai", straggler)
    else:
        seen.failed("openai", "alice", error, straggler)
    assert seen.wait_s() == 5.0


def test_a_probe_without_an_outcome_is_taken_for_dead(seen: Watched) -> None:
    """After two minutes another may."""
    seen.broke(FAILURES)
    seen.at += 5.0
    seen.begun("openai")
    seen.at += 119.0
    assert seen.wait_s() == 5.0
    seen.at += 1.0
    assert seen.wait_s() is None


def test_leaving_a_service_that_is_well_changes_nothing(seen: Watched) -> None:
    """Nor does leaving one that nobody asked."""
    seen.left("openai", None)
    seen.broke(FAILURES - 1)
    seen.left("openai", None)
    seen.broke()
    assert seen.wait_s() == 5.0


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (Unavailable(""), True), (Overloaded(""), True), (FormatChanged(""), True), (ConnectFailed(""), True),
        (Interrupted(""), True), (IdleTimeout("", clock="connect"), True), (IdleTimeout("", clock="first_event"), True),
        (IdleTimeout("", clock="between_events"), True), (IdleTimeout("", clock="total"), False),
        (IdleTimeout("", clock="pool"), False), (RateLimited(""), False), (BadRequest(""), False),
        (BadOption(""), False),
    ],
    ids=lambda value: f"{value.code}-{value.clock}" if isinstance(value, IdleTimeout) else getattr(value, "code", None),
)  # fmt: skip
def test_what_counts_as_the_services_own_trouble(error: PolychatError, expected: bool) -> None:
    """Or that of the way to it; a wait of our own making does not."""
    assert ails(error) is expected


# ---------------------------------------------------------------- figures


def figures(seen: Outcomes, account: str = "alice") -> tuple[Any, ...]:
    """Asked, broken, first event."""
    return seen.asked_1h(account), seen.errors_1h(account), seen.first_event_s(account)


def test_nothing_is_known_of_who_was_not_asked(seen: Watched) -> None:
    """Zero questions, and no time at all."""
    assert figures(seen) == (0, 0, None)
    assert not seen.knows("alice")


def test_the_last_hour_is_counted_by_account(seen: Watched) -> None:
    """Questions, those that broke, and the median time of the first event."""
    for seconds in (1.0, 9.0, 2.0, None):
        seen.answered("openai", "alice", seconds)
    seen.failed("openai", "alice", DOWN)
    seen.answered("openai", "bob", 7.0)
    assert figures(seen) == (5, 1, 2.0)
    assert figures(seen, "bob") == (1, 0, 7.0)


def test_what_is_older_than_an_hour_is_forgotten(seen: Watched) -> None:
    """To the second; that the account was asked at all stays known."""
    seen.answered("openai", "alice", 1.0)
    seen.at += 3600.0
    seen.failed("openai", "alice", DOWN)
    assert figures(seen) == (2, 1, 1.0)
    seen.at += 0.1
    assert figures(seen) == (1, 1, None)
    seen.at += 3600.0
    assert figures(seen) == (0, 0, None)
    assert seen.knows("alice")


def test_what_an_earlier_process_saw_comes_before(seen: Watched) -> None:
    """And grows old first."""
    seen.answered("openai", "alice", 3.0)
    seen.remember("alice", [Outcome(seen.at - 3599.0, True), Outcome(seen.at - 10.0, False, 5.0)])
    assert figures(seen) == (3, 1, 4.0)
    seen.at += 2.0
    assert figures(seen) == (2, 0, 4.0)
