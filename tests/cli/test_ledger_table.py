"""Requests and sums as tables."""

from __future__ import annotations

import re
from typing import Any

import click
import pytest

from polychat.cli.ledger_table import cost, count, duration, followed, listed, shown, summed
from polychat.engine.ledger.record import Record
from polychat.engine.ledger.statistics import Line

AT = 1_790_000_000.0  # 2026-09-21 14:13:20 UTC


def record(**facts: Any) -> Record:
    """A whole answer of Reka's."""
    usual: dict[str, Any] = {
        "provider": "reka", "model": "reka-core", "account": "work", "input_tokens": 1_204, "output_tokens": 88,
        "cost_usd": 0.0042, "first_event_s": 0.48, "total_s": 2.14, "finish": "stop",
    }  # fmt: skip
    return Record(id="01a0c412e00123456789", at=AT, **({"wanted": "fast"} | usual | facts))


def plain(lines: Any) -> list[str]:
    """Lines without their style."""
    return [click.unstyle(line) for line in lines]


@pytest.mark.parametrize(
    ("usd", "words"), [(None, "-"), (0.0, "$0.00"), (0.00421, "$0.0042"), (12.3, "$12.30"), (1234.5, "$1234.50")]
)
def test_money_is_readable(usd: float | None, words: str) -> None:
    """Small amounts with four places; where no price is known there is a dash and no zero."""
    assert cost(usd) == words


@pytest.mark.parametrize(("seconds", "words"), [(None, "-"), (0.4804, "480 ms"), (2.14, "2.1 s"), (75.4, "75 s")])
def test_durations_are_readable(seconds: float | None, words: str) -> None:
    """In the unit that fits."""
    assert (duration(seconds), count(None), count(1_204)) == (words, "-", "1,204")


def test_the_whole_table_is_for_pipes() -> None:
    """Where nothing limits the width every column is there."""
    headings, line = plain(listed([record(key="laptop")], None))
    assert re.split("  +", headings) == [
        "ID", "ASKED (UTC)", "MODEL", "ACCOUNT", "KEY", "OUTCOME", "TOKENS", "COST", "FIRST", "TOTAL",
    ]  # fmt: skip
    assert re.split("  +", line) == [
        "01a0c412e0012", "2026-09-21 14:13:20", "reka/reka-core", "work", "laptop", "ok", "1,204 > 88", "$0.0042",
        "480 ms", "2.1 s",
    ]  # fmt: skip


@pytest.mark.parametrize("columns", [112, 100, 80, 60, 45])
def test_a_table_is_as_wide_as_the_terminal_at_most(columns: int) -> None:
    """Columns are left out from the least to the most important."""
    lines = plain(listed([record(), record(outcome="error", error="rate_limited")], columns))
    assert max(map(len, lines)) <= columns
    assert lines[0].startswith("ID ")
    assert "rate limited" in lines[2]


def test_estimates_are_marked() -> None:
    """With a legend, which is there only where it is needed."""
    lines = plain(listed([record(estimated=True)], None))
    assert "~1,204 > ~88" in lines[1]
    assert lines[-1] == "~ is an estimate: the service did not tell its tokens"


def test_a_request_that_reached_nobody_is_shown_as_it_was_wanted() -> None:
    """There is no model and no account yet."""
    lost = Record(id="01", at=AT, wanted="fast", outcome="error", error="no_account")
    assert re.split("  +", plain(listed([lost], None))[1])[2:] == ["fast", "-", "-", "no account", *"----"]
    assert plain(shown(lost, AT))[3:6] == ["wanted   fast", "outcome  error", "error    no_account"]


def test_one_request_in_full() -> None:
    """Everything that is known, and nothing else."""
    whole = record(
        key="laptop", stream=True, cached_input_tokens=1_000, reasoning_tokens=8, attempts=2, wait_s=0.5,
        upstream_status=429, request_id="req_1",
    )  # fmt: skip
    assert plain(shown(whole, AT + 3_600)) == [
        "id           01a0c412e00123456789",
        "asked        2026-09-21 14:13 UTC, 1 hour ago",
        "kind         chat, streamed",
        "wanted       fast",
        "model        reka/reka-core",
        "account      work",
        "key          laptop",
        "outcome      ok",
        "status       429",
        "request id   req_1",
        "finish       stop",
        "attempts     2",
        "input        1,204 tokens, 1,000 from the cache",
        "output       88 tokens, 8 for reasoning",
        "cost         $0.0042",
        "waited       500 ms",
        "first event  480 ms",
        "total        2.1 s",
    ]


def test_words_are_shown_where_they_are_kept() -> None:
    """Below the facts, each message under its role."""
    kept = (
        '{"messages":[{"role":"user","parts":[{"type":"text","text":"Hello"},{"type":"image","name":"cat.png"}]}],'
        '"reply":{"role":"assistant","parts":[{"type":"text","text":"Hi"}],"tool_calls":[{"name":"f","arguments":"{}"}]}}'
    )
    lines = plain(shown(record(content=kept), AT))
    assert lines[lines.index("") :] == [
        "", "user:", "Hello", '{"type": "image", "name": "cat.png"}', "assistant:", "Hi", "f({})",
    ]  # fmt: skip


def test_nothing_steers_the_terminal() -> None:
    """What callers and services wrote comes without control characters."""
    evil = record(model="m\x1b[2J", account="a\x07", key="k\x1b", request_id="r\x1b", wanted="w\x1b", content=None)
    for lines in (listed([evil], None), shown(evil, AT), [followed(evil)]):
        assert not any("\x1b" in line or "\x07" in line for line in plain(lines))


def test_sums_say_what_they_leave_out() -> None:
    """Requests without a price, and those whose tokens are estimates."""
    line = Line(
        name="reka", requests=1_204, errors=2, input_tokens=5, output_tokens=6, estimated=1, cost_usd=None,
        unpriced=1_204, first_event_p50_s=0.1, first_event_p95_s=0.2, total_p50_s=1.0, total_p95_s=2.0,
    )  # fmt: skip
    assert plain(summed("provider", [line], None)) == [
        "PROVIDER  REQUESTS  ERRORS  INPUT  OUTPUT  COST  FIRST P50  P95     TOTAL P50  P95",
        "reka      1,204     2       5      6       -     100 ms     200 ms  1.0 s      2.0 s",
        "",
        "no price is known for 1,204 requests; the tokens of 1 request are estimates",
    ]
    assert plain(summed("provider", [line], 60))[0] == "PROVIDER  REQUESTS  ERRORS  INPUT  OUTPUT  COST"
