"""Routed names: one name of the config for several targets, in some order, under some conditions.

    [models.smart]
    strategy = "ordered"                 # or weighted, least_busy, cheapest
    targets = [
      "openai/gpt-5",
      { model = "anthropic/claude-sonnet-4-5", when = "errors_1h < 3 and not request.has_images" },
      "fast",                            # another routed name
    ]

    [models]
    fast = "groq/llama-3.3-70b-versatile"   # an alias: a routed name with one target

A target is written as a caller would write a model. Everything is checked when the config is read, but for what only
the services and accounts of the moment can tell.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal, get_args

import msgspec

from polychat.engine import conditions, facts
from polychat.engine.conditions import Condition
from polychat.engine.sections import unknown
from polychat.errors import ConfigError
from polychat.types import ToolMode

Strategy = Literal["ordered", "weighted", "least_busy", "cheapest"]

SETTINGS = ("targets", "strategy", "tools")
FIELDS = ("model", "weight", "when")


class Aim(msgspec.Struct, frozen=True, kw_only=True):
    """One target of a routed name."""

    model: str  # as a caller would write it
    place: str  # models.smart.targets[0]
    file: str = "options"  # or another place the config comes from
    weight: float = 1.0
    when: Condition | None = None


class Routed(msgspec.Struct, frozen=True, kw_only=True):
    """A routed name."""

    targets: tuple[Aim, ...]  # never empty
    strategy: Strategy = "ordered"
    tools: ToolMode | None = None  # for all targets that do not say themselves


def read(file: str, name: str, given: Any) -> Routed:
    """The routed name that one entry of `[models]` is; `file` is where the config comes from.

    Raises: `ConfigError` with the path of what is wrong.
    """
    where = f"models.{name}"
    if not name.strip() or "?" in name:
        raise ConfigError(f"{file}: {where} is no name to ask for", hint="use letters, digits, - and _")
    if isinstance(given, str):
        return Routed(targets=(_aim(file, where, given, "ordered"),))
    if not isinstance(given, dict):
        raise ConfigError(f"{file}: {where} is neither a model nor a table with targets", hint=_EXAMPLE)
    for setting in given.keys() - set(SETTINGS):
        raise unknown(file, f"{where}.{setting}", SETTINGS)
    targets = given.get("targets")
    if not isinstance(targets, list) or not targets:
        raise ConfigError(f"{file}: {where}.targets is not a list of models", hint=_EXAMPLE)
    strategy = _one_of(file, f"{where}.strategy", given.get("strategy", "ordered"), get_args(Strategy))
    tools = _one_of(file, f"{where}.tools", given["tools"], get_args(ToolMode)) if "tools" in given else None
    aims = (_aim(file, f"{where}.targets[{index}]", one, strategy) for index, one in enumerate(targets))
    return Routed(targets=tuple(aims), strategy=strategy, tools=tools)


def check_cycles(routed: Mapping[str, Routed]) -> None:
    """Raise `ConfigError` where a name leads back to itself."""
    done: set[str] = set()
    for name in routed:
        _walk(name, routed, (name,), done)


def _walk(name: str, routed: Mapping[str, Routed], way: tuple[str, ...], done: set[str]) -> None:
    if name in done:
        return
    for aim in routed[name].targets:
        next_name = aim.model.partition("?")[0]
        if next_name in way:
            path = " -> ".join([*way[way.index(next_name) :], next_name])
            place = f"{aim.file}: {aim.place}"
            raise ConfigError(
                f"{place} leads back to {next_name}: {path}", hint="a routed name ends at models of services"
            )
        if next_name in routed:
            _walk(next_name, routed, (*way, next_name), done)
    done.add(name)


def _aim(file: str, where: str, given: Any, strategy: str) -> Aim:
    table = {"model": given} if isinstance(given, str) else given
    if not isinstance(table, dict) or not isinstance(table.get("model"), str) or not table["model"].strip():
        raise ConfigError(f"{file}: {where} names no model", hint=f"write it like {_EXAMPLES[0]} or {_EXAMPLES[1]}")
    for field in table.keys() - set(FIELDS):
        raise unknown(file, f"{where}.{field}", FIELDS)
    return Aim(
        model=table["model"].strip(),
        place=where,
        file=file,
        weight=_weight(file, f"{where}.weight", table["weight"], strategy) if "weight" in table else 1.0,
        when=_condition(file, f"{where}.when", table["when"]) if "when" in table else None,
    )


def _weight(file: str, where: str, given: Any, strategy: str) -> float:
    if strategy != "weighted":
        raise ConfigError(f'{file}: {where} means nothing with strategy "{strategy}"', hint='set strategy = "weighted"')
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 < given < math.inf:
        raise ConfigError(f"{file}: {where} is not a number above 0")
    return float(given)


def _condition(file: str, where: str, given: Any) -> Condition:
    if not isinstance(given, str):
        raise ConfigError(f"{file}: {where} is not a text", hint='write it like when = "errors_1h < 3"')
    return conditions.parse(given, facts.KNOWN, place=f"{file}: {where}")


def _one_of(file: str, where: str, given: Any, known: tuple[Any, ...]) -> Any:
    if given not in known:
        raise ConfigError(f"{file}: {where} is not one of {', '.join(known)}")
    return given


_EXAMPLES = ('"openai/gpt-5"', '{ model = "openai/gpt-5", when = "errors_1h < 3" }')
_EXAMPLE = f"write it like targets = [{_EXAMPLES[0]}, {_EXAMPLES[1]}]"
