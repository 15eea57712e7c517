"""Services by their address."""

from __future__ import annotations

import pytest

from polychat.engine.importing.hosts import OwnServices
from polychat.errors import BadOption


def test_one_address_is_one_service() -> None:
    """However it is written; another one of the same name gets a number."""
    services = OwnServices()
    addresses = ("https://llm.example.com/v1", "https://LLM.example.com/v1/", "https://llm.example.com/v2")
    assert [services.at(address) for address in addresses] == ["llm-example", "llm-example", "llm-example-2"]


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("http://localhost:11434/v1", "ollama"),
        ("http://127.0.0.1:1234/v1/", "lmstudio"),
        ("https://api.perplexity.ai", "perplexity"),
        ("http://[::1]:9000/v1", "local-9000"),
        ("https://api.chatgpt.com/v1", "chatgpt-2"),
        ("https://llm", "llm"),
    ],
)
def test_an_address_gives_a_name(address: str, name: str) -> None:
    """The one that is known for it, or one of its host that no service has."""
    assert OwnServices().at(address) == name


def test_only_new_services_and_unusual_keys_become_tables() -> None:
    """What polychat knows by itself is not repeated."""
    services = OwnServices()
    services.with_key("openai", "OPENAI_API_KEY")
    services.with_key("groq", "MY_GROQ")
    services.with_model("groq", "x")
    assert services.finished() == {"groq": {"keys": ["MY_GROQ"]}}


@pytest.mark.parametrize("address", ["http://h/v1", "h", "https://me:pw@h/v1", "https://h/v1?key=1", "https://h:x/v1"])
def test_an_address_that_polychat_would_not_ask_is_refused(address: str) -> None:
    """So is one with a secret in it."""
    with pytest.raises(BadOption):
        OwnServices().at(address)
