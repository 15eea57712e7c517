"""polychat: one client, one command line and one server over the chat accounts and API keys you already hold.

    from polychat import Client

    with Client() as client:
        answer = client.chat.completions.create(model="reka/reka-core", messages="Hello")
        print(answer.text)

Names are loaded when first used, so that importing the package costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from polychat.client.aio import AsyncClient, AsyncStream
    from polychat.client.shapes import ChatCompletion, ChatCompletionChunk
    from polychat.client.sync import Client, Stream
    from polychat.credentials import Account, ApiKey, BearerToken, Secret, SessionCookies
    from polychat.errors import (
        AccountProblem,
        AuthExpired,
        BadOption,
        BadRequest,
        ChallengeRequired,
        ConfigError,
        ConnectFailed,
        ContextTooLong,
        ConversationNotFound,
        FormatChanged,
        IdleTimeout,
        Interrupted,
        NoAccount,
        Overloaded,
        PolychatError,
        QuotaSpent,
        RateLimited,
        Refused,
        RequestRejected,
        ServiceProblem,
        TransportProblem,
        Unavailable,
        UnknownModel,
        UnsupportedFeature,
    )
    from polychat.types import Thread

__version__ = "0.1.0"

_HOMES = {
    "polychat.client.aio": ("AsyncClient", "AsyncStream"),
    "polychat.client.shapes": ("ChatCompletion", "ChatCompletionChunk"),
    "polychat.client.sync": ("Client", "Stream"),
    "polychat.credentials": ("Account", "ApiKey", "BearerToken", "Secret", "SessionCookies"),
    "polychat.types": ("Thread",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Account",
    "AccountProblem",
    "ApiKey",
    "AsyncClient",
    "AsyncStream",
    "AuthExpired",
    "BadOption",
    "BadRequest",
    "BearerToken",
    "ChallengeRequired",
    "ChatCompletion",
    "ChatCompletionChunk",
    "Client",
    "ConfigError",
    "ConnectFailed",
    "ContextTooLong",
    "ConversationNotFound",
    "FormatChanged",
    "IdleTimeout",
    "Interrupted",
    "NoAccount",
    "Overloaded",
    "PolychatError",
    "QuotaSpent",
    "RateLimited",
    "Refused",
    "RequestRejected",
    "Secret",
    "ServiceProblem",
    "SessionCookies",
    "Stream",
    "Thread",
    "TransportProblem",
    "Unavailable",
    "UnknownModel",
    "UnsupportedFeature",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'polychat' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME_OF.get(name, "polychat.errors")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
