"""providers/openai_compatible.py over real HTTP: rows, keys, custom addresses, and what reaches the service."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from polychat import BadOption, ChatCompletion, Client, NoAccount
from polychat.engine import accounts
from polychat.engine.settings import load
from polychat.errors import AuthExpired, UnknownModel, UnsupportedFeature
from polychat.providers import load as provider
from polychat.providers import names
from polychat.providers.openai_compatible import OpenAICompatible, custom, rows
from polychat.sandbox import Sandbox

ALICE = "sandbox-alice"
CHAT = "/v1/chat/completions"
PNG = Path(__file__).parents[2] / "docs" / "images" / "cat.jpeg"
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}  # fmt: skip


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person without accounts, settings and keys."""
    monkeypatch.setenv("POLYCHAT_HOME", str(tmp_path))
    return tmp_path


def base_url(sandbox: Sandbox) -> str:
    """Where the emulated API is, as a client of OpenAI's is told."""
    return f"{sandbox.url}/openai/v1"


def bodies(sandbox: Sandbox) -> list[Any]:
    """What was asked."""
    return [entry.json for entry in sandbox.journal(service="openai", path=CHAT)]


# ---------------------------------------------------------------- a plain client


def test_an_address_and_a_key_are_enough(sandbox: Sandbox, home: Path) -> None:
    """No account, no config; nothing is written."""
    with Client(base_url=base_url(sandbox), api_key=ALICE) as client:
        whole = client.chat.completions.create(model="gpt-4o", messages="Say hi")
        with client.chat.completions.create(model="gpt-4o", messages="Say hi", stream=True) as stream:
            pieces = [chunk.choices[0].delta.content or "" for chunk in stream]
    assert "".join(pieces) == whole.text
    assert whole.usage is not None
    assert whole.usage.total_tokens > 0
    assert [entry.account for entry in sandbox.journal(path=CHAT)] == [ALICE, ALICE]
    assert [body["stream"] for body in bodies(sandbox)] == [False, True]
    assert list(home.iterdir()) == []


def test_a_service_on_this_machine_needs_no_key(sandbox: Sandbox, home: Path) -> None:
    """The question goes out without one, and the service has the last word."""
    with Client(base_url=base_url(sandbox)) as client, pytest.raises(AuthExpired) as caught:
        client.chat.completions.create(model="gpt-4o", messages="hi")
    (entry,) = sandbox.journal(path=CHAT)
    assert "authorization" not in entry.headers
    assert caught.value.provider == "custom"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"base_url": "api.example.com/v1"}, "base_url is not a URL that begins with https:// or http://"),
        ({"base_url": "http://"}, "base_url is not a URL"),
        ({"base_url": "http://api.example.com/v1"}, "base_url is plain http to api.example.com"),
        ({"base_url": "http://10.0.0.5:8000/v1"}, "base_url is plain http to 10.0.0.5"),
        ({"base_url": "https://api.example.com/v1", "api_key": ""}, "the custom key is empty"),
        ({"base_url": "https://api.example.com/v1", "provider": "openai"}, "exclude one another"),
    ],
)
def test_a_wrong_address_is_told_before_anything_is_sent(home: Path, options: dict[str, Any], sentence: str) -> None:
    """In one sentence with the field."""
    with pytest.raises(BadOption, match=sentence):
        Client(**options)


def test_a_name_without_an_address_in_it_is_local(home: Path) -> None:
    """Plain http to this machine is fine by any of its names."""
    for url in ("http://localhost:1234/v1", "http://127.0.0.1:1/v1", "http://[::1]:1/v1"):
        assert custom(url).info.hosts == {"api": url}


# ---------------------------------------------------------------- what a conversation can do


def ask(sandbox_client: Callable[..., Client], **question: Any) -> ChatCompletion:
    """One whole answer of the emulated OpenAI."""
    question = {"model": "openai/gpt-4o", "messages": "Hello"} | question
    return sandbox_client().chat.completions.create(**question)


def test_tools_go_out_and_come_back(sandbox: Sandbox, sandbox_client: Callable[..., Client]) -> None:
    """The call, its result, and the answer made of it; streamed, the call comes in fragments that add up."""
    client = sandbox_client()
    messages: list[Any] = [{"role": "user", "content": "What is the weather in Paris?"}]
    first = client.chat.completions.create(model="openai/gpt-4o", messages=messages, tools=[WEATHER])
    assert first.choices[0].finish_reason == "tool_calls"
    (call,) = first.choices[0].message.tool_calls or []
    assert call.function.name == "get_weather"
    with client.chat.completions.create(
        model="openai/gpt-4o", messages=messages, tools=[WEATHER], stream=True
    ) as stream:
        fragments = [call for chunk in stream for call in chunk.choices[0].delta.tool_calls or []]
    assert "".join(one.function.arguments for one in fragments if one.function) == call.function.arguments
    told = first.choices[0].message.model_dump()
    messages += [told, {"role": "tool", "tool_call_id": call.id, "content": "22 degrees"}]
    second = client.chat.completions.create(model="openai/gpt-4o", messages=messages, tools=[WEATHER])
    assert second.choices[0].finish_reason == "stop"
    assert bodies(sandbox)[-1]["messages"][-1] == {"role": "tool", "tool_call_id": call.id, "content": "22 degrees"}


