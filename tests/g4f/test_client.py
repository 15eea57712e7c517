"""`Client` and `AsyncClient`: OpenAI's calls over a provider class, a name, or whichever service has the model."""

from __future__ import annotations

import asyncio
import gc
from pathlib import Path
from typing import Any

import pytest

from polychat import g4f
from polychat.errors import AuthExpired, BadOption, NoAccount, UnknownModel
from polychat.g4f.client import AsyncClient, Client
from polychat.g4f.Provider import Reka
from polychat.g4f.shapes import ChatCompletion
from polychat.sandbox.server import Sandbox

HELLO: list[dict[str, Any]] = [{"role": "user", "content": "Hello"}]
ECHO = "You asked: “Hello” (1 word)."


def test_the_package_names_both_clients() -> None:
    """`from polychat.g4f import Client` is the same class."""
    assert (g4f.Client, g4f.AsyncClient) == (Client, AsyncClient)


@pytest.mark.parametrize("provider", [Reka, Reka(), "Reka", "reka"])
def test_a_whole_answer(reka: Sandbox, provider: Any) -> None:
    """A provider may be a class, an instance or a name; the answer has OpenAI's names."""
    answer = Client(provider).chat.completions.create(model="reka-core", messages=HELLO)
    assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == (ECHO, "stop")
    assert (answer.model, answer.provider) == ("reka-core", "reka")


def test_chunks(reka: Sandbox) -> None:
    """A stream's pieces join to the answer, and the last one carries the end and the usage."""
    *chunks, last = Client(Reka).chat.completions.create(model="reka-core", messages=HELLO, stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == ECHO
    assert (last.choices[0].delta.content, last.choices[0].finish_reason) == (None, "stop")
    assert last.usage is not None


def test_a_provider_of_the_call_or_of_the_model(reka: Sandbox) -> None:
    """Without a provider the model's name decides; a call may name provider and key itself."""
    completions = Client().chat.completions
    for given in ({"model": "reka/reka-core"}, {"model": "reka-core"}, {"provider": Reka, "api_key": "sandbox-bob"}):
        completions.create(HELLO, **given)
    askers = [entry.account for entry in reka.journal(service="reka", path="/api/chat")]
    assert askers == ["sandbox-alice", "sandbox-alice", "sandbox-bob"]


def test_several_pictures(reka: Sandbox, home: Path) -> None:
    """`images` takes pictures and (picture, name) pairs."""
    cat = home / "docs/images/cat.jpeg"
    Client(Reka).chat.completions.create(HELLO, images=[cat, (cat.read_bytes() + b" ", "other.jpeg")])
    assert len(reka.journal(service="reka", path="/api/upload-image")) == 2


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"image": b"no picture"}, BadOption),
        ({"images": [b""]}, BadOption),
        ({"model": "nonesuch"}, UnknownModel),
        ({"provider": "nonesuch"}, UnknownModel),
        ({"provider": None}, BadOption),
        ({"provider": None, "api_key": "sandbox-bob"}, BadOption),
        ({"api_key": ""}, BadOption),
    ],
)
def test_wrong_arguments_are_told_before_anything_is_sent(
    reka: Sandbox, given: dict[str, Any], error: type[Exception]
) -> None:
    """What cannot be asked is refused at `create`, streamed or not."""
    for stream in (False, True):
        with pytest.raises(error):
            Client(Reka).chat.completions.create(HELLO, stream=stream, **given)  # type: ignore[call-overload]
    assert reka.journal(service="reka") == []


@pytest.mark.parametrize("stream", [False, True])
def test_no_account_is_a_value_error_here_too(home: Path, stream: bool) -> None:
    """`create` raises what the provider classes raise."""
    with pytest.raises(NoAccount) as raised:
        Client(Reka).chat.completions.create(HELLO, stream=stream)  # type: ignore[call-overload]
    assert isinstance(raised.value, ValueError)


def test_async_answers_and_chunks(reka: Sandbox) -> None:
    """The asynchronous client is awaited for a whole answer, and iterated, awaited or not, for chunks."""

    async def main() -> None:
        create = AsyncClient(provider=Reka).chat.completions.create
        assert (await create(model="reka-core", messages=HELLO)).choices[0].message.content == ECHO
        plain = [chunk.choices[0].delta.content or "" async for chunk in create(HELLO, stream=True)]
        awaited = [chunk.choices[0].delta.content or "" async for chunk in await create(HELLO, stream=True)]
        assert ("".join(plain), "".join(awaited)) == (ECHO, ECHO)

    asyncio.run(main())
    assert len(reka.journal(service="reka", path="/bff/auth/access_token")) == 1


def test_async_in_several_loops(reka: Sandbox) -> None:
    """One client serves one loop after the other and many tasks of each, and leaves nothing open."""
    client = AsyncClient(provider=Reka)

    async def main() -> list[ChatCompletion]:
        return await asyncio.gather(*(client.chat.completions.create(HELLO) for _ in range(5)))

    answers = [*asyncio.run(main()), *asyncio.run(main())]
    assert [answer.choices[0].message.content for answer in answers] == [ECHO] * 10
    gc.collect()  # an unclosed connection would warn here, and a warning is an error


def test_async_leaving_early_hangs_up(reka: Sandbox) -> None:
    """`async with` closes the call to the service at once."""
    reka.fault("reka", "stall", after=1, path="/api/chat")

    async def main() -> str:
        async with AsyncClient(Reka).chat.completions.create(HELLO, stream=True) as stream:
            await anext(stream)
        for _ in range(200):
            (entry,) = await asyncio.to_thread(reka.journal, service="reka", path="/api/chat")
            if entry.ended != "open":
                break
            await asyncio.sleep(0.02)
        return entry.ended

    assert asyncio.run(main()) == "client left"


def test_async_refused_token(reka: Sandbox) -> None:
    """A refused token is a `ValueError` here as well."""

    async def main() -> None:
        await AsyncClient(Reka, api_key="nobody").chat.completions.create(HELLO)

    with pytest.raises(AuthExpired) as raised:
        asyncio.run(main())
    assert isinstance(raised.value, ValueError)
