"""What a person has set, from five places.

    overrides (flags) > POLYCHAT_... > the given config file > config.toml of the user's config folder > defaults

Each place is checked by itself, so that an error can say where it is; then they are laid over one another, table by
table. `POLYCHAT_HOME` gathers all folders under one. Loading reads at most two files and creates nothing.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from polychat.credentials import Secret
from polychat.engine import sections
from polychat.engine.sections import Budget, Logging, ModelSettings
from polychat.errors import ConfigError
from polychat.net.clocks import Clocks, Kind

if TYPE_CHECKING:
    from polychat.engine.routed import Routed
    from polychat.engine.rows import OwnService

VARIABLES = {
    "POLYCHAT_SANDBOX": "sandbox",
    "POLYCHAT_MODEL": "model",
    "POLYCHAT_PROXY": "proxy",
    "POLYCHAT_VAULT_KEY_FILE": "vault_key_file",
    "POLYCHAT_RECORD": "record",
}
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`")  # as msgspec puts it
_WRONG_TYPE = re.compile(r"Expected `(.*?)(?: \| null)?`, got `(.*)` - at `\$\.(.*)`")


class Folders(msgspec.Struct, frozen=True, kw_only=True):
    """Where polychat keeps what. None of them need exist."""

    config: Path  # config.toml
    data: Path  # the vault
    state: Path  # logs, threads, history
    cache: Path  # what can be fetched again
    runtime: Path | None = None  # what ends with the session: keys of unlocked vaults


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is set, checked."""

    folders: Folders
    sandbox: str | None = None  # base URL that stands in for every service; no slash at the end
    model: str | None = None  # when a call names none
    proxy: Secret | None = None  # a URL, maybe with a password
    vault_key_file: Path | None = None  # where the vault's key or passphrase is
    record: Path | None = None  # the folder into which the exchanges on the wire are written
    clocks: Clocks = Clocks()  # of questions
    other_clocks: dict[str, Clocks] = {}  # of what is beside chat, by its kind
    failover: Budget = Budget()
    logging: Logging = Logging()
    accounts: dict[str, str] = {}  # provider -> the account it uses when a call names none
    concurrency: dict[str, int] = {}  # account, or provider -> questions to one account at once
    services: dict[str, OwnService] = {}  # OpenAI-compatible ones of the person's own, by name
    models: dict[str, ModelSettings] = {}  # by service/model
    routed: dict[str, Routed] = {}  # names for several models

    def clocks_of(self, kind: Kind) -> Clocks:
        """The clocks of such a request."""
        return self.clocks if kind == "chat" else self.other_clocks.get(kind, self.clocks)


