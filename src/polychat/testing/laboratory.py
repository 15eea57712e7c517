"""The fault laboratory: a question to a service that misbehaves, with another account and another service behind it.

    finding = await examine(Subject("reka", sandbox), FAULTS[0], stream=True)

A finding says what the caller saw, who was asked and what was kept. Whatever the fault, `examine` raises unless

    lost       what the caller heard is what the error keeps, and a beginning of the answer
    glued      an answer is of one service from its first word to its last
    hung       it ended within the clocks it was given
    leaked     no task, connection or place at an account stays behind
    empty      no answer without content counts as a success
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from polychat import providers
from polychat.credentials import Account, ApiKey, Secret
from polychat.engine.engine import Engine
from polychat.engine.routed import Aim, Routed
from polychat.engine.sections import Budget
from polychat.engine.settings import Settings
from polychat.errors import Attempt, IdleTimeout, Interrupted, PolychatError
from polychat.net.clocks import Clocks
from polychat.testing.bench import ALICE, BOB, NOWHERE, PIECES, Bench, Subject, soon
from polychat.testing.checks import require, require_equal
from polychat.types import Message, Reply, Request, Text, TextDelta

CLOCKS = Clocks(first_event_s=1.0, between_events_s=1.0, total_s=10.0)  # for faults that are silence
PATIENT = Clocks(first_event_s=30.0, between_events_s=30.0, total_s=40.0)  # for all others: a busy machine is no fault
MARGIN_S = 10.0  # beyond the clocks
_SILENT = ("stall", "slow_first_byte")
_INSIDE = 20  # frames that pass before an answer breaks
_STANDBYS = ("openai", "anthropic")  # who is asked when the service fails; the first that is not the service itself
_STANDBY_PIECES = ("A standby ", "answers ", "instead.")
_WORDS = {"openai": "content", "chatgpt": "v"}  # the field that holds the words of an answer; "text" for all others
_LATER = {"retry_after": "120"}


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """One fault, and when it strikes."""

    name: str
    fault: str  # of the sandbox
    details: dict[str, Any] = {}
    inside: bool = False  # after part of the answer has come


def _inside(fault: str, **details: Any) -> Trouble:
    return Trouble(name=f"{fault}, inside", fault=fault, details=details, inside=True)


def _status(code: int, name: str = "", **details: Any) -> Trouble:
    return Trouble(name=f"status {code}{name}", fault="status", details={"code": code, **details})


TROUBLES = (
    Trouble(name="close", fault="close"),
    *(_status(code) for code in (400, 401, 402, 403, 404, 408, 422)),
    _status(429),
    _status(429, ", later", **_LATER),
    _status(500),
    _status(502),
    _status(503),
    _status(503, ", later", **_LATER),
    _status(529),
    Trouble(name="error_200", fault="error_200"),
    Trouble(name="html", fault="html"),
    Trouble(name="challenge", fault="challenge"),
    Trouble(name="too_large", fault="too_large"),
    Trouble(name="slow_first_byte", fault="slow_first_byte", details={"delay_s": 30.0}),
    Trouble(name="stall", fault="stall", details={"after": 0}),
    Trouble(name="drop", fault="drop", details={"after": 0}),
    Trouble(name="cut_frame", fault="cut_frame", details={"after": 0}),
    Trouble(name="malformed_frame", fault="malformed_frame", details={"after": 0}),
    _inside("stall"),
    _inside("drop"),
    _inside("cut_frame"),
    _inside("cut_character"),
    _inside("malformed_frame"),
    _inside("duplicate_frame"),
    _inside("expired_mid_stream"),
    Trouble(name="changed_field", fault="changed_field"),
    Trouble(name="crlf", fault="crlf"),
    Trouble(name="cr", fault="cr"),
    Trouble(name="no_space", fault="no_space"),
    Trouble(name="pace", fault="pace", details={"tokens_per_s": 400.0}),
    Trouble(name="split_character", fault="split_character"),
    Trouble(name="chunk_bytes", fault="chunk_bytes", details={"size_bytes": 7}),
    Trouble(name="coalesce", fault="coalesce"),
)


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What one question met."""

    sees: str  # whole answer, whole answer of a standby, or the error's code
    kept: str  # all, a part, its thoughts, nothing
    asked: tuple[str, ...]  # in order: alice and bob are accounts of the service, standby another service
    clocks: tuple[str, ...]  # that ran out
    seconds: float


class _Heard(msgspec.Struct):
    """What a reader heard until the end."""

    words: str = ""
    error: PolychatError | None = None
    reply: Reply | None = None
    provider: str | None = None
    account: str | None = None
    attempts: tuple[Attempt, ...] = ()


async def examine(subject: Subject, trouble: Trouble, *, stream: bool, path: str) -> Finding:
    """Ask once under `trouble`, which strikes requests to `path`. Raises: `AssertionError` for a broken promise."""
    bench = Bench(subject)
    standby = next(name for name in _STANDBYS if name != subject.provider)
    whole = bench.script(times=9)
    bench.sandbox.script(standby, chunks=list(_STANDBY_PIECES), times=9)
    bench.fault(trouble.fault, path=path, **_details(trouble, subject.provider, stream=stream))
    clocks = CLOCKS if trouble.fault in _SILENT else PATIENT
    async with _engine(bench, standby, clocks) as engine:
        tasks = asyncio.all_tasks()
        started = time.monotonic()
        heard = await _asked(engine, stream=stream)
        seconds = time.monotonic() - started
        await _nothing_stays(bench, engine, tasks)
    _promises(heard, whole, seconds, clocks)
    return Finding(
        sees=_seen(heard, subject.provider),
        kept=_kept(heard),
        asked=_asked_whom(heard),
        clocks=_clocks(heard),
        seconds=seconds,
    )


