"""The services that other programs name: what they are called here, and where they are.

Names and addresses are facts of gpt4free's and LiteLLM's public documentation and of the services' own, 2026-11.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from polychat import providers
from polychat.errors import BadOption
from polychat.providers.openai_compatible import check_url, is_local, rows

VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")
_SAYING_NOTHING = ("api", "www")

# Services that speak the OpenAI dialect and are no row of ours: address, variable of the key.
ELSEWHERE: Mapping[str, tuple[str, str]] = {
    "deepinfra": ("https://api.deepinfra.com/v1/openai", "DEEPINFRA_API_KEY"),
    "perplexity": ("https://api.perplexity.ai", "PERPLEXITY_API_KEY"),
    "sambanova": ("https://api.sambanova.ai/v1", "SAMBANOVA_API_KEY"),
    "moonshot": ("https://api.moonshot.ai/v1", "MOONSHOT_API_KEY"),
}


class OwnServices:
    """The tables of `[services]` that an import makes, one for each address."""

    def __init__(self) -> None:
        self.tables: dict[str, dict[str, Any]] = {}
        self._keys: dict[str, list[str]] = {}

    def known(self, name: str) -> str:
        """The service of that name; one that is nowhere in polychat gets its table."""
        if name in ELSEWHERE and name not in self.tables:
            address, variable = ELSEWHERE[name]
            self.tables[name] = {"base_url": address, "keys": [variable]}
        return name

    def at(self, address: str) -> str:
        """The service at that address: a known one, or one of the person's own. Raises: `BadOption`."""
        check_url(address)
        parts = urlsplit(address)
        if parts.username or parts.password or parts.query or parts.fragment:
            raise BadOption("base_url has more than an address in it", hint="a key does not belong there")
        for name, row in rows().items():
            if _same(row.base_url, address):
                return name
        for name, table in self.tables.items():
            if _same(table.get("base_url", ""), address):
                return name
        elsewhere = next((name for name, (known, _) in ELSEWHERE.items() if _same(known, address)), None)
        if elsewhere:
            return self.known(elsewhere)
        name = self._free(_named(parts.hostname or "", parts.port))
        self.tables[name] = {"base_url": address}
        return name

    def with_model(self, name: str, model: str) -> None:
        """Note that the person's own service has that model."""
        if name in self.tables and model not in (models := self.tables[name].setdefault("models", [])):
            models.append(model)

    def with_key(self, name: str, variable: str) -> None:
        """Note the variable that holds a key of that service."""
        keys = self._keys.setdefault(name, [])
        if variable not in keys:
            keys.append(variable)

    def finished(self) -> dict[str, dict[str, Any]]:
        """All tables. A service whose usual variables are enough is not named for them."""
        for name, keys in self._keys.items():
            usual = rows()[name].keys if name in rows() else ()
            if not set(keys) <= set(usual):
                self.tables.setdefault(name, {})["keys"] = keys
        return self.tables

    def _free(self, wanted: str) -> str:
        taken = {*self.tables, *ELSEWHERE, *providers.names()}
        names = (wanted, *(f"{wanted}-{number}" for number in range(2, len(taken) + 3)))
        return next(name for name in names if name not in taken)


def usual_keys(name: str) -> Sequence[str]:
    """The variables that hold a key of that service, as polychat looks for them."""
    return providers.load(name).info.env_keys if name in providers.names() else ()


def _same(one: str, other: str) -> bool:
    return _plain(one) == _plain(other)


def _plain(address: str) -> str:
    return address.lower().rstrip("/").replace("//localhost", "//127.0.0.1")


def _named(host: str, port: int | None) -> str:
    """llm-example of llm.example.com, local-9000 of 127.0.0.1:9000."""
    if is_local(host):
        return f"local-{port}" if port else "local"
    words = host.lower().split(".")
    if len(words) > 1 and not words[-1].isdigit():
        words.pop()
    told = [word for word in words if word not in _SAYING_NOTHING] or words
    return _NOT_IN_NAMES.sub("-", "-".join(told)).strip("-") or "imported"
