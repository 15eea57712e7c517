"""net/clocks.py: the five clocks, their usual settings, and how they are given."""

from __future__ import annotations

from typing import Any, get_args

import msgspec
import pytest

from polychat.errors import BadOption
from polychat.net.clocks import USUAL, Clocks, Kind, from_headers, is_wait, of_header, waits


def test_all_five_are_set_for_every_kind_of_request() -> None:
    """Nothing waits for ever unless somebody wants it to."""
    assert set(USUAL) == set(get_args(Kind))
    for clocks in USUAL.values():
        assert len(msgspec.structs.astuple(clocks)) == 5
        assert None not in msgspec.structs.astuple(clocks)


def test_pictures_and_sound_have_waits_of_their_own() -> None:
    """What comes whole, comes late."""
    assert {kind: (clocks.first_event_s, clocks.total_s) for kind, clocks in USUAL.items()} == {
        "chat": (120.0, 900.0),
        "drawing": (300.0, 600.0),
        "speech": (60.0, 600.0),
        "transcription": (600.0, 900.0),
        "embeddings": (60.0, 120.0),
    }


def test_other_waits_change_those_alone() -> None:
    """None switches one off; none at all are the same clocks."""
    usual = Clocks()
    assert usual.but({}) is usual
    assert usual.but({"total_s": 5.0, "pool_s": None}) == Clocks(total_s=5.0, pool_s=None)


def test_waits_are_taken_as_they_are_meant() -> None:
    """0 and None switch a clock off."""
    assert waits({"total_s": 30, "connect_s": 0, "pool_s": None, "first_event_s": 0.5}) == {
        "total_s": 30, "connect_s": None, "pool_s": None, "first_event_s": 0.5,
    }  # fmt: skip
    assert waits({}) == {}


@pytest.mark.parametrize("seconds", [-1, "30", True, float("inf"), float("nan"), [1], 10**400])
def test_what_is_no_number_of_seconds_is_named(seconds: Any) -> None:
    """By its path."""
    with pytest.raises(BadOption) as caught:
        waits({"total_s": seconds})
    assert (caught.value.message, caught.value.field) == ("clocks.total_s is not a number of seconds", "clocks.total_s")


def test_what_is_no_clock_is_named_with_those_there_are() -> None:
    """Under the name that the caller knows the table by."""
    with pytest.raises(BadOption) as caught:
        waits({"totals": 3}, field="wait")
    assert str(caught.value) == (
        "wait.totals is no clock\n"
        "hint: the clocks there are connect_s, first_event_s, between_events_s, total_s, pool_s"
    )


# ---------------------------------------------------------------- headers


def test_headers_set_clocks() -> None:
    """In any case; others are somebody else's."""
    headers = {
        "X-Polychat-First-Event-S": "20", "x-polychat-total-s": "1.5", "x-polychat-pool-s": "0",
        "content-type": "application/json", "x-polychat-other": "?", "first-event-s": "3",
    }  # fmt: skip
    assert from_headers(headers) == {"first_event_s": 20.0, "total_s": 1.5, "pool_s": None}
    assert from_headers({}) == {}


@pytest.mark.parametrize(
    ("header", "clock"),
    [
        ("x-polychat-between-events-s", "between_events_s"), ("X-POLYCHAT-CONNECT-S", "connect_s"),
        ("x-polychat-totals", None), ("x-polychat-", None), ("total-s", None), ("a-x-polychat-total-s", None),
        ("", None),
    ],
)  # fmt: skip
def test_a_header_names_a_clock_or_none(header: str, clock: str | None) -> None:
    """The whole name counts."""
    assert of_header(header) == clock


@pytest.mark.parametrize("text", ["", "soon", "-1", "inf", "nan", "1e400", "20s"])
def test_a_header_that_is_no_number_is_named(text: str) -> None:
    """With how to switch the clock off."""
    with pytest.raises(BadOption) as caught:
        from_headers({"X-Polychat-Total-S": text})
    assert str(caught.value) == (
        "the header x-polychat-total-s is not a number of seconds\nhint: 0 switches a clock off"
    )
    assert caught.value.field == "x-polychat-total-s"


@pytest.mark.parametrize(("seconds", "expected"), [(0, True), (0.0, True), (1e9, True), (False, False), (None, False)])
def test_what_a_wait_is(seconds: Any, expected: bool) -> None:
    """A number, not negative, with an end."""
    assert is_wait(seconds) is expected