def _details(trouble: Trouble, provider: str, *, stream: bool) -> dict[str, Any]:
    if trouble.fault == "changed_field":
        return {"field": _WORDS.get(provider, "text"), "to": "elsewhere"}
    return trouble.details | ({"after": _INSIDE if stream else 0} if trouble.inside else {})


@asynccontextmanager
async def _engine(bench: Bench, standby: str, clocks: Clocks) -> AsyncIterator[Engine]:
    spare = Account(name="standby", provider=standby, credential=ApiKey(key=Secret(ALICE)))
    mine = f"{bench.name}/{bench.info.default_model}"
    other = f"{standby}/{providers.load(standby).info.default_model}"
    aims = (Aim(model=mine, place="models.lab.targets[0]"), Aim(model=other, place="models.lab.targets[1]"))
    settings = Settings(
        folders=NOWHERE,
        sandbox=bench.sandbox.url,
        clocks=clocks,
        routed={"lab": Routed(targets=aims)},
        failover=Budget(attempts=4, time_s=clocks.total_s or 0.0),
    )
    async with bench.engine(bench.account(ALICE), bench.account(BOB), spare, settings=settings) as engine:
        yield engine


async def _asked(engine: Engine, *, stream: bool) -> _Heard:
    """Ask, and read to the end as a caller does."""
    heard = _Heard()
    request = Request(model="lab", messages=(Message(role="user", parts=(Text(text="Hello"),)),), stream=stream)
    try:
        async with await engine.ask(request) as turn:
            heard.provider, heard.account, heard.attempts = turn.provider, turn.account, turn.attempts
            async for batch in turn:
                heard.words += "".join(event.text for event in batch if isinstance(event, TextDelta))
            heard.reply = turn.so_far
    except PolychatError as error:
        heard.error = error
    return heard


# ---------------------------------------------------------------- promises


def _promises(heard: _Heard, whole: str, seconds: float, clocks: Clocks) -> None:
    standby = "".join(_STANDBY_PIECES)
    limit_s = (clocks.total_s or 0.0) + MARGIN_S
    require(seconds <= limit_s, f"hung: it took {seconds:.1f} s, and the clocks allow {limit_s:.1f}")
    if heard.error is None:
        require(bool(heard.words), "empty: an answer without a word counts as a success")
        require(heard.words in (whole, standby, *_faulty(whole)), f"glued or lost: the answer reads {heard.words!r}")
        require(heard.reply is not None and heard.reply.finish is not None, "empty: an answer did not finish")
        return
    partial = heard.error.partial.text if heard.error.partial else ""
    require_equal(heard.words, partial, "lost: what was heard, and what the error keeps of it")
    of_one = any(text.startswith(partial) for text in (whole, standby, *_faulty(whole)))
    require(of_one, f"glued: {partial!r} is the beginning of no answer")


def _faulty(whole: str) -> tuple[str, ...]:
    """What an answer reads like whose frame came twice: the service said so, and nobody can tell."""
    return tuple("".join([*PIECES[:at], PIECES[at - 1], *PIECES[at:]]) for at in range(1, len(PIECES)))


async def _nothing_stays(bench: Bench, engine: Engine, before: set[asyncio.Task[Any]]) -> None:
    def settled() -> bool:
        return asyncio.all_tasks() <= before and not any(entry.ended == "open" for entry in bench.sandbox.journal())

    await soon(settled)
    left = asyncio.all_tasks() - before
    require(not left, f"leaked: {len(left)} tasks, as {next(iter(left), None)!r}")
    hanging = [entry.path for entry in bench.sandbox.journal() if entry.ended == "open"]
    require(not hanging, f"leaked: open connections to {hanging}")
    running = engine.running()
    require(running == 0, f"leaked: {running} places at accounts")


# ---------------------------------------------------------------- words for it


def _seen(heard: _Heard, provider: str) -> str:
    if heard.error is not None:
        return heard.error.code
    return "whole answer" if heard.provider == provider else "whole answer of the standby"


def _kept(heard: _Heard) -> str:
    if heard.error is None:
        return "all"
    if heard.words:
        return "a part"
    return "its thoughts" if heard.error.after_content else "nothing"


def _asked_whom(heard: _Heard) -> tuple[str, ...]:
    error = heard.error
    before = heard.attempts or (error.attempts if error else ())
    last = heard.account or (error.account if error else None) or "nobody"
    return tuple(name.removeprefix("sandbox-") for name in (*(attempt.account for attempt in before), last))


def _clocks(heard: _Heard) -> tuple[str, ...]:
    """Those that ran out; of an answer that was interrupted the message alone tells."""
    before = heard.attempts or (heard.error.attempts if heard.error else ())
    ran_out = ["first_event" for attempt in before if attempt.code == IdleTimeout.code]
    if isinstance(heard.error, IdleTimeout):
        ran_out.append(heard.error.clock)
    elif isinstance(heard.error, Interrupted) and isinstance(heard.error.__cause__, IdleTimeout):
        ran_out.append(heard.error.__cause__.clock)
    return tuple(ran_out)
