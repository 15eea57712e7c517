"""The emulated official services take what was asked of the real ones, and answer in the same shapes.

A shape is what a record of a kind has: an event, a block, an item, by its own word for it. The emulation may have of a
record what any recording has of its kind, and has what the recording has that answers the same request; what is
otherwise is written down below, with the reason.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest

CAPTURES = Path(__file__, "../../../captures").resolve()
KEYS = {
    "anthropic": {"x-api-key": "sandbox-alice", "anthropic-version": "2023-06-01"},
    "gemini": {"x-goog-api-key": "sandbox-alice"},
    "openai": {"authorization": "Bearer sandbox-alice"},
}
INSTEAD = {"claude-sonnet-4-0": "claude-sonnet-4-5", "o3-mini": "o4-mini"}  # models that the emulation has not
UNLOOKED = {
    "tools",
    "parameters",
    "args",
    "input",
    "category_scores",
}  # what these hold is the caller's or the model's

# What the emulation says beyond every recording, and why.
BEYOND = {
    "anthropic": {
        "message.usage.output_tokens_details": "recorded in streams; the recorded document is older",
        "message.usage.server_tool_use": "as above",
        "message.usage.speed": "in the package's types; not in the recordings of October 2026",
        "server_tool_use.caller": "recorded on the caller's own tools; the recorded search is older",
        "web_search_tool_result.caller": "as above",
    },
    "gemini": {},
    "openai/chat": {},
    "openai/responses": {
        "search.queries": "in the package's types; the recorded search is older",
    },
}
# What a record of a recording has and that of the emulation has not, and why.
WITHOUT = {
    "anthropic": {"message.diagnostics": "of autumn 2026; null unless asked for"},
    "gemini": {},
    "openai/chat": {},
    "openai/responses": {
        "response.billing": "of spring 2026",
        "response.conversation": "conversations are not emulated",
        "response.moderation": "of spring 2026",
        "response.reasoning.context": "of summer 2026",
        "response.reasoning.mode": "of summer 2026",
        "response.tool_usage": "of summer 2026",
    },
}
# What follows what in the emulation and in no recording, and why.
ORDER = {
    "anthropic": {},
    "gemini": {},
    "openai/chat": {},
    "openai/responses": {
        (
            "response.output_item.done reasoning",
            "response.output_item.added function_call",
        ): "no commentary here",
        ("response.output_text.annotation.added", "response.output_text.done"): "the last word is a link here",
    },
}


class Asked(NamedTuple):
    """A recorded request, and what the real service said to it."""

    name: str
    request: dict[str, Any]
    note: dict[str, Any]
    answer: list[Any]

    @property
    def service(self) -> str:
        """Whose it is."""
        return self.name.partition("/")[0]

    @property
    def dialect(self) -> str:
        """The form of the answer."""
        return _dialect(self.name)


def _dialect(name: str) -> str:
    return next(it for it in WITHOUT if name.startswith(it))


def events(body: bytes) -> list[Any]:
    """The JSON of each event, `[DONE]` as a string; a document is one event."""
    if body.lstrip().startswith(b"{"):
        return [json.loads(body)]
    lines = [line.removeprefix("data: ") for line in body.decode().splitlines() if line.startswith("data: ")]
    return [line if line == "[DONE]" else json.loads(line) for line in lines]


def recorded() -> dict[str, list[Any]]:
    """All recorded answers by name."""
    found = [*CAPTURES.glob("*/*.sse"), *CAPTURES.glob("*/*.body.json")]
    return {
        f"{file.parent.name}/{file.name.partition('.')[0]}": events(file.read_bytes())
        for file in sorted(found)
        if file.parent.name in KEYS
    }


ANSWERS = recorded()


def requests() -> Iterator[Asked]:
    """All recorded requests."""
    for file in sorted(CAPTURES.glob("*/*.request.json")):
        name = f"{file.parent.name}/{file.name.partition('.')[0]}"
        note = json.loads((CAPTURES / f"{name}.json").read_text("utf-8"))
        yield Asked(name, json.loads(file.read_text("utf-8")), note, ANSWERS[name])


ASKED = {one.name: one for one in requests()}
MET = [one for one in ASKED.values() if one.note["error"] is None]
REFUSED = [one for one in ASKED.values() if one.note["error"] is not None]


# ---------------------------------------------------------------- shapes


def kind(value: dict[str, Any], place: str) -> str:
    """What a record is called: by its own word, or by where it stands."""
    word = value.get("type", value.get("object"))
    return word if isinstance(word, str) else place


def shape(value: Any, place: str = "event") -> Iterator[str]:
    """The records in `value`, and `record.field` of each of their fields."""
    if isinstance(value, list):
        for one in value:
            yield from shape(one, place)
    elif isinstance(value, dict):
        name = kind(value, place)
        yield name
        for field, held in value.items():
            yield f"{name}.{field}"
            if field not in UNLOOKED:
                yield from shape(held, f"{name}.{field}")


def shapes(answer: Iterable[Any]) -> set[str]:
    """The shape of all events of an answer."""
    return {found for event in answer for found in shape(event)}


def label(event: Any) -> str:
    """What an event does, for the order of events: its kind, and that of what it is about."""
    if isinstance(event, str):
        return event
    inner = [held for name in ("delta", "content_block", "item", "part") if isinstance(held := event.get(name), dict)]
    return " ".join([kind(event, "event"), *(kind(held, "") for held in inner), *_said(event)])


def _said(event: dict[str, Any]) -> Iterator[str]:
    """What the choices of a chunk, or the candidates of a response, hold."""
    for choice in [*event.get("choices", ()), *event.get("candidates", ())]:
        parts = [choice.get("delta") or {}, *choice.get("content", {}).get("parts", ())]
        yield from sorted({name for part in parts for name, held in part.items() if held is not None})
        if choice.get("finish_reason", choice.get("finishReason")):
            yield "the end"


def order(answer: Iterable[Any]) -> set[tuple[str, str]]:
    """Which events follow which; runs of one kind are one, and a ping may come at any time."""
    labels = ["", *(label(event) for event in answer if event == "[DONE]" or event.get("type") != "ping"), ""]
    return {pair for pair in pairwise(labels) if pair[0] != pair[1]}


def union(what: Any) -> dict[str, set[Any]]:
    """What all recordings of each dialect have together."""
    found: dict[str, set[Any]] = {dialect: set() for dialect in WITHOUT}
    for name, answer in ANSWERS.items():
        found[_dialect(name)] |= what(answer)
    return found


SHAPES, ORDERS = union(shapes), union(order)


def parent(path: str) -> str:
    """The record of a field."""
    return path.rpartition(".")[0]


# ---------------------------------------------------------------- asking


def seals(answer: Iterable[Any]) -> Iterator[str]:
    """What the service wants back as it gave it: signatures, and the thoughts that they seal."""
    thought = "".join(strings(answer, "thinking"))
    yield from strings(answer, "signature", "thoughtSignature")
    if thought:
        yield json.dumps(thought)[1:-1]


def strings(value: Any, *names: str) -> Iterator[str]:
    """What stands under these names, wherever that is, and is not empty."""
    if isinstance(value, list):
        for one in value:
            yield from strings(one, *names)
    elif isinstance(value, dict):
        for name, held in value.items():
            if name in names and isinstance(held, str) and held:
                yield held
            yield from strings(held, *names)


def url_safe(seal: str) -> str:
    """The other spelling of base64, which Google takes too."""
    return seal.replace("+", "-").replace("/", "_")


@pytest.fixture
def put(ask):
    """put(asked): the request as it was recorded; what it returns to the service is what this service gave."""

    def put(asked: Asked) -> Any:
        body = asked.request["body"]
        told = json.dumps(body | ({"model": INSTEAD.get(body["model"], body["model"])} if "model" in body else {}))
        if before := asked.request.get("follows"):
            given = put(ASKED[f"{asked.service}/{before}"])
            for old, new in zip(seals(ANSWERS[f"{asked.service}/{before}"]), seals(events(given.body)), strict=True):
                told = told.replace(old, new).replace(url_safe(old), url_safe(new))
        path = f"/{asked.service}{asked.request['path']}?{asked.request['query']}".rstrip("?")
        headers = asked.request["headers"] | {"x-sandbox-scenario": asked.request.get("scenario", "")}
        return ask(asked.request["method"], path, told.encode(), headers | KEYS[asked.service])

    return put


# ---------------------------------------------------------------- the promises


@pytest.mark.parametrize("asked", MET, ids=lambda it: it.name)
def test_a_recorded_request_is_answered_in_the_recorded_shapes(put, asked):
    """Every record has the fields of the recorded ones; no record, and no order of events, is an invention."""
    answer = put(asked)
    assert (answer.status, answer.body[:200] if answer.status != 200 else b"") == (200, b"")
    streams = answer.headers["content-type"].startswith("text/event-stream")
    assert streams == (CAPTURES / f"{asked.name}.sse").exists()
    told, known = shapes(events(answer.body)), SHAPES[asked.dialect]
    beyond = {path for path in told - known if parent(path) in known | {""}}
    without = {path for path in shapes(asked.answer) - told if parent(path) in told}
    assert beyond - BEYOND[asked.dialect].keys() == set()
    assert without - WITHOUT[asked.dialect].keys() == set()
    assert order(events(answer.body)) - ORDERS[asked.dialect] - ORDER[asked.dialect].keys() == set()


@pytest.mark.parametrize("asked", REFUSED, ids=lambda it: it.name)
def test_a_recorded_request_that_was_refused_is_refused_alike(put, asked):
    """The same status and the same error, but for its words."""
    answer = put(asked)
    (real,) = asked.answer
    assert answer.status == asked.note["status"]
    assert shapes([answer.json]) == shapes([real])
    assert answer.json["error"] | {"message": ""} == real["error"] | {"message": ""}


def test_what_is_known_to_differ_still_does(put):
    """A difference that was mended is struck from the lists above."""
    beyond, without, orders = ({dialect: set() for dialect in WITHOUT} for _ in range(3))
    for asked in MET:
        answer = events(put(asked).body)
        told, known = shapes(answer), SHAPES[asked.dialect]
        beyond[asked.dialect] |= told - known
        without[asked.dialect] |= shapes(asked.answer) - told
        orders[asked.dialect] |= order(answer) - ORDERS[asked.dialect]
    for dialect in WITHOUT:
        assert BEYOND[dialect].keys() - beyond[dialect] == set()
        assert WITHOUT[dialect].keys() - without[dialect] == set()
        assert ORDER[dialect].keys() - orders[dialect] == set()
