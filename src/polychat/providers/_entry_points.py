"""Services of other packages, by the entry point group "polychat.providers": name -> provider class.

Nothing of another package is imported until its service is asked for, and none of them can harm the rest: what cannot
be read or loaded is one sentence that names the package, and a name that polychat has itself stays polychat's own.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Iterator
from importlib.metadata import Distribution, EntryPoint, distributions
from typing import NamedTuple

import msgspec

from polychat.errors import ConfigError, PolychatError
from polychat.providers.base import Info, Provider

log = logging.getLogger("polychat.providers")

GROUP = "polychat.providers"

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")  # it stands before the slash of a model, and in a URL of the sandbox
_MISTAKES = (  # what code of others raises while it is loaded; programs that end themselves there included
    ArithmeticError, AssertionError, AttributeError, BufferError, EOFError, ExceptionGroup, ImportError, LookupError,
    MemoryError, NameError, OSError, ReferenceError, RuntimeError, StopIteration, SyntaxError, SystemError, SystemExit,
    TypeError, ValueError, Warning, msgspec.MsgspecError, PolychatError,
)  # fmt: skip
_QUOTED_CHARACTERS = 200


class Offer(NamedTuple):
    """A service, and the package that brings it."""

    name: str
    package: Distribution
    entry: EntryPoint

    @property
    def origin(self) -> str:
        """The package as a person knows it."""
        return f"the package {_called(self.package)} {self.package.version}"

    def provider(self) -> Provider:
        """The service, loaded. Raises: `ConfigError` that names the package when it is none."""
        try:
            made = self.entry.load()()
            wrong = self._wrong(made)
        except _MISTAKES as error:
            words = " ".join(str(error).split())[:_QUOTED_CHARACTERS]
            raise self._broken(f"does not load ({type(error).__name__}{': ' if words else ''}{words})") from error
        if wrong:
            raise self._broken(wrong)
        provider: Provider = made
        return provider

    def _wrong(self, made: object) -> str | None:
        info = getattr(made, "info", None)
        if not isinstance(info, Info) or not callable(getattr(made, "chat", None)):
            return "is no provider: that has an `info` of polychat.providers.Info, and a `chat`"
        return None if info.name == self.name else f"calls itself {info.name!r}: entry point and Info.name must agree"

    def _broken(self, what: str) -> ConfigError:
        name = _called(self.package)
        return ConfigError(
            f"{self.origin} offers the service {self.name}, which {what}",
            hint=f"look for a newer one, or remove it: pip uninstall {name}",
            provider=self.name,
        )


def offers(own: Collection[str]) -> dict[str, Offer]:
    """What other packages offer beside polychat's `own`, sorted by name; the log says what is left out, and why."""
    found: dict[str, Offer] = {}
    for offer in _every():
        if offer.name in own:
            log.warning("%s offers the service %s, which polychat has itself", offer.origin, offer.name)
        elif not _NAME.fullmatch(offer.name):
            log.warning("%s offers a service called %r, which is no name for one", offer.origin, offer.name)
        elif offer.name in found:
            log.warning("%s offers the service %s, as %s does", offer.origin, offer.name, found[offer.name].origin)
        else:
            found[offer.name] = offer
    return dict(sorted(found.items()))


def _every() -> Iterator[Offer]:
    """All entries of the group. A package that is found twice counts once, where Python would import it from."""
    seen: set[str] = set()
    for package in distributions():
        try:
            entries = package.entry_points.select(group=GROUP)
        except (TypeError, ValueError, OSError) as error:
            log.warning("the entry points of the package %s cannot be read: %s", _called(package), error)
            continue
        name = _called(package) if entries else ""
        if name not in seen:
            yield from (Offer(entry.name, package, entry) for entry in entries)
        seen.add(name)


def _called(package: Distribution) -> str:
    return package.metadata["Name"] or "without a name"
