"""A sandbox, a home of its own, a picture, and a proxy that can be asked what went through it."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from polychat.g4f.cookies import set_cookies
from polychat.g4f.Provider import OpenaiChat
from polychat.g4f.providers.response import AuthResult
from polychat.sandbox.server import Sandbox

CAT = Path(__file__).parents[2] / "docs/images/cat.jpeg"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where nothing is kept, and where a picture lies at docs/images/cat.jpeg; the working directory."""
    for variable in ("POLYCHAT_SANDBOX", "POLYCHAT_PROXY", "POLYCHAT_MODEL"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("POLYCHAT_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs/images").mkdir(parents=True)
    shutil.copy(CAT, tmp_path / "docs/images")
    return tmp_path


@pytest.fixture
def reka(sandbox: Sandbox, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """The sandbox, standing in for every service; it also knows the people that the pages' placeholders name."""
    for name in ("YOUR_API_KEY", "your_api_key", "your_access_token"):
        sandbox.add_account(name)
    monkeypatch.setenv("POLYCHAT_SANDBOX", sandbox.url)
    yield sandbox
    set_cookies("space.reka.ai")


@pytest.fixture
def chatgpt(reka: Sandbox) -> Iterator[Sandbox]:
    """The same sandbox; what a test wrote on the class `OpenaiChat` is forgotten after it."""
    yield reka
    set_cookies("chatgpt.com")
    OpenaiChat._api_key = OpenaiChat._headers = OpenaiChat._cookies = OpenaiChat._expires = None
    OpenaiChat.request_config = AuthResult()


class _Forward(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.do_POST()

    def do_POST(self) -> None:
        target = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        connection = HTTPConnection(target.netloc, timeout=10)
        connection.request(self.command, target.path, body, dict(self.headers))
        answer = connection.getresponse()
        said = answer.read()
        connection.close()
        self.server.passed.append(target.path)  # type: ignore[attr-defined]
        self.send_response(answer.status)
        self.send_header("content-type", answer.getheader("content-type", ""))
        self.send_header("content-length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Proxy(ThreadingHTTPServer):
    """An HTTP proxy on loopback."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Forward)
        self.passed: list[str] = []  # paths, in order

    @property
    def url(self) -> str:
        """What to give as proxy=."""
        return f"http://127.0.0.1:{self.server_port}"


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    """A running proxy."""
    with Proxy() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()