def test_a_picture_arrives_whole(sandbox_client: Callable[..., Client]) -> None:
    """The answer names its hash."""
    import hashlib

    answer = ask(sandbox_client, messages="What is this?", image=PNG)
    assert hashlib.sha256(PNG.read_bytes()).hexdigest()[:12] in answer.text


def test_an_option_nobody_knows_is_refused(sandbox: Sandbox, sandbox_client: Callable[..., Client]) -> None:
    """Before anything is sent; fields of the service's own go by extra_body."""
    with pytest.raises(BadOption, match="has no option 'frequency_penaltyy'"):
        ask(sandbox_client, frequency_penaltyy=1.0)
    assert bodies(sandbox) == []


def test_what_the_service_cannot_is_refused(sandbox: Sandbox, sandbox_client: Callable[..., Client]) -> None:
    """Video to OpenAI, before anything is sent."""
    with pytest.raises(UnsupportedFeature, match="does not take video"):
        ask(sandbox_client, files=[b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom"])
    assert bodies(sandbox) == []


def test_a_model_that_is_not_listed_is_asked_for(sandbox: Sandbox, sandbox_client: Callable[..., Client]) -> None:
    """Models come and go; the service says that it has none of that name."""
    with pytest.raises(UnknownModel, match="openai says"):
        ask(sandbox_client, model="openai/gpt-99")
    assert bodies(sandbox)[-1]["model"] == "gpt-99"


def test_models_are_the_services_own(sandbox_client: Callable[..., Client]) -> None:
    """As it lists them for the key."""
    assert "openai/gpt-4o" in {model.id for model in sandbox_client(provider="openai").models.list(live=True)}


def test_a_server_that_needs_no_key_tells_its_models(sandbox: Sandbox, home: Path) -> None:
    """Where it is named; the trouble is told where it does not answer."""
    with Client(base_url=base_url(sandbox), api_key=ALICE) as client:
        listed = client.models.list(live=True)
    assert "custom/gpt-4o" in {model.id for model in listed}
    with Client(base_url="http://127.0.0.1:9/v1") as client:
        (problem,) = client.models.list(live=True).problems
    assert (problem.provider, problem.code) == ("custom", "connect_failed")


def test_a_service_without_a_usual_model_wants_one_named(home: Path) -> None:
    """And says how."""
    with Client() as client, pytest.raises(UnknownModel, match="Ollama has no model that is asked unless") as caught:
        client.chat.completions.create(model="ollama", messages="hi")
    assert caught.value.hint == ("name one, as in ollama/MODEL; those it has: polychat models --provider ollama --live")


# ---------------------------------------------------------------- rows


def test_every_row_is_a_service() -> None:
    """With a name, an address that keeps a key safe, and where to get a key; one that is local needs none."""
    for name, row in rows().items():
        assert name in names()
        info = provider(name).info
        parts = urlsplit(row.base_url)
        assert (parts.scheme == "https") == info.needs_account
        assert not row.base_url.endswith("/")
        assert bool(row.key_page) == info.needs_account
        assert bool(row.models) == info.needs_account


def test_no_variable_belongs_to_two_services() -> None:
    """A key goes to the service that it is of."""
    variables = [variable for row in rows().values() for variable in row.keys]
    assert sorted(set(variables)) == sorted(variables)


def test_a_key_in_the_environment_is_an_account(home: Path) -> None:
    """Under the name that other tools use."""
    environ = {"POLYCHAT_HOME": str(home), "GROQ_API_KEY": "sandbox-key"}
    kept = accounts.kept(load(environ=environ), environ)
    assert [(entry.name, entry.provider) for entry in kept.entries()] == [("env:GROQ_API_KEY", "groq")]


def test_without_a_key_the_error_says_how_to_sign_in(home: Path) -> None:
    """And nothing is sent."""
    with Client() as client, pytest.raises(NoAccount) as caught:
        client.chat.completions.create(model="groq/llama-3.3-70b-versatile", messages="hi")
    assert caught.value.hint == "polychat login groq --key -"


def test_a_service_is_spoken_to_in_its_words(sandbox: Sandbox, sandbox_client: Callable[..., Client]) -> None:
    """OpenAI reads the most tokens of an answer under another name than the rest."""
    answer = ask(sandbox_client, max_tokens=2)
    assert answer.choices[0].finish_reason == "length"
    assert bodies(sandbox)[0]["max_completion_tokens"] == 2


def test_two_rows_are_two_providers() -> None:
    """Nothing is shared between them."""
    one, other = (OpenAICompatible(name, rows()[name]) for name in ("openai", "groq"))
    assert (one.info.name, other.info.name) == ("openai", "groq")
    assert one.info.hosts != other.info.hosts
