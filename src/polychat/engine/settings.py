"""What a person has set, from five places.

    overrides (flags) > POLYCHAT_... > the given config file > config.toml of the user's config folder > defaults

Each place is checked by itself, so that an error can say where it is; then they are laid over one another, table by
table. `POLYCHAT_HOME` gathers all folders under one. Loading reads at most two files and creates nothing.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args
from urllib.parse import urlsplit

import msgspec

from polychat.credentials import Secret
from polychat.errors import ConfigError
from polychat.net.clocks import Clocks
from polychat.types import ToolMode

if TYPE_CHECKING:
    from polychat.engine.rows import OwnService

_VARIABLES = {
    "POLYCHAT_SANDBOX": "sandbox",
    "POLYCHAT_MODEL": "model",
    "POLYCHAT_PROXY": "proxy",
    "POLYCHAT_VAULT_KEY_FILE": "vault_key_file",
}
_SANDBOX_SCHEMES = ("http", "https")
_PROXY_SCHEMES = ("http", "https", "socks4", "socks5", "socks5h")
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`")  # as msgspec puts it
_WRONG_TYPE = re.compile(r"Expected `(.*?)(?: \| null)?`, got `(.*)` - at `\$\.(.*)`")


class Folders(msgspec.Struct, frozen=True, kw_only=True):
    """Where polychat keeps what. None of them need exist."""

    config: Path  # config.toml
    data: Path  # the vault
    state: Path  # logs, threads, history
    cache: Path  # what can be fetched again
    runtime: Path | None = None  # what ends with the session: keys of unlocked vaults


class ModelSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What is set for one model."""

    tools: ToolMode = "service"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is set, checked."""

    folders: Folders
    sandbox: str | None = None  # base URL that stands in for every service; no slash at the end
    model: str | None = None  # when a call names none
    proxy: Secret | None = None  # a URL, maybe with a password
    vault_key_file: Path | None = None  # where the vault's key or passphrase is
    clocks: Clocks = Clocks()
    accounts: dict[str, str] = {}  # provider -> the account it uses when a call names none
    concurrency: dict[str, int] = {}  # account, or provider -> questions to one account at once
    services: dict[str, OwnService] = {}  # OpenAI-compatible ones of the person's own, by name
    models: dict[str, ModelSettings] = {}  # by service/model


class _Table(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The settings as TOML has them."""

    sandbox: str | None = None
    model: str | None = None
    proxy: str | None = None
    vault_key_file: str | None = None
    clocks: dict[str, Any] = {}
    accounts: dict[str, Any] = {}
    concurrency: dict[str, Any] = {}
    services: dict[str, Any] = {}
    models: dict[str, Any] = {}


def load(
    *, environ: Mapping[str, str], config_file: Path | None = None, overrides: Mapping[str, Any] | None = None
) -> Settings:
    """The settings in force.

    `overrides` has the shape of the file (`{"model": ..., "clocks": {"total_s": ...}}`); None in it means "not given".
    A clock set to 0 is switched off.

    Raises: `ConfigError` naming the place and the setting, also for a `config_file` that does not exist.
    """
    folders = _folders(environ)
    places = [_file(folders.config / "config.toml", required=False)]
    if config_file is not None:
        places.append(_file(config_file, required=True))
    places += [(variable, {name: environ[variable]}) for variable, name in _VARIABLES.items() if environ.get(variable)]
    places.append(("options", _given(overrides or {})))

    table: dict[str, Any] = {}
    services: dict[str, OwnService] = {}
    for place, layer in places:
        _check(place, layer)
        services |= _services(place, layer, environ)
        table = _laid_over(table, layer)
    return _settings(folders, msgspec.convert(table, _Table), services)


def _services(place: str, layer: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, OwnService]:
    if not (given := layer.get("services")):
        return {}
    from polychat.engine.rows import own_services

    return own_services(place, given, environ)


def _settings(folders: Folders, table: _Table, services: dict[str, OwnService]) -> Settings:
    return Settings(
        folders=folders,
        sandbox=table.sandbox and table.sandbox.rstrip("/"),
        model=table.model,
        proxy=Secret(table.proxy) if table.proxy else None,
        vault_key_file=_own_path(table.vault_key_file) if table.vault_key_file else None,
        clocks=msgspec.structs.replace(Clocks(), **{name: value or None for name, value in table.clocks.items()}),
        accounts=table.accounts,
        concurrency=table.concurrency,
        services=services,
        models=msgspec.convert(table.models, dict[str, ModelSettings]),
    )


def _own_path(written: str) -> Path:
    with suppress(RuntimeError):  # ~ of a user there is not
        return Path(written).expanduser().absolute()
    return Path(written).absolute()


