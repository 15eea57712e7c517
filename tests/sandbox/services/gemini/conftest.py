"""The unmodified `google-genai` package as a client of the emulated service, and a plain one for what it would hide."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from google import genai
from google.genai import types
from PIL import Image

from polychat.sandbox import Sandbox

FLASH = "gemini-2.5-flash"
WEATHER = {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}, "required": ["city"]}


@pytest.fixture(scope="module")
def sdk(sandbox_server: Sandbox) -> Iterator[genai.Client]:
    """One client for all tests of a module: Alice's."""
    options = types.HttpOptions(base_url=f"{sandbox_server.url}/gemini", api_version="v1beta")
    with genai.Client(api_key="sandbox-alice", http_options=options) as made:
        yield made


@pytest.fixture
def client(sdk: genai.Client, sandbox: Sandbox) -> genai.Client:
    """The client before a sandbox as new."""
    return sdk


@pytest.fixture
def generate(client: genai.Client) -> Callable[..., types.GenerateContentResponse]:
    """generate(contents, model=, scenario=, **config): a whole answer."""

    def generate(contents: Any = "Hello there", model: str = FLASH, scenario: str = "", **config: Any) -> Any:
        return client.models.generate_content(model=model, contents=contents, config=_config(scenario, config))

    return generate


@pytest.fixture
def stream(client: genai.Client) -> Callable[..., list[types.GenerateContentResponse]]:
    """stream(contents, model=, scenario=, **config): the chunks of an answer."""

    def stream(contents: Any = "Hello there", model: str = FLASH, scenario: str = "", **config: Any) -> Any:
        config = _config(scenario, config)
        return list(client.models.generate_content_stream(model=model, contents=contents, config=config))

    return stream


def _config(scenario: str, config: dict[str, Any]) -> dict[str, Any]:
    return {"http_options": {"headers": {"x-sandbox-scenario": scenario}}} | config


@pytest.fixture
def post(ask: Any) -> Callable[..., Any]:
    """post(path, body, scenario): a plain POST below /v1beta/models as Alice."""

    def post(path: str, body: Any, scenario: str = "", **headers: str) -> Any:
        head = {"x-goog-api-key": "sandbox-alice", "x-sandbox-scenario": scenario} | headers
        return ask("POST", f"/gemini/v1beta/models/{path}", body, head)

    return post


@pytest.fixture
def answered(post: Any) -> Callable[..., Any]:
    """answered(body, model=): the first candidate of a plain request; `contents` are there unless given."""

    def answered(body: dict[str, Any] | None = None, model: str = FLASH, scenario: str = "") -> Any:
        answer = post(f"{model}:generateContent", {"contents": [user("Hello there")]} | (body or {}), scenario)
        assert answer.status == 200, answer.body
        return answer.json["candidates"][0]

    return answered


@pytest.fixture
def refused(post: Any) -> Callable[..., tuple[int, str, list[str]]]:
    """refused(body, model=, method=): status, its word, and the fields that are named in a refusal."""

    def refused(body: dict[str, Any], model: str = FLASH, method: str = "generateContent") -> Any:
        if method == "generateContent":
            body = {"contents": [user("Hello there")]} | body
        answer = post(f"{model}:{method}", body)
        error = answer.json["error"]
        assert error["code"] == answer.status
        details = {detail["@type"].rpartition(".")[2]: detail for detail in error.get("details", ())}
        violations = details.get("BadRequest", {}).get("fieldViolations", ())
        assert error["message"] == "\n".join(it["description"] for it in violations) or not violations
        return answer.status, error["status"], [violation["field"] for violation in violations]

    return refused


@pytest.fixture
def wrong(refused: Any) -> Callable[..., list[str]]:
    """wrong(body, model=): the fields that are named in a refusal with 400."""

    def wrong(body: dict[str, Any], model: str = FLASH, method: str = "generateContent") -> Any:
        status, word, fields = refused(body, model, method)
        assert (status, word) == (400, "INVALID_ARGUMENT")
        return fields

    return wrong


@pytest.fixture
def events() -> Callable[[bytes], list[Any]]:
    """events(body): the JSON of each event."""

    def events(body: bytes) -> list[Any]:
        *frames, rest = body.decode().split("\r\n\r\n")
        assert rest == ""
        assert all(frame.startswith("data: ") for frame in frames)
        return [json.loads(frame.removeprefix("data: ")) for frame in frames]

    return events


@pytest.fixture
def png() -> Callable[..., bytes]:
    """png(width, height, colour, form): a picture."""

    def png(width: int = 32, height: int = 16, colour: Any = "red", form: str = "PNG") -> bytes:
        file = io.BytesIO()
        Image.new("RGB", (width, height), colour).save(file, form)
        return file.getvalue()

    return png


@pytest.fixture
def blob() -> Callable[..., dict[str, Any]]:
    """blob(data, media_type): a part with bytes."""
    return lambda data, media_type="image/png": {
        "inlineData": {"mimeType": media_type, "data": base64.b64encode(data).decode()}
    }


@pytest.fixture
def functions() -> Callable[..., list[Any]]:
    """functions(*names, parameters=): the tools of a request."""

    def functions(*names: str, parameters: Any = WEATHER) -> list[Any]:
        return [{"functionDeclarations": [{"name": name, "parameters": parameters} for name in names]}]

    return functions


def user(*parts: Any) -> dict[str, Any]:
    """A content of the user; a text may stand for its part."""
    return {"role": "user", "parts": [{"text": part} if isinstance(part, str) else part for part in parts]}
