"""From what the caller calls a model to a service and the service's own id. Pure.

`provider/model`, `account/model`, a plain model id, or a bare provider name (its default model). A plain id leads to
every service that offers it and has an account; without any account, to the first that offers it. Behind any of them
may stand `?tools=emulate` or `?tools=service`, for programs that can set a model only.

Routed names of the config are `targets`' business.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import cast, get_args

import msgspec

from polychat.errors import BadOption, UnknownModel
from polychat.providers.base import Capability, Info, Model
from polychat.types import ToolMode

_MODES = {f"tools={mode}": cast(ToolMode, mode) for mode in get_args(ToolMode)}


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """Where a question goes."""

    provider: str
    model: Model
    account: str | None = None  # when the caller named one
    tool_mode: ToolMode | None = None  # when the name says


def routes(
    wanted: str,
    services: Mapping[str, Info],
    *,
    accounts: Mapping[str, str],
    prefer: Sequence[str] = (),
) -> list[Route]:
    """Resolve `wanted` among `services` (name -> info); more than one route for a plain model id only, never none.

    `accounts` maps account names to their provider; `prefer` names providers to look at first for a plain model id.
    Raises: `UnknownModel` with the nearest names, `BadOption` for what stands behind a question mark and is unknown.
    """
    name, word = split(wanted)
    found = _routes(name, services, accounts, prefer)
    return [msgspec.structs.replace(one, tool_mode=word) for one in found] if word else found


def split(wanted: str) -> tuple[str, ToolMode | None]:
    """The name, and the mode that stands behind its question mark. Raises: `BadOption`."""
    name, mark, word = wanted.partition("?")
    if not mark:
        return wanted, None
    if word not in _MODES:
        raise BadOption(f"model ends in ?{word}", field="model", hint=f"after the ? may stand {' or '.join(_MODES)}")
    return name, _MODES[word]


def _routes(
    wanted: str, services: Mapping[str, Info], accounts: Mapping[str, str], prefer: Sequence[str]
) -> list[Route]:
    head, slash, tail = wanted.partition("/")
    if slash and head in services:
        return [_at(services[head], tail, wanted)]
    if slash and head in accounts:
        return [msgspec.structs.replace(_at(services[accounts[head]], tail, wanted), account=head)]
    if wanted in services:
        return [_at(services[wanted], services[wanted].default_model, wanted)]
    for names in (dict.fromkeys(prefer), services):
        offers = ((name, find(services[name], wanted)) for name in names)
        if found := [Route(provider=name, model=model) for name, model in offers if model]:
            return found if names is not services else found[:1]
    if len(services) == 1 and (only := next(iter(services.values()))).any_model:
        return [Route(provider=only.name, model=Model(id=wanted))]
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


def able(chosen: Route, wanted: str, info: Info, to: Capability) -> Route:
    """The same; where `wanted` names a service only, its first model that can."""
    name = wanted.partition("?")[0]
    if name != info.name and not name.endswith("/"):
        return chosen
    model = next((model for model in (chosen.model, *info.models) if info.can(model, to)), chosen.model)
    return msgspec.structs.replace(chosen, model=model)
