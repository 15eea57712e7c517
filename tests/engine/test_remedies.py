"""engine/remedies.py: hints that depend on whose account it was and on what was asked."""

from __future__ import annotations

from typing import Any

import pytest

from polychat.engine.remedies import remedied
from polychat.errors import AuthExpired, BadRequest, PolychatError, RateLimited
from polychat.types import Message, Request, ResponseFormat, Text, Tool
from polychat.vault.base import Entry, Kind

MINE = Entry(name="openai", provider="openai", kind="api_key", created_at=None, source="file")
WORDS = 'if it is about the schema or the tools, mend them, or put them in words: tool_mode="emulate"'
TOOLS = {"tools": (Tool(name="f"),)}
JSON = {"response_format": ResponseFormat(type="json_object")}


def asked(**more: Any) -> Request:
    """A question."""
    return Request(**{"model": "m", "messages": (Message(role="user", parts=(Text(text="?"),)),), **more})


@pytest.mark.parametrize(
    ("name", "source", "kind", "hint"),
    [
        ("openai", "file", "api_key", "sign in again: polychat login openai"),
        ("work", "file", "api_key", "sign in again: polychat login openai --name work"),
        ("anyone@openai", "nowhere", "api_key", "sign in again: polychat login openai"),
        ("env:OPENAI_API_KEY", "environment", "api_key", "put a key that works into OPENAI_API_KEY"),
        ("given@openai", "memory", "api_key", "give another api_key"),
        ("given@openai", "memory", "bearer", "give another api_key"),
        ("given@openai", "memory", "cookies", "give other cookies"),
        ("key-file@openai", "memory", "api_key", "put a key that works into the key_file of services.openai"),
    ],
)
def test_a_refused_sign_in_is_mended_where_it_came_from(name: str, source: str, kind: Kind, hint: str) -> None:
    """A command for what is kept, and none for what was handed in."""
    entry = Entry(name=name, provider="openai", kind=kind, created_at=None, source=source)
    assert remedied(AuthExpired("no", provider="openai"), entry).hint == hint


@pytest.mark.parametrize(
    ("more", "hint"),
    [
        ({}, None),
        ({"response_format": ResponseFormat(type="text")}, None),
        (TOOLS, WORDS),
        (JSON, WORDS),
        (TOOLS | {"tool_mode": "emulate"}, None),
    ],
)
def test_a_refused_schema_can_be_put_in_words(more: dict[str, Any], hint: str | None) -> None:
    """Where there is one that the service was to keep to."""
    assert remedied(BadRequest("no"), MINE, asked(**more)).hint == hint


@pytest.mark.parametrize("error", [AuthExpired("no", hint="do this"), BadRequest("no", hint="do this")])
def test_what_the_raiser_knew_stays(error: PolychatError) -> None:
    """It knew the service."""
    assert remedied(error, MINE, asked(**TOOLS)) is error
    assert error.hint == "do this"


def test_other_errors_stay_as_they_are() -> None:
    """Also where there is no request, as beside chat."""
    assert remedied(RateLimited("slow down"), MINE, asked(**TOOLS)).hint == RateLimited("slow down").hint
    assert remedied(BadRequest("no"), MINE).hint is None
