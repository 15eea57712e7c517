"""The unmodified `anthropic` package as a client of the emulated service, and a plain one for what it would hide."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import anthropic
import pytest
from PIL import Image

from polychat.sandbox import Sandbox

WEATHER = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


@pytest.fixture(scope="module")
def sdk(sandbox_server: Sandbox) -> Iterator[anthropic.Anthropic]:
    """One client for all tests of a module: Alice's, without retries."""
    base_url = f"{sandbox_server.url}/anthropic"
    with anthropic.Anthropic(base_url=base_url, api_key="sandbox-alice", max_retries=0) as made:
        yield made


@pytest.fixture
def client(sdk: anthropic.Anthropic, sandbox: Sandbox) -> anthropic.Anthropic:
    """The client before a sandbox as new."""
    return sdk


@pytest.fixture
def chat(client: anthropic.Anthropic) -> Callable[..., Any]:
    """chat(content, scenario=, **fields): a message; `content` may be a list of messages."""

    def chat(content: Any = "Hello there", scenario: str = "", **fields: Any) -> Any:
        messages = [user(content)] if isinstance(content, str) else content
        asked = {"model": "claude-haiku-4-5", "max_tokens": 4000, "messages": messages} | fields
        return client.messages.create(**asked, extra_headers={"x-sandbox-scenario": scenario})

    return chat


@pytest.fixture
def post(ask: Any) -> Callable[..., Any]:
    """post(body, scenario, path=, **headers): a plain POST below /v1 as Alice; the body needs only what is special."""

    def post(body: Any = None, scenario: str = "", path: str = "/messages", **headers: str) -> Any:
        head = {"x-api-key": "sandbox-alice", "anthropic-version": "2023-06-01", "x-sandbox-scenario": scenario}
        if isinstance(body, dict):
            body = {"model": "claude-haiku-4-5", "messages": [user("Hello there")]} | body
            if path == "/messages":
                body = {"max_tokens": 4000} | body
        head |= {name.replace("_", "-"): value for name, value in headers.items()}
        return ask("POST", f"/anthropic/v1{path}", body, head)

    return post


@pytest.fixture
def refused(post: Any) -> Callable[..., tuple[int, str]]:
    """refused(body, path=, version=): status and place of a refusal in the form that the service has for all."""

    def refused(body: Any, path: str = "/messages", version: str = "2023-06-01") -> tuple[int, str]:
        answer = post(body, path=path, anthropic_version=version)
        assert set(answer.json) == {"type", "error", "request_id"}
        assert set(answer.json["error"]) == {"type", "message"}
        assert (answer.json["type"], answer.json["request_id"]) == ("error", answer.headers["request-id"])
        return answer.status, answer.json["error"]["message"].partition(": ")[0]

    return refused


@pytest.fixture
def events() -> Callable[[bytes], list[Any]]:
    """events(body): the JSON of each event, whose name agrees with its type."""

    def events(body: bytes) -> list[Any]:
        found = []
        for frame in body.decode().removesuffix("\n\n").split("\n\n"):
            name, data = frame.split("\n")
            found.append(json.loads(data.removeprefix("data: ")))
            assert name == f"event: {found[-1]['type']}"
        return found

    return events


@pytest.fixture
def png() -> Callable[..., bytes]:
    """png(width, height, colour): a picture."""

    def png(width: int = 32, height: int = 16, colour: Any = "red", form: str = "PNG") -> bytes:
        file = io.BytesIO()
        Image.new("RGB", (width, height), colour).save(file, form)
        return file.getvalue()

    return png


@pytest.fixture
def picture() -> Callable[..., dict[str, Any]]:
    """picture(data, media_type): an image block."""

    def picture(data: bytes, media_type: str = "image/png") -> dict[str, Any]:
        return {"type": "image", "source": encoded(data, media_type)}

    return picture


@pytest.fixture
def document() -> Callable[..., dict[str, Any]]:
    """document(data, media_type, **more): a document block; a text is a document of plain text."""

    def document(data: bytes | str, media_type: str = "application/pdf", **more: Any) -> dict[str, Any]:
        if isinstance(data, str):
            return {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": data}, **more}
        return {"type": "document", "source": encoded(data, media_type), **more}

    return document


@pytest.fixture
def tool() -> Callable[..., dict[str, Any]]:
    """tool(name, schema): a tool of the client."""

    def tool(name: str, input_schema: Any = WEATHER, **more: Any) -> dict[str, Any]:
        return {"name": name, "input_schema": input_schema, **more}

    return tool


def user(content: Any) -> dict[str, Any]:
    """A message of the user."""
    return {"role": "user", "content": content}


def encoded(data: bytes, media_type: str) -> dict[str, Any]:
    """A source in base64."""
    return {"type": "base64", "media_type": media_type, "data": base64.b64encode(data).decode()}
