"""The synchronous client: the asynchronous one behind a portal, call for call.

    with Client() as client:
        print(client.chat.completions.create(model="reka/reka-core", messages="Hello").text)

Providers, engine and vault exist once, in `AsyncClient`; nothing here decides anything.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Literal, Self, Unpack, overload

from polychat.client.aio import AsyncClient, AsyncStream
from polychat.client.audio import Audio
from polychat.client.embeddings import EmbeddingCalls
from polychat.client.images import Images
from polychat.client.questions import Question
from polychat.client.reader import Reader
from polychat.client.shapes import ChatCompletion, ChatCompletionChunk, ModelList
from polychat.engine.portal import Feed, Portal
from polychat.engine.settings import Settings
from polychat.types import Attachment, Citation, Reply, Thread


class Client:
    """Every account, one client. Takes what `AsyncClient` takes; usable from many threads."""

    def __init__(self, **options: Any) -> None:
        AsyncClient(**options)  # so that wrong options are told here and not at the first call
        self.portal = Portal(partial(AsyncClient, **options))
        self.chat = Chat(self.portal)
        self.images = Images(self.portal)
        self.audio = Audio(self.portal)
        self.embeddings = EmbeddingCalls(self.portal)
        self.models = Models(self.portal)

    def reload(self, settings: Settings | None = None) -> None:
        """Go on with other settings; see `AsyncClient.reload`."""
        self.portal.call(lambda client: _reloaded(client, settings))

    def close(self) -> None:
        """Close every connection and end the portal's thread."""
        self.portal.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


async def _reloaded(client: AsyncClient, settings: Settings | None) -> None:
    client.reload(settings)


class Chat:
    """`client.chat`."""

    def __init__(self, portal: Portal[AsyncClient]) -> None:
        self.completions = Completions(portal)


class Completions:
    """`client.chat.completions`."""

    def __init__(self, portal: Portal[AsyncClient]) -> None:
        self._portal = portal

    @overload
    def create(
        self, *, model: str | None = None, messages: Any, stream: Literal[True], **question: Unpack[Question]
    ) -> Stream: ...
    @overload
    def create(
        self, *, model: str | None = None, messages: Any, stream: Literal[False] = False, **question: Unpack[Question]
    ) -> ChatCompletion: ...
    @overload
    def create(
        self, *, model: str | None = None, messages: Any, stream: bool, **question: Unpack[Question]
    ) -> ChatCompletion | Stream: ...

    def create(
        self, *, model: str | None = None, messages: Any, stream: bool = False, **question: Any
    ) -> ChatCompletion | Stream:
        """Ask, and get a `ChatCompletion`, or with `stream=True` a `Stream`; see `AsyncCompletions.create`."""
        if stream:
            return Stream(
                self._portal.feed(
                    lambda client: client.chat.completions.create(
                        model=model, messages=messages, stream=True, **question
                    )
                )
            )
        answer: ChatCompletion = self._portal.call(
            lambda client: client.chat.completions.create(model=model, messages=messages, **question)
        )
        return answer


class Models:
    """`client.models`."""

    def __init__(self, portal: Portal[AsyncClient]) -> None:
        self._portal = portal

    def list(self, *, live: bool = False) -> ModelList:
        """Every model of every service, as `provider/model`; see `AsyncModels.list`."""
        return self._portal.call(lambda client: client.models.list(live=live))


class Stream(Reader[ChatCompletionChunk]):
    """The chunks of one answer. Iterate it, best inside `with`; leaving early hangs up."""

    def __init__(self, feed: Feed[ChatCompletionChunk]) -> None:
        super().__init__(feed)
        self._source: AsyncStream = feed.source

    @property
    def provider(self) -> str:
        """The service that answers."""
        return self._source.provider

    @property
    def account(self) -> str:
        """The account that asks."""
        return self._source.account

    @property
    def conversation(self) -> Thread | None:
        """Where the conversation stands; known once the answer is complete."""
        return self._source.conversation

    @property
    def so_far(self) -> Reply:
        """What has come until now."""
        return self._source.so_far

    @property
    def reasoning(self) -> str:
        """The words of the reasoning until now."""
        return self._source.reasoning

    @property
    def images(self) -> list[Attachment]:
        """Pictures, sounds and files the model has made until now."""
        return self._source.images

    @property
    def sources(self) -> list[Citation]:
        """What the answer rests on, as far as it was told."""
        return self._source.sources
