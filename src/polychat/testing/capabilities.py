"""What a service can do, found out by asking it: the judge of a provider's statements about itself.

Each capability is tried with the statement out of force, so that what is claimed and not there shows, and what is there
and not claimed. It counts as there when it had an effect: the picture's bytes are described, the tool is called, the
number is in the question that the service received.

    async with engine_of_everything(bench) as engine:
        assert await found(bench, engine, "gpt-4o") == frozenset({"text", "stream", ...})
"""

from __future__ import annotations

import copy
import hashlib
import io
import wave
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from types import MappingProxyType
from typing import Any, get_args

import msgspec

from polychat.engine.engine import Engine
from polychat.errors import ConfigError, RequestRejected
from polychat.media import sniff
from polychat.providers.base import Capability, Provider
from polychat.testing.bench import ALICE, Bench, picture
from polychat.types import (
    Audio,
    Drawing,
    Event,
    File,
    Image,
    Message,
    Part,
    Recording,
    Reply,
    Request,
    ResponseFormat,
    Text,
    TextDelta,
    Thread,
    Tool,
    Transcript,
    Utterance,
)
from polychat.vault.memory import MemoryVault

Try = Callable[["Asked"], Awaitable[bool]]

_WORD = "quokka-7391"
_SEED = 20261121
_TEMPERATURE = 0.4375
_DICTATION = "Repeat this exactly:\n\nalpha beta gamma delta"
_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
_PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
_VIDEO = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + b"\x00" * 64


def wav(seconds: float = 0.1) -> bytes:
    """Silence."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(b"\0\0" * round(8000 * seconds))
    return buffer.getvalue()


@asynccontextmanager
async def engine_of_everything(bench: Bench) -> AsyncIterator[Engine]:
    """An engine that believes the service to be able to do everything, in every model."""
    async with bench.engine() as usual:
        vault, settings, hosts = MemoryVault(bench.account(ALICE)), usual.settings, usual.hosts(bench.info)
    service: Any = copy.copy(bench.provider)
    models = tuple(msgspec.structs.replace(model, capabilities=None) for model in bench.info.models)
    everything = frozenset[Capability](get_args(Capability))
    service.info = msgspec.structs.replace(bench.info, hosts=hosts, models=models, capabilities=everything)
    given: dict[str, Provider] = {bench.name: service}
    async with Engine(vault, settings, services=given, strict=True) as engine:
        yield engine


async def found(bench: Bench, engine: Engine, model: str) -> frozenset[Capability]:
    """What this model of the service can do, by trying."""
    return frozenset({capability for capability in TRIES if await can(bench, engine, model, capability)})


async def can(bench: Bench, engine: Engine, model: str, capability: Capability) -> bool:
    """Whether asking for it has its effect; a refusal, ours or the service's, means no. Raises: any other trouble."""
    try:
        return await TRIES[capability](Asked(bench, engine, model))
    except (ConfigError, RequestRejected):
        return False


class Asked:
    """Questions to one model, and what the service received of them."""

    def __init__(self, bench: Bench, engine: Engine, model: str) -> None:
        self.bench = bench
        self.engine = engine
        self.model = model
        self.name = f"{bench.name}/{model}"
        self._seen = len(bench.journal())

    async def reply(self, *parts: Part, text: str = "Hello", system: str | None = None, **settings: Any) -> Reply:
        """The whole answer."""
        async with await self.engine.ask(self._request(parts, text, system, settings)) as turn:
            return await turn.reply()

    async def events(self, text: str) -> list[Event]:
        """The answer as it came."""
        async with await self.engine.ask(self._request((), text, None, {})) as turn:
            return [event async for batch in turn for event in batch]

    def received(self) -> str:
        """Everything that was sent since this was made, as one text."""
        return "\n".join(msgspec.json.encode(entry.json).decode() for entry in self.bench.journal()[self._seen :])

    def _request(self, parts: tuple[Part, ...], text: str, system: str | None, settings: Mapping[str, Any]) -> Request:
        orders = (Message(role="system", parts=(Text(text=system),)),) if system else ()
        talk = (*orders, Message(role="user", parts=(Text(text=text), *parts)))
        return Request(model=self.name, messages=talk, **settings)


async def _text(asked: Asked) -> bool:
    return "alpha beta" in (await asked.reply(text=_DICTATION)).text


async def _stream(asked: Asked) -> bool:
    return len([event for event in await asked.events(_DICTATION) if type(event) is TextDelta]) > 1


async def _system(asked: Asked) -> bool:
    await asked.reply(system=f"Your name is {_WORD}.")
    return _WORD in asked.received()


def _shown(part: Callable[[], Image | Audio | File]) -> Try:
    """The model describes these very bytes."""

    async def tried(asked: Asked) -> bool:
        attachment = part()
        said = (await asked.reply(attachment, text="What is this?")).text
        return hashlib.sha256(attachment.data or b"").hexdigest() in said

    return tried


async def _remote_media(asked: Asked) -> bool:
    """The address itself reaches the service, which tried it; that nothing is there is another matter."""
    url = f"https://pictures.example/{_WORD}.png"
    try:
        await asked.reply(Image(url=url), text="What is this?")
    except RequestRejected as error:
        return url in error.message
    return url in asked.received()


