"""One file or folder per service; its name is the path it lives under (`reka.py` answers at `/reka/...`).

Every one has the same three parts:

    State      a class made with the `World` at every reset: what the real service would keep in its database
    routes     the service's paths, as routes of `call.get(...)`, `call.post(...)` and their like, relative to its root
    service    a `Service`: its label, its knobs and the shape of its errors

A service writes each frame of a stream as a piece of its own (`call.EventStream`), takes time and ids from the world
and its addresses from the request, and refuses what the real one refuses. A name that begins with `_` is no service but
a part of one.

A package that brings a service of its own brings its emulation by the entry point group "polychat.sandbox": name ->
module. One that does not load is left out, and so is one of a name that is here already; the log says which and why.
"""

from __future__ import annotations

import importlib
import logging
import pkgutil
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from importlib.metadata import Distribution, EntryPoint, distributions
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
from starlette.routing import BaseRoute

if TYPE_CHECKING:
    from polychat.sandbox.world import World

log = logging.getLogger("polychat.sandbox")

GROUP = "polychat.sandbox"

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")  # as a path
_MISTAKES = (  # what code of others raises while it is loaded; programs that end themselves there included
    ArithmeticError, AssertionError, AttributeError, BufferError, EOFError, ExceptionGroup, ImportError, LookupError,
    MemoryError, NameError, OSError, ReferenceError, RuntimeError, StopIteration, SyntaxError, SystemError, SystemExit,
    TypeError, ValueError, Warning, msgspec.MsgspecError,
)  # fmt: skip


class NoKnobs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A service without settings."""


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """A service as data."""

    label: str
    error: Callable[[int, str], Any]  # status and sentence -> the JSON body this service gives with them
    knobs: type[msgspec.Struct] = NoKnobs  # settings with defaults; frozen, unknown fields forbidden
    expire: Callable[[Any, str], None] | None = None  # state and bearer: forget the bearer


class Emulation(Protocol):
    """What a service file offers."""

    State: Callable[[World], Any]
    routes: Sequence[BaseRoute]
    service: Service


def discover() -> Mapping[str, Emulation]:
    """Every service by name, in alphabetical order: those of this folder, then those of other packages."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))
    own: dict[str, Emulation] = {name: importlib.import_module(f"{__name__}.{name}") for name in names}
    return {**own, **_others(tuple(own))}


@cache
def _others(own: tuple[str, ...]) -> Mapping[str, Emulation]:
    """The emulations of other packages that can be used, beside polychat's `own`."""
    found: dict[str, Emulation] = {}
    for package, entry in _entries():
        emulation = "is there already" if entry.name in (*own, *found) else _loaded(entry)
        if isinstance(emulation, str):
            said = _called(package), package.version, entry.name, emulation
            log.warning("the package %s %s emulates the service %s, which %s; it is left out", *said)
        else:
            found[entry.name] = emulation
    return dict(sorted(found.items()))


def _loaded(entry: EntryPoint) -> Emulation | str:
    """The emulation, or what is wrong with it."""
    if not _NAME.fullmatch(entry.name):
        return "is no name for one"
    try:
        emulation: Emulation = entry.load()
        _ = emulation.State, emulation.routes, emulation.service.knobs
    except _MISTAKES as error:
        return f"does not load ({type(error).__name__}: {' '.join(str(error).split())[:200]})"
    return emulation


def _entries() -> Iterator[tuple[Distribution, EntryPoint]]:
    """All entries of the group; a package that is found twice counts once, where Python would import it from."""
    seen: set[str] = set()
    for package in distributions():
        try:
            entries = package.entry_points.select(group=GROUP)
        except (TypeError, ValueError, OSError) as error:
            log.warning("the entry points of the package %s cannot be read: %s", _called(package), error)
            continue
        name = _called(package) if entries else ""
        if name not in seen:
            yield from ((package, entry) for entry in entries)
        seen.add(name)


def _called(package: Distribution) -> str:
    return package.metadata["Name"] or "without a name"
