"""What is sound in a config and still of no use: names that lead nowhere. Nothing is asked of any service."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from difflib import get_close_matches
from typing import NamedTuple

from polychat.engine.engine import Engine
from polychat.engine.targets import Known, Yardsticks, targets
from polychat.errors import ConfigError
from polychat.providers.base import ListsModels

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_YARDSTICKS = Yardsticks(busy=lambda route: 0.0, price=lambda route: 0.0, random=lambda: 0.0)


class Warned(NamedTuple):
    """One thing to look at."""

    path: str  # models.smart.targets[0]
    message: str
    hint: str | None
    file: str | None = None


def warnings(engine: Engine) -> list[Warned]:
    """All of them, in the order of the config's reference."""
    known = engine.known()
    return [*_default(engine, known), *_named(engine, known), *_services(engine), *_models(engine, known)]


def _default(engine: Engine, known: Known) -> Iterator[Warned]:
    if (wanted := engine.settings.model) and (error := _lost(engine, known, wanted)):
        yield Warned("model", error.message, error.hint)


def _named(engine: Engine, known: Known) -> Iterator[Warned]:
    """Services and accounts that other settings name."""
    settings, services = engine.settings, engine.names()
    for service, account in settings.accounts.items():
        where = f"accounts.{service}"
        if service not in services:
            yield Warned(where, f"there is no service {service}", _near(service, services))
        elif known.accounts.get(account) != service:
            hint = _near(account, known.accounts) or "polychat accounts list shows those there are"
            yield Warned(where, f"there is no account {account} of {service}", hint)
    for name in settings.concurrency:
        if name not in services and name not in known.accounts:
            near = _near(name, {*services, *known.accounts})
            yield Warned(f"concurrency.{name}", f"there is neither a service nor an account {name}", near)


def _services(engine: Engine) -> Iterator[Warned]:
    for name, service in engine.settings.services.items():
        for index, variable in enumerate(service.row.keys):
            if not _VARIABLE.fullmatch(variable):
                instead = f"a key itself goes into the vault: polychat login {name} --key -"
                yield Warned(f"services.{name}.keys[{index}]", "it is not the name of a variable", instead)
        if service.key_file and not service.key_file.is_file():
            yield Warned(f"services.{name}.key_file", f"there is no file {service.key_file}", None)


def _models(engine: Engine, known: Known) -> Iterator[Warned]:
    for name in engine.settings.models:
        service = name.partition("/")[0]
        if service not in engine.names():
            yield Warned(f'models."{name}"', f"there is no service {service}", _near(service, engine.names()))
    for routed in engine.settings.routed.values():
        for aim in routed.targets:
            if aim.model.partition("?")[0] not in known.routed and (error := _lost(engine, known, aim.model)):
                yield Warned(aim.place, error.message, error.hint, aim.file)


def _lost(engine: Engine, known: Known, wanted: str) -> ConfigError | None:
    """Why that name leads nowhere; None where it leads somewhere."""
    try:
        targets(wanted, known, _YARDSTICKS)
    except ConfigError as error:
        service = wanted.partition("/")[0]
        if service in engine.names() and isinstance(engine.service(service), ListsModels):
            said = f"polychat knows no model {wanted!r}; {service} is asked for its own list when it is needed"
            return ConfigError(said, hint=error.hint)
        return error
    return None


def _near(name: str, known: Collection[str]) -> str | None:
    near = get_close_matches(name, known, n=3)
    return f"did you mean {' or '.join(near)}?" if near else None