class Table(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The settings as TOML has them."""

    sandbox: str | None = None
    model: str | None = None
    proxy: str | None = None
    vault_key_file: str | None = None
    record: str | None = None
    clocks: dict[str, Any] = {}
    accounts: dict[str, Any] = {}
    concurrency: dict[str, Any] = {}
    services: dict[str, Any] = {}
    models: dict[str, Any] = {}
    failover: dict[str, Any] = {}
    logging: dict[str, Any] = {}


def load(
    *, environ: Mapping[str, str], config_file: Path | None = None, overrides: Mapping[str, Any] | None = None
) -> Settings:
    """The settings in force.

    `overrides` has the shape of the file (`{"model": ..., "clocks": {"total_s": ...}}`); None in it means "not given".
    A clock set to 0 is switched off.

    Raises: `ConfigError` naming the place and the setting, also for a `config_file` that does not exist.
    """
    folders = folders_of(environ)
    places = [read_table(folders.config / "config.toml", required=False)]
    if config_file is not None:
        places.append(read_table(config_file, required=True))
    places += [(variable, {name: environ[variable]}) for variable, name in VARIABLES.items() if environ.get(variable)]
    places.append(("options", _given(overrides or {})))

    table: dict[str, Any] = {}
    services: dict[str, OwnService] = {}
    names: dict[str, Routed] = {}
    for place, layer in places:
        _check(place, layer)
        services |= _services(place, layer, environ)
        names |= _names(place, layer)
        table = _laid_over(table, layer)
    if names:
        from polychat.engine.routed import check_cycles

        check_cycles(names)
    return _settings(folders, msgspec.convert(table, Table), services, names)


def _names(place: str, layer: Mapping[str, Any]) -> dict[str, Routed]:
    """The routed names of one place: what stands under `models` and is no service/model."""
    given = {name: entry for name, entry in layer.get("models", {}).items() if "/" not in name}
    if not given:
        return {}
    from polychat.engine import routed

    return {name: routed.read(place, name, entry) for name, entry in given.items()}


def _services(place: str, layer: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, OwnService]:
    if not (given := layer.get("services")):
        return {}
    from polychat.engine.rows import own_services

    return own_services(place, given, environ)


def _settings(folders: Folders, table: Table, services: dict[str, OwnService], names: dict[str, Routed]) -> Settings:
    clocks = sections.clocks(table.clocks)
    return Settings(
        folders=folders,
        sandbox=table.sandbox and table.sandbox.rstrip("/"),
        model=table.model,
        proxy=Secret(table.proxy) if table.proxy else None,
        vault_key_file=_own_path(table.vault_key_file) if table.vault_key_file else None,
        record=_own_path(table.record) if table.record else None,
        clocks=clocks["chat"],
        other_clocks={kind: clocks[kind] for kind in clocks if kind != "chat"},
        failover=sections.budget(table.failover),
        logging=_logging(table.logging),
        accounts=table.accounts,
        concurrency=table.concurrency,
        services=services,
        models=msgspec.convert(
            {name: table.models[name] for name in table.models.keys() - names.keys()}, dict[str, ModelSettings]
        ),
        routed=names,
    )


def _logging(table: Mapping[str, Any]) -> Logging:
    file = table.get("file")
    return Logging(store=table.get("store"), file=file and _own_path(file))


def _own_path(written: str) -> Path:
    with suppress(RuntimeError):  # ~ of a user there is not
        return Path(written).expanduser().absolute()
    return Path(written).absolute()


def folders_of(environ: Mapping[str, str]) -> Folders:
    """Where everything is, by those variables."""
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


def read_table(path: Path, *, required: bool) -> tuple[str, dict[str, Any]]:
    """What a config file holds, unchecked, under its name; nothing where there is none and it is not `required`.

    Raises: `ConfigError` for one that cannot be read or is no TOML.
    """
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
            merged[name] = _laid_over(lower[name], upper[name])
    return merged


def _check(place: str, layer: dict[str, Any]) -> None:
    """Raise `ConfigError` for the first wrong setting of one place. No value is repeated: a proxy has a password."""
    try:
        table = msgspec.convert(layer, Table)
    except msgspec.ValidationError as error:
        raise _complaint(place, str(error)) from error
    sections.check_clocks(place, table.clocks)
    sections.check_accounts(place, table.accounts)
    sections.check_concurrency(place, table.concurrency)
    sections.check_failover(place, table.failover)
    sections.check_logging(place, table.logging)
    for name, given in table.models.items():
        if "/" in name:
            sections.check_model(place, name, given)
    if table.vault_key_file is not None and not table.vault_key_file.strip():
        raise ConfigError(f"{place}: vault_key_file is empty", hint="name the file with the vault's key")
    if table.record is not None and not table.record.strip():
        raise ConfigError(f"{place}: record is empty", hint="name a folder")
    sections.check_sandbox(place, table.sandbox)
    sections.check_proxy(place, table.proxy)


def _complaint(place: str, message: str) -> ConfigError:
    if unknown := _UNKNOWN.fullmatch(message):
        return sections.unknown(place, unknown[1], Table.__struct_fields__)
    if wrong := _WRONG_TYPE.fullmatch(message):
        return ConfigError(f"{place}: {wrong[3]} is of type {wrong[2]}, not {wrong[1]}")
    return ConfigError(f"{place}: {message}")
