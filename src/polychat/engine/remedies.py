"""How an error is mended, where the one who raised it could not know: by whose account it was, and what was asked.

A raiser's own hint stays as it is.
"""

from __future__ import annotations

from polychat.errors import AuthExpired, BadRequest, PolychatError
from polychat.types import Request
from polychat.vault.base import Entry

_IN_WORDS = 'if it is about the schema or the tools, mend them, or put them in words: tool_mode="emulate"'


def remedied(error: PolychatError, entry: Entry, request: Request | None = None) -> PolychatError:
    """The same error with a hint that helps; `entry` is of the account that was asked, `request` what it was asked."""
    if isinstance(error, AuthExpired):
        return error.advised(signing_in(entry))
    if isinstance(error, BadRequest) and request is not None and _is_bound(request):
        return error.advised(_IN_WORDS)
    return error


def signing_in(entry: Entry) -> str:
    """What gives the account a sign-in that is accepted: that depends on where it came from."""
    provider = entry.provider
    if entry.source == "environment":
        return f"put a key that works into {entry.name.removeprefix('env:')}"
    if entry.name == f"given@{provider}":
        return "give other cookies" if entry.kind == "cookies" else "give another api_key"
    if entry.name == f"key-file@{provider}":
        return f"put a key that works into the key_file of services.{provider}"
    usual = entry.name in (provider, f"anyone@{provider}")
    return f"sign in again: polychat login {provider}" + ("" if usual else f" --name {entry.name}")


def _is_bound(request: Request) -> bool:
    """True where the service itself was to keep to a schema, of the answer or of a tool."""
    has_schema = request.response_format is not None and request.response_format.type != "text"
    return request.tool_mode == "service" and (has_schema or bool(request.tools))
