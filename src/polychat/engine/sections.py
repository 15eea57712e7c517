"""The tables of a config, each checked by itself. Every complaint begins with the place and names the setting's path.

No value is repeated: a proxy has a password.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args
from urllib.parse import urlsplit

import msgspec

from polychat.engine.ledger.record import Store
from polychat.errors import ConfigError
from polychat.net.clocks import USUAL, Clocks, Kind, is_wait
from polychat.types import ToolMode

_SANDBOX_SCHEMES = ("http", "https")
_PROXY_SCHEMES = ("http", "https", "socks4", "socks5", "socks5h")


class ModelSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What is set for one model."""

    tools: ToolMode = "service"


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """What one question may cost, whoever answers it in the end."""

    attempts: int = 4  # that reach a service
    time_s: float = 120.0  # after which nobody else is asked
    hedge_after_s: float | None = None  # of silence, after which the next is asked as well; None: never


class Logging(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger keeps."""

    store: Store | None = None  # None: facts for the command line and the server, nothing for a program's own client
    file: Path | None = None  # ledger.sqlite in the state folder unless told


# ---------------------------------------------------------------- checks


def check_clocks(place: str, table: Mapping[str, Any]) -> None:
    """Raise `ConfigError` for the first wrong clock, of all requests or of one kind."""
    for name, given in table.items():
        if name in USUAL and isinstance(given, dict):
            for clock, seconds in given.items():
                _check_clock(place, f"clocks.{name}.{clock}", clock, seconds, Clocks.__struct_fields__)
        else:
            _check_clock(place, f"clocks.{name}", name, given, (*Clocks.__struct_fields__, *USUAL))


def _check_clock(place: str, where: str, name: str, seconds: object, known: tuple[str, ...]) -> None:
    if name not in known:
        raise unknown(place, where, known)
    if name in USUAL or not is_wait(seconds):
        what = "a table of clocks" if name in USUAL else "a number of seconds"
        raise ConfigError(f"{place}: {where} is not {what}", hint="0 switches a clock off")


def check_accounts(place: str, table: Mapping[str, Any]) -> None:
    """Raise `ConfigError` where a provider's account is not a name."""
    for provider, account in table.items():
        if not isinstance(account, str):
            raise ConfigError(f"{place}: accounts.{provider} is not the name of an account")


def check_concurrency(place: str, table: Mapping[str, Any]) -> None:
    """Raise `ConfigError` for what is not a number of questions."""
    for name, count in table.items():
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:
            raise ConfigError(f"{place}: concurrency.{name} is not a number of questions", hint="1 or more")


def check_failover(place: str, table: Mapping[str, Any]) -> None:
    """Raise `ConfigError` for the first wrong setting of the budget."""
    for name, given in table.items():
        if name not in Budget.__struct_fields__:
            raise unknown(place, f"failover.{name}", Budget.__struct_fields__)
        counts = isinstance(given, int) and not isinstance(given, bool) and given >= 1
        if name == "attempts" and not counts:
            raise ConfigError(f"{place}: failover.attempts is not a number of attempts", hint="1 asks nobody else")
        if not is_wait(given):
            raise ConfigError(f"{place}: failover.{name} is not a number of seconds")


def check_logging(place: str, table: Mapping[str, Any]) -> None:
    """Raise `ConfigError` for the first wrong setting of the ledger."""
    for name, given in table.items():
        if name not in Logging.__struct_fields__:
            raise unknown(place, f"logging.{name}", Logging.__struct_fields__)
        if name == "store" and given not in get_args(Store):
            raise ConfigError(f"{place}: logging.store is not one of {', '.join(get_args(Store))}")
        if name == "file" and not (isinstance(given, str) and given.strip()):
            raise ConfigError(f"{place}: logging.file is not the name of a file")


def check_model(place: str, name: str, given: object) -> None:
    """Raise `ConfigError` for the first wrong setting of one model."""
    where = f'models."{name}"'
    if not isinstance(given, dict):
        raise ConfigError(f"{place}: {where} is not a table of a model", hint='write it like [models."reka/reka-core"]')
    for setting in given.keys() - set(ModelSettings.__struct_fields__):
        raise unknown(place, f"{where}.{setting}", ModelSettings.__struct_fields__)
    if given.get("tools", "service") not in get_args(ToolMode):
        raise ConfigError(f"{place}: {where}.tools is not one of {', '.join(get_args(ToolMode))}")


def check_sandbox(place: str, url: str | None) -> None:
    """Raise `ConfigError` unless it is a URL."""
    _check_url(place, "sandbox", url, _SANDBOX_SCHEMES, "http://127.0.0.1:8765")


def check_proxy(place: str, url: str | None) -> None:
    """Raise `ConfigError` unless it is a URL of a proxy."""
    _check_url(place, "proxy", url, _PROXY_SCHEMES, "http://127.0.0.1:8080")


def _check_url(place: str, name: str, url: str | None, schemes: tuple[str, ...], example: str) -> None:
    if not url:
        return
    try:
        parts = urlsplit(url)
        valid = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise ConfigError(
            f"{place}: {name} is not a URL that begins with {', '.join(scheme + '://' for scheme in schemes)}",
            hint=f"write it like {example}",
        )


def unknown(place: str, name: str, known: tuple[str, ...]) -> ConfigError:
    """The refusal of a setting that there is not."""
    return ConfigError(f"{place}: {name} is not a setting", hint=f"the settings there are {', '.join(known)}")


# ---------------------------------------------------------------- what they mean


def clocks(table: Mapping[str, Any]) -> dict[Kind, Clocks]:
    """The clocks of every kind of request: its usual ones, then those set for all, then its own."""
    common = {name: seconds or None for name, seconds in table.items() if name not in USUAL}
    return {kind: usual.but(common).but(_own(table.get(kind, {}))) for kind, usual in USUAL.items()}


def _own(table: Mapping[str, Any]) -> dict[str, float | None]:
    return {name: seconds or None for name, seconds in table.items()}


def budget(table: Mapping[str, Any]) -> Budget:
    """What a question may cost."""
    set_ones: dict[str, Any] = {
        name: value or None if name == "hedge_after_s" else value for name, value in table.items()
    }
    return msgspec.structs.replace(Budget(), **set_ones)
