"""`Client` and `AsyncClient` as the pages call them.

    client = Client(provider=Reka)
    for chunk in client.chat.completions.create(model="reka-core", messages=[...], stream=True): ...

`provider` is a class of `polychat.g4f.Provider` or the name of any service; without one, the model's name decides and
the accounts are those that `polychat login` keeps. A call may name its own `provider`, `api_key` and `proxy`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Generator, Iterator
from contextlib import closing
from functools import partial
from typing import Any, Literal, Self, overload

from polychat.engine.portal import Feed
from polychat.g4f import engines, questions
from polychat.g4f.callers import NamesService
from polychat.g4f.engines import Answer
from polychat.g4f.questions import Question
from polychat.g4f.shapes import ChatCompletion, ChatCompletionChunk, Chunker, Heading, completion, heading
from polychat.g4f.typing import Messages
from polychat.types import Event


class Client:
    """Asks from any thread; its connections close with the process."""

    def __init__(
        self, provider: NamesService | str | None = None, *, api_key: str | None = None, proxy: str | None = None
    ) -> None:
        self.chat = Chat(Completions({"provider": provider, "api_key": api_key, "proxy": proxy}))


class Chat:
    """`client.chat`."""

    def __init__(self, completions: Completions) -> None:
        self.completions = completions


class Completions:
    """`client.chat.completions`."""

    def __init__(self, defaults: dict[str, Any]) -> None:
        self._defaults = defaults

    @overload
    def create(
        self, messages: Messages, model: str = "", *, stream: Literal[True], **given: Any
    ) -> Iterator[ChatCompletionChunk]: ...
    @overload
    def create(
        self, messages: Messages, model: str = "", *, stream: Literal[False] = False, **given: Any
    ) -> ChatCompletion: ...

    def create(
        self, messages: Messages, model: str = "", *, stream: bool = False, **given: Any
    ) -> ChatCompletion | Iterator[ChatCompletionChunk]:
        """Ask, and get a whole answer, or with `stream=True` its chunks as they come.

        `image` (path, open binary file, bytes, data URI, PIL picture) or `images` go with the last user message;
        `temperature`, `max_tokens`, `top_p`, `seed`, `stop`, `web_search` and `timeout` (seconds) are as ever.

        Raises: `BadOption` and `UnsupportedFeature` before anything is sent, any other `PolychatError`; also a
        `ValueError` for no account, a refused credential, no access token.
        """
        question = questions.question(model, messages, stream, **{**self._defaults, **given})
        if stream:
            return _chunks(engines.portal().feed(partial(engines.ask, question)))
        return engines.portal().call(partial(_whole, question))


def _chunks(feed: Feed[Event]) -> Generator[ChatCompletionChunk]:
    chunker = Chunker(_heading(feed.source))
    with closing(feed):
        for events in iter(feed.take, None):
            yield from chunker.chunks(events)


async def _whole(question: Question, resident: engines.Engines) -> ChatCompletion:
    answer = await engines.ask(question, resident)
    return completion(_heading(answer), await answer.reply())


def _heading(answer: Answer) -> Heading:
    return heading(answer.turn.model, answer.turn.provider)


class AsyncClient:
    """Asks from any event loop, one or several; its connections close with the loop."""

    def __init__(
        self, provider: NamesService | str | None = None, *, api_key: str | None = None, proxy: str | None = None
    ) -> None:
        self.chat = AsyncChat(AsyncCompletions({"provider": provider, "api_key": api_key, "proxy": proxy}))


class AsyncChat:
    """`client.chat`."""

    def __init__(self, completions: AsyncCompletions) -> None:
        self.completions = completions


class AsyncCompletions:
    """`client.chat.completions`."""

    def __init__(self, defaults: dict[str, Any]) -> None:
        self._defaults = defaults

    @overload
    def create(self, messages: Messages, model: str = "", *, stream: Literal[True], **given: Any) -> AsyncStream: ...
    @overload
    def create(
        self, messages: Messages, model: str = "", *, stream: Literal[False] = False, **given: Any
    ) -> Awaitable[ChatCompletion]: ...

    def create(
        self, messages: Messages, model: str = "", *, stream: bool = False, **given: Any
    ) -> Awaitable[ChatCompletion] | AsyncStream:
        """As `Completions.create`: await it for a whole answer; iterate it, awaited or not, for chunks."""
        question = questions.question(model, messages, stream, **{**self._defaults, **given})
        if stream:
            return AsyncStream(_async_chunks(question))
        return _whole_here(question)


async def _whole_here(question: Question) -> ChatCompletion:
    return await _whole(question, await engines.here())


async def _async_chunks(question: Question) -> AsyncGenerator[ChatCompletionChunk]:
    async with await engines.ask(question, await engines.here()) as answer:
        chunker = Chunker(_heading(answer))
        async for events in answer.batches():
            for chunk in chunker.chunks(events):
                yield chunk


class AsyncStream:
    """The chunks of one answer, asked for at the first one. Inside `async with`, leaving early hangs up at once."""

    def __init__(self, chunks: AsyncGenerator[ChatCompletionChunk]) -> None:
        self._chunks = chunks

    def __await__(self) -> Generator[None, None, Self]:
        """Itself: the pages write it with and without `await`."""
        yield from ()
        return self

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ChatCompletionChunk:
        return await anext(self._chunks)

    async def aclose(self) -> None:
        """Hang up."""
        await self._chunks.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()
