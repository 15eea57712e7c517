"""One file per service. What is here is listed by file name and loaded only when used; `_x.py` is a part of one.

A service that speaks the OpenAI dialect is a row of `compatible.toml` instead, over `openai_compatible.py`.
An outside package adds a service by the entry point group "polychat.providers": name -> provider class. It needs what
is named here, `polychat.credentials`, `.errors`, `.types`, `.wire` and a `Session`; `docs/guides/write-a-provider.md`
shows one.
"""

from __future__ import annotations

import importlib
import logging
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from polychat.errors import ConfigError, UnknownModel
from polychat.providers._reading import batches
from polychat.providers.base import Info, Model, Provider

if TYPE_CHECKING:
    from polychat.providers._entry_points import Offer
    from polychat.providers.openai_compatible import Row

__all__ = ["Info", "Model", "Provider", "batches", "infos", "load", "names"]

log = logging.getLogger("polychat.providers")

_NONE = frozenset({"base", "openai_compatible"})  # what all of them are made of


@cache
def names() -> tuple[str, ...]:
    """The services there are: files by name, rows in their order, then those of other packages; none is imported."""
    return (*_own(), *_outside())


@cache
def infos() -> Mapping[str, Info]:
    """Every service as data, by name. One of another package that does not load is left out, and the log says why."""
    found = {}
    for name in names():
        try:
            found[name] = load(name).info
        except ConfigError as error:
            log.warning("%s", error.message)
    return MappingProxyType(found)


@cache
def load(name: str) -> Provider:
    """The provider of that name.

    Raises: `UnknownModel` naming what there is, `ConfigError` for one of another package that does not load.
    """
    if name not in names():
        raise UnknownModel(f"there is no provider {name!r}", hint=f"there are: {', '.join(names())}")
    if name in (outside := _outside()):
        return outside[name].provider()
    if name in (rows := _rows()):
        from polychat.providers.openai_compatible import OpenAICompatible

        return OpenAICompatible(name, rows[name])
    module = importlib.import_module(f"{__name__}.{name}")
    (found,) = (
        thing
        for thing in vars(module).values()
        if isinstance(thing, type)
        and thing.__module__ == module.__name__
        and isinstance(getattr(thing, "info", None), Info)
    )
    made: Provider = found()
    return made


@cache
def _own() -> tuple[str, ...]:
    files = (module.name for module in pkgutil.iter_modules(__path__))
    return tuple(dict.fromkeys((*sorted(name for name in files if name not in _NONE and name[0] != "_"), *_rows())))


@cache
def _rows() -> Mapping[str, Row]:
    from polychat.providers.openai_compatible import rows

    return rows()


@cache
def _outside() -> Mapping[str, Offer]:
    from polychat.providers._entry_points import offers

    return offers(_own())
