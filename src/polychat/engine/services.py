"""Which services there are: handed over in place, named by the person's config, and those that everybody knows."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from types import MappingProxyType

from polychat import providers
from polychat.engine.settings import Settings
from polychat.errors import UnknownModel
from polychat.providers.base import Info, Provider


class Services:
    """The services of one set of settings; the first of a name hides the others."""

    def __init__(self, settings: Settings, own: Mapping[str, Provider] | None = None) -> None:
        self._settings = settings
        self._own = dict(own or {})

    def under(self, settings: Settings) -> Services:
        """The same under other settings."""
        return Services(settings, self._own)

    def names(self) -> tuple[str, ...]:
        """Their names; of those that everybody knows none is loaded."""
        return tuple(dict.fromkeys((*self._own, *self._settings.services, *providers.names())))

    def load(self, name: str) -> Provider:
        """The service of that name. Raises: `UnknownModel` naming what there is."""
        if found := self._own.get(name) or self._configured.get(name):
            return found
        if name not in providers.names():
            raise UnknownModel(f"there is no provider {name!r}", hint=f"there are: {', '.join(self.names())}")
        return providers.load(name)

    def infos(self) -> Mapping[str, Info]:
        """What each of them is; one of another package that does not load is left out, and the log was told."""
        return self._infos

    def is_given(self, name: str) -> bool:
        """True for one that was handed over in place, which no sandbox stands in for."""
        return name in self._own

    @cached_property
    def _infos(self) -> Mapping[str, Info]:
        mine = {**self._configured, **self._own}
        known = providers.infos()
        found = {name: mine[name].info if name in mine else known.get(name) for name in self.names()}
        return MappingProxyType({name: info for name, info in found.items() if info is not None})

    @cached_property
    def _configured(self) -> dict[str, Provider]:
        if not self._settings.services:
            return {}
        from polychat.engine import rows

        in_sandbox = self._settings.sandbox is not None
        return {
            name: rows.provider(name, service, in_sandbox=in_sandbox)
            for name, service in self._settings.services.items()
        }
