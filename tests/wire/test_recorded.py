"""The official services as they were recorded: what each answer means, however it is cut."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from polychat.errors import PolychatError
from polychat.fold import fold
from polychat.types import Reply, Thinking
from polychat.wire import (
    anthropic_errors,
    anthropic_messages,
    gemini_content,
    gemini_errors,
    openai_chat,
    openai_errors,
    openai_responses,
    openai_responses_items,
)

CAPTURES = Path(__file__, "../../captures").resolve()
SERVICES = ("anthropic", "gemini", "openai")
FRAME = re.compile(rb"(?<=\n\n)|(?<=\r\n\r\n)")  # where one event ends and the next begins
FOREIGN = re.compile(
    rb"__cf_bm|_cfuvid|openai-organization|proj_[A-Za-z0-9]{8}|org-[A-Za-z0-9]{8}|pydantic-[0-9]", re.I
)


class Dialect(NamedTuple):
    """What reads the answers of one kind."""

    decoder: Callable[[], Any]
    explained: Callable[[int, bytes], PolychatError | None]


DIALECTS = {
    "anthropic": Dialect(
        lambda: anthropic_messages.Decoder("anthropic"),
        lambda status, body: anthropic_errors.explained(status, {}, body, provider="anthropic"),
    ),
    "gemini": Dialect(
        lambda: gemini_content.Decoder("gemini"),
        lambda status, body: gemini_errors.explained(status, body, provider="gemini"),
    ),
    "openai/chat": Dialect(
        lambda: openai_chat.Decoder("openai"),
        lambda status, body: openai_errors.explained(status, body, provider="openai"),
    ),
    "openai/responses": Dialect(
        lambda: openai_responses.Decoder("openai"),
        lambda status, body: openai_errors.explained(status, body, provider="openai"),
    ),
}


class Recording(NamedTuple):
    """A body, and the note beside it."""

    name: str
    body: bytes
    note: dict[str, Any]

    @property
    def dialect(self) -> Dialect:
        """What it is read by."""
        return next(dialect for start, dialect in DIALECTS.items() if self.name.startswith(start))

    @property
    def frames(self) -> list[bytes]:
        """Its events, each with the empty line after it; a document is one."""
        return [frame for frame in FRAME.split(self.body) if frame]


def recordings() -> Iterator[Recording]:
    """All of them, named for where they lie."""
    for service in SERVICES:
        for body in sorted([*(CAPTURES / service).glob("*.sse"), *(CAPTURES / service).glob("*.body.json")]):
            stem = body.name.partition(".")[0]
            note = json.loads((body.parent / f"{stem}.json").read_text("utf-8"))
            yield Recording(f"{service}/{stem}", body.read_bytes(), note)


EVERY = list(recordings())
ANSWERS = [one for one in EVERY if one.note["error"] is None]
ERRORS = [one for one in EVERY if one.note["error"] is not None]


def decoded(recording: Recording, pieces: Iterable[bytes]) -> Reply:
    """The answer, in whatever pieces it arrives."""
    decoder = recording.dialect.decoder()
    return fold([*(event for piece in pieces for event in decoder.feed(piece)), *decoder.close()])


def sealed(thought: Thinking) -> str | None:
    """What the service alone can read of a thought."""
    inside = openai_responses_items.opened(thought.signature)
    return inside.encrypted_content if inside else thought.redacted or thought.signature


def meaning(reply: Reply, note: dict[str, Any]) -> dict[str, Any]:
    """A reply as notes are written. An id that the service gave none for, and the spelling of JSON, are ours."""
    calls = [
        {"id": it.id, "name": it.name, "arguments": it.arguments, "signature": it.signature} for it in reply.tool_calls
    ]
    for call, noted in zip(calls, note["tool_calls"], strict=False):
        call["id"] = call["id"] if noted["id"] or not call["id"] else None
        if isinstance(noted["arguments"], dict):
            call["arguments"] = json.loads(call["arguments"] or "")
    return {
        "text": reply.text,
        "thinking": reply.thinking,
        "sealed": [seal for thought in reply.thoughts if (seal := sealed(thought))],
        "tool_calls": calls,
        "citations": [
            {"url": it.url, "title": it.title, "of": reply.text[it.start : it.end]} for it in reply.citations
        ],
        "hosted_tools": [{"name": it.name, "arguments": it.arguments} for it in reply.hosted_tools],
        "usage": reply.usage and {name: getattr(reply.usage, name) for name in note["usage"] or ()},
        "finish": reply.finish and reply.finish.raw,
        "reason": reply.finish and reply.finish.reason,
    }


def noted(note: dict[str, Any]) -> dict[str, Any]:
    """The part of a note that says what an answer means."""
    calls = [{"signature": None} | call for call in note["tool_calls"]]
    return {name: note[name] for name in meaning(Reply(), note)} | {"tool_calls": calls}


@pytest.mark.parametrize("recording", ANSWERS, ids=lambda it: it.name)
def test_a_recorded_answer_means_what_is_noted_beside_it(recording: Recording) -> None:
    """Words, thoughts and their seals, calls, sources with the words they are of, counts and the end."""
    assert meaning(decoded(recording, [recording.body]), recording.note) == noted(recording.note)


@pytest.mark.parametrize("recording", ANSWERS, ids=lambda it: it.name)
def test_the_pieces_do_not_matter(recording: Recording) -> None:
    """One byte at a time and one event at a time give what the whole body gives."""
    whole = decoded(recording, [recording.body])
    assert len(recording.frames) == 1 or recording.note["finish"] is not None
    assert repr(decoded(recording, recording.frames)) == repr(whole)
    assert repr(decoded(recording, (bytes([byte]) for byte in recording.body))) == repr(whole)


@pytest.mark.parametrize("recording", [it for it in ANSWERS if len(it.frames) > 1], ids=lambda it: it.name)
def test_a_recording_that_is_cut_between_events_is_a_beginning(recording: Recording) -> None:
    """What came is kept, nothing is invented after it, and no end is told before the service told one."""
    whole = decoded(recording, [recording.body])
    for count in range(len(recording.frames)):
        reply = decoded(recording, recording.frames[:count])
        assert whole.text.startswith(reply.text)
        assert whole.thinking.startswith(reply.thinking)
        assert [it.id for it in reply.tool_calls] == [it.id for it in whole.tool_calls][: len(reply.tool_calls)]
        assert reply.finish is None or (reply.finish, reply.text) == (whole.finish, whole.text)
    assert decoded(recording, recording.frames[:1]).finish is None


@pytest.mark.parametrize("recording", ERRORS, ids=lambda it: it.name)
def test_a_recorded_error_means_what_is_noted_beside_it(recording: Recording) -> None:
    """By its status and its body, with the service's own words."""
    error = recording.dialect.explained(recording.note["status"], recording.body)
    assert error is not None
    assert (error.code, error.upstream_status) == (recording.note["error"], recording.note["status"])
    assert json.loads(recording.body)["error"]["message"].rstrip(".")[:60] in error.message


