"""`compat=g4f`: the clients of that name, of spring 2025 and of 2026, read every scene as the protocol page tells."""

from __future__ import annotations

import json
import re

import pytest

SCENES = [
    "",
    "thinking",
    "tool",
    "search",
    "picture",
    "thinking, tool, search",
    "text=closing",
    "text=root",
    "dialect=2025-03",
]
TEXT = "/message/content/parts/0"


class Client:
    """Reads line by line: whatever begins with `data: ` and is a JSON object; `event:` lines mean nothing to it.

    It knows bare text, text at its path, lists of patches, and roots. Everything else is what it trips over.
    """

    def __init__(self, body: bytes) -> None:
        self.pieces: list[str] = []
        self.reasoning: list[str] = []
        self.pictures: list[str] = []
        self.conversation_id: str | None = None
        self.finish: str | None = None
        self._recipient = "all"
        self._thinking = False
        for line in body.splitlines():
            if line.startswith(b"data: ") and self.finish is None:
                self._line(line[6:])

    def _line(self, data: bytes) -> None:
        if data.startswith(b"[DONE]"):
            return
        value = json.loads(data)
        if not isinstance(value, dict) or "v" not in value:
            return
        inner = value["v"]
        if isinstance(inner, str) and value.get("p") in (None, TEXT):
            self._text(inner)
        elif isinstance(inner, list):
            for patch in inner:
                self._patch(patch)
        elif isinstance(inner, dict) and "message" in inner:
            assert value["p"] == ""
            self._root(inner)

    def _text(self, text: str) -> None:
        if self._thinking:
            self.reasoning.append(text)
        elif self._recipient == "all":
            self.pieces.append(text)

    def _patch(self, patch: dict) -> None:
        place: str = patch["p"]
        if place.startswith("/message/metadata/finished_text"):
            self._thinking = False
        if place == TEXT:
            self._text(patch["v"])
        elif place == "/message/metadata":
            self.finish = patch["v"].get("finish_details", {}).get("type")

    def _root(self, root: dict) -> None:
        self.conversation_id = self.conversation_id or root["conversation_id"]
        message = root["message"]
        self._recipient = message["recipient"]
        metadata = message["metadata"]
        self._thinking = "initial_text" in metadata
        for part in message["content"].get("parts", []):
            if isinstance(part, dict) and part["asset_pointer"].startswith("file-service://"):
                assert part["metadata"]["dalle"]["prompt"]
                self.pictures.append(part["asset_pointer"])


@pytest.mark.parametrize("fault", ["", "crlf"])
@pytest.mark.parametrize("scenario", SCENES)
def test_the_old_client_reads_the_answer(web, scenario, fault):
    """The text, a finish, the conversation, thoughts apart, a picture by its old pointer."""
    body = web.send(web.body("Hello there"), f"compat=g4f, {scenario}, {fault}").body
    client = Client(body)
    wanted = "Here it is." if scenario == "picture" else "You asked: “Hello there” (2 words)."
    assert "".join(client.pieces).startswith(wanted)
    assert client.finish == "stop"
    assert re.fullmatch(r"[0-9a-f-]{36}", client.conversation_id or "")
    assert ("I read " in client.reasoning) == ("thinking" in scenario)
    assert len(client.pictures) == (scenario == "picture")


@pytest.mark.parametrize("scenario", SCENES)
def test_no_record_would_trip_it(web, scenario):
    """Bare text only after the text's path; every other record with its place; no list but of patches."""
    body = web.send(web.body("Hello there"), f"compat=g4f, {scenario}").body
    path = None
    for line in body.splitlines():
        if not line.startswith(b"data: {") or "v" not in (record := json.loads(line[6:])):
            continue
        path = record.get("p", path)
        assert "p" in record or path == TEXT
        if isinstance(record["v"], list):
            assert all(isinstance(patch["p"], str) for patch in record["v"])
        if isinstance(record["v"], dict) and "message" in record["v"]:
            assert isinstance(record["v"]["message"]["metadata"], dict)


def test_the_gate_has_what_it_needs(web):
    """The block `proofofwork`, with no more than three keys it knows."""
    gate = web.ask("POST", "/sentinel/chat-requirements", {"p": None}).json
    assert gate["proofofwork"].keys() <= {"required", "seed", "difficulty"}