def _folders(environ: Mapping[str, str]) -> Folders:
    if home := environ.get("POLYCHAT_HOME"):
        root = Path(home).expanduser().absolute()
        return Folders(
            config=root / "config", data=root / "data", state=root / "state", cache=root / "cache",
            runtime=root / "runtime",
        )  # fmt: skip
    from platformdirs import PlatformDirs

    own = PlatformDirs("polychat", appauthor=False)
    return Folders(
        config=own.user_config_path, data=own.user_data_path, state=own.user_state_path, cache=own.user_cache_path,
        runtime=_runtime(environ, own.user_state_path),
    )  # fmt: skip


def _runtime(environ: Mapping[str, str], state: Path) -> Path:
    """In the folder that the system empties at the end of a session; without one, a corner of what stays."""
    given = Path(environ.get("XDG_RUNTIME_DIR", ""))
    return given / "polychat" if given.is_absolute() else state / "runtime"


def _file(path: Path, *, required: bool) -> tuple[str, dict[str, Any]]:
    try:
        with path.open("rb") as file:
            return str(path), tomllib.load(file)
    except FileNotFoundError as error:
        if required:
            raise ConfigError(f"the config file {path} does not exist") from error
        return str(path), {}
    except OSError as error:
        raise ConfigError(f"the config file {path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"the config file {path} is not TOML: {error}") from error


def _given(overrides: Mapping[str, Any]) -> dict[str, Any]:
    """`overrides` without what was not given."""
    return {
        name: _given(value) if isinstance(value, Mapping) else value
        for name, value in overrides.items()
        if value is not None
    }


def _laid_over(lower: dict[str, Any], upper: dict[str, Any]) -> dict[str, Any]:
    merged = lower | upper
    for name in lower.keys() & upper.keys():
        if isinstance(lower[name], dict) and isinstance(upper[name], dict):
            merged[name] = lower[name] | upper[name]
    return merged


def _check(place: str, layer: dict[str, Any]) -> None:
    """Raise `ConfigError` for the first wrong setting of one place. No value is repeated: a proxy has a password."""
    try:
        table = msgspec.convert(layer, _Table)
    except msgspec.ValidationError as error:
        raise _complaint(place, str(error)) from error
    for name, seconds in table.clocks.items():
        _check_clock(place, name, seconds)
    for provider, account in table.accounts.items():
        if not isinstance(account, str):
            raise ConfigError(f"{place}: accounts.{provider} is not the name of an account")
    for name, count in table.concurrency.items():
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:
            raise ConfigError(f"{place}: concurrency.{name} is not a number of questions", hint="1 or more")
    for name, given in table.models.items():
        _check_model(place, name, given)
    if table.vault_key_file is not None and not table.vault_key_file.strip():
        raise ConfigError(f"{place}: vault_key_file is empty", hint="name the file with the vault's key")
    _check_url(place, "sandbox", table.sandbox, _SANDBOX_SCHEMES, "http://127.0.0.1:8765")
    _check_url(place, "proxy", table.proxy, _PROXY_SCHEMES, "http://127.0.0.1:8080")


def _complaint(place: str, message: str) -> ConfigError:
    if unknown := _UNKNOWN.fullmatch(message):
        return _unknown_setting(place, unknown[1], _Table.__struct_fields__)
    if wrong := _WRONG_TYPE.fullmatch(message):
        return ConfigError(f"{place}: {wrong[3]} is of type {wrong[2]}, not {wrong[1]}")
    return ConfigError(f"{place}: {message}")


def _unknown_setting(place: str, name: str, known: tuple[str, ...]) -> ConfigError:
    return ConfigError(f"{place}: {name} is not a setting", hint=f"the settings there are {', '.join(known)}")


def _check_clock(place: str, name: str, seconds: object) -> None:
    if name not in Clocks.__struct_fields__:
        raise _unknown_setting(place, f"clocks.{name}", Clocks.__struct_fields__)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < math.inf:
        raise ConfigError(f"{place}: clocks.{name} is not a number of seconds", hint="0 switches a clock off")


def _check_model(place: str, name: str, given: object) -> None:
    where = f'models."{name}"'
    if "/" not in name or not isinstance(given, dict):
        raise ConfigError(f"{place}: {where} is not a table of a model", hint='write it like [models."reka/reka-core"]')
    for setting in given.keys() - set(ModelSettings.__struct_fields__):
        raise _unknown_setting(place, f"{where}.{setting}", ModelSettings.__struct_fields__)
    if given.get("tools", "service") not in get_args(ToolMode):
        raise ConfigError(f"{place}: {where}.tools is not one of {', '.join(get_args(ToolMode))}")


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
