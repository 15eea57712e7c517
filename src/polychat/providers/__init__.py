"""One file per service. What is here is listed by file name and loaded only when used; `_x.py` is a part of one.

A service that speaks the OpenAI dialect is a row of `compatible.toml` instead, over `openai_compatible.py`.
An outside package adds a service by the entry point group "polychat.providers": name -> provider class.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING

from polychat.errors import UnknownModel
from polychat.providers.base import Info, Model, Provider

if TYPE_CHECKING:
    from polychat.providers.openai_compatible import Row

__all__ = ["Info", "Model", "Provider", "load", "names"]

_GROUP = "polychat.providers"
_NONE = frozenset({"base", "openai_compatible"})  # what all of them are made of


@cache
def names() -> tuple[str, ...]:
    """The services there are: files by name, rows in their order, then those of other packages; none is imported."""
    ours = (
        module.name
        for module in pkgutil.iter_modules(__path__)
        if module.name not in _NONE and not module.name.startswith("_")
    )
    return tuple(dict.fromkeys((*sorted(ours), *_rows(), *sorted(_outside()))))


@cache
def load(name: str) -> Provider:
    """The provider of that name. Raises `UnknownModel` naming what there is."""
    if name not in names():
        raise UnknownModel(f"there is no provider {name!r}", hint=f"there are: {', '.join(names())}")
    if name in (outside := _outside()):
        provider: Provider = outside[name].load()()
        return provider
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
def _rows() -> Mapping[str, Row]:
    from polychat.providers.openai_compatible import rows

    return rows()


@cache
def _outside() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=_GROUP)}