async def _image_out(asked: Asked) -> bool:
    reply = await asked.reply(text="Draw a red fox", modalities=("text", "image"))
    return any(isinstance(part, Image) for part in reply.media)


async def _audio_out(asked: Asked) -> bool:
    reply = await asked.reply(text="Say hello", modalities=("text", "audio"))
    return any(isinstance(part, Audio) for part in reply.media)


async def _tools(asked: Asked) -> bool:
    reply = await asked.reply(text="What is the weather?", tools=(Tool(name=_TOOL, parameters=_SCHEMA),))
    return [call.name for call in reply.tool_calls] == [_TOOL]


async def _schema(asked: Asked) -> bool:
    wish = ResponseFormat(type="json_schema", name="place", schema=_SCHEMA)
    said = (await asked.reply(text="Where are you?", response_format=wish)).text
    try:
        answer = msgspec.json.decode(said)
    except msgspec.DecodeError:
        return False
    return isinstance(answer, dict) and set(answer) == {"city"}


async def _reasoning(asked: Asked) -> bool:
    reply = await asked.reply(text="Think of a number", reasoning_effort="high")
    return bool(reply.thoughts) or bool(reply.usage and reply.usage.reasoning_tokens)


async def _web_search(asked: Asked) -> bool:
    """With sources, or at least with another answer than without."""
    question = "Search the web: what is new?"
    plain, searched = [await asked.reply(text=question, web_search=wish) for wish in (False, True)]
    return bool(searched.citations) or plain.text != searched.text


async def _threads(asked: Asked) -> bool:
    """The second question reaches the service without the first, and goes on from it."""
    wish: dict[str, Any] = {"options": {"store": True}} if "store" in asked.bench.info.options else {}
    begun = (await asked.reply(text=f"My name is {_WORD}", **wish)).thread
    if begun is None or begun.id is None:
        return False
    later = Asked(asked.bench, asked.engine, asked.model)
    went_on: Thread | None = (await later.reply(text="Who am I?", thread=begun, **wish)).thread
    return _WORD not in later.received() and went_on is not None and went_on.id is not None


async def _seed(asked: Asked) -> bool:
    await asked.reply(seed=_SEED)
    return str(_SEED) in asked.received()


async def _sampling(asked: Asked) -> bool:
    await asked.reply(temperature=_TEMPERATURE)
    return str(_TEMPERATURE) in asked.received()


async def _stop(asked: Asked) -> bool:
    return (await asked.reply(text=_DICTATION, stop=("gamma",))).text.strip() == "alpha beta"


async def _max_tokens(asked: Asked) -> bool:
    reply = await asked.reply(text=_DICTATION + " epsilon" * 64, max_tokens=16)
    return reply.finish is not None and reply.finish.reason == "length"


async def _embeddings(asked: Asked) -> bool:
    made = await asked.engine.calls.embed(asked.name, ["a", "b"])
    return len(made.value.vectors) == 2


async def _drawing(asked: Asked) -> bool:
    made = await asked.engine.calls.draw(Drawing(model=asked.name, prompt="a red fox"))
    return len(made.value.images) == 1


async def _image_edit(asked: Asked) -> bool:
    made = await asked.engine.calls.draw(Drawing(model=asked.name, prompt="a blue fox", images=(picture(64),)))
    return len(made.value.images) == 1


async def _speech(asked: Asked) -> bool:
    """A text of one's own, or else the last answer of a conversation."""
    for voice in (None, "alloy"):  # some services insist on one
        with suppress(ConfigError, RequestRejected):
            return await _sounds(asked, Utterance(model=asked.name, text="Hello", voice=voice))
    return await _sounds(asked, Utterance(model=asked.name, thread=(await asked.reply()).thread))


async def _sounds(asked: Asked, utterance: Utterance) -> bool:
    async with await asked.engine.calls.speak(utterance) as pieces:
        sound = b"".join([piece async for piece in pieces])
    return sniff(sound).startswith("audio/")


async def _transcription(asked: Asked) -> bool:
    wish = Recording(model=asked.name, sound=Audio(data=wav(seconds=1.0), name="note.wav"))
    async with await asked.engine.calls.transcribe(wish) as flowing:
        pieces = [piece async for piece in flowing]
    return isinstance(pieces[-1], Transcript)


_TOOL = "get_weather"
TRIES: Mapping[Capability, Try] = MappingProxyType(
    {
        "text": _text,
        "stream": _stream,
        "system": _system,
        "image_in": _shown(picture),
        "audio_in": _shown(lambda: Audio(data=wav())),
        "video_in": _shown(lambda: File(data=_VIDEO, name="clip.mp4")),
        "file_in": _shown(lambda: File(data=_PDF, name="paper.pdf")),
        "image_out": _image_out,
        "audio_out": _audio_out,
        "tools": _tools,
        "schema": _schema,
        "reasoning": _reasoning,
        "web_search": _web_search,
        "threads": _threads,
        "remote_media": _remote_media,
        "seed": _seed,
        "sampling": _sampling,
        "stop": _stop,
        "max_tokens": _max_tokens,
        "embeddings": _embeddings,
        "drawing": _drawing,
        "image_edit": _image_edit,
        "speech": _speech,
        "transcription": _transcription,
    }
)
