"""The asynchronous client: OpenAI's calls over any account.

    async with AsyncClient() as client:
        answer = await client.chat.completions.create(model="reka/reka-core", messages=[...])
        async with await client.chat.completions.create(..., stream=True) as stream:
            async for chunk in stream: ...

A client belongs to the event loop it is first used in.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, Unpack, overload

from polychat.client import questions, waiting
from polychat.client.audio import AsyncAudio
from polychat.client.embeddings import AsyncEmbeddingCalls
from polychat.client.images import AsyncImages
from polychat.client.questions import Question
from polychat.client.shapes import (
    ChatCompletion,
    ChatCompletionChunk,
    Chunker,
    Heading,
    ModelCard,
    ModelList,
    Problem,
    completion,
)
from polychat.engine import accounts
from polychat.engine.engine import Engine
from polychat.engine.ledger import opening
from polychat.engine.routing import Route
from polychat.engine.services import Services
from polychat.engine.settings import Settings, load
from polychat.engine.turn import Turn
from polychat.errors import BadOption, PolychatError, UnknownModel
from polychat.net.clocks import Waits
from polychat.net.session import Step
from polychat.net.transport import Transport
from polychat.providers import openai_compatible
from polychat.providers.base import Capability, Info, ListsModels, Model, Provider
from polychat.types import Attachment, Citation, Reply, Thread
from polychat.vault.base import Vault

if TYPE_CHECKING:
    from polychat.net.traffic.recording import Recorder

_RECORDING = "wrap it: RecordingTransport(transport, Recorder(folder))"


class AsyncClient:
    """Every account, one client.

    With no arguments it uses the accounts kept by `polychat login` and the settings of the environment.

    base_url: ask this OpenAI-compatible service, with `api_key` or without; no kept account and no config is used.
    provider: ask this service only; model names then need no prefix. Its name, or a provider of your own making.
    account: ask with this account unless a call names another.
    api_key, cookies: use this credential instead of a kept account (needs `provider`).
    vault: use these accounts instead. sandbox: base URL of a running `polychat sandbox`. proxy: http(s) or socks URL.
    clocks: how long to wait for what, in seconds, as {"first_event_s": 20}; see `polychat.net.clocks`.
    record: write what goes over the wire into this folder, one file an exchange, secrets masked.
    observe: called with each `Step` on the wire.
    """

    def __init__(
        self,
        *,
        base_url: str | None = None,
        provider: str | Provider | None = None,
        account: str | None = None,
        api_key: str | None = None,
        cookies: Mapping[str, str] | None = None,
        vault: Vault | None = None,
        settings: Settings | None = None,
        sandbox: str | None = None,
        proxy: str | None = None,
        clocks: Mapping[str, float | None] | None = None,
        record: Path | str | None = None,
        transport: Transport | None = None,
        observe: Callable[[Step], None] | None = None,
        strict: bool = False,
    ) -> None:
        self._clocks = waiting.waits({}, given=clocks)
        self._overrides = {"sandbox": sandbox, "proxy": proxy}
        services: dict[str, Provider] = {}
        if base_url is not None:
            if provider is not None:
                raise BadOption("base_url and provider= exclude one another", field="base_url")
            provider = openai_compatible.custom(base_url)
            vault = vault or accounts.keyed(provider.info, api_key)
        if provider is not None and not isinstance(provider, str):
            services = {provider.info.name: provider}
            provider = provider.info.name
        self.provider = provider
        self.account = account
        if settings is None:
            settings = load(environ=os.environ, overrides=self._overrides)
        if vault is None and (api_key is not None or cookies is not None):
            known = Services(settings, services)
            vault = accounts.given(provider, api_key=api_key, cookies=cookies, services=known)
        if vault is None:
            vault = accounts.kept(settings, os.environ)
        self._ledger = opening.opened(settings)
        self.engine = Engine(
            vault, settings, services=services, transport=transport, observe=observe, ledger=self._ledger,
            recorder=_recorder(record, settings.record, transport), strict=strict,
        )  # fmt: skip
        self.chat = AsyncChat(self)
        self.images = AsyncImages(self)
        self.audio = AsyncAudio(self)
        self.embeddings = AsyncEmbeddingCalls(self)
        self.models = AsyncModels(self)

    async def ask(self, model: str | None, messages: Any, stream: bool, question: Mapping[str, Any]) -> Turn:
        """One turn as the engine gives it: batches of events instead of OpenAI's shapes."""
        given = dict(question)
        account = given.pop("account", None)
        waits = self.waits(given.pop("timeout", None), given.pop("clocks", None), given.pop("extra_headers", None))
        thread = questions.thread(given.get("conversation"))
        request = questions.request(self.named(model, thread), messages, stream, given | {"conversation": thread})
        return await self.engine.ask(request, account=account or self.account, provider=self.provider, waits=waits)

    def waits(self, timeout: Any = None, given: Any = None, headers: Any = None) -> Waits:
        """The clocks of one call. Raises: `BadOption`."""
        return waiting.waits(self._clocks, timeout=timeout, given=given, headers=headers)

    def named(self, model: str | None, thread: Thread | None = None) -> str:
        """The model that is asked: the one named, the one that is set, or the default of the service that is meant.

        Raises: `BadOption` when nothing says which.
        """
        service = self.provider or (thread.provider if thread else None)
        preset = self.engine.settings.model
        if service and preset and not self._offers(service, preset):
            preset = None
        if found := model or preset or service:
            return found
        raise BadOption("model is missing", field="model", hint="see what there is: polychat models")

    def route(self, model: str | None, thread: Thread | None = None, to: Capability | None = None) -> Route:
        """Where a question to `model` goes; see `Engine.route`. Raises: `BadOption`, `UnknownModel`."""
        service = self.provider or (thread.provider if thread else None)
        return self.engine.route(self.named(model, thread), provider=service, to=to)

    def _offers(self, service: str, model: str) -> bool:
        try:
            self.engine.route(model, provider=service)
        except UnknownModel:
            return False
        return True

    async def aclose(self) -> None:
        """Close every connection, and let the ledger be written."""
        await self.engine.aclose()
        if self._ledger is not None:
            await asyncio.to_thread(self._ledger.close)

    def reload(self, settings: Settings | None = None) -> None:
        """Go on with other settings: those given, or the config as it stands now; what runs ends under its own.

        Raises: `ConfigError` where the config is wrong; then the old one stays in force.
        """
        self.engine.reload(settings or load(environ=os.environ, overrides=self._overrides))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()


