"""The part of a provider's promises that is about secrets: none is ever seen outside a request.

A person whose credential is a unique token, the canary, holds turns that go well and turns that fail, with services
that repeat the credential in their errors. Then every place where something is shown is searched: logs at DEBUG,
messages, tracebacks, the repr of every object within reach, pickles, events and steps as JSON, and the sandbox's
journal. Tracebacks are searched with all their local variables, as error trackers send them, unless the service itself
repeated the secret: bytes as they came are nobody's to mask.
"""

from __future__ import annotations

import logging
import pickle
import secrets
import traceback
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import msgspec

from polychat.credentials import Account
from polychat.engine.engine import Engine
from polychat.errors import PolychatError
from polychat.net.session import Step
from polychat.providers.base import SignsIn
from polychat.testing.bench import Bench, Subject, async_check, picture
from polychat.testing.checks import Check, require
from polychat.types import Event, Request

_REPEATING: tuple[tuple[str, dict[str, Any]], ...] = (
    ("status", {"code": 400}),
    ("status", {"code": 401}),
    ("status", {"code": 500, "retry_after": "120"}),
    ("error_200", {}),
)
_SILENT = ("challenge", "html", "close", "cut_frame", "malformed_frame", "drop")
_AROUND = 60  # characters quoted on either side of a secret that is seen
_LONGEST_CHAIN = 8  # objects in objects, from one that a caller holds


class _Cage:
    """The secrets of one person, and everything that was shown while they were in use."""

    def __init__(self) -> None:
        self.canary = f"canary-{secrets.token_hex(12)}"
        self._needles = [self.canary]
        self._shown: list[tuple[str, str]] = []

    def hides(self, secret: str) -> None:
        """Something else that must not be seen."""
        self._needles.append(secret)

    def show(self, place: str, text: str) -> None:
        """Something was seen at `place`."""
        self._shown.append((place, text))

    def judge(self) -> None:
        """Raise when a secret was seen, naming every place."""
        leaks = [f"{place}: …{around}…" for place, text in self._shown for around in self._seen(text)]
        require(not leaks, "a secret is seen in " + "; and in ".join(leaks))

    def _seen(self, text: str) -> Iterator[str]:
        """The surroundings of each secret in `text`, without the secret."""
        for needle in self._needles:
            before, found, after = text.partition(needle)
            if found:
                yield f"{before[-_AROUND:]}<SECRET>{after[:_AROUND]}".replace("\n", " ")


async def _objects(bench: Bench, cage: _Cage, account: Account) -> None:
    """Turns that go well, and all that a caller holds in the end."""
    steps: list[Step] = []
    async with bench.engine(account, observe=steps.append) as engine:
        await _good_turn(bench, engine, cage)
        await _hide_token(bench, engine, cage)
        for entry in bench.journal():
            entry.account = None  # the sandbox's word for who it is
            cage.show("the sandbox's journal", repr(entry))
        for name, thing in {"the account": account, "the engine": engine}.items():
            _look_at(cage, name, thing)
        if "image_in" in bench.info.capabilities:
            turn = await engine.ask(bench.request("What is this?", picture()))
            cage.show("a reply about a picture", repr(await turn.reply()))
    cage.show("the steps on the wire", repr(steps) + msgspec.json.encode(steps).decode())


async def _good_turn(bench: Bench, engine: Engine, cage: _Cage) -> None:
    request = bench.request("Hello")
    turn = await engine.ask(request)
    events: list[Event] = [event async for batch in turn for event in batch]
    for name, thing in {"the events": events, "the reply": turn.so_far, "the request": request}.items():
        cage.show(name, repr(thing) + msgspec.json.encode(thing).decode())
    _look_at(cage, "the turn", turn)


async def _errors(bench: Bench, cage: _Cage, account: Account) -> None:
    """Each trouble at each request of a turn, every time with an engine that has yet to sign in."""
    troubles = [(fault, {**details, "message": f"{cage.canary} is bad"}) for fault, details in _REPEATING]
    troubles += [(fault, {}) for fault in _SILENT]
    for path in (await bench.paths()).every:
        for fault, details in troubles:
            bench.fault(fault, path=path, **details)
            async with bench.engine(account) as engine:
                error = await _error_of(engine, bench.request())
                bench.sandbox.clear_faults()
                await _hide_token(bench, engine, cage)
            if error is not None:
                _look_at_error(cage, f"the error of {fault} at {path}", error, with_locals="message" not in details)


