"""engine/health.py: every edge of the state machine, with a clock in hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

import pytest

from polychat.engine import health
from polychat.engine.health import EXPIRING_S, LONGEST_S, LONGEST_UNTOLD_S, SHORTEST_S, TRY_S, Health, State, Verdict
from polychat.errors import (
    AuthExpired,
    BadRequest,
    ChallengeRequired,
    ConnectFailed,
    PolychatError,
    QuotaSpent,
    RateLimited,
    Unavailable,
)
from polychat.types import QuotaSeen

T0 = 1_800_000_000.0
MODEL = "m"
DAY_S = 24 * 3600.0
Edge = Callable[[Health, float], Health]


def failing(error: PolychatError) -> Edge:
    """The edge of a question that broke so."""
    return lambda known, now: health.failed(known, MODEL, error, now=now)


limited = failing(RateLimited("slow down", retry_after_s=60.0))
spent = failing(QuotaSpent("all used up", retry_after_s=600.0))
signed_out = failing(AuthExpired("who are you"))
challenged = failing(ChallengeRequired("are you there"))


def answered(known: Health, now: float) -> Health:
    """The edge of a question that was answered."""
    return health.answered(known, MODEL, now=now)


WAYS: dict[State, Edge] = {
    "ok": lambda known, now: known,
    "cooling": limited,
    "quota_spent": spent,
    "needs_sign_in": signed_out,
    "challenged": challenged,
    "paused": lambda known, now: health.paused(known),
}
EDGES: dict[str, tuple[Edge, dict[State, State]]] = {
    # event: (what happens, {state before: state after}); a state that is not named stays as it is
    "answered": (answered, dict.fromkeys(("cooling", "quota_spent", "needs_sign_in", "challenged"), "ok")),
    "limited": (limited, {"ok": "cooling", "quota_spent": "cooling"}),
    "spent": (spent, {"ok": "quota_spent", "cooling": "quota_spent"}),
    "signed out": (signed_out, dict.fromkeys(("ok", "cooling", "quota_spent", "challenged"), "needs_sign_in")),
    "challenged": (challenged, dict.fromkeys(("ok", "cooling", "quota_spent", "needs_sign_in"), "challenged")),
    "paused": (lambda known, now: health.paused(known), dict.fromkeys(WAYS, "paused")),
    "resumed": (lambda known, now: health.resumed(known), dict.fromkeys(WAYS, "ok")),
    "service down": (failing(Unavailable("down")), {}),
    "line cut": (failing(ConnectFailed("cut")), {}),
    "request refused": (failing(BadRequest("no")), {}),
    "left": (lambda known, now: health.left(known, MODEL), {}),
}


def state(known: Health, now: float = T0, expires_at: float | None = None) -> State:
    """The word for it."""
    return health.state(known, expires_at=expires_at, now=now)


def verdict(known: Health, now: float = T0, model: str = MODEL, expires_at: float | None = None) -> Verdict:
    """Whether a question may go out."""
    return health.gate(known, model, expires_at=expires_at, now=now).verdict


@pytest.mark.parametrize("before", WAYS)
@pytest.mark.parametrize("event", EDGES)
def test_every_edge(before: State, event: str) -> None:
    """From each state, each thing that can happen leads where the table says, and nowhere else."""
    act, leads = EDGES[event]
    start = WAYS[before](Health(), T0)
    assert state(start) == before
    assert state(act(start, T0 + 1.0), T0 + 1.0) == leads.get(before, before)


def test_the_table_above_knows_every_state() -> None:
    """`expiring` is a matter of the clock, and has a test of its own."""
    assert {*WAYS, "expiring"} == set(get_args(State))


@pytest.mark.parametrize(
    ("left_s", "expected"),
    [
        (EXPIRING_S, "ok"),
        (EXPIRING_S - 1.0, "expiring"),
        (1.0, "expiring"),
        (0.0, "needs_sign_in"),
        (-9.0, "needs_sign_in"),
    ],
)
def test_a_sign_in_expires(left_s: float, expected: State) -> None:
    """The last day is announced; an end that has passed is one, whatever was answered before."""
    known = health.answered(Health(), MODEL, now=T0)
    assert state(known, expires_at=T0 + left_s) == expected
    assert verdict(known, expires_at=T0 + left_s) == ("last" if left_s <= 0 else "go")


@pytest.mark.parametrize(
    ("before", "expected"),
    [("ok", "go"), ("cooling", "wait"), ("quota_spent", "wait"), ("needs_sign_in", "last"), ("challenged", "last"),
     ("paused", "paused")],
)  # fmt: skip
def test_what_a_state_means_for_a_question(before: State, expected: Verdict) -> None:
    """Only the service's word and the person's keep a question back."""
    assert verdict(WAYS[before](Health(), T0)) == expected


@pytest.mark.parametrize(("rest", "seconds"), [(limited, 60.0), (spent, 600.0)])
def test_one_question_ends_a_wait(rest: Edge, seconds: float) -> None:
    """At T one may try; the others wait for its outcome, which decides."""
    resting = rest(Health(), T0)
    due = T0 + seconds
    assert [verdict(resting, at) for at in (due - 0.1, due)] == ["wait", "try"]
    trying = health.begun(resting, MODEL, now=due)
    assert verdict(trying, due + 1.0) == "wait"
    assert verdict(health.left(trying, MODEL), due + 1.0) == "try"
    assert verdict(answered(trying, due + 1.0), due + 1.0) == "go"
    assert verdict(rest(trying, due + 1.0), due + 1.0) == "wait"


def test_a_try_whose_process_died_is_not_waited_for() -> None:
    """After a while another may try."""
    trying = health.begun(limited(Health(), T0), MODEL, now=T0 + 60.0)
    assert [verdict(trying, T0 + 60.0 + TRY_S + later_s) for later_s in (-1.0, 0.0)] == ["wait", "try"]


def test_a_wait_is_of_one_model() -> None:
    """Services limit models apart, so another model is asked on."""
    known = limited(Health(), T0)
    assert [verdict(known, model=model) for model in (MODEL, "other")] == ["wait", "go"]
    assert state(health.answered(known, "other", now=T0)) == "cooling"


def test_what_the_service_does_not_say_grows_and_is_bounded() -> None:
    """5, 10, 20 ... seconds, and never more than five minutes."""
    known, waits = Health(), []
    for _ in range(12):
        known = health.failed(known, MODEL, RateLimited("slow"), now=T0)
        waits.append(known.holds[MODEL].until - T0)
    assert waits[:3] == [SHORTEST_S, 2 * SHORTEST_S, 4 * SHORTEST_S]
    assert waits[-1] == LONGEST_UNTOLD_S
    assert health.failed(answered(known, T0), MODEL, RateLimited("slow"), now=T0).holds[MODEL].until == T0 + SHORTEST_S


@pytest.mark.parametrize("kind", [RateLimited, QuotaSpent])
def test_no_service_can_ask_for_ever(kind: type[RateLimited | QuotaSpent]) -> None:
    """A wait of a year is cut short, and tried at its end."""
    known = health.failed(Health(), MODEL, kind("wait", retry_after_s=365 * DAY_S), now=T0)
    hold = known.holds[MODEL]
    assert hold.until - T0 == LONGEST_S[hold.kind]
    assert verdict(known, hold.until) == "try"


def test_a_wait_that_nobody_tried_to_end_is_forgotten() -> None:
    """A model that is not asked again does not colour its account for good."""
    known = limited(Health(), T0)
    assert [state(known, T0 + 60.0 + days * DAY_S) for days in (0.9, 1.1)] == ["cooling", "ok"]


def test_the_last_error_is_kept_until_it_is_mended() -> None:
    """With its code and its hint; an answer clears it, unless another model still waits."""
    known = limited(signed_out(Health(), T0), T0 + 1.0)
    assert known.trouble is not None
    assert (known.trouble.code, known.trouble.at) == ("rate_limited", T0 + 1.0)
    assert health.answered(known, "other", now=T0).trouble is not None
    assert answered(known, T0).trouble is None


def test_quotas_are_kept_by_feature() -> None:
    """The newest word of each counts."""
    known = Health()
    for quota in (QuotaSeen(feature="a", remaining=2.0), QuotaSeen(feature="b"), QuotaSeen(feature="a", remaining=1.0)):
        known = health.told(known, quota)
    assert {feature: quota.remaining for feature, quota in known.quotas.items()} == {"a": 1.0, "b": None}