def _recorder(given: Path | str | None, usual: Path | None, transport: Transport | None) -> Recorder | None:
    folder = given or (usual if transport is None else None)
    if folder is None:
        return None
    if transport is not None:
        raise BadOption("record and transport= exclude one another", field="record", hint=_RECORDING)
    from polychat.net.traffic.recording import Recorder

    return Recorder(folder)


class AsyncChat:
    """`client.chat`."""

    def __init__(self, client: AsyncClient) -> None:
        self.completions = AsyncCompletions(client)


class AsyncCompletions:
    """`client.chat.completions`."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    @overload
    async def create(
        self, *, model: str | None = None, messages: Any, stream: Literal[True], **question: Unpack[Question]
    ) -> AsyncStream: ...
    @overload
    async def create(
        self, *, model: str | None = None, messages: Any, stream: Literal[False] = False, **question: Unpack[Question]
    ) -> ChatCompletion: ...
    @overload
    async def create(
        self, *, model: str | None = None, messages: Any, stream: bool, **question: Unpack[Question]
    ) -> ChatCompletion | AsyncStream: ...

    async def create(
        self, *, model: str | None = None, messages: Any, stream: bool = False, **question: Any
    ) -> ChatCompletion | AsyncStream:
        """Ask, and get a `ChatCompletion`, or with `stream=True` an `AsyncStream` of chunks.

        `messages` are OpenAI's (a plain string is one user message); see `Question` for the rest. `model` may be left
        out where a default is configured.

        Raises: `ConfigError` before anything is sent; any other `PolychatError` with `.partial` holding what came.
        """
        turn = await self._client.ask(model, messages, stream, question)
        if stream:
            return AsyncStream(turn)
        return completion(heading_of(turn), await turn.reply())


class AsyncModels:
    """`client.models`."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def list(self, *, live: bool = False) -> ModelList:
        """Every model of every service, as `provider/model`; nothing is sent.

        With `live` each service that tells which models an account may use, and of which an account is at hand, is
        asked, and its own list stands for what is known of it. What went wrong there is in `.problems`, and the known
        list stays.
        """
        infos = [info for info in self._client.engine.services().values() if self._client.provider in {None, info.name}]
        known: list[tuple[Sequence[Model], Problem | None]] = [(info.models, None) for info in infos]
        found = await asyncio.gather(*map(self._asked, infos)) if live else known
        return ModelList(
            data=[_card(info, model) for info, (models, _) in zip(infos, found, strict=True) for model in models],
            problems=[problem for _, problem in found if problem],
        )

    async def _asked(self, info: Info) -> tuple[Sequence[Model], Problem | None]:
        """The service's own list where it has one and an account is at hand or not needed, otherwise the known one."""
        engine = self._client.engine
        entries = engine.vault.entries(info.name)
        open_to_all = not info.needs_account and self._client.provider == info.name
        if not (entries or open_to_all) or not isinstance(engine.service(info.name), ListsModels):
            return info.models, None
        account = self._client.account if self._client.account in {entry.name for entry in entries} else None
        try:
            return await engine.models(info.name, account), None
        except PolychatError as error:
            return info.models, Problem.of(error)