async def _error_of(engine: Engine, request: Request) -> PolychatError | None:
    """What a turn raises. No local variable here holds a secret, for the traceback begins here."""
    try:
        await (await engine.ask(request)).reply()
    except PolychatError as error:
        return error
    return None


async def _hide_token(bench: Bench, engine: Engine, cage: _Cage) -> None:
    """The token that the service made of the credential must not be seen either."""
    if isinstance(bench.provider, SignsIn):
        cage.hides((await bench.provider.access_token(engine.session(bench.name))).reveal())


async def _stays_caged(bench: Bench, live: Callable[[Bench, _Cage, Account], Awaitable[None]]) -> None:
    """For each kind of credential that the service takes."""
    for kind in bench.info.accepts:
        cage = _Cage()
        bench.sandbox.reset()
        bench.sandbox.add_account(cage.canary)
        account = msgspec.structs.replace(bench.account(cage.canary, kind), name=kind)
        with _logged(cage):
            await live(bench, cage, account)
        cage.judge()


def _look_at_error(cage: _Cage, place: str, error: PolychatError, *, with_locals: bool) -> None:
    cage.show(f"{place}, its words", f"{error} {error!r} {error.args} {vars(error)}")
    told = traceback.TracebackException.from_exception(error, capture_locals=with_locals)
    cage.show(f"{place}, its traceback", "".join(told.format()))
    cage.show(f"{place}, its pickle", _pickled(error))


# ---------------------------------------------------------------- what a caller can reach


def _look_at(cage: _Cage, place: str, root: object) -> None:
    for name, thing in _reachable(root):
        cage.show(f"{place}{name}", repr(thing))
        cage.show(f"{place}{name}, its pickle", _pickled(thing))


def _reachable(root: object) -> Iterator[tuple[str, object]]:
    """`root` and the objects of ours in it, each once, with the way to each."""
    seen: set[int] = set()
    waiting = [("", root, 0)]
    while waiting:
        name, thing, depth = waiting.pop()
        if id(thing) in seen or depth > _LONGEST_CHAIN:
            continue
        seen.add(id(thing))
        yield name, thing
        waiting += [(f"{name}.{inner}", value, depth + 1) for inner, value in _attributes(thing)]


def _attributes(thing: object) -> Iterator[tuple[str, Any]]:
    if isinstance(thing, Mapping):
        yield from ((f"[{number}]", value) for number, value in enumerate(thing.values()))
    elif isinstance(thing, list | tuple):
        yield from ((f"[{number}]", value) for number, value in enumerate(thing))
    elif type(thing).__module__.startswith("polychat."):
        yield from vars(thing).items() if hasattr(thing, "__dict__") else _fields(thing)


def _fields(thing: object) -> Iterator[tuple[str, Any]]:
    for name in getattr(thing, "__struct_fields__", ()):
        yield name, getattr(thing, name)


def _pickled(thing: object) -> str:
    try:
        return pickle.dumps(thing).decode("latin-1")
    except (pickle.PicklingError, TypeError, AttributeError):
        return ""


# ---------------------------------------------------------------- logs


@contextmanager
def _logged(cage: _Cage) -> Iterator[None]:
    """Every record of every logger is shown, with all of its fields."""
    handler, root = _Listener(cage), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        root.setLevel(level)
        root.removeHandler(handler)


class _Listener(logging.Handler):
    def __init__(self, cage: _Cage) -> None:
        super().__init__(logging.DEBUG)
        self._cage = cage

    def emit(self, record: logging.LogRecord) -> None:
        self._cage.show(f"the log of {record.name}", f"{self.format(record)} {vars(record)}")


CANARY_CHECKS: tuple[Check[Subject], ...] = (
    async_check("canary objects", partial(_stays_caged, live=_objects)),
    async_check("canary errors", partial(_stays_caged, live=_errors)),
)
