"""`Raycast` as its page describes it: attributes, the token, the page's example, and what is raised without a token."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from polychat.errors import AuthExpired, ChallengeRequired, NoAccount
from polychat.g4f import Client, Provider
from polychat.g4f.Provider import not_working
from polychat.g4f.Provider.not_working import Raycast
from polychat.g4f.providers import AbstractProvider
from polychat.sandbox.server import Sandbox

CHAT = "/api/v1/ai/chat_completions"
EXAMPLE = Path(__file__, "../../../examples/page_004.py").resolve()
HELLO: list[dict[str, Any]] = [{"role": "user", "content": "Hello"}]


def chats(sandbox: Sandbox) -> list[Any]:
    """The questions that arrived."""
    return sandbox.journal(service="raycast", path=CHAT)


def test_attributes_are_those_of_the_page() -> None:
    """Its address, streaming, the need for a token and the models it knew."""
    assert issubclass(Raycast, AbstractProvider)
    assert Provider.Raycast is not_working.Raycast is Raycast
    assert not_working.__all__ == ["Raycast"]
    assert (Raycast.url, Raycast.supports_stream, Raycast.needs_auth) == ("https://raycast.com", True, True)
    assert (Raycast.working, Raycast.models) == (False, ("gpt-3.5-turbo", "gpt-4"))


def test_page_004(reka: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """The page's script prints the answer and no error; the token and the model are those it names."""
    reka.add_account("YOUR_AUTH_TOKEN")
    exec(compile(EXAMPLE.read_text("utf-8"), str(EXAMPLE), "exec"), {"__name__": "__main__"})
    printed = capsys.readouterr().out
    assert "Hello, how are you?" in printed
    assert "rror" not in printed
    (chat,) = chats(reka)
    assert (chat.account, chat.json["model"], chat.json["provider"]) == ("YOUR_AUTH_TOKEN", "gpt-3.5-turbo", "openai")


@pytest.mark.parametrize("name", ["auth", "api_key"])
def test_the_token_has_two_names(reka: Sandbox, name: str) -> None:
    """The page's odd one and the usual one; a system text goes where the newer service wants it."""
    talk = [{"role": "system", "content": "be brief"}, *HELLO]
    assert "Hello" in "".join(Raycast.create_completion("gpt-4", talk, True, **{name: "sandbox-bob"}))
    (chat,) = chats(reka)
    assert (chat.account, chat.json["system_instruction"]) == ("sandbox-bob", "be brief")
    assert [turn["content"] for turn in chat.json["messages"]] == [{"text": "Hello"}]


def test_a_client_takes_the_class(reka: Sandbox) -> None:
    """`Client(provider=Raycast, api_key=...)` asks as the other classes do."""
    client = Client(provider=Raycast, api_key="sandbox-bob")
    answer = client.chat.completions.create(model="gpt-4", messages=HELLO)
    assert "Hello" in (answer.choices[0].message.content or "")
    assert [chat.account for chat in chats(reka)] == ["sandbox-bob"]


@pytest.mark.parametrize("given", [{}, {"auth": ""}, {"auth": None, "api_key": ""}])
def test_no_token_is_a_value_error(reka: Sandbox, given: dict[str, Any]) -> None:
    """At once, also where an account is kept, and nothing is sent."""
    with pytest.raises(NoAccount, match="auth=") as raised:
        Raycast.create_completion("gpt-4", HELLO, True, **given)
    assert isinstance(raised.value, ValueError)
    assert reka.journal() == []


def test_a_refused_token_is_a_value_error(reka: Sandbox) -> None:
    """An error and not, as there, an empty answer."""
    with pytest.raises(AuthExpired) as raised:
        list(Raycast.create_completion("gpt-4", HELLO, True, auth="nobody-knows-me"))
    assert isinstance(raised.value, ValueError)
    assert "nobody-knows-me" not in str(raised.value)


def test_a_demanded_signature_is_no_value_error(reka: Sandbox) -> None:
    """It has nothing to do with the token's being right."""
    reka.knobs("raycast", signature="demanded")
    with pytest.raises(ChallengeRequired, match="outside the app") as raised:
        list(Raycast.create_completion("gpt-4", HELLO, True, auth="sandbox-bob"))
    assert not isinstance(raised.value, ValueError)
