"""The models, the paths that are none, and another service of the same dialect."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import openai
import pytest
import uvicorn

from polychat.sandbox.server import create_app
from polychat.sandbox.services.openai.dialect import emulate
from polychat.sandbox.services.openai.knobs import Knobs
from polychat.sandbox.services.openai.models import Model
from polychat.sandbox.world import World


def test_the_models_are_listed_and_found(client):
    """Every listed one by its id."""
    listed = list(client.models.list())
    assert {"gpt-4o", "gpt-5.5", "text-embedding-3-small", "gpt-image-1", "tts-1", "whisper-1"} <= {
        model.id for model in listed
    }
    assert client.models.retrieve("gpt-4o") == next(model for model in listed if model.id == "gpt-4o")


def test_a_model_that_is_not_there_is_not_found(client):
    """404 with the code and the field."""
    with pytest.raises(openai.NotFoundError) as caught:
        client.models.retrieve("nope/none")
    assert (caught.value.code, caught.value.param) == ("model_not_found", "model")


def test_every_chat_model_answers(client, chat):
    """With nothing but a question."""
    for model in client.models.list():
        if model.id.startswith(("gpt-3", "gpt-4.1", "gpt-5", "gpt-6", "gpt-audio", "o4")):
            assert chat(model=model.id).choices[0].finish_reason == "stop"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/nothing", 404),
        ("POST", "/", 404),
        ("GET", "/v1/chat/completions", 405),
        ("DELETE", "/v1/models", 405),
    ],
)
def test_a_path_that_is_none_gets_an_error_in_form(ask, method, path, status):
    """Also a method that is not its own; no key is needed to learn that."""
    answer = ask(method, f"/openai{path}")
    assert (answer.status, answer.json["error"]["type"]) == (status, "invalid_request_error")


class Shown(Knobs, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Habits of another service."""

    usage: str = "with_finish"
    obfuscation: bool = False


@pytest.fixture
def other():
    """A server on which a second service of the dialect lives under its own name and root."""
    world = World()
    models = (Model(id="maker/small", tools=False),)
    names = ("State", "routes", "service")
    second = SimpleNamespace(**dict(zip(names, emulate("Another", models, root="/api/v1", knobs=Shown), strict=True)))
    world.services = {**world.services, "another": second}
    world.reset()
    config = uvicorn.Config(create_app(world), port=0, log_config=None, lifespan="off", server_header=False)
    server = uvicorn.Server(config)
    listener = config.bind_socket()
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/another/api/v1"
        with openai.OpenAI(base_url=url, api_key="sandbox-bob", max_retries=0) as made:
            yield made
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


def test_another_service_is_its_label_and_models(other, tool):
    """Its own paths, models, abilities and habits; what it has no models for is not there."""
    assert [model.id for model in other.models.list()] == ["maker/small"]
    assert other.models.retrieve("maker/small").id == "maker/small"
    messages = [{"role": "user", "content": "Hello there"}]
    *_, last = other.chat.completions.create(model="maker/small", messages=messages, stream=True)
    assert (last.choices[0].finish_reason, last.usage.total_tokens) == ("stop", 8)
    with pytest.raises(openai.BadRequestError) as caught:
        other.chat.completions.create(model="maker/small", messages=messages, tools=[tool("f")])
    assert caught.value.param == "tools"
    with pytest.raises(openai.NotFoundError):
        other.embeddings.create(model="maker/small", input="x")
    with pytest.raises(openai.NotFoundError):
        other.responses.create(model="maker/small", input="x")
