"""The unmodified `openai` package as a client of the emulated service, and a plain one for what it would hide."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest
from PIL import Image

from polychat.sandbox import Sandbox

WEATHER = {
    "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False,
}  # fmt: skip


@pytest.fixture(scope="module")
def sdk(sandbox_server: Sandbox) -> Iterator[openai.OpenAI]:
    """One client for all tests of a module: Alice's, without retries."""
    with openai.OpenAI(base_url=f"{sandbox_server.url}/openai/v1", api_key="sandbox-alice", max_retries=0) as made:
        yield made


@pytest.fixture
def client(sdk: openai.OpenAI, sandbox: Sandbox) -> openai.OpenAI:
    """The client before a sandbox as new."""
    return sdk


@pytest.fixture
def chat(client: openai.OpenAI) -> Callable[..., Any]:
    """chat(content, scenario=, **fields): a completion; `content` may be a list of messages."""

    def chat(content: Any = "Hello there", scenario: str = "", **fields: Any) -> Any:
        messages = [user(content)] if isinstance(content, str) else content
        headers = {"x-sandbox-scenario": scenario}
        asked = {"model": "gpt-4o", "messages": messages} | fields
        return client.chat.completions.create(**asked, extra_headers=headers)

    return chat


@pytest.fixture
def post(ask: Any) -> Callable[..., Any]:
    """post(path, body, scenario): a plain POST below /v1 as Alice."""

    def post(path: str, body: Any, scenario: str = "", **headers: str) -> Any:
        head = {"authorization": "Bearer sandbox-alice", "x-sandbox-scenario": scenario} | headers
        return ask("POST", f"/openai/v1{path}", body, head)

    return post


@pytest.fixture
def refused(post: Any) -> Callable[..., tuple[int, Any, Any]]:
    """refused(path, body): status, param and code of a refusal; a chat body needs only what is special."""

    def refused(path: str, body: dict[str, Any]) -> tuple[int, Any, Any]:
        answer = post(path, body)
        error = answer.json["error"]
        assert set(error) == {"message", "type", "param", "code"}
        assert error["type"] == "invalid_request_error"
        return answer.status, error["param"], error["code"]

    return refused


@pytest.fixture
def events() -> Callable[[bytes], list[Any]]:
    """events(body): the JSON of each `data:` line, `[DONE]` as a string."""

    def events(body: bytes) -> list[Any]:
        lines = [line.removeprefix("data: ") for line in body.decode().split("\n") if line.startswith("data: ")]
        return [line if line == "[DONE]" else json.loads(line) for line in lines]

    return events


@pytest.fixture
def png() -> Callable[..., bytes]:
    """png(width, height, colour): a picture."""

    def png(width: int = 32, height: int = 16, colour: Any = "red") -> bytes:
        file = io.BytesIO()
        Image.new("RGBA", (width, height), colour).save(file, "PNG")
        return file.getvalue()

    return png


@pytest.fixture
def uri() -> Callable[..., str]:
    """uri(data, media_type): a data URI."""
    return lambda data, media_type="image/png": f"data:{media_type};base64,{base64.b64encode(data).decode()}"


@pytest.fixture
def tool() -> Callable[..., dict[str, Any]]:
    """tool(name, parameters): a function tool of a chat completion."""

    def tool(name: str, parameters: Any = WEATHER, **more: Any) -> dict[str, Any]:
        return {"type": "function", "function": {"name": name, "parameters": parameters, **more}}

    return tool


def user(content: Any) -> dict[str, Any]:
    """A message of the user."""
    return {"role": "user", "content": content}
