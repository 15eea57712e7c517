"""From what the caller calls a model to a service and the service's own id. Pure.

`provider/model`, `account/model`, a plain model id that some service offers, or a bare provider name (its default
model). Behind any of them may stand `?tools=emulate` or `?tools=service`, for programs that can set a model only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import cast, get_args

import msgspec

from polychat.errors import BadOption, UnknownModel
from polychat.providers.base import Info, Model
from polychat.types import ToolMode

_MODES = {f"tools={mode}": cast(ToolMode, mode) for mode in get_args(ToolMode)}


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """Where a question goes."""

    provider: str
    model: Model
    account: str | None = None  # when the caller named one
    tool_mode: ToolMode | None = None  # when the name says


def route(
    wanted: str,
    services: Mapping[str, Info],
    *,
    accounts: Mapping[str, str],
    prefer: Sequence[str] = (),
) -> Route:
    """Resolve `wanted` among `services` (name -> info).

    `accounts` maps account names to their provider; `prefer` names providers to look at first for a plain model id.
    Raises: `UnknownModel` with the nearest names, `BadOption` for what stands behind a question mark and is unknown.
    """
    name, mark, word = wanted.partition("?")
    found = _route(name, services, accounts, prefer)
    return msgspec.structs.replace(found, tool_mode=_mode(word)) if mark else found


def _mode(word: str) -> ToolMode:
    if word not in _MODES:
        raise BadOption(f"model ends in ?{word}", field="model", hint=f"after the ? may stand {' or '.join(_MODES)}")
    return _MODES[word]


def _route(wanted: str, services: Mapping[str, Info], accounts: Mapping[str, str], prefer: Sequence[str]) -> Route:
    head, slash, tail = wanted.partition("/")
    if slash and head in services:
        return _at(services[head], tail, wanted)
    if slash and head in accounts:
        return msgspec.structs.replace(_at(services[accounts[head]], tail, wanted), account=head)
    if wanted in services:
        return _at(services[wanted], services[wanted].default_model, wanted)
    for name in (*prefer, *services):
        if model := find(services[name], wanted):
            return Route(provider=name, model=model)
    if len(services) == 1 and (only := next(iter(services.values()))).any_model:
        return Route(provider=only.name, model=Model(id=wanted))
    raise _unknown(wanted, services)


def find(info: Info, wanted: str) -> Model | None:
    """The model of that id or alias, or None."""
    return next((model for model in info.models if wanted == model.id or wanted in model.aliases), None)


def _at(info: Info, wanted: str, whole: str) -> Route:
    if not (wanted or info.default_model):
        raise UnknownModel(
            f"{info.label} has no model that is asked unless another is named",
            hint=f"name one, as in {info.name}/MODEL; those it has: polychat models --provider {info.name} --live",
        )
    model = find(info, wanted or info.default_model)
    if model is None and info.any_model and wanted:
        model = Model(id=wanted)
    if model is None:
        raise _unknown(whole, {info.name: info})
    return Route(provider=info.name, model=model)


def _unknown(wanted: str, services: Mapping[str, Info]) -> UnknownModel:
    known = [f"{info.name}/{model.id}" for info in services.values() for model in info.models]
    plain = {name.partition("/")[2]: name for name in known}
    near = get_close_matches(wanted, known, n=3, cutoff=0.5)
    near += [plain[match] for match in get_close_matches(wanted.rpartition("/")[2], plain, n=3, cutoff=0.5)]
    names = ", ".join(dict.fromkeys(near)) or ", ".join(known[:5])
    return UnknownModel(f"there is no model {wanted!r}", hint=f"did you mean {names}? All: polychat models")