def test_every_recording_says_where_it_is_from() -> None:
    """Repository, file, licence and date; what is no recording's has no place among them."""
    known = {one.name for one in EVERY}
    found = {
        f"{file.parent.name}/{file.name.partition('.')[0]}" for it in SERVICES for file in (CAPTURES / it).iterdir()
    }
    assert found == known
    for one in EVERY:
        origin, _, file = one.note["origin"].partition(", see ../LICENSES.md), ")
        assert (origin, file[:6], one.note["confirmed_live"]) == ("pydantic/pydantic-ai (MIT", "tests/", True)
        assert re.search(r" at [0-9a-f]{40}(,|$)", file)
        assert re.match(r"(about )?20\d\d-\d\d(-\d\d)?( or before)?$", one.note["date"])
        assert one.note["means"]
        assert one.note["changed"]
    notice = (CAPTURES / "LICENSES.md").read_text("utf-8")
    assert "pydantic/pydantic-ai" in notice
    assert "Copyright (c) Pydantic Services Inc. 2024 to present" in notice


def test_nobodys_account_is_in_a_recording() -> None:
    """No cookie, no organization, no project: neither in bodies nor in requests."""
    for service in SERVICES:
        for file in (CAPTURES / service).iterdir():
            assert FOREIGN.search(file.read_bytes()) is None, file.name
