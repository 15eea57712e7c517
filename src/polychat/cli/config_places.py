"""The places that settings come from, and what is in force by which of them; secrets are masked."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import click
import msgspec

from polychat.engine import settings as places
from polychat.engine.settings import Settings
from polychat.net.clocks import Clocks

HIDDEN = "(hidden)"
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")
_DEFAULT = "default"


class Layer(NamedTuple):
    """One place, and what it says."""

    origin: str  # a file, a variable, an option
    table: Mapping[str, Any]


class Shown(NamedTuple):
    """One setting that is in force."""

    name: str
    value: Any
    origin: str


class Place(NamedTuple):
    """One file or folder of polychat's."""

    what: str
    path: Path
    exists: bool


# ---------------------------------------------------------------- files


def config_file() -> Path:
    """The config of this person, which need not exist."""
    return places.folders_of(os.environ).config / "config.toml"


def given_file() -> Path | None:
    """The file that --config names."""
    given: Path | None = click.get_current_context().meta.get("polychat.config")
    return given


def files(found: Settings | None) -> list[Place]:
    """Where everything is; None for settings that cannot be read."""
    from polychat.engine import accounts
    from polychat.engine.ledger import opening

    folders = places.folders_of(os.environ)
    known = found or Settings(folders=folders, sandbox=os.environ.get("POLYCHAT_SANDBOX") or None)
    paths = {"config": config_file(), "given config": given_file(), "vault": accounts.vault_path(known)}
    paths |= {"vault key": known.vault_key_file, "ledger": opening.place(known), "health": accounts.health_path(known)}
    paths |= {f"{name} folder": getattr(folders, name) for name in ("data", "state", "cache")}
    return [Place(what, path.absolute(), path.exists()) for what, path in paths.items() if path is not None]


def layers() -> list[Layer]:
    """Every place that says something, the weakest first. The settings were loaded before, so all of it is sound."""
    read = [places.read_table(path, required=False) for path in (config_file(), given_file()) if path]
    found = [Layer(origin, table) for origin, table in read]
    for variable, name in places.VARIABLES.items():
        if os.environ.get(variable):
            found.append(Layer(variable, {name: os.environ[variable]}))
    if key_file := click.get_current_context().meta.get("polychat.vault_key_file"):
        found.append(Layer("--vault-key-file", {"vault_key_file": str(key_file)}))
    return found


# ---------------------------------------------------------------- what is in force


def in_force(found: Settings, said: Sequence[Layer]) -> Iterator[Shown]:
    """Every setting that has a value, and where it comes from."""
    proxy = found.proxy.reveal() if found.proxy else None
    scalars = {"model": found.model, "sandbox": masked(found.sandbox), "proxy": masked(proxy)}
    for name, value in {
        **scalars,
        "vault_key_file": _text(found.vault_key_file),
        "record": _text(found.record),
    }.items():
        yield Shown(name, value, _origin(said, (name,)))
    yield from _clocks(found, said)
    for table in ("failover", "logging"):
        for name, value in msgspec.structs.asdict(getattr(found, table)).items():
            yield Shown(f"{table}.{name}", _text(value), _origin(said, (table, name)))
    for table in ("accounts", "concurrency"):
        for name, value in getattr(found, table).items():
            yield Shown(f"{table}.{name}", value, _origin(said, (table, name)))
    yield from _entries(said, "services")
    yield from _entries(said, "models")


def _clocks(found: Settings, said: Sequence[Layer]) -> Iterator[Shown]:
    """Those of questions, then those in which another kind of request differs."""
    for name in Clocks.__struct_fields__:
        usual = getattr(found.clocks, name)
        yield Shown(f"clocks.{name}", usual, _origin(said, ("clocks", "chat", name), ("clocks", name)))
        for kind, clocks in found.other_clocks.items():
            if (seconds := getattr(clocks, name)) != usual:
                origin = _origin(said, ("clocks", kind, name), ("clocks", name))
                yield Shown(f"clocks.{kind}.{name}", seconds, origin)


def _entries(said: Sequence[Layer], table: str) -> Iterator[Shown]:
    """The entries of a table whose last mention counts as a whole, but for what is said of service/model."""
    origins = {name: layer.origin for layer in said for name in layer.table.get(table, {})}
    for name, origin in origins.items():
        given = [layer.table[table][name] for layer in said if name in layer.table.get(table, {})]
        whole = {key: value for one in given for key, value in one.items()} if "/" in name else given[-1]
        where = f"{table}.{_key(name)}"
        if not isinstance(whole, dict):
            yield Shown(where, whole, origin)
            continue
        for key, value in whole.items():
            yield Shown(f"{where}.{key}", _unhidden(table, key, value), origin)


def _unhidden(table: str, key: str, value: Any) -> Any:
    """A value of a service without what may be a secret."""
    if table != "services":
        return value
    if key == "headers":
        return {name: text if text.startswith("env:") else HIDDEN for name, text in value.items()}
    if key == "keys":
        return [name if _VARIABLE.fullmatch(name) else HIDDEN for name in value]
    return masked(value) if isinstance(value, str) else value


def _origin(said: Sequence[Layer], *paths: tuple[str, ...]) -> str:
    """The strongest place that says the first of `paths` that is said at all."""
    for path in paths:
        origins = [layer.origin for layer in said if _says(layer.table, path)]
        if origins:
            return origins[-1]
    return _DEFAULT


def _says(table: Any, path: tuple[str, ...]) -> bool:
    for name in path:
        if not isinstance(table, Mapping) or name not in table:
            return False
        table = table[name]
    return True


def masked(url: str | None) -> str | None:
    """A URL without its user and password."""
    if url is None or "://" not in url or "@" not in url:
        return url
    parts = urlsplit(url)
    return parts._replace(netloc=f"***@{parts.netloc.rpartition('@')[2]}").geturl()


def _key(name: str) -> str:
    return name if re.fullmatch(r"[\w-]+", name, re.ASCII) else f'"{name}"'


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value
