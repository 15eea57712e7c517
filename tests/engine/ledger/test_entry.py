"""A request until it is recorded."""

from __future__ import annotations

import asyncio

import pytest

from polychat.engine.ledger.entry import Asked, Entry, Times, recorded
from polychat.engine.ledger.record import Record
from polychat.errors import AuthExpired, BadRequest, Interrupted, RateLimited
from polychat.types import Finish, Message, Reply, Request, Text, Usage

CANARY = "canary-9b1e"
AT = 1_790_000_000.0
QUESTION = Request(model="gpt-4o", messages=(Message(role="user", parts=(Text(text=CANARY),)),))
WHOLE = Reply(
    text="Hello",
    usage=Usage(input_tokens=1_000, output_tokens=100, cached_input_tokens=10, reasoning_tokens=5),
    finish=Finish(reason="stop"),
)
PART = Reply(text="eight888")
ASKED = Asked(wanted="fast", at=AT, key="laptop", stream=True, provider="openai", model="gpt-4o", account="work")
TIMES = Times(wait_s=0.1, first_event_s=0.5, total_s=2.0)


class Ticking:
    """A clock that goes on by a second each time somebody looks."""

    def __init__(self) -> None:
        self._now = 0.0

    def __call__(self) -> float:
        self._now += 1
        return self._now


def entry(records: list[Record], **facts: object) -> Entry:
    """One that puts its record into `records`."""
    return Entry(records.append, wanted="fast", clock=Ticking(), now=lambda: AT, **facts)  # type: ignore[arg-type]


# ---------------------------------------------------------------- recorded


def test_a_whole_answer_is_recorded_with_everything() -> None:
    """Who, what, how much, how long, what it cost."""
    record = recorded(ASKED, TIMES, request=QUESTION, reply=WHOLE)
    assert record.id[:11] == f"{int(AT * 1000):011x}"
    assert record.cost_usd is not None
    assert record == Record(
        id=record.id, at=AT, kind="chat", key="laptop", account="work", provider="openai", model="gpt-4o",
        wanted="fast", stream=True, input_tokens=1_000, output_tokens=100, cached_input_tokens=10, reasoning_tokens=5,
        cost_usd=record.cost_usd, wait_s=0.1, first_event_s=0.5, total_s=2.0, outcome="ok", finish="stop",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("error", "outcome", "code"),
    [
        (Interrupted("cut"), "interrupted", "interrupted"),
        (BadRequest("no"), "error", "bad_request"),
        (ValueError("ours"), "error", "internal_error"),
        (asyncio.CancelledError(), "cancelled", None),
        (GeneratorExit(), "cancelled", None),
        (KeyboardInterrupt(), "cancelled", None),
    ],
)
def test_how_it_ended(error: BaseException, outcome: str, code: str | None) -> None:
    """An error by its code, an answer that broke, one who left, and a mistake of ours."""
    record = recorded(ASKED, TIMES, request=QUESTION, reply=PART, error=error)
    assert (record.outcome, record.error, record.finish) == (outcome, code, None)


def test_who_leaves_after_the_end_has_the_whole_answer() -> None:
    """Once `Finish` came the answer is whole, also for who then closes it."""
    record = recorded(ASKED, TIMES, request=QUESTION, reply=WHOLE, error=GeneratorExit())
    assert (record.outcome, record.error, record.input_tokens, record.estimated) == ("ok", None, 1_000, False)


@pytest.mark.parametrize("error", [Interrupted("cut"), GeneratorExit(), asyncio.CancelledError()])
def test_of_half_an_answer_the_part_that_came_is_counted(error: BaseException) -> None:
    """Where the service did not tell, the whole question and the part that came are estimated."""
    record = recorded(ASKED, TIMES, request=QUESTION, reply=PART, error=error)
    assert (record.input_tokens, record.output_tokens, record.estimated) == (4 + 3, 2, True)


def test_a_failure_without_an_answer_has_no_tokens() -> None:
    """Nothing is guessed for a question that was refused."""
    record = recorded(ASKED, TIMES, request=QUESTION, error=AuthExpired("no", upstream_status=401, request_id="r1"))
    assert (record.input_tokens, record.output_tokens, record.estimated, record.cost_usd) == (None, None, False, None)
    assert (record.upstream_status, record.request_id) == (401, "r1")


