"""client/waiting.py: which of the clocks that were set for a call counts."""

from __future__ import annotations

from typing import Any

import pytest

from polychat.client.waiting import waits
from polychat.errors import BadOption

USUAL = {"total_s": 60.0, "pool_s": 5.0}


def test_without_a_word_the_clients_own_count() -> None:
    """As they are."""
    assert waits(USUAL) == USUAL
    assert waits({}) == {}


def test_the_nearer_word_counts() -> None:
    """The client's, then a header's, then the call's table, then its timeout."""
    headers = {"X-Polychat-Total-S": "50", "x-polychat-first-event-s": "9"}
    assert waits(USUAL, headers=headers) == {"total_s": 50.0, "pool_s": 5.0, "first_event_s": 9.0}
    assert waits(USUAL, headers=headers, given={"total_s": 40, "connect_s": 0}) == {
        "total_s": 40, "pool_s": 5.0, "first_event_s": 9.0, "connect_s": None,
    }  # fmt: skip
    assert waits(USUAL, headers=headers, given={"total_s": 40}, timeout=30)["total_s"] == 30


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"timeout": 0}, {"total_s": None, "pool_s": 5.0}),
        ({"given": {"total_s": None}}, {"total_s": None, "pool_s": 5.0}),
        ({"headers": {"x-polychat-pool-s": "0"}}, {"total_s": 60.0, "pool_s": None}),
        ({"given": {}, "headers": {}}, USUAL),
    ],
)
def test_nothing_switches_a_clock_off(options: dict[str, Any], expected: dict[str, float | None]) -> None:
    """And saying nothing leaves it on."""
    assert waits(USUAL, **options) == expected


@pytest.mark.parametrize(
    ("options", "field", "said"),
    [
        ({"timeout": "30"}, "timeout", "timeout is not a number of seconds"),
        ({"timeout": -1}, "timeout", "timeout is not a number of seconds"),
        ({"timeout": True}, "timeout", "timeout is not a number of seconds"),
        ({"given": [("total_s", 3)]}, "clocks", "clocks is not a table of names and values"),
        ({"given": {"total": 3}}, "clocks.total", "clocks.total is no clock"),
        ({"given": {"total_s": "3"}}, "clocks.total_s", "clocks.total_s is not a number of seconds"),
        ({"headers": "x-polychat-total-s: 3"}, "extra_headers", "extra_headers is not a table of names and values"),
        ({"headers": {"x-trace": "1"}}, "extra_headers.x-trace", "the header x-trace is not sent on to a service"),
        ({"headers": {"x-polychat-totals": "1"}}, "extra_headers.x-polychat-totals",
         "the header x-polychat-totals sets no clock"),
        ({"headers": {"x-polychat-total-s": "soon"}}, "x-polychat-total-s",
         "the header x-polychat-total-s is not a number of seconds"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(options: dict[str, Any], field: str, said: str) -> None:
    """Nothing that sets no clock is passed over in silence."""
    with pytest.raises(BadOption) as caught:
        waits(USUAL, **options)
    assert (caught.value.field, caught.value.message) == (field, said)
