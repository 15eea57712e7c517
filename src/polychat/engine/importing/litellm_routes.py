"""LiteLLM's groups of deployments and their fallbacks, as routed names.

    one deployment                            an alias
    several                                   one name with a strategy
    several with an `order`, or fallbacks     an ordered name over tiers; a tier of several is a name of its own

There a fallback may lead back to where it came from; here each name is asked once, in the order in which they were met.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from polychat.engine.importing.document import path
from polychat.engine.importing.litellm_deployments import Deployment
from polychat.engine.importing.mapped import Part, Remarks

Tier = Sequence[Deployment]


class Routes:
    """The routed names that the groups of one config become."""

    def __init__(self, groups: Mapping[str, Tier], strategy: str, remarks: Remarks) -> None:
        self._groups = groups
        self._strategy = strategy
        self._remarks = remarks
        self._spares: dict[str, list[str]] = {}  # group -> its fallbacks
        self._for_all: list[str] = []
        self._aliases: dict[str, str] = {}
        self._written: dict[str, Any] = {}
        self._names = self._named()

    # ------------------------------------------------------------ what the settings say

    def spare(self, settings: Part) -> None:
        """Take `fallbacks` and `default_fallbacks` out of some settings; later ones replace earlier ones."""
        for where, entry in settings.entries("fallbacks"):
            if not isinstance(entry, dict):
                self._remarks.left_out(where, "it is not a mapping of a name to its fallbacks")
                continue
            one = Part(entry, where, self._remarks)
            for name in one.names():
                self._spare(name, path(where, name), self._known(one.texts(name)))
        if "default_fallbacks" in settings:
            self._for_all = self._known(settings.texts("default_fallbacks"))

    def _spare(self, name: str, where: str, spares: list[str]) -> None:
        if name == "*":
            self._for_all = spares
        elif name in self._groups:
            self._spares[name] = spares
        else:
            self._remarks.left_out(where, "it is no model_name of this file")

    def _known(self, given: Sequence[tuple[str, str]]) -> list[str]:
        for where, name in given:
            if name not in self._groups:
                self._remarks.left_out(where, "it is no model_name of this file")
        return [name for _, name in given if name in self._groups]

    def alias(self, router: Part) -> None:
        """Take `model_group_alias` out of the router's settings."""
        if (aliases := router.part("model_group_alias")) is None:
            return
        for name in aliases.names():
            where, given = aliases.where(name), aliases.raw(name)
            wanted = given.get("model") if isinstance(given, dict) else given
            if name in self._groups:
                self._remarks.left_out(where, "there is a model_name of this name")
            elif not isinstance(wanted, str) or wanted not in self._groups:
                self._remarks.left_out(where, "it leads to no model_name of this file")
            else:
                self._aliases[self._free(_plain(name))] = wanted

    # ------------------------------------------------------------ what they become

    @property
    def longest(self) -> int:
        """How many fallbacks the name with most of them has."""
        return max((len(self._chain(name)) - 1 for name in self._groups), default=0)

    def name_of(self, group: str) -> str | None:
        """What a group is called in polychat: its routed name, or the model itself."""
        if group not in self._groups:
            return next((alias for alias in self._aliases if alias == _plain(group)), None)
        return self._groups[group][0].model if self._is_itself(group) else self._names[group]

    def written(self) -> dict[str, Any]:
        """The table `[models]`."""
        for group in self._groups:
            if not self._is_itself(group):
                self._written[self._names[group]] = self._route(group)
        aliases = {alias: self.name_of(group) for alias, group in self._aliases.items()}
        return {**self._written, **aliases}

    def _route(self, group: str) -> Any:
        chain = self._chain(group)
        if len(chain) == 1 and len(tiers := self._tiers(group)) == 1:
            return self._one(tiers[0])
        return {"strategy": "ordered", "targets": [target for name in chain for target in self._inline(name, group)]}

    def _inline(self, name: str, within: str) -> Iterator[str]:
        """What stands for a group in the list of `within`."""
        tiers = self._tiers(name)
        if name != within and len(tiers) == 1 and len(self._chain(name)) == 1:
            yield self.name_of(name) or ""
            return
        for number, tier in enumerate(tiers, start=1):
            models = _merged(tier)
            yield next(iter(models)) if len(models) == 1 else self._pool(name, tier, number, len(tiers))

    def _pool(self, group: str, tier: Tier, number: int, count: int) -> str:
        wanted = f"{self._names[group]}-pool" + (f"-{number}" if count > 1 else "")
        made = self._one(tier)
        if self._written.get(wanted) == made:
            return wanted
        name = self._free(wanted)
        self._written[name] = made
        return name

    def _one(self, tier: Tier) -> Any:
        """One tier as an entry of `[models]`."""
        models = _merged(tier)
        if len(models) == 1:
            return next(iter(models))
        if self._strategy == "weighted" and len(set(models.values())) > 1:
            return {"strategy": "weighted", "targets": [{"model": one, "weight": of} for one, of in models.items()]}
        return {"strategy": self._strategy, "targets": list(models)}

    def _chain(self, group: str) -> list[str]:
        """The group, its fallbacks, theirs, each once."""
        found: list[str] = []
        left = [group]
        while left:
            name = left.pop(0)
            if name not in found:
                found.append(name)
                left = [*self._spares.get(name, self._for_all), *left]
        return found

    def _tiers(self, group: str) -> list[Tier]:
        orders = sorted({_order(one) for one in self._groups[group]})
        return [[one for one in self._groups[group] if _order(one) == order] for order in orders]

    # ------------------------------------------------------------ names

    def _named(self) -> dict[str, str]:
        """What each group is called here; a name that is free to be used keeps to its group."""
        names = {group: group for group in self._groups if _plain(group) == group}
        for group, tier in self._groups.items():
            if group in names:
                continue
            plain, number = _plain(group), 2
            while plain in names.values():
                plain, number = f"{_plain(group)}-{number}", number + 1
            names[group] = plain
            if {one.model for one in tier} != {group}:
                self._remarks.differs(tier[0].path, f"it is called {plain}: a name with a / is a service's own")
        return names

    def _is_itself(self, group: str) -> bool:
        """True for a name that polychat knows as it is: openai/gpt-4o for openai/gpt-4o."""
        return {one.model for one in self._groups[group]} == {group} and len(self._chain(group)) == 1

    def _free(self, wanted: str) -> str:
        taken = {*self._names.values(), *self._written, *self._aliases}
        numbered = (f"{wanted}-{number}" for number in range(2, len(taken) + 3))
        return next(name for name in (wanted, *numbered) if name not in taken)


def _merged(tier: Tier) -> dict[str, float]:
    """Each model once with its weight: as given, or by the requests or tokens a minute it may have, or 1."""
    for field in ("weight", "rpm", "tpm"):
        given = [getattr(one, field) for one in tier]
        if any(given) if field == "weight" else all(given):
            break
    else:
        given = [1] * len(tier)
    found: dict[str, float] = {}
    for one, weight in zip(tier, given, strict=True):
        found[one.model] = found.get(one.model, 0) + (weight or 1)
    return found


def _order(one: Deployment) -> float:
    return math.inf if one.order is None else one.order


def _plain(name: str) -> str:
    return name.replace("/", "-").replace("?", "-")
