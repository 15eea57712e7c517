"""Raycast AI, over the session token of the person's own desktop app (backend.raycast.com).

    1. the list of models tells which provider a model is asked of (kept while the engine lives);
    2. the whole talk is posted, and the answer comes as deltas over an event stream.

A model's id is `<provider>-<model>`; a backend without a list is one that knew OpenAI's models only. The service gives
no history back: the talk goes along, and what holds it together there is a `thread_id` of our making.

Newer backends may demand that the app sign its requests. That is for the app alone to do: polychat signs nothing, and
such a refusal is `ChallengeRequired`.

Source: protocol notes of 2026-11 (an undocumented backend; shapes of 2023 to 2025). Never confirmed live; verified
against the sandbox. The official way in is the extension API inside the app.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, ClassVar

import msgspec

from polychat.credentials import BearerToken, SignIn
from polychat.errors import AuthExpired, BadRequest, ChallengeRequired, NoAccount, PolychatError, UnknownModel
from polychat.net.session import Session
from polychat.net.statuses import quote
from polychat.providers import _reading
from polychat.providers.base import Capability, Info, Model
from polychat.types import Event, Finish, Request, Thread, ThreadMoved
from polychat.wire import raycast_chat

_CHAT = "/api/v1/ai/chat_completions"
_MODELS = "/api/v1/ai/models"
_FIRST_PROVIDER = "openai"  # the only one, before there was a list
_THREAD_ID = "thread_id"
_SIGNATURE_HEADER = b"x-raycast-signature"
_OFFICIAL = "use the extension API inside the app (AI.ask), or another service with an API key"
_ALL: tuple[Capability, ...] = ("text", "stream", "system", "tools", "sampling")


class _Listed(msgspec.Struct):
    model: str
    provider: str
    id: str | None = None
    availability: str | None = None

    @property
    def name(self) -> str:
        return f"{self.provider}-{self.model}"


class _Models(msgspec.Struct):
    models: list[_Listed]


class Raycast:
    """The provider; see the module's text for its steps."""

    info: ClassVar[Info] = Info(
        name="raycast",
        label="Raycast AI",
        hosts={"web": "https://backend.raycast.com"},
        accepts=("bearer",),
        models=tuple(
            Model(id=f"{_FIRST_PROVIDER}-{name}", aliases=(name,)) for name in ("gpt-4o-mini", "gpt-4", "gpt-3.5-turbo")
        ),
        default_model="openai-gpt-4o-mini",
        capabilities=frozenset(_ALL),
        sign_in=SignIn(url="https://www.raycast.com", domains=("raycast.com",), key_kind="bearer"),
        concurrency=3,
        terms_url="https://www.raycast.com/terms-of-service",
        source="protocol notes, 2026-11",
        verified="against the sandbox; never live",
    )

    async def chat(self, session: Session, request: Request) -> AsyncIterator[Sequence[Event]]:
        """One turn: find who is asked, post the talk, decode the answer."""
        body = raycast_chat.question(request)
        thread = _thread(session, request)
        provider = await self._provider_of(session, request.model)
        body |= {"provider": provider, "model": request.model.removeprefix(f"{provider}-"), **thread.state}
        decoder = raycast_chat.Decoder()
        async with session.open("POST", _CHAT, json=body, **_proofs()) as response:
            if "text/html" in response.headers.get("content-type", ""):
                raise AuthExpired("raycast answered the question with a web page instead of data")
            async with aclosing(_reading.batches(response, decoder)) as batches:
                async for events in batches:
                    yield _placed(events, thread)

    async def list_models(self, session: Session) -> tuple[Model, ...]:
        """The models this account may ask; those that the service is giving up are left out."""
        listed = await self._listed(session)
        if listed is None:
            return self.info.models
        current = {one.name: one for one in listed if one.availability != "deprecated"}
        return tuple(Model(id=name, aliases=_aliases(one)) for name, one in current.items())

    def explain(self, status: int, headers: Mapping[str, str], body: bytes) -> PolychatError | None:
        """A demand for the app's signature, known by the header that it names; the rest is as its status says."""
        if status in {400, 401, 403} and _SIGNATURE_HEADER in body.lower():
            what = "demands a signature: this account's app session cannot be used from outside the app"
            return ChallengeRequired(f"raycast {what} (HTTP {status})", hint=_OFFICIAL)
        if status == 403:
            return ChallengeRequired(f"raycast refuses this app session (HTTP 403): {quote(body)}", hint=_OFFICIAL)
        return None

    # ------------------------------------------------------------ steps

    async def _provider_of(self, session: Session, model: str) -> str:
        """Whose model it is there. Asks for the list once; again only for a model that was not on it."""
        note = f"provider of {model}"
        if note not in session.notes:
            listed = await self._listed(session)
            known = {one.name: one.provider for one in listed or ()}
            session.notes |= {f"provider of {name}": provider for name, provider in known.items()}
            if listed is None:
                session.notes[note] = _FIRST_PROVIDER
            elif model not in known:
                raise _unlisted(model, known)
        return session.notes[note]

    async def _listed(self, session: Session) -> list[_Listed] | None:
        """The service's list, as it is; None where it has none."""
        try:
            return (await session.json("GET", _MODELS, into=_Models, **_proofs())).models
        except BadRequest as error:
            if error.upstream_status != 404:
                raise
            return None


def _proofs() -> dict[str, Any]:
    return {"bearer": _no_other_token, "headers": {"accept": "application/json"}}  # also for the stream, as the app


async def _no_other_token() -> BearerToken:
    raise NoAccount("raycast needs the session token of the desktop app")


def _thread(session: Session, request: Request) -> Thread:
    """The conversation as the service knows it; it is told the same id every time."""
    begun = request.thread.state.get(_THREAD_ID) if request.thread else None
    account = session.account.name if session.account else None
    return Thread(provider="raycast", account=account, state={_THREAD_ID: begun or str(uuid.uuid4())})


def _placed(events: Sequence[Event], thread: Thread) -> Sequence[Event]:
    """The batch, telling before its end where the conversation stands."""
    if not events or type(events[-1]) is not Finish:
        return events
    return [*events[:-1], ThreadMoved(thread=thread), events[-1]]


def _aliases(listed: _Listed) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in (listed.model, listed.id) if name and name != listed.name))


def _unlisted(model: str, known: Mapping[str, str]) -> UnknownModel:
    names = ", ".join(known) or "none"
    return UnknownModel(f"raycast does not list the model {model} for this account", hint=f"it lists: {names}")
