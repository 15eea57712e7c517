"""What a provider is: data about a service (`Info`) and one method that holds a turn (`chat`).

A provider has no state of its own: everything that belongs to a person lives in the `Session` it is handed. What a
service can do beyond chat is a separate small protocol, found structurally.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from typing import Literal, Protocol, runtime_checkable

import msgspec

from polychat.credentials import CredentialKind, Secret, SignIn
from polychat.errors import PolychatError
from polychat.net.session import Session
from polychat.types import Drawing, Drawn, Embedded, Event, Recording, Request, Transcript, Utterance

Capability = Literal[
    "text", "stream", "system", "image_in", "audio_in", "video_in", "file_in", "image_out", "audio_out",
    "tools", "schema", "reasoning", "web_search", "threads", "remote_media", "seed", "sampling", "stop", "max_tokens",
    "embeddings", "drawing", "image_edit", "speech", "transcription",
]  # fmt: skip


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """One model as the service names it."""

    id: str
    capabilities: frozenset[Capability] | None = None  # None: the provider's own
    aliases: tuple[str, ...] = ()
    context_tokens: int | None = None


class Info(msgspec.Struct, frozen=True, kw_only=True):
    """A service as data."""

    name: str  # the module's own name
    label: str
    hosts: Mapping[str, str]  # alias -> origin; the first is where credentials belong
    accepts: tuple[CredentialKind, ...]
    models: tuple[Model, ...]
    default_model: str
    capabilities: frozenset[Capability]
    sign_in: SignIn
    options: Mapping[str, type] = {}  # extra request options the service takes: name -> type
    needs_account: bool = True  # False: answers without a key too, as a server on this machine does
    any_model: bool = False  # True: models come and go, and an id that is not listed is asked for as it is
    emulation: str | None = None  # where a sandbox has it, below its own address; the name unless told
    concurrency: int = 16  # questions to one account at once; more wait for their turn
    env_keys: tuple[str, ...] = ()  # environment variables that usually hold a key
    terms_url: str | None = None
    source: str = ""  # where the wire facts come from
    verified: str = ""  # and when, and how

    def abilities(self, model: Model) -> frozenset[Capability]:
        """What that model is able to; one that tells nothing of itself can what the service can."""
        return self.capabilities if model.capabilities is None else model.capabilities

    def can(self, model: Model, capability: Capability) -> bool:
        """True when `model` is able to."""
        return capability in self.abilities(model)


class Provider(Protocol):
    """One service."""

    @property
    def info(self) -> Info:
        """What the service is, as data."""
        ...

    def chat(self, session: Session, request: Request) -> AsyncIterator[Sequence[Event]]:
        """Hold one turn: an async generator of batches that ends with `Finish`, or raises."""
        ...


@runtime_checkable
class UploadsImages(Protocol):
    """A service that keeps pictures under a URL of its own."""

    async def upload_image(self, session: Session, data: bytes, *, media_type: str, name: str) -> str:
        """Store bytes; the URL to name them by in this account's questions."""
        ...


@runtime_checkable
class ExplainsErrors(Protocol):
    """A service with error codes of its own."""

    def explain(self, status: int, headers: Mapping[str, str], body: bytes) -> PolychatError | None:
        """The error that an unsuccessful answer means; None when its status says it all."""
        ...


@runtime_checkable
class Draws(Protocol):
    """A service that draws pictures, or changes them, outside a conversation."""

    async def draw(self, session: Session, drawing: Drawing) -> Drawn:
        """The pictures, as bytes or as links."""
        ...


@runtime_checkable
class SpeaksText(Protocol):
    """A service that reads aloud."""

    def speak(self, session: Session, utterance: Utterance) -> AsyncGenerator[bytes]:
        """The sound, as it comes."""
        ...


@runtime_checkable
class Transcribes(Protocol):
    """A service that writes down what is said."""

    def transcribe(self, session: Session, recording: Recording) -> AsyncGenerator[str | Transcript]:
        """More words of it as they come, where that is wanted and the service does it; at the end the whole."""
        ...


@runtime_checkable
class Embeds(Protocol):
    """A service that turns texts into vectors."""

    async def embed(self, session: Session, model: str, texts: Sequence[str], dimensions: int | None) -> Embedded:
        """One vector for each text, in their order; of so many dimensions, where the model lets that be chosen."""
        ...


@runtime_checkable
class SignsIn(Protocol):
    """A service whose session is exchanged for an access token."""

    async def access_token(self, session: Session) -> Secret:
        """A token that is valid now."""
        ...


@runtime_checkable
class ProlongsSession(Protocol):
    """A service whose browser session can be made to last longer, without the person."""

    async def prolong(self, session: Session) -> None:
        """Ask for a session that ends later; its cookies are the session's from then on."""
        ...


@runtime_checkable
class TellsWho(Protocol):
    """A service that says whose account it is."""

    async def who(self, session: Session) -> str:
        """The account's own name there. Also the cheapest way to try a credential."""
        ...


@runtime_checkable
class ListsModels(Protocol):
    """A service that tells which models an account may use."""

    async def list_models(self, session: Session) -> tuple[Model, ...]:
        """The models of this account, now."""
        ...
