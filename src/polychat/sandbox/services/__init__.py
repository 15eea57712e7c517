"""One file or folder per service; its name is the path it lives under (`reka.py` answers at `/reka/...`).

Every one has the same three parts:

    State      a class made with the `World` at every reset: what the real service would keep in its database
    routes     the service's paths, as routes of `call.get(...)`, `call.post(...)` and their like, relative to its root
    service    a `Service`: its label, its knobs and the shape of its errors

A service writes each frame of a stream as a piece of its own (`call.EventStream`), takes time and ids from the world
and its addresses from the request, and refuses what the real one refuses. A name that begins with `_` is no service but
a part of one.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
from starlette.routing import BaseRoute

if TYPE_CHECKING:
    from polychat.sandbox.world import World


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
    """Every service of this folder by name, in alphabetical order."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))
    return {name: importlib.import_module(f"{__name__}.{name}") for name in names}
