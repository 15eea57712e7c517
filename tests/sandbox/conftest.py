"""The sandbox as the pytest plugin gives it, spoken to by the standard library alone."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from polychat.sandbox import Sandbox


class Reply(NamedTuple):
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)


@pytest.fixture
def ask(sandbox: Sandbox) -> Callable[..., Reply]:
    """ask(method, path, body=None, headers=None): one request, one whole answer; a dict goes out as JSON."""

    def ask(method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Reply:
        headers = dict(headers or {})
        if isinstance(body, dict | list):
            body = json.dumps(body).encode()
            headers.setdefault("content-type", "application/json")
        connection = http.client.HTTPConnection(sandbox.url.removeprefix("http://"), timeout=10)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            fields = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, fields, answer.read())
        finally:
            connection.close()

    return ask


@pytest.fixture
def raw(sandbox: Sandbox) -> Iterator[Callable[..., socket.socket]]:
    """raw(body, scenario): a chat request on a socket of its own, to be read byte by byte; closed after the test."""
    opened: list[socket.socket] = []

    def raw(text: str = "Hello", scenario: str = "") -> socket.socket:
        host, port = sandbox.url.removeprefix("http://").split(":")
        connection = socket.create_connection((host, int(port)), timeout=10)
        opened.append(connection)
        body = json.dumps(question(text)).encode()
        head = (
            f"POST /reka/api/chat HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: Bearer sandbox-alice\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nX-Sandbox-Scenario: {scenario}\r\n\r\n"
        )
        connection.sendall(head.encode() + body)
        return connection

    yield raw
    for connection in opened:
        connection.close()


def question(text: str) -> dict[str, Any]:
    """The smallest chat body that Reka takes."""
    return {"conversation_history": [{"type": "human", "text": text}], "model_name": "reka-core", "stream": True}


@pytest.fixture
def chat(ask: Callable[..., Reply]) -> Callable[..., Reply]:
    """chat(text, scenario): ask Reka as alice."""

    def chat(text: str = "Hello", scenario: str = "", **fields: Any) -> Reply:
        headers = {"authorization": "Bearer sandbox-alice", "x-sandbox-scenario": scenario}
        return ask("POST", "/reka/api/chat", question(text) | fields, headers)

    return chat
