"""Judges for what others write: a provider, a vault, a transport. Public, and used by our own tests.

    from polychat.sandbox import Sandbox
    from polychat.testing import check_provider

    with Sandbox() as sandbox:
        check_provider("reka", sandbox)  # raises AssertionError at the first broken promise

Each judge also comes as a tuple of named checks (`PROVIDER_CHECKS`, `VAULT_CHECKS`, `TRANSPORT_CHECKS`), one pytest
parameter each. `plugin` gives every project's tests the fixtures `sandbox` and `sandbox_client`.

Names are loaded when first used: pytest imports this package wherever polychat is installed.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from polychat.testing.bench import Bench, Subject
    from polychat.testing.capabilities import engine_of_everything, found
    from polychat.testing.checks import Check
    from polychat.testing.providers import PROVIDER_CHECKS, check_provider
    from polychat.testing.transports import TRANSPORT_CHECKS
    from polychat.testing.vaults import VAULT_CHECKS, check_vault

_HOMES = {
    "bench": ("Bench", "Subject"),
    "capabilities": ("engine_of_everything", "found"),
    "checks": ("Check",),
    "providers": ("PROVIDER_CHECKS", "check_provider"),
    "transports": ("TRANSPORT_CHECKS",),
    "vaults": ("VAULT_CHECKS", "check_vault"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "PROVIDER_CHECKS",
    "TRANSPORT_CHECKS",
    "VAULT_CHECKS",
    "Bench",
    "Check",
    "Subject",
    "check_provider",
    "check_vault",
    "engine_of_everything",
    "found",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME_OF[name]}"), name)
