"""A client of the emulated ChatGPT that knows only the protocol page, and a plain reader of its streams."""

from __future__ import annotations

import copy
import itertools
import json
from typing import Any

import pytest

ROOT = "client-created-root"
_IDS = itertools.count(1)


def uuid() -> str:
    """A new identifier."""
    return f"00000000-0000-4000-8000-{next(_IDS):012x}"


class Told:
    """A stream as read: `messages` by id in the order of their roots, `events`, `records`."""

    def __init__(self, body: bytes) -> None:
        self.records = self._records(body)
        self.messages: dict[str, dict[str, Any]] = {}
        self.events: list[Any] = []
        self.errors: list[Any] = []
        self.conversation_id: str | None = None
        self._root: dict[str, Any] = {}
        self._sticky = ["", "add"]
        for name, data in self.records:
            self._take(name, data)

    @staticmethod
    def _records(body: bytes) -> list[tuple[str | None, str]]:
        blocks = body.decode().split("\n\n")
        assert blocks.pop() == ""
        records = []
        for block in blocks:
            fields = dict(line.split(": ", 1) for line in block.split("\n"))
            assert set(fields) <= {"event", "data"}
            records.append((fields.get("event"), fields["data"]))
        return records

    @property
    def done(self) -> bool:
        """True when `[DONE]` came."""
        return self.records[-1] == (None, "[DONE]")

    @property
    def answer(self) -> dict[str, Any]:
        """The last message of the assistant to everybody."""
        return [m for m in self.messages.values() if m["author"]["role"] == "assistant" and m["recipient"] == "all"][-1]

    @property
    def text(self) -> str:
        """What it says."""
        return self.answer["content"]["parts"][0]

    def types(self) -> list[str]:
        """The kinds of events."""
        return [event.get("type") for event in self.events]

    def event(self, kind: str) -> dict[str, Any]:
        """The one event of a kind."""
        (found,) = [event for event in self.events if event.get("type") == kind]
        return found

    def _take(self, name: str | None, data: str) -> None:
        if name == "delta_encoding" or data == "[DONE]":
            return
        value = json.loads(data)
        if name == "delta":
            self._delta(value)
        elif "type" in value or "moderation_response" in value:
            self.events.append(value)
        else:
            self._begin(value)

    def _delta(self, record: dict[str, Any]) -> None:
        value = record["v"]
        if isinstance(value, dict) and "message" in value:
            assert {record.get("p", ""), record.get("o", "add")} == {"", "add"}
            self._begin(value)
            self._sticky = ["nowhere", "nothing"]
            return
        self._sticky = [record.get("p", self._sticky[0]), record.get("o", self._sticky[1])]
        self._apply(*self._sticky, value)

    def _begin(self, root: dict[str, Any]) -> None:
        if root.get("error"):
            self.errors.append(root["error"])
            return
        self._root = copy.deepcopy(root)
        self.conversation_id = root["conversation_id"]
        self.messages[root["message"]["id"]] = self._root["message"]

    def _apply(self, path: str, op: str, value: Any) -> None:
        if op == "patch":
            for patch in value:
                self._apply(path + patch["p"], patch["o"], patch["v"])
            return
        *way, last = path.split("/")[1:]
        holder: Any = self._root
        for step in way:
            holder = holder[int(step) if isinstance(holder, list) else step]
        key = int(last) if isinstance(holder, list) else last
        assert op in ("append", "replace")
        if op == "replace":
            holder[key] = value
        elif isinstance(holder.get(key) if isinstance(holder, dict) else holder[key], dict):
            holder[key].update(value)
        elif isinstance(holder, dict) and key not in holder:
            holder[key] = value
        else:
            holder[key] += value


class Web:
    """Alice's browser, or somebody else's."""

    def __init__(self, ask: Any, person: str = "sandbox-alice") -> None:
        self._ask = ask
        self.person = person
        self.api = "/backend-api"

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """One request below `/backend-api`, signed in; names of headers with underscores for dashes."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._ask(method, f"/chatgpt{self.api}{path}", body, {"authorization": f"Bearer {self.person}"} | named)

    def pass_gate(self) -> str:
        """A requirements token."""
        return self.ask("POST", "/sentinel/chat-requirements", {"p": None}).json["token"]

    def body(self, *parts: Any, **fields: Any) -> dict[str, Any]:
        """A turn's body."""
        kind = "text" if all(isinstance(part, str) for part in parts) else "multimodal_text"
        content = {"content_type": kind, "parts": list(parts)}
        message = {"id": uuid(), "author": {"role": "user"}, "content": content, "metadata": {}}
        usual = {"action": "next", "parent_message_id": ROOT, "model": "auto", "supported_encodings": ["v1"]}
        return usual | {"messages": [message]} | fields

    def send(self, body: dict[str, Any], scenario: str = "", **headers: str) -> Any:
        """Pass the gate and post the turn."""
        headers.setdefault("openai_sentinel_chat_requirements_token", self.pass_gate())
        return self.ask("POST", "/f/conversation", body, x_sandbox_scenario=scenario, **headers)

    def turn(self, *parts: Any, scenario: str = "", **fields: Any) -> Told:
        """A turn that goes well."""
        reply = self.send(self.body(*(parts or ("Hello there",)), **fields), scenario)
        assert (reply.status, reply.headers["content-type"]) == (200, "text/event-stream; charset=utf-8"), reply.body
        return Told(reply.body)

    def go_on(self, told: Told, *parts: Any, **fields: Any) -> Told:
        """The next turn of the same conversation."""
        place = {"conversation_id": told.conversation_id, "parent_message_id": told.answer["id"]}
        return self.turn(*parts, **place | fields)

    def tree(self, told: Told) -> dict[str, Any]:
        """The conversation as it is kept."""
        return self.ask("GET", f"/conversation/{told.conversation_id}").json


@pytest.fixture
def web(ask: Any) -> Web:
    """Alice."""
    return Web(ask)


@pytest.fixture
def bob(ask: Any) -> Web:
    """Somebody else."""
    return Web(ask, "sandbox-bob")


@pytest.fixture
def read() -> type[Told]:
    """read(body): a stream as read."""
    return Told
