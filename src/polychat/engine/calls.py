"""What a service does beside chat: pictures, sound, transcripts, vectors; each call with one account.

    made = await engine.calls.draw(Drawing(model="openai/gpt-image-2", prompt="a fox"))
    async with await engine.calls.speak(Utterance(model="openai/tts-1", text="Hello")) as sound:
        async for piece in sound: ...

`model` is in the caller's words; where it names a service only, that one's first model that can is asked. What the
model cannot do is told before anything is sent. A model's outcome counts for the account's health as an answer does.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Sequence
from contextlib import aclosing
from typing import Generic, NamedTuple, Protocol, TypeVar

import msgspec

from polychat import media
from polychat.engine import attachments
from polychat.engine.flow import Flow, late
from polychat.engine.leases import Lease, Leases
from polychat.engine.links import Links
from polychat.engine.routing import Route
from polychat.errors import BadOption, FormatChanged, UnsupportedFeature
from polychat.providers.base import Capability, Draws, Embeds, Info, Model, Provider, SpeaksText, Transcribes
from polychat.types import Audio, Drawing, Drawn, Embedded, File, Image, Recording, Transcript, Utterance

T = TypeVar("T")
_CANNOT: dict[Capability, str] = {
    "drawing": "makes no pictures",
    "image_edit": "changes no pictures",
    "speech": "does not read aloud",
    "transcription": "does not write down speech",
    "embeddings": "makes no embeddings",
}


class Made(NamedTuple, Generic[T]):
    """What a call gave, and from whom."""

    value: T
    provider: str
    model: str  # the service's own id
    account: str


class Directory(Protocol):
    """Where a call finds who is asked."""

    def route(self, model: str, *, provider: str | None = None, to: Capability | None = None) -> Route:
        """The service and model that `model` names."""
        ...

    def service(self, name: str) -> Provider:
        """The service of that name."""
        ...


class Calls:
    """The calls of one engine. `total_s` is what each may take where the caller does not say."""

    def __init__(self, directory: Directory, leases: Leases, links: Links, *, total_s: float | None) -> None:
        self._directory = directory
        self._leases = leases
        self._links = links
        self._total_s = total_s

    async def draw(
        self, drawing: Drawing, *, account: str | None = None, provider: str | None = None, total_s: float | None = None
    ) -> Made[Drawn]:
        """Pictures, drawn or changed; the bytes of those given as links are fetched, where they can be.

        Raises: `ConfigError` before anything is sent; any other `PolychatError` of what happened then.
        """
        needed: Capability = "image_edit" if drawing.images or drawing.mask else "drawing"
        chosen, service = self._found(drawing.model, needed, provider)
        if not isinstance(service, Draws):
            raise unable(service.info, chosen.model, needed)
        who = self._who(service.info, account or chosen.account)
        drawing = await self._with_bytes(msgspec.structs.replace(drawing, model=chosen.model.id))
        lease = await self._leases.lease(service.info, who, chosen.model.id)
        with lease, lease.judging():
            drawn = await self._timely(service.draw(lease.session, drawing), lease, total_s)
        images = await asyncio.gather(*(self._fetched(image, lease) for image in drawn.images))
        return _made(msgspec.structs.replace(drawn, images=tuple(images)), chosen, lease)

    async def speak(
        self,
        utterance: Utterance,
        *,
        account: str | None = None,
        provider: str | None = None,
        total_s: float | None = None,
    ) -> Flow[bytes]:
        """The sound of a text, or of a conversation's last answer; returns when its first piece is here.

        Raises: `BadOption` unless exactly one is given; otherwise as `draw`.
        """
        text, thread = utterance.text, utterance.thread
        if (text is None) == (thread is None):
            raise BadOption("give either a text or a conversation to read aloud", field="input")
        chosen, service = self._found(utterance.model, "speech", provider or (thread.provider if thread else None))
        if not isinstance(service, SpeaksText):
            raise unable(service.info, chosen.model, "speech")
        who = account or chosen.account or (thread.account if thread else None)
        lease = await self._leases.lease(service.info, who, chosen.model.id)
        pieces = service.speak(lease.session, msgspec.structs.replace(utterance, model=chosen.model.id))
        return await _flow(pieces, chosen, lease, total_s)

    async def transcribe(
        self,
        recording: Recording,
        *,
        account: str | None = None,
        provider: str | None = None,
        total_s: float | None = None,
    ) -> Flow[str | Transcript]:
        """The words of speech as they come, and last the whole; returns when the first of it is here.

        Raises: as `draw`.
        """
        chosen, service = self._found(recording.model, "transcription", provider)
        if not isinstance(service, Transcribes):
            raise unable(service.info, chosen.model, "transcription")
        who = self._who(service.info, account or chosen.account)
        recording = await self._heard(msgspec.structs.replace(recording, model=chosen.model.id))
        lease = await self._leases.lease(service.info, who, chosen.model.id)
        return await _flow(service.transcribe(lease.session, recording), chosen, lease, total_s or self._total_s)

    async def embed(
        self,
        model: str,
        texts: Sequence[str],
        *,
        dimensions: int | None = None,
        account: str | None = None,
        provider: str | None = None,
    ) -> Made[Embedded]:
        """The texts as vectors. Raises: `BadOption` without texts; otherwise as `draw`."""
        if not texts or not all(texts):
            raise BadOption("there is nothing to embed: the input is empty, or a text of it is", field="input")
        chosen, service = self._found(model, "embeddings", provider)
        if not isinstance(service, Embeds):
            raise unable(service.info, chosen.model, "embeddings")
        lease = await self._leases.lease(service.info, account or chosen.account, chosen.model.id)
        with lease, lease.judging():
            return _made(await service.embed(lease.session, chosen.model.id, texts, dimensions), chosen, lease)

    # ------------------------------------------------------------ who is asked

    def _found(self, model: str, needed: Capability, provider: str | None) -> tuple[Route, Provider]:
        """Who is asked. Raises: `UnsupportedFeature` where the model is not able."""
        chosen = self._directory.route(model, provider=provider, to=needed)
        service = self._directory.service(chosen.provider)
        if not service.info.can(chosen.model, needed):
            raise unable(service.info, chosen.model, needed)
        return chosen, service

    def _who(self, info: Info, name: str | None) -> str | None:
        """`name`, once it is clear that there is an account, so that nothing is fetched for nobody."""
        self._leases.entry(info, name)
        return name

    # ------------------------------------------------------------ bytes

    async def _with_bytes(self, drawing: Drawing) -> Drawing:
        images = [await self._shown(image, "image") for image in drawing.images]
        mask = drawing.mask and await self._shown(drawing.mask, "mask")
        return msgspec.structs.replace(drawing, images=tuple(images), mask=mask)

    async def _shown(self, image: Image, field: str) -> Image:
        if image.data is not None or image.url is None:
            return image
        found = attachments.of_bytes(await self._links.named(image.url, field=field))
        if not isinstance(found, Image):
            raise BadOption(f"{image.url.partition('?')[0]} is {found.media_type}, not a picture", field=field)
        return found

    async def _heard(self, recording: Recording) -> Recording:
        sound = recording.sound
        if sound.data is not None or sound.url is None:
            return recording
        data = await self._links.named(sound.url, field="file")
        kind = Audio if media.sniff(data).startswith("audio/") else File
        return msgspec.structs.replace(recording, sound=kind(data=data, name=sound.url.partition("?")[0]))

    async def _fetched(self, image: Image, lease: Lease) -> Image:
        if image.data is not None or image.url is None:
            return image
        return msgspec.structs.replace(image, data=await self._links.made(lease.session, image.url))

    async def _timely(self, call: Awaitable[T], lease: Lease, total_s: float | None) -> T:
        limit_s = total_s or self._total_s
        try:
            async with asyncio.timeout(limit_s):
                return await call
        except TimeoutError as error:
            raise late(lease.session.provider, lease.entry.name, limit_s) from error


def unable(info: Info, model: Model, needed: Capability) -> UnsupportedFeature:
    """The refusal of what a service, or this one of its models, does not do."""
    name = f"{info.name}/{model.id}" if needed in info.capabilities else info.name
    return UnsupportedFeature(
        f"{name} {_CANNOT.get(needed, f'has no {needed}')}",
        hint=f"who does: polychat models --cap {needed}",
        provider=info.name,
    )


async def _flow(pieces: AsyncGenerator[T], chosen: Route, lease: Lease, limit_s: float | None) -> Flow[T]:
    flow = Flow(_judged(pieces, lease), chosen, lease.entry.name, limit_s)
    await flow.start()
    return flow


async def _judged(pieces: AsyncGenerator[T], lease: Lease) -> AsyncGenerator[T]:
    """The pieces; how they end is the account's outcome. Raises: `FormatChanged` for none at all."""
    with lease, lease.judging():
        empty = True
        async with aclosing(pieces) as flowing:
            async for piece in flowing:
                empty = False
                yield piece
        if empty:
            raise FormatChanged(f"{lease.session.provider} sent nothing")


def _made(value: T, chosen: Route, lease: Lease) -> Made[T]:
    return Made(value, chosen.provider, chosen.model.id, lease.entry.name)
