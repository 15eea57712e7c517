"""The part of a provider's promises that is about secrets: none is ever seen outside a request.

A person whose credential is a unique token, the canary, holds turns that go well and turns that fail, with services
that repeat the credential in their errors. Then every place where something is shown is searched: logs at DEBUG,
messages, tracebacks with all local variables, the repr of every object within reach, pickles, events and steps as
JSON, and the sandbox's journal.
"""

from __future__ import annotations

import logging
import pickle
import secrets
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import msgspec

from polychat.credentials import Account
from polychat.engine.engine import Engine
from polychat.errors import PolychatError
from polychat.net.session import Step
from polychat.providers.base import CredentialKind, SignsIn
from polychat.testing.bench import Bench, Subject, async_check, picture
from polychat.testing.checks import Check, require
from polychat.types import Event

_KINDS: tuple[CredentialKind, ...] = ("cookies", "bearer", "api_key")
_REPEATING = (("status", {"code": 400}), ("status", {"code": 401}), ("status", {"code": 500}), ("error_200", {}))
_SILENT = ("challenge", "html", "close", "cut_frame", "malformed_frame", "drop")
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
        """Raise at the first place where a secret was seen."""
        for place, text in self._shown:
            for needle in self._needles:
                at = text.find(needle)
                around = text[max(0, at - 100) : at] + "<SECRET>" + text[at + len(needle) :][:40]
                require(at < 0, f"a secret is seen in {place}: …{around!r}")


async def _stays_caged(bench: Bench, kind: CredentialKind, errors_only: bool) -> None:
    if kind not in bench.info.accepts:
        return
    cage = _Cage()
    bench.sandbox.add_account(cage.canary)
    account = msgspec.structs.replace(bench.account(cage.canary, kind), name="canary")
    steps: list[Step] = []
    paths = (await bench.learned()).paths
    with _logged(cage):
        async with bench.engine(account, observe=steps.append) as engine:
            await _good_turns(bench, engine, cage)
            if not errors_only:
                _look_at(cage, "the account", account)
                _look_at(cage, "the engine", engine)
        if errors_only:
            await _bad_turns(bench, account, cage, paths)
    cage.show("the steps on the wire", repr(steps) + msgspec.json.encode(steps).decode())
    cage.judge()


async def _good_turns(bench: Bench, engine: Engine, cage: _Cage) -> None:
    request = bench.request("Hello")
    turn = await engine.ask(request)
    events: list[Event] = [event async for batch in turn for event in batch]
    for name, thing in {"the events": events, "the reply": turn.so_far, "the request": request}.items():
        cage.show(name, repr(thing) + msgspec.json.encode(thing).decode())
    _look_at(cage, "the turn", turn)
    for entry in bench.journal():
        entry.account = None  # the sandbox's word for who it is
        cage.show("the sandbox's journal", repr(entry))
    if isinstance(bench.provider, SignsIn):
        cage.hides((await bench.provider.access_token(engine.session(bench.name))).reveal())
    if "image_in" in bench.info.capabilities:
        turn = await engine.ask(bench.request("What is this?", picture()))
        cage.show("a reply about a picture", repr(await turn.reply()))


async def _bad_turns(bench: Bench, account: Account, cage: _Cage, paths: tuple[str, ...]) -> None:
    """Each trouble at each request of a turn, every time with an engine that has yet to sign in."""
    troubles = [(fault, {**details, "message": f"{cage.canary} is bad"}) for fault, details in _REPEATING]
    troubles += [(fault, {}) for fault in _SILENT]
    for path in paths:
        for fault, details in troubles:
            bench.fault(fault, path=path, **details)
            async with bench.engine(account) as engine:
                try:
                    await (await engine.ask(bench.request())).reply()
                except PolychatError as error:
                    _look_at_error(cage, f"the error of {fault} at {path}", error)


def _look_at_error(cage: _Cage, place: str, error: PolychatError) -> None:
    cage.show(f"{place}, its words", f"{error} {error!r} {error.args} {vars(error)}")
    cage.show(f"{place}, its traceback", "".join(traceback.format_exception(error)))
    told = traceback.TracebackException.from_exception(error, capture_locals=True)
    cage.show(f"{place}, its local variables", "".join(told.format()))
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


CANARY_CHECKS: tuple[Check[Subject], ...] = tuple(
    async_check(f"canary {kind} {what}", partial(_stays_caged, kind=kind, errors_only=errors_only))
    for kind in _KINDS
    for what, errors_only in (("objects", False), ("errors", True))
)
