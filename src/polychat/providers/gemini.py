"""The Gemini API of Google AI Studio (generativelanguage.googleapis.com, v1beta), with a key of it.

    1. the talk is posted to the model's `streamGenerateContent`, or to `generateContent` where nobody reads along;
    2. an answer that stops at the limit of one request with a token is asked on with it, until it is whole.

The key goes in a header, never in the address. Files named by a link are fetched here and sent as bytes: the service
reads public https links itself, but only of some types, which have to be named, and a bare link tells none. What a
model can do differs much, so the models below carry it; one that is not listed is asked for as it is.

Source: the types and the client of `google-genai` 3.4 and the API's public documentation, 2026-11. Verified against the
sandbox, never live.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import aclosing
from typing import ClassVar
from urllib.parse import quote

import msgspec

from polychat.credentials import ApiKey, SignIn
from polychat.errors import FormatChanged, PolychatError
from polychat.net.session import Session
from polychat.providers import _reading
from polychat.providers.base import Capability, Info, Model
from polychat.types import Embedded, Event, Request
from polychat.wire import gemini_content, gemini_embeddings, gemini_errors, gemini_request

_API = "/v1beta"
_PAGE_SIZE = "1000"  # the most that the service lists at once
_MILLION = 1_048_576

_CHATS: frozenset[Capability] = frozenset(
    {
        "text", "stream", "system", "image_in", "audio_in", "video_in", "file_in", "tools", "schema", "reasoning",
        "web_search", "seed", "sampling", "stop", "max_tokens",
    }
)  # fmt: skip
_DRAWS: frozenset[Capability] = frozenset(
    {"text", "stream", "system", "image_in", "image_out", "seed", "sampling", "stop", "max_tokens"}
)
_EMBEDS: frozenset[Capability] = frozenset({"embeddings"})

_MODELS = (
    Model(id="gemini-3.8-flash", capabilities=_CHATS, context_tokens=_MILLION),
    Model(id="gemini-flash-latest", capabilities=_CHATS, context_tokens=_MILLION),
    Model(id="gemini-3.1-pro-preview", capabilities=_CHATS, context_tokens=_MILLION),
    Model(id="gemini-3-pro-preview", capabilities=_CHATS, context_tokens=_MILLION),
    Model(id="gemini-3-flash-preview", capabilities=_CHATS, context_tokens=_MILLION),
    Model(id="gemini-2.5-pro", capabilities=_CHATS, context_tokens=_MILLION),
    Model(id="gemini-2.5-flash", capabilities=_CHATS, context_tokens=_MILLION),
    Model(id="gemini-2.5-flash-lite", capabilities=_CHATS, context_tokens=_MILLION),
    Model(id="gemini-2.5-flash-image", capabilities=_DRAWS),
    Model(
        id="gemini-3.1-flash-lite-image",
        capabilities=_DRAWS | {"video_in", "file_in", "reasoning"},
        context_tokens=65_536,
    ),
    Model(id="gemini-embedding-2", capabilities=_EMBEDS, context_tokens=8_192),
    Model(id="gemini-embedding-001", capabilities=_EMBEDS, context_tokens=2_048),
)


class _Listed(msgspec.Struct, rename="camel"):
    name: str  # models/ID
    input_token_limit: int | None = None
    supported_generation_methods: list[str] = []


class _Page(msgspec.Struct, rename="camel"):
    models: list[_Listed] = []
    next_page_token: str | None = None


class Gemini:
    """The provider; see the module's text for its steps."""

    info: ClassVar[Info] = Info(
        name="gemini",
        label="Gemini API",
        hosts={"api": "https://generativelanguage.googleapis.com"},
        accepts=("api_key",),
        models=_MODELS,
        default_model="gemini-3.8-flash",
        any_model=True,
        capabilities=_CHATS | {"image_out", "embeddings"},
        sign_in=SignIn(url="https://aistudio.google.com/apikey", domains=("generativelanguage.googleapis.com",)),
        options=gemini_request.OPTIONS,
        env_keys=("GEMINI_API_KEY", "GOOGLE_API_KEY"),
        terms_url="https://ai.google.dev/gemini-api/terms",
        source="google-genai 3.4 and the API's documentation, 2026-11",
        verified="against the sandbox; never live",
    )

    async def chat(self, session: Session, request: Request) -> AsyncIterator[Sequence[Event]]:
        """One turn: post the talk, decode the answer, and ask on while it stops at the limit of one request."""
        body = gemini_request.body(request)
        method, params = ("streamGenerateContent", {"alt": "sse"}) if request.stream else ("generateContent", None)
        path = f"{_API}/{_resource(request.model)}:{method}"
        decoder = gemini_content.Decoder(self.info.name)
        while True:
            async with session.open("POST", path, params=params, json=body, headers=_proofs(session)) as response:
                if "text/html" in response.headers.get("content-type", ""):
                    raise FormatChanged("gemini answered the question with a web page instead of data")
                async with aclosing(_reading.batches(response, decoder)) as batches:
                    async for events in batches:
                        yield events
            if (token := decoder.resume()) is None:
                return
            body["continuationToken"] = token

    async def embed(self, session: Session, model: str, texts: Sequence[str], dimensions: int | None) -> Embedded:
        """One vector for each text; many texts go in several requests."""
        name = _resource(model)
        answers = [
            await session.json(
                "POST",
                f"{_API}/{name}:batchEmbedContents",
                json=gemini_embeddings.body(model if "/" in model else f"models/{model}", some, dimensions),
                into=gemini_embeddings.Answer,
                headers=_proofs(session),
            )
            for some in _in_turn(texts)
        ]
        return gemini_embeddings.embedded(answers, len(texts))

    async def list_models(self, session: Session) -> tuple[Model, ...]:
        """The models of this key that answer or embed, now."""
        known = {model.id: model for model in self.info.models}
        listed = [_model(one, known) for one in await self._listed(session)]
        return tuple(model for model in listed if model is not None)

    async def who(self, session: Session) -> str:
        """What the key is good for; the service tells no name."""
        return f"a holder of {len(await self.list_models(session))} models"

    def explain(self, status: int, headers: Mapping[str, str], body: bytes) -> PolychatError | None:
        """Google's own words for what went wrong."""
        return gemini_errors.explained(status, body, provider=self.info.name)

    async def _listed(self, session: Session) -> list[_Listed]:
        """Every page of the list."""
        listed: list[_Listed] = []
        params = {"pageSize": _PAGE_SIZE}
        while True:
            page = await session.json("GET", f"{_API}/models", params=params, into=_Page, headers=_proofs(session))
            listed += page.models
            if not page.next_page_token:
                return listed
            params["pageToken"] = page.next_page_token


def _resource(model: str) -> str:
    """Where a model is, for a path: `models/ID`, or what it is called in full (`tunedModels/ID`)."""
    return quote(model if "/" in model else f"models/{model}", safe="/")


def _model(listed: _Listed, known: Mapping[str, Model]) -> Model | None:
    """A model as the service lists it, with what is known of it here; None for one that is asked in other ways."""
    name = listed.name.removeprefix("models/")
    methods = listed.supported_generation_methods
    if "generateContent" not in methods and "embedContent" not in methods:
        return None
    can = known[name].capabilities if name in known else None if "generateContent" in methods else _EMBEDS
    return Model(id=name, capabilities=can, context_tokens=listed.input_token_limit)


def _in_turn(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(texts), gemini_embeddings.MOST):
        yield texts[start : start + gemini_embeddings.MOST]


def _proofs(session: Session) -> dict[str, str]:
    """The key in its header."""
    credential = session.credential
    return {"x-goog-api-key": credential.key.reveal()} if isinstance(credential, ApiKey) else {}