def _card(info: Info, model: Model) -> ModelCard:
    return ModelCard(
        id=f"{info.name}/{model.id}",
        owned_by=info.name,
        capabilities=sorted(info.abilities(model)),
        context_tokens=model.context_tokens,
    )


class AsyncStream:
    """The chunks of one answer. Iterate it, best inside `async with`, so that leaving early hangs up at once."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self._chunker = Chunker(heading_of(turn))
        self._waiting: deque[ChatCompletionChunk] = deque()

    @property
    def provider(self) -> str:
        """The service that answers."""
        return self._turn.provider

    @property
    def account(self) -> str:
        """The account that asks."""
        return self._turn.account

    @property
    def conversation(self) -> Thread | None:
        """Where the conversation stands; known once the answer is complete."""
        return self.so_far.thread

    @property
    def so_far(self) -> Reply:
        """What has come until now."""
        return self._turn.so_far

    @property
    def reasoning(self) -> str:
        """The words of the reasoning until now."""
        return self.so_far.thinking

    @property
    def images(self) -> list[Attachment]:
        """Pictures, sounds and files the model has made until now."""
        return list(self.so_far.media)

    @property
    def sources(self) -> list[Citation]:
        """What the answer rests on, as far as it was told."""
        return list(self.so_far.citations)

    async def batches(self) -> AsyncGenerator[list[ChatCompletionChunk]]:
        """The chunks as they came, one list a network read."""
        async for batch in self._turn:
            if chunks := self._chunker.chunks(batch):
                yield chunks

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ChatCompletionChunk:
        while not self._waiting:
            self._waiting.extend(self._chunker.chunks(await anext(self._turn)))
        return self._waiting.popleft()

    async def close(self) -> None:
        """Hang up."""
        await self._turn.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()


def heading_of(turn: Turn) -> Heading:
    """What every piece of this answer repeats."""
    return Heading(
        id=f"chatcmpl-{secrets.token_hex(12)}",
        created=int(time.time()),
        model=turn.model,
        provider=turn.provider,
        account=turn.account,
    )
