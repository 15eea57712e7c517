"""A server on this machine that answers whatever it is told, in the words of any dialect."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import msgspec
import pytest

from polychat import ChatCompletion, ChatCompletionChunk, Client
from polychat.engine.settings import load

Json = dict[str, Any]


class _Speaking(BaseHTTPRequestHandler):
    """Whatever it is asked, it answers with what it was told; it has no list of models."""

    body: ClassVar[bytes] = b""
    kind: ClassVar[str] = ""
    asked: ClassVar[list[Any]]

    def do_POST(self) -> None:
        self.asked.append(msgspec.json.decode(self.rfile.read(int(self.headers["content-length"]))))
        self._answer(200, self.kind, self.body)

    def do_GET(self) -> None:
        self._answer(404, "application/json", b'{"error":{"message":"no list"}}')

    def _answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Silence."""


class Speaker:
    """The server, and clients of it."""

    def __init__(self, url: str, served: type[_Speaking], home: Path) -> None:
        self.url, self._served, self.home = url, served, home

    def says(self, *events: Json | str) -> None:
        """An event stream from now on."""
        texts = [one if isinstance(one, str) else msgspec.json.encode(one).decode() for one in events]
        self._served.body = "".join(f"data: {text}\n\n" for text in texts).encode()
        self._served.kind = "text/event-stream"

    def hands_out(self, document: Json) -> None:
        """One document from now on."""
        self._served.body, self._served.kind = msgspec.json.encode(document), "application/json"

    @property
    def asked(self) -> list[Any]:
        """The bodies of all questions."""
        return self._served.asked

    def client(self, name: str) -> Client:
        """A client of that dialect."""
        settings = load(environ={"POLYCHAT_HOME": str(self.home), "POLYCHAT_SANDBOX": self.url})
        service = "openai" if name == "responses" else name
        to = {"base_url": f"{self.url}/v1"} if name == "custom" else {"provider": service}
        return Client(**to, api_key="sandbox-alice", settings=settings, strict=True)

    @staticmethod
    def question(name: str, **more: Any) -> dict[str, Any]:
        """What is asked of that dialect."""
        own: dict[str, Any] = {"openai": {"model": "gpt-4o"}, "custom": {"model": "any"}}.get(name, {})
        if name == "responses":
            own = {"model": "gpt-4o", "api": "responses"}
        return {"messages": "hi", **own, **more}

    def whole(self, name: str, **more: Any) -> ChatCompletion:
        """The answer in one piece."""
        with self.client(name) as client:
            answer: ChatCompletion = client.chat.completions.create(**self.question(name, **more))
            return answer

    def streamed(self, name: str, heard: list[ChatCompletionChunk]) -> None:
        """The answer in chunks, as far as it comes."""
        with self.client(name) as client, client.chat.completions.create(**self.question(name), stream=True) as stream:
            heard.extend(stream)


@pytest.fixture
def speaker(tmp_path: Path) -> Iterator[Speaker]:
    """One that says nothing yet."""
    served = type("Served", (_Speaking,), {"asked": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), served) as server:
        worker = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        worker.start()
        yield Speaker(f"http://127.0.0.1:{server.server_address[1]}", served, tmp_path)
        server.shutdown()
        worker.join()
