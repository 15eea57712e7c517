"""Services of a person's own: OpenAI-compatible ones that the config names, in the words of `compatible.toml`.

    [services.team]
    base_url = "https://llm.example.com/v1"
    keys = ["TEAM_LLM_KEY"]                  # or key_file = "/run/secrets/team", or: polychat login team --key -
    headers = { x-team = "search", x-gateway-key = "env:GATEWAY_KEY" }
    models = ["team-large"]
    can = ["image_in", "schema"]

One that has the name of a row of `compatible.toml` changes what it says of that row, and leaves the rest.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from polychat import providers
from polychat.credentials import Account, ApiKey, Secret
from polychat.errors import BadOption, ConfigError
from polychat.providers.openai_compatible import OpenAICompatible, Row, check_url, rows

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
_HEADER = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]+")
_NOT_TO_SET = frozenset({"host", "content-length", "content-type", "transfer-encoding", "connection", "cookie"})
_FROM_ENVIRONMENT = "env:"


class OwnService(msgspec.Struct, frozen=True, kw_only=True):
    """One table of `[services]`, checked."""

    row: Row
    headers: dict[str, Secret] = {}  # sent with every question
    key_file: Path | None = None


class Table(Row, frozen=True, kw_only=True, forbid_unknown_fields=True):
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)  # a text, or env:VARIABLE
    key_file: str | None = None


def own_services(place: str, given: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, OwnService]:
    """Every table of `[services]` by its name. Raises: `ConfigError` naming the place and the setting."""
    return {name: _own_service(f"{place}: services.{name}", name, table, environ) for name, table in given.items()}


def provider(name: str, service: OwnService, *, in_sandbox: bool) -> OpenAICompatible:
    """The provider of such a service; what a sandbox is told are no real headers."""
    made = OpenAICompatible(name, service.row, headers={} if in_sandbox else service.headers)
    made.info = msgspec.structs.replace(made.info, source="your config", verified="only by you")
    return made


def account(name: str, service: OwnService) -> Account | None:
    """The account that the service's key file holds. Raises: `ConfigError` when it cannot be read, or is no key."""
    if service.key_file is None:
        return None
    try:
        key = service.key_file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise ConfigError(f"services.{name}.key_file: {service.key_file} cannot be read: {why}") from error
    if not key:
        raise ConfigError(f"services.{name}.key_file: {service.key_file} is empty", hint="put the key there")
    secret = Secret(key)
    if not secret.is_plain:
        what = f"services.{name}.key_file: {service.key_file} has several lines or is not plain ASCII"
        raise ConfigError(what, hint="put one line there, the key")
    return Account(name=f"key-file@{name}", provider=name, credential=ApiKey(key=secret))


def _own_service(place: str, name: str, given: Any, environ: Mapping[str, str]) -> OwnService:
    if not _NAME.fullmatch(name):
        raise ConfigError(f"{place} is no name for a service", hint="use small letters, digits, - and _")
    if name in providers.names() and name not in rows():
        raise ConfigError(f"{place}: {name} is a service of its own kind", hint="choose another name")
    table = _table(place, name, given)
    try:
        check_url(table.base_url)
    except BadOption as error:
        raise ConfigError(f"{place}.{error.message}", hint=error.hint) from None
    return OwnService(
        row=Row(**{field: getattr(table, field) for field in Row.__struct_fields__}),
        headers={
            header.lower(): _header(f"{place}.headers.{header}", header.lower(), value, environ)
            for header, value in table.headers.items()
        },
        key_file=Path(table.key_file).expanduser().absolute() if table.key_file else None,
    )


def _table(place: str, name: str, given: Any) -> Table:
    if not isinstance(given, dict):
        raise ConfigError(f"{place} is not a table", hint='write it like base_url = "https://api.example.com/v1"')
    known = rows().get(name)
    usual = msgspec.to_builtins(known) if known else {"label": name}
    if not known and "base_url" not in given:
        raise ConfigError(f"{place}.base_url is missing", hint="it is the address before /chat/completions")
    try:
        table = msgspec.convert(usual | given, Table)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `$")
        raise ConfigError(f"{place}{where.rstrip('`')}: {what[:1].lower()}{what[1:]}", hint=_SETTINGS) from error
    return msgspec.structs.replace(table, base_url=table.base_url.rstrip("/"))


def _header(place: str, name: str, value: str, environ: Mapping[str, str]) -> Secret:
    if name in _NOT_TO_SET or not _HEADER.fullmatch(name):
        raise ConfigError(f"{place} is no header to set")
    if value.startswith(_FROM_ENVIRONMENT):
        variable = value.removeprefix(_FROM_ENVIRONMENT)
        if not (value := environ.get(variable, "")):
            raise ConfigError(f"{place} is to come from {variable}, which is not set", hint=f"export {variable}=...")
    if not value.isprintable() or not value.isascii():
        raise ConfigError(f"{place} cannot be sent over HTTP", hint="use printable ASCII characters")
    return Secret(value)


_SETTINGS = f"its settings are {', '.join(Table.__struct_fields__)}"
