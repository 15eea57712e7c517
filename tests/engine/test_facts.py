"""engine/facts.py: what a condition may look at, and its value for one candidate."""

from __future__ import annotations

from typing import Any

import pytest

from polychat.engine import facts
from polychat.engine.health import Health
from polychat.engine.routing import Route
from polychat.providers.base import Model
from polychat.types import (
    Audio,
    File,
    Image,
    Message,
    QuotaSeen,
    Request,
    ResponseFormat,
    Text,
    Tool,
    ToolResult,
)

NOW = 1_000.0
PNG = b"\x89PNG\r\n\x1a\n" + bytes(8)


def asked(*parts: Any, **given: Any) -> dict[str, Any]:
    """The facts of a question, without `request.`."""
    request = Request(**{"model": "m", "messages": (Message(role="user", parts=parts or (Text(text="Hi"),)),)} | given)
    return {name.removeprefix("request."): value for name, value in facts.of_request(request).items()}


def quota(*told: QuotaSeen) -> tuple[Any, Any]:
    """Remaining, and share."""
    known = facts.of_quota(Health(quotas={one.feature: one for one in told}), NOW)
    return known["quota.remaining"], known["quota.share"]


def test_a_plain_question_has_nothing_special() -> None:
    """Every field of a request is known, and has its kind."""
    known = asked()
    assert known == {
        "has_images": False, "has_audio": False, "has_files": False, "has_tools": False, "has_schema": False,
        "streams": True, "messages": 1, "characters": 2, "web_search": False, "reasoning_effort": None,
    }  # fmt: skip
    assert {f"request.{name}" for name in known} == {name for name in facts.KNOWN if name.startswith("request.")}


@pytest.mark.parametrize(
    ("part", "field"),
    [(Image(data=PNG), "has_images"), (Audio(url="https://x/a"), "has_audio"), (File(data=b"%PDF-1.7"), "has_files")],
)
def test_each_kind_of_attachment_shows(part: Any, field: str) -> None:
    """In its own field alone."""
    known = asked(Text(text="See"), part)
    assert [name for name in ("has_images", "has_audio", "has_files") if known[name]] == [field]


@pytest.mark.parametrize(
    ("given", "field", "expected"),
    [
        ({"tools": (Tool(name="t"),)}, "has_tools", True),
        ({"response_format": ResponseFormat(type="text")}, "has_schema", False),
        ({"response_format": ResponseFormat(type="json_object")}, "has_schema", True),
        ({"stream": False}, "streams", False),
        ({"web_search": True}, "web_search", True),
        ({"reasoning_effort": "low"}, "reasoning_effort", "low"),
    ],
)
def test_what_is_asked_for_shows(given: dict[str, Any], field: str, expected: Any) -> None:
    """As the caller asked."""
    assert asked(**given)[field] == expected


def test_all_messages_count() -> None:
    """Their number, and the characters of all their texts."""
    messages = (
        Message(role="system", parts=(Text(text="Be brief"),)),
        Message(role="tool", parts=(ToolResult(tool_call_id="1", content=(Text(text="unseen"),)),)),
        Message(role="user", parts=(Text(text="日本"), Text(text="!"))),
    )
    known = asked(messages=messages)
    assert (known["messages"], known["characters"]) == (3, 11)


def test_of_what_is_no_question_all_of_it_is_unknown() -> None:
    """A call beside chat has no messages."""
    known = facts.of_request(None)
    assert set(known.values()) == {None}
    assert set(known) == {name for name in facts.KNOWN if name.startswith("request.")}


def test_a_target_has_its_names_and_its_prices() -> None:
    """Those of the table; a model that is not in it has none."""
    known = facts.of_target(Route(provider="openai", model=Model(id="gpt-4o-mini", context_tokens=128_000)))
    assert {**known, "price.input": None, "price.output": None} == {
        "provider": "openai", "model": "gpt-4o-mini", "context_tokens": 128_000,
        "price.input": None, "price.output": None,
    }  # fmt: skip
    assert isinstance(known["price.input"], float)
    unlisted = facts.of_target(Route(provider="openai", model=Model(id="gpt-99")))
    assert (unlisted["price.input"], unlisted["price.output"], unlisted["context_tokens"]) == (None, None, None)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ((), (None, None)),
        ((QuotaSeen(feature="a", remaining=5.0, limit=20.0),), (5.0, 0.25)),
        ((QuotaSeen(feature="a", remaining=5.0), QuotaSeen(feature="b", remaining=8.0, limit=10.0)), (5.0, 0.8)),
        ((QuotaSeen(feature="a", remaining=0.0, limit=0.0),), (0.0, None)),
        ((QuotaSeen(feature="a", limit=10.0),), (None, None)),
        ((QuotaSeen(feature="a", remaining=0.0, limit=9.0, resets_at=NOW),), (None, None)),
        ((QuotaSeen(feature="a", remaining=0.0, limit=9.0, resets_at=NOW + 1),), (0.0, 0.0)),
    ],
)
def test_the_allowance_that_has_least_left_counts(told: Any, expected: tuple[Any, Any]) -> None:
    """Of those whose window has not begun anew; what is not told is not known."""
    assert quota(*told) == expected
