"""What a service does beside chat: pictures, sound, transcripts, vectors; each as one service gives it.

    made = await engine.calls.draw(Drawing(model="openai/gpt-image-2", prompt="a fox"))
    async with await engine.calls.speak(Utterance(model="openai/tts-1", text="Hello")) as sound:
        async for piece in sound: ...

`model` is in the caller's words; where it names a service only, that one's first model that can is asked. What the
model cannot do is told before anything is sent. A model's outcome counts for the account's health as an answer does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

import msgspec

from polychat import media
from polychat.engine import attachments
from polychat.engine.asking import Asking
from polychat.engine.calling import Call, Given
from polychat.engine.flow import Flow
from polychat.engine.leases import Lease
from polychat.engine.ledger.entry import Entry
from polychat.engine.links import Links
from polychat.errors import BadOption
from polychat.net.clocks import Kind, Waits
from polychat.providers.base import Capability, Draws, Embeds, SpeaksText, Transcribes
from polychat.types import Audio, Drawing, Drawn, Embedded, File, Image, Recording, Transcript, Usage, Utterance

T = TypeVar("T")


class Made(NamedTuple, Generic[T]):
    """What a call gave, and from whom."""

    value: T
    provider: str
    model: str  # the service's own id
    account: str


class Calls:
    """The calls of one engine. `entry` begins what the ledger keeps of one.

    In each, `provider` limits the choice to one service, `waits` are clocks of this call, and `key` is the name of who
    asks, for the ledger.
    """

    def __init__(self, asking: Asking, links: Links, *, entry: Callable[..., Entry]) -> None:
        self._asking = asking
        self._links = links
        self._entry = entry

    async def draw(
        self,
        drawing: Drawing,
        *,
        account: str | None = None,
        provider: str | None = None,
        waits: Waits | None = None,
        key: str | None = None,
    ) -> Made[Drawn]:
        """Pictures, drawn or changed; the bytes of those given as links are fetched, where they can be.

        Raises: `ConfigError` before anything is sent; any other `PolychatError` of what happened then.
        """
        needed: Capability = "image_edit" if drawing.images or drawing.mask else "drawing"
        call = self._call("drawing", needed, Draws, drawing.model, key)
        with call.recording():
            plan = call.planned(drawing.model, account, provider)
            asked = await self._with_bytes(drawing)
            given = await call.whole(
                plan,
                lambda service, session, model: service.draw(session, msgspec.structs.replace(asked, model=model)),
                waits,
                binding=True,
            )
            call.used(given.value.usage)
            images = await asyncio.gather(*(self._fetched(image, given.lease) for image in given.value.images))
        return _made(given, msgspec.structs.replace(given.value, images=tuple(images)))

    async def speak(
        self,
        utterance: Utterance,
        *,
        account: str | None = None,
        provider: str | None = None,
        waits: Waits | None = None,
        key: str | None = None,
    ) -> Flow[bytes]:
        """The sound of a text, or of a conversation's last answer; returns when its first piece is here.

        Raises: `BadOption` unless exactly one is given; otherwise as `draw`.
        """
        text, thread = utterance.text, utterance.thread
        if (text is None) == (thread is None):
            raise BadOption("give either a text or a conversation to read aloud", field="input")
        call = self._call("speech", "speech", SpeaksText, utterance.model, key)
        with call.failing():
            plan = call.planned(
                utterance.model,
                account or (thread.account if thread else None),
                provider or (thread.provider if thread else None),
            )
            return await call.flow(
                plan,
                lambda service, session, model: service.speak(session, msgspec.structs.replace(utterance, model=model)),
                waits,
            )

    async def transcribe(
        self,
        recording: Recording,
        *,
        account: str | None = None,
        provider: str | None = None,
        waits: Waits | None = None,
        key: str | None = None,
    ) -> Flow[str | Transcript]:
        """The words of speech as they come, and last the whole; returns when the first of it is here.

        Raises: as `draw`.
        """
        call = self._call("transcription", "transcription", Transcribes, recording.model, key)
        with call.failing():
            plan = call.planned(recording.model, account, provider)
            heard = await self._heard(recording)
            return await call.flow(
                plan,
                lambda service, session, model: service.transcribe(
                    session, msgspec.structs.replace(heard, model=model)
                ),
                waits,
            )

    async def embed(
        self,
        model: str,
        texts: Sequence[str],
        *,
        dimensions: int | None = None,
        account: str | None = None,
        provider: str | None = None,
        waits: Waits | None = None,
        key: str | None = None,
    ) -> Made[Embedded]:
        """The texts as vectors. Raises: `BadOption` without texts; otherwise as `draw`."""
        if not texts or not all(texts):
            raise BadOption("there is nothing to embed: the input is empty, or a text of it is", field="input")
        call = self._call("embeddings", "embeddings", Embeds, model, key)
        with call.recording():
            given = await call.whole(
                call.planned(model, account, provider),
                lambda service, session, model: service.embed(session, model, texts, dimensions),
                waits,
                binding=False,
            )
            call.used(Usage(input_tokens=given.value.input_tokens, output_tokens=0))
        return _made(given, given.value)

    def _call(self, kind: Kind, needed: Capability, method: type, model: str, key: str | None) -> Call:
        return Call(self._asking, kind, needed, method, self._entry(wanted=model, kind=kind, key=key))

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


def _made(given: Given[object], value: T) -> Made[T]:
    return Made(value, given.lease.entry.provider, given.model, given.lease.entry.name)
