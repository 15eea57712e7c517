"""Anthropic's own API (api.anthropic.com), in its own dialect: the Messages API.

    1. the talk is posted with the key;
    2. the answer comes as an event stream, or as one document where it is short and nobody reads along.

The API keeps no conversation: the talk goes along. Models differ in how they think and in what they take, which a table
here says; one that is not in it is asked as the newest are, and the service has the last word. Of two versions of the
API this is 2023-06-01, in which older models still take `temperature`, `top_p` and `top_k`.

Source: the types of Anthropic's own Python package 2.12 and the API's pages on models, 2026-11. Verified against the
sandbox, never live.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from typing import ClassVar

import msgspec

from polychat.credentials import ApiKey, Revealed, SignIn
from polychat.errors import BadOption, FormatChanged, PolychatError
from polychat.net.session import Session
from polychat.providers import _reading
from polychat.providers.base import Capability, Info, Model
from polychat.types import Event, Request
from polychat.wire import anthropic_errors, anthropic_messages, anthropic_request
from polychat.wire.anthropic_request import Traits

_VERSION = "2023-06-01"
_ANSWER = "/v1/messages"
_MODELS = "/v1/models"
_PAGE = "1000"  # models at once, as many as the API gives
_BETA = re.compile(r"[A-Za-z0-9_.-]+")
_ALL: tuple[Capability, ...] = (
    "text", "stream", "system", "image_in", "file_in", "tools", "schema", "reasoning", "web_search", "sampling", "stop",
    "max_tokens", "remote_media",
)  # fmt: skip

# ---------------------------------------------------------------- models


class _Kind(msgspec.Struct, frozen=True, kw_only=True):
    """Models that differ in nothing but what they know."""

    ids: tuple[str, ...]
    traits: Traits
    context_tokens: int = 1_000_000


_LONG = 128_000  # tokens of an answer
_NEW = Traits(max_output=_LONG, sampling=False)
_THINKS_ALWAYS = msgspec.structs.replace(_NEW, off=None)
_OLD = Traits(max_output=64_000, thinks="budget", effort=False, system_turns=False)
_KINDS = (
    _Kind(ids=("claude-sonnet-5-5",), traits=msgspec.structs.replace(_NEW, off="between_tools", forced_tools=False)),
    _Kind(
        ids=("claude-opus-5-5", "claude-fable-5-2", "claude-mythos-5-2", "claude-fable-5-1", "claude-mythos-5-1"),
        traits=msgspec.structs.replace(_THINKS_ALWAYS, forced_tools=False),
    ),
    _Kind(ids=("claude-haiku-5-5", "claude-opus-5", "claude-opus-4-8"), traits=_NEW),
    _Kind(ids=("claude-fable-5", "claude-mythos-5"), traits=_THINKS_ALWAYS),
    _Kind(ids=("claude-sonnet-5", "claude-opus-4-7"), traits=msgspec.structs.replace(_NEW, system_turns=False)),
    _Kind(ids=("claude-opus-4-6", "claude-sonnet-4-6"), traits=Traits(max_output=_LONG, system_turns=False)),
    _Kind(ids=("claude-opus-4-5-20251101",), traits=msgspec.structs.replace(_OLD, effort=True), context_tokens=200_000),
    _Kind(ids=("claude-haiku-4-5-20251001", "claude-sonnet-4-5-20250929"), traits=_OLD, context_tokens=200_000),
)
_TRAITS: Mapping[str, Traits] = {name: kind.traits for kind in _KINDS for name in kind.ids}
_DATE = re.compile(r"-20[0-9]{6}$")


def _models() -> tuple[Model, ...]:
    """The models of the table; one with a date in its name is also asked for without it."""
    return tuple(
        Model(
            id=name,
            aliases=(short,) if (short := _DATE.sub("", name)) != name else (),
            context_tokens=kind.context_tokens,
            capabilities=_capabilities(name),
        )
        for kind in _KINDS
        for name in kind.ids
    )


def _capabilities(model: str) -> frozenset[Capability]:
    """What the provider can, without what this model is known not to take."""
    return frozenset(_ALL) if _TRAITS.get(model, Traits()).sampling else frozenset(_ALL) - {"sampling"}


class _Support(msgspec.Struct):
    supported: bool


class _Hosted(msgspec.Struct):
    web_search: _Support | None = None


class _Can(msgspec.Struct):
    image_input: _Support | None = None
    pdf_input: _Support | None = None
    structured_outputs: _Support | None = None
    thinking: _Support | None = None
    server_tools: _Hosted | None = None

    @property
    def lacking(self) -> frozenset[Capability]:
        """What the service says that the model cannot."""
        told: dict[Capability, _Support | None] = {
            "image_in": self.image_input,
            "file_in": self.pdf_input,
            "schema": self.structured_outputs,
            "reasoning": self.thinking,
            "web_search": self.server_tools.web_search if self.server_tools else None,
        }
        return frozenset(name for name, support in told.items() if support is not None and not support.supported)


class _Listed(msgspec.Struct):
    id: str
    max_input_tokens: int | None = None
    capabilities: _Can | None = None

    @property
    def model(self) -> Model:
        """The same in our words."""
        lacking = self.capabilities.lacking if self.capabilities else frozenset()
        return Model(id=self.id, context_tokens=self.max_input_tokens, capabilities=_capabilities(self.id) - lacking)


class _List(msgspec.Struct):
    """A page of the list."""

    data: list[_Listed]
    has_more: bool = False
    last_id: str | None = None


# ---------------------------------------------------------------- the provider


class Anthropic:
    """The provider; see the module's text for its steps."""

    info: ClassVar[Info] = Info(
        name="anthropic",
        label="Anthropic",
        hosts={"api": "https://api.anthropic.com"},
        accepts=("api_key",),
        models=_models(),
        default_model="claude-sonnet-5-5",
        any_model=True,
        capabilities=frozenset(_ALL),
        sign_in=SignIn(url="https://platform.claude.com/settings/keys", domains=("anthropic.com",)),
        options={
            "top_k": int,
            "metadata": dict,
            "service_tier": str,
            "cache_control": dict,  # of the last block that can be kept, {"type": "ephemeral"}
            "betas": list,  # names of features that are not for everyone yet
            "extra_body": dict,  # fields of the API's own, as they are
        },
        env_keys=("ANTHROPIC_API_KEY",),
        terms_url="https://www.anthropic.com/legal/commercial-terms",
        source="Anthropic's Python package 2.12 and its pages on models, 2026-11",
        verified="against the sandbox; never live",
    )

    async def chat(self, session: Session, request: Request) -> AsyncIterator[Sequence[Event]]:
        """One turn: post the talk, decode the answer."""
        body = anthropic_request.body(request, _TRAITS.get(request.model))
        headers = _proofs(session) | _betas(request)
        decoder = anthropic_messages.Decoder("anthropic")
        async with session.open("POST", _ANSWER, json=body, headers=headers) as response:
            if "text/html" in response.headers.get("content-type", ""):
                raise FormatChanged("anthropic answered the question with a web page instead of data")
            async with aclosing(_reading.batches(response, decoder)) as batches:
                async for events in batches:
                    yield events

    async def list_models(self, session: Session) -> tuple[Model, ...]:
        """The models of this key, now, in as many pages as there are."""
        found: list[_Listed] = []
        params = {"limit": _PAGE}
        while True:
            page = await session.json("GET", _MODELS, into=_List, params=params, headers=_proofs(session))
            found += page.data
            if not page.has_more or page.last_id in {None, params.get("after_id")}:
                return tuple(listed.model for listed in found)
            params = {"limit": _PAGE, "after_id": str(page.last_id)}

    async def who(self, session: Session) -> str:
        """What the key is good for; the service tells no name."""
        return f"a holder of {len(await self.list_models(session))} models"

    def explain(self, status: int, headers: Mapping[str, str], body: bytes) -> PolychatError | None:
        """The API's own types and codes of errors."""
        return anthropic_errors.explained(status, headers, body, provider="anthropic")


def _proofs(session: Session) -> dict[str, str]:
    """The key, and the version of the API that is spoken."""
    headers: dict[str, str] = {"anthropic-version": _VERSION}
    if isinstance(session.credential, ApiKey):
        headers["x-api-key"] = Revealed(session.credential.key.reveal())
    return headers


def _betas(request: Request) -> dict[str, str]:
    names = request.options.get("betas") or []
    if not all(isinstance(name, str) and _BETA.fullmatch(name) for name in names):
        raise BadOption("betas is not a list of names like context-1m-2025-08-07", field="betas")
    return {"anthropic-beta": ",".join(names)} if names else {}
