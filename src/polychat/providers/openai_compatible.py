"""Services that speak the OpenAI dialect: one provider, and a row of `compatible.toml` for each.

    1. the question is posted as a chat completion, with the key as a bearer; to a service that has the Responses API
       too, by whichever of the two answers it (`_openai_responses`);
    2. the answer comes as an event stream, or as one document where nobody reads along.

Pictures, sound and transcripts are calls of their own (`_openai_calls`), as vectors are.

A row says where a service is, which variable usually holds its key, what it can do, and in which words it differs. A
server on this machine needs no key. Source: the services' own documentation and OpenAI's Python package 3.52, 2026-11;
verified against the sandbox and by that package, never live.
"""

from __future__ import annotations

import ipaddress
import tomllib
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from functools import cache
from importlib.resources import files
from urllib.parse import urlsplit

import msgspec

from polychat.credentials import ApiKey, Revealed, Secret, SignIn
from polychat.errors import BadOption, FormatChanged, PolychatError
from polychat.net.session import Session
from polychat.providers import _openai_calls, _openai_responses, _reading
from polychat.providers.base import Capability, Info, Model
from polychat.types import Drawing, Drawn, Embedded, Event, Recording, Request, Transcript, Utterance
from polychat.wire import openai_chat, openai_chat_request, openai_embeddings, openai_errors
from polychat.wire.openai_chat_request import Dialect

_EVERY: frozenset[Capability] = frozenset({"text", "stream", "system", "tools", "sampling", "stop", "max_tokens"})
_APART: frozenset[Capability] = frozenset({"embeddings", "drawing", "image_edit", "speech", "transcription"})
_BY_RESPONSES: frozenset[Capability] = frozenset({"web_search", "threads"})
_OPTIONS: Mapping[str, type] = {
    "frequency_penalty": float,
    "presence_penalty": float,
    "logit_bias": dict,
    "top_k": int,
    "user": str,
    "metadata": dict,
    "service_tier": str,
    "verbosity": str,
    "extra_body": dict,  # fields of the service's own, as they are
}


class RowModel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A model that differs from the service's others."""

    id: str
    can: frozenset[Capability] | None = None  # all of it; as the others unless told
    cannot: frozenset[Capability] = frozenset()  # of what the others can
    context: int | None = None  # tokens


class Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A service, as `compatible.toml` has it."""

    label: str
    base_url: str  # with the version, without a slash at the end
    keys: tuple[str, ...] = ()  # environment variables that usually hold a key, the preferred first
    key_page: str | None = None  # where a person makes one
    terms: str | None = None
    models: tuple[str | RowModel, ...] = ()  # the first is the default
    can: frozenset[Capability] = frozenset()  # beside what every such service can; of calls: what unlisted models may
    max_tokens: str = "max_tokens"
    stream_usage: bool = True
    responses: bool = False  # speaks the Responses API too
    voice: str | None = None  # that reads aloud where none is named and the service wants one
    sound_mb: int | None = None  # the largest sound it writes down


class _Listed(msgspec.Struct):
    id: str


class _List(msgspec.Struct):
    data: list[_Listed]


@cache
def rows() -> Mapping[str, Row]:
    """Every row by the service's name."""
    text = (files("polychat.providers") / "compatible.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), dict[str, Row])


class OpenAICompatible:
    """The provider of one row; see the module's text for its steps."""

    def __init__(self, name: str, row: Row, *, headers: Mapping[str, Secret] | None = None) -> None:
        self._headers = dict(headers or {})  # that the person wants with every question
        self.info = _info(name, row)
        self._dialect = Dialect(max_tokens=row.max_tokens, stream_usage=row.stream_usage)
        self._responses = row.responses
        self._row = row

    async def chat(self, session: Session, request: Request) -> AsyncIterator[Sequence[Event]]:
        """One turn: post the talk, decode the answer."""
        post = self._post(session, request)
        async with session.open("POST", post.path, json=post.body, headers=self._proofs(session)) as response:
            if "text/html" in response.headers.get("content-type", ""):
                raise FormatChanged(f"{self.info.name} answered the question with a web page instead of data")
            async with aclosing(_reading.batches(response, post.decoder)) as batches:
                async for events in batches:
                    yield events

    def _post(self, session: Session, request: Request) -> _openai_responses.Post:
        if self._responses and (why := _openai_responses.cause(request)):
            return _openai_responses.post(session, request, why)
        body = openai_chat_request.body(_openai_responses.without_choice(request), self._dialect)
        return _openai_responses.Post("/chat/completions", body, openai_chat.Decoder(self.info.name))

    async def embed(self, session: Session, model: str, texts: Sequence[str], dimensions: int | None) -> Embedded:
        """One vector for each text."""
        asked = openai_embeddings.body(model, texts, dimensions)
        answer = await session.json(
            "POST", "/embeddings", json=asked, into=openai_embeddings.Answer, headers=self._proofs(session)
        )
        return openai_embeddings.embedded(answer, len(texts))

    async def draw(self, session: Session, drawing: Drawing) -> Drawn:
        """Pictures, drawn or changed."""
        return await _openai_calls.draw(session, drawing, self._proofs(session))

    def speak(self, session: Session, utterance: Utterance) -> AsyncGenerator[bytes]:
        """A text said aloud."""
        return _openai_calls.speak(session, utterance, self._proofs(session), usual_voice=self._row.voice)

    def transcribe(self, session: Session, recording: Recording) -> AsyncGenerator[str | Transcript]:
        """Speech written down."""
        return _openai_calls.transcribe(session, recording, self._proofs(session), limit_mb=self._row.sound_mb)

    async def list_models(self, session: Session) -> tuple[Model, ...]:
        """The models of this key, now."""
        listed = await session.json("GET", "/models", into=_List, headers=self._proofs(session))
        known = {model.id: model for model in self.info.models}
        return tuple(known.get(one.id) or Model(id=one.id) for one in listed.data)

    async def who(self, session: Session) -> str:
        """What the key is good for; the service tells no name."""
        return f"a holder of {len(await self.list_models(session))} models"

    def explain(self, status: int, headers: Mapping[str, str], body: bytes) -> PolychatError | None:
        """The dialect's own error codes."""
        return openai_errors.explained(status, body, provider=self.info.name)

    def _proofs(self, session: Session) -> dict[str, str]:
        """The key as a bearer, nothing where there is none, and the person's own headers."""
        proofs: dict[str, str] = {name: Revealed(value.reveal()) for name, value in self._headers.items()}
        if isinstance(session.credential, ApiKey):
            proofs.setdefault("authorization", Revealed(f"Bearer {session.credential.key.reveal()}"))
        return proofs


def custom(base_url: str, *, name: str = "custom", keys: tuple[str, ...] = ()) -> OpenAICompatible:
    """A service that is in no table. Raises: `BadOption` for an address that is none, or where a key would be seen."""
    check_url(base_url)
    known = frozenset[Capability]({"image_in", "audio_in", "file_in", "remote_media", "schema", "reasoning", "seed"})
    row = Row(label=name, base_url=base_url.rstrip("/"), keys=keys, can=known | _APART, voice="alloy")
    return OpenAICompatible(name, row)


def check_url(base_url: str) -> None:
    """Raise `BadOption` unless it is https, or http on this machine."""
    try:
        parts = urlsplit(base_url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    if parts.scheme not in ("http", "https") or not host:
        raise BadOption(
            "base_url is not a URL that begins with https:// or http://",
            field="base_url",
            hint="write it like https://api.example.com/v1",
        )
    if parts.scheme == "http" and not is_local(host):
        raise BadOption(
            f"base_url is plain http to {host}, where everyone on the way could read the key",
            field="base_url",
            hint="use https://; plain http is for this machine only",
        )


def is_local(host: str) -> bool:
    """True for this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _info(name: str, row: Row) -> Info:
    local = is_local(urlsplit(row.base_url).hostname or "")
    models = tuple(_model(model, row) for model in row.models)
    return Info(
        name=name,
        label=row.label,
        hosts={"api": row.base_url},
        accepts=("api_key",),
        needs_account=bool(row.key_page or row.keys) and not local,
        models=models,
        default_model=models[0].id if models else "",
        any_model=True,
        capabilities=(_EVERY | row.can).union(*(model.capabilities or () for model in models)) - _beyond(row),
        sign_in=SignIn(url=row.key_page or row.base_url, domains=(urlsplit(row.base_url).hostname or "",)),
        options={**_OPTIONS, **(_openai_responses.OPTIONS if row.responses else {})},
        env_keys=row.keys,
        emulation="openai/v1",
        terms_url=row.terms,
        source="the service's documentation, 2026-11",
        verified="against the sandbox; never live",
    )


def _model(model: str | RowModel, row: Row) -> Model:
    usual = _EVERY | (row.can - _APART - _beyond(row))
    if isinstance(model, str):
        return Model(id=model, capabilities=usual)
    can = usual if model.can is None else model.can
    return Model(id=model.id, capabilities=can - model.cannot - _beyond(row), context_tokens=model.context)


def _beyond(row: Row) -> frozenset[Capability]:
    """What a row may not state: chat completions has no words for it, so that it would be left out unsaid."""
    return frozenset() if row.responses else _BY_RESPONSES
