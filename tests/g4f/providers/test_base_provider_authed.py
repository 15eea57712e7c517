"""`AsyncAuthedProvider` and `ProviderModelMixin`, on a service that is not ChatGPT."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any, ClassVar

import pytest

from polychat.errors import UnknownModel
from polychat.g4f import Provider, providers
from polychat.g4f.Provider import base_provider as other_address
from polychat.g4f.providers import base_provider
from polychat.g4f.providers.base_provider import AsyncAuthedProvider, ProviderModelMixin
from polychat.g4f.providers.response import AuthResult, Response
from polychat.g4f.typing import Cookies, Messages


class Parrot(AsyncAuthedProvider, ProviderModelMixin):
    """Says who asks, and what."""

    service = "reka"
    default_model = "reka-core"
    models = ("reka-core", "reka-flash")
    cookies: ClassVar[Cookies] = Cookies()
    closed: ClassVar[list[str]] = []

    @classmethod
    async def on_auth_async(cls, proxy: str | None = None, **kwargs: Any) -> AsyncGenerator[AuthResult]:
        yield AuthResult(proxy=proxy, **kwargs)

    @classmethod
    async def create_authed(
        cls, model: str, messages: Messages, auth_result: AuthResult, **kwargs: Any
    ) -> AsyncGenerator[Response]:
        try:
            yield model
            yield f"{auth_result.get_dict()} {messages} {kwargs}"
        finally:
            cls.closed.append(model)


def test_an_answer_is_a_sign_in_and_a_turn() -> None:
    """`create_async_generator` signs in with key and proxy, and hands all else to the turn."""

    async def main() -> list[Response]:
        answer = Parrot.create_async_generator("m", [], proxy="http://p", api_key="key", seed=1)
        return [chunk async for chunk in answer]

    assert asyncio.run(main()) == [
        "m",
        "{'proxy': 'http://p', 'api_key': 'key'} [] {'proxy': 'http://p', 'seed': 1}",
    ]


def test_leaving_early_leaves_the_turn() -> None:
    """Closing the generator closes what it reads from."""
    Parrot.closed.clear()

    async def main() -> None:
        answer = Parrot.create_async_generator("left", [])
        await anext(answer)
        await answer.aclose()
        assert Parrot.closed == ["left"]

    asyncio.run(main())


def test_a_class_tells_its_models() -> None:
    """All of them, and the service's own name of one; an unknown one is refused by name."""
    assert Parrot.get_models() == ["reka-core", "reka-flash"]
    assert (Parrot.get_model(""), Parrot.get_model("reka-flash")) == ("reka-core", "reka-flash")
    with pytest.raises(UnknownModel, match="Parrot has no model 'nonesuch'"):
        Parrot.get_model("nonesuch")


def test_all_addresses_are_the_same() -> None:
    """The classes are found where the pages and the original look for them."""
    for name in ("AbstractProvider", "AsyncAuthedProvider", "ProviderModelMixin"):
        found = {getattr(place, name) for place in (base_provider, other_address, providers)}
        assert len(found) == 1
    assert Provider.OpenaiChat is Provider.needs_auth.OpenaiChat
