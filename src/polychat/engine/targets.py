"""Where a question may go, in the order of preference: the targets of a routed name, or those of a plain model. Pure.

    ordered      as the config has them
    weighted     by lot, the heavier the sooner
    least_busy   those whose accounts answer fewest questions, for what they may answer at once
    cheapest     by the price of a million tokens in and out; a price that is not known comes last

A routed name among the targets stands in its place as a whole, ordered by its own strategy. No target comes twice
under the same conditions; that nobody is asked twice is the plan's business.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

import msgspec

from polychat.engine.conditions import Condition
from polychat.engine.routed import Aim, Routed, Strategy
from polychat.engine.routing import Route, able, routes, split
from polychat.errors import ConfigError, UnknownModel
from polychat.providers.base import Capability, Info
from polychat.types import ToolMode


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """A model that may be asked."""

    route: Route
    place: str | None = None  # in the config, where a routed name led here
    whens: tuple[Condition, ...] = ()  # all of which have to hold


class Missed(msgspec.Struct, frozen=True, kw_only=True):
    """A target of the config that leads nowhere."""

    wanted: str
    place: str
    error: ConfigError
    whens: tuple[Condition, ...] = ()
    elsewhere: bool = False  # it is of a service that is not meant


Found = Target | Missed


class Known(NamedTuple):
    """What names are resolved among."""

    services: Mapping[str, Info]
    accounts: Mapping[str, str]  # account -> provider
    prefer: Sequence[str]  # providers to look at first for a plain model id
    routed: Mapping[str, Routed] = {}
    elsewhere: Collection[str] = ()  # services, and accounts of services, that are not meant


class Yardsticks(NamedTuple):
    """What the strategies go by."""

    busy: Callable[[Route], float]  # 0 idle, 1 full
    price: Callable[[Route], float]  # infinite where it is not known
    random: Callable[[], float]  # from 0 to 1


def is_routed(wanted: str, known: Known) -> bool:
    """True for a name of the config; what any other leads to depends on `known` alone."""
    return wanted.partition("?")[0] in known.routed


def targets(wanted: str, known: Known, yardsticks: Yardsticks, to: Capability | None = None) -> list[Found]:
    """Those of `wanted`, the preferred first; never none. `to` says what for, where a service is named and no model.

    Raises: as `routes`, for a name that is not a routed one.
    """
    name, mode = split(wanted)
    if name not in known.routed:
        services = known.services
        routed = routes(wanted, services, accounts=known.accounts, prefer=known.prefer)
        return [Target(route=able(one, wanted, services[one.provider], to) if to else one) for one in routed]
    found = _of(name, known, yardsticks, to)
    if mode:
        found = [_moded(one, mode, whatever=True) for one in found]
    return _once(found)


def _of(name: str, known: Known, yardsticks: Yardsticks, to: Capability | None) -> list[Found]:
    routed = known.routed[name]
    groups = [(aim, _aimed(aim, known, yardsticks, to)) for aim in routed.targets]
    found = [one for _, group in _ordered(groups, routed.strategy, yardsticks) for one in group]
    return [_moded(one, routed.tools, whatever=False) for one in found] if routed.tools else found


def _aimed(aim: Aim, known: Known, yardsticks: Yardsticks, to: Capability | None) -> list[Found]:
    if aim.model not in known.routed and (head := _head(aim.model)) in known.elsewhere:
        error = UnknownModel(f"{aim.model} is of {head}, and only {' or '.join(known.services)} is meant")
        return [Missed(wanted=aim.model, place=aim.place, error=error, elsewhere=True)]
    try:
        found = targets(aim.model, known, yardsticks, to)
    except ConfigError as error:
        return [Missed(wanted=aim.model, place=aim.place, error=error)]
    return [_under(aim, one) for one in found]


def _head(model: str) -> str:
    return model.partition("?")[0].partition("/")[0]


def _under(aim: Aim, found: Found) -> Found:
    whens = (aim.when, *found.whens) if aim.when else found.whens
    return msgspec.structs.replace(found, place=found.place or aim.place, whens=whens)


def _ordered(
    groups: list[tuple[Aim, list[Found]]], strategy: Strategy, yardsticks: Yardsticks
) -> list[tuple[Aim, list[Found]]]:
    match strategy:
        case "ordered":
            return groups
        case "weighted":  # by lot without putting back: the least of exponential waits, whose rates are the weights
            return sorted(groups, key=lambda group: -math.log(1 - yardsticks.random()) / group[0].weight)
        case "least_busy":
            return sorted(groups, key=lambda group: _least(group[1], yardsticks.busy))
        case "cheapest":
            return sorted(groups, key=lambda group: _least(group[1], yardsticks.price))


def _least(group: list[Found], of: Callable[[Route], float]) -> float:
    return min((of(one.route) for one in group if isinstance(one, Target)), default=math.inf)


def _moded(found: Found, mode: ToolMode, *, whatever: bool) -> Found:
    if isinstance(found, Missed) or (found.route.tool_mode and not whatever):
        return found
    return msgspec.structs.replace(found, route=msgspec.structs.replace(found.route, tool_mode=mode))


def _once(found: list[Found]) -> list[Found]:
    """Without those that came before under the same conditions."""
    seen: dict[object, Found] = {}
    for one in found:
        seen.setdefault(_key(one), one)
    return list(seen.values())


def _key(found: Found) -> object:
    if isinstance(found, Missed):
        return found.wanted
    route = found.route
    return route.provider, route.model.id, route.account, route.tool_mode, *(when.text for when in found.whens)