def test_another_call_brings_its_own_usage() -> None:
    """Pictures and vectors have no messages to estimate from."""
    asked = Asked(wanted="e", at=AT, kind="embeddings", provider="reka", model="e")
    record = recorded(asked, TIMES, usage=Usage(input_tokens=7, output_tokens=0))
    assert (record.kind, record.input_tokens, record.output_tokens, record.outcome) == ("embeddings", 7, 0, "ok")
    assert recorded(asked, TIMES).input_tokens is None


def test_an_emulated_service_costs_nothing() -> None:
    """Where no price applies there is none, though the model has one."""
    assert recorded(ASKED, TIMES, request=QUESTION, reply=WHOLE, priced=False).cost_usd is None


def test_words_are_kept_only_where_that_is_wanted() -> None:
    """By default nothing that was said is in the record, also not by way of an error."""
    error = RateLimited(f"you said {CANARY}", hint=CANARY)
    assert CANARY not in repr(recorded(ASKED, TIMES, request=QUESTION, reply=WHOLE))
    assert CANARY not in repr(recorded(ASKED, TIMES, request=QUESTION, reply=PART, error=error))
    assert CANARY in (recorded(ASKED, TIMES, request=QUESTION, reply=WHOLE, store="full").content or "")


# ---------------------------------------------------------------- Entry


def test_the_times_are_from_the_moment_of_asking() -> None:
    """Waiting, the first event and the whole, each on the clock that began with the entry."""
    records: list[Record] = []
    asked = entry(records, key="laptop", stream=True)
    asked.placed("reka", "reka-core", "work")
    asked.began()
    asked.began()
    asked.ended(QUESTION, WHOLE)
    (record,) = records
    assert (record.at, record.wait_s, record.first_event_s, record.total_s) == (AT, 1.0, 2.0, 3.0)
    assert (record.provider, record.model, record.account, record.key) == ("reka", "reka-core", "work", "laptop")
    assert (record.wanted, record.stream, record.attempts) == ("fast", True, 1)


def test_a_request_is_recorded_once() -> None:
    """The first end counts, whoever else tells of one."""
    records: list[Record] = []
    asked = entry(records)
    asked.ended(QUESTION, WHOLE)
    asked.ended(QUESTION, PART, error=Interrupted("cut"))
    assert [record.outcome for record in records] == ["ok"]


def test_each_account_that_is_asked_is_an_attempt() -> None:
    """The last one is who answered."""
    records: list[Record] = []
    asked = entry(records)
    asked.placed("reka", "reka-core", "work")
    asked.placed("openai", "gpt-4o", "home")
    asked.ended(QUESTION, WHOLE)
    assert [(record.attempts, record.provider, record.account) for record in records] == [(2, "openai", "home")]


def test_what_is_raised_inside_is_recorded_and_goes_on() -> None:
    """An error is the caller's as before, and the record has its code and the part that came."""
    records: list[Record] = []
    with pytest.raises(Interrupted), entry(records).recording(QUESTION, lambda: PART):
        raise Interrupted("cut")
    assert [(record.outcome, record.output_tokens) for record in records] == [("interrupted", 2)]


def test_leaving_inside_is_the_end_unless_it_goes_on_elsewhere() -> None:
    """A part of the way that went well records nothing; the whole does."""
    records: list[Record] = []
    asked = entry(records)
    with asked.recording(QUESTION, whole=False):
        assert records == []
    assert records == []
    with asked.recording(QUESTION, lambda: WHOLE):
        pass
    assert [record.outcome for record in records] == ["ok"]


def test_an_entry_without_a_ledger_keeps_nothing() -> None:
    """Where nothing is to be recorded, nothing is even made: the answer is not asked for."""

    def never() -> Reply:
        raise AssertionError

    nobody = Entry(None, wanted="fast")
    with nobody.recording(QUESTION, never):
        nobody.placed("reka", "reka-core", "work")
        nobody.began()
