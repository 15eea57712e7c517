"""providers/_openai_calls.py over real HTTP: what reaches the service, and what its answers and troubles mean."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Picture

from polychat import BadOption, FormatChanged, Interrupted
from polychat.engine.engine import Engine
from polychat.engine.settings import load
from polychat.errors import PolychatError, QuotaSpent, Unavailable
from polychat.net.session import JSON_BODY_BYTES, Session
from polychat.providers import load as provider
from polychat.providers.base import Capability
from polychat.providers.openai_compatible import OpenAICompatible, Row, RowModel, custom, rows
from polychat.sandbox import Sandbox
from polychat.sandbox.services.openai import sound
from polychat.sandbox.services.openai.catalogue import MODELS
from polychat.testing.bench import ALICE
from polychat.types import Audio, Drawing, Drawn, File, Image, Recording, Transcript, Utterance
from polychat.vault.memory import MemoryVault

DRAW, EDIT = "/v1/images/generations", "/v1/images/edits"
SPEAK, HEAR = "/v1/audio/speech", "/v1/audio/transcriptions"
WAV = sound.wav("one two three")
KINDS = {
    "chat": "text", "image": "drawing", "speech": "speech", "transcription": "transcription", "embedding": "embeddings",
}  # fmt: skip


def png(width: int = 64, height: int = 32, colour: Any = "red") -> Image:
    """A picture."""
    file = io.BytesIO()
    Picture.new("RGBA", (width, height), colour).save(file, "PNG")
    return Image(data=file.getvalue(), name="C:\\private\\cat.png")


@pytest.fixture
def run(sandbox: Sandbox, tmp_path: Path) -> Callable[[Callable[[OpenAICompatible, Session], Awaitable[Any]]], Any]:
    """run(do): what `await do(provider, session)` gives, as Alice at the emulated OpenAI."""
    from polychat.credentials import Account, ApiKey, Secret

    account = Account(name=ALICE, provider="openai", credential=ApiKey(key=Secret(ALICE)))
    settings = load(environ={"POLYCHAT_HOME": str(tmp_path), "POLYCHAT_SANDBOX": sandbox.url})

    def run(do: Callable[[OpenAICompatible, Session], Awaitable[Any]]) -> Any:
        async def main() -> Any:
            async with Engine(MemoryVault(account), settings, strict=True) as engine:
                service = engine.service("openai")
                assert isinstance(service, OpenAICompatible)
                return await do(service, engine.session("openai"))

        return asyncio.run(main())

    return run


@pytest.fixture
def draw(run: Any) -> Callable[..., Any]:
    """draw(**wish): small pictures of a fox."""

    def draw(**wish: Any) -> Any:
        drawing = Drawing(**{"model": "gpt-image-2", "prompt": "a fox", "size": "64x32"} | wish)
        return run(lambda service, session: service.draw(session, drawing))

    return draw


@pytest.fixture
def speak(run: Any) -> Callable[..., bytes]:
    """speak(**said): the sound of a greeting."""

    def speak(**said: Any) -> Any:
        utterance = Utterance(**{"model": "tts-1", "text": "Hello there"} | said)

        async def read(service: OpenAICompatible, session: Session) -> bytes:
            return b"".join([piece async for piece in service.speak(session, utterance)])

        return run(read)

    return speak


@pytest.fixture
def hear(run: Any) -> Callable[..., list[str | Transcript]]:
    """hear(**given): the pieces of a transcript."""

    def hear(**given: Any) -> Any:
        recording = Recording(**{"model": "whisper-1", "sound": Audio(data=WAV)} | given)

        async def read(service: OpenAICompatible, session: Session) -> list[str | Transcript]:
            return [piece async for piece in service.transcribe(session, recording)]

        return run(read)

    return hear


# ---------------------------------------------------------------- pictures


def test_words_alone_are_drawn(draw: Any, sandbox: Sandbox) -> None:
    """As JSON, with the key as a bearer."""
    made = draw(n=2, options={"quality": "low"})
    (entry,) = sandbox.journal(path=DRAW)
    assert entry.json == {"model": "gpt-image-2", "prompt": "a fox", "n": 2, "size": "64x32", "quality": "low"}
    assert entry.account == ALICE
    assert [image.media_type for image in made.images] == ["image/png"] * 2
    assert (made.facts["size"], made.facts["quality"]) == ("64x32", "low")
    assert made.usage.output_tokens == 4


def test_pictures_are_changed_by_a_form(draw: Any, sandbox: Sandbox) -> None:
    """Their very bytes, under names that tell the format and nothing of the person's own."""
    shown, mask = png(), png(colour=(0, 0, 0, 0))
    draw(images=(shown,), mask=mask)
    draw(images=(shown, mask), options={"extra_body": {"input_fidelity": "high"}})
    one, two = sandbox.journal(path=EDIT)

    def files(entry: Any) -> list[Any]:
        return [(part.name, part.filename, part.media_type, part.sha256) for part in entry.parts if part.filename]

    first, second = (hashlib.sha256(image.data or b"").hexdigest() for image in (shown, mask))
    assert files(one) == [
        ("image", "image.png", "image/png", first), ("mask", "mask.png", "image/png", second),
    ]  # fmt: skip
    assert files(two) == [
        ("image[]", "image.png", "image/png", first), ("image[]", "image.png", "image/png", second),
    ]  # fmt: skip
    assert [part.name for part in two.parts or () if not part.filename] == ["model", "prompt", "size", "input_fidelity"]


def test_a_mask_alone_is_an_edit(draw: Any, sandbox: Sandbox) -> None:
    """The service says what is missing."""
    with pytest.raises(PolychatError, match=r"openai says: .*'image' is required"):
        draw(mask=png())
    assert [entry.path for entry in sandbox.journal()] == [EDIT]


def test_an_unknown_option_is_refused_before_anything_is_sent(draw: Any, sandbox: Sandbox) -> None:
    """In one sentence with the field."""
    with pytest.raises(BadOption, match="openai has no option 'qualty' for a picture") as caught:
        draw(options={"qualty": "low"})
    assert (caught.value.field, sandbox.journal()) == ("qualty", [])


def test_a_link_is_handed_on_as_it_is(draw: Any, sandbox: Sandbox) -> None:
    """With what the service says it drew."""
    (image,) = draw(model="dall-e-3").images
    assert (image.data, image.prompt) == (None, "a fox")
    assert image.url.startswith(f"{sandbox.foreign_url}/openai/pictures/")


def test_a_large_picture_comes_whole(tmp_path: Path) -> None:
    """Larger than any other document may be."""
    size_bytes = 26 * 2**20
    body = b'{"data": [{"b64_json": "%s"}]}' % base64.b64encode(bytes(size_bytes))
    assert len(body) > JSON_BODY_BYTES

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%s" % (len(body), body))
        await writer.drain()
        writer.close()

    async def main() -> Drawn:
        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            service = custom(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1")
            settings = load(environ={"POLYCHAT_HOME": str(tmp_path)})
            async with Engine(MemoryVault(), settings, services={"custom": service}) as engine:
                return (await engine.calls.draw(Drawing(model="custom/m", prompt="a fox"))).value

    (image,) = asyncio.run(main()).images
    assert image.data == bytes(size_bytes)


@pytest.mark.parametrize(
    ("fault", "kind", "sentence"),
    [
        ({"fault": "html"}, FormatChanged, "openai answered /images/generations with a web page instead of pictures"),
        ({"fault": "changed_field", "field": "data", "to": "art"}, FormatChanged, "instead of pictures"),
        ({"fault": "status", "code": 500}, Unavailable, "openai says"),
        ({"fault": "cut_frame", "after": 0}, Interrupted, "was cut"),
    ],
    ids=["page", "changed", "500", "cut"],
)
def test_troubles_with_pictures_keep_their_names(
    draw: Any, sandbox: Sandbox, fault: dict[str, Any], kind: type[PolychatError], sentence: str
) -> None:
    """As with every other question."""
    sandbox.fault("openai", **fault, path=DRAW)
    with pytest.raises(kind, match=sentence):
        draw()


# ---------------------------------------------------------------- speech


def test_a_text_is_said_aloud(speak: Any, sandbox: Sandbox) -> None:
    """In the voice that is usual, or the one that was named; the bytes are the service's."""
    assert speak() == sound.mp3("Hello there")
    assert speak(voice="nova", media_type="audio/wav", speed=2.0) == sound.wav("Hello there", 2.0)
    assert [entry.json for entry in sandbox.journal(path=SPEAK)] == [
        {"model": "tts-1", "input": "Hello there", "voice": "alloy"},
        {"model": "tts-1", "input": "Hello there", "voice": "nova", "response_format": "wav", "speed": 2.0},
    ]


def test_a_voice_there_is_not_is_the_services_word(speak: Any) -> None:
    """With the field."""
    with pytest.raises(PolychatError, match="openai says: Invalid 'voice': expected one of alloy"):
        speak(voice="bob")


@pytest.mark.parametrize(
    ("fault", "kind", "sentence"),
    [
        ({"fault": "html"}, FormatChanged, "openai answered with a web page instead of data"),
        ({"fault": "error_200"}, Unavailable, "openai says"),
        ({"fault": "cut_frame", "after": 0}, Interrupted, "was cut"),
    ],
    ids=["page", "error inside", "cut"],
)
def test_troubles_with_speech_are_no_sound(
    speak: Any, sandbox: Sandbox, fault: dict[str, Any], kind: type[PolychatError], sentence: str
) -> None:
    """An error in an answer of 200 is not played."""
    sandbox.fault("openai", **fault, path=SPEAK)
    with pytest.raises(kind, match=sentence):
        speak()


# ---------------------------------------------------------------- transcripts


def test_a_sound_is_written_down(hear: Any, sandbox: Sandbox) -> None:
    """Its very bytes go out, and its words come back."""
    (whole,) = hear(sound=Audio(data=WAV, name="my secret.wav"), language="en", prompt="numbers", temperature=0.5)
    (entry,) = sandbox.journal(path=HEAR)
    digest = hashlib.sha256(WAV).hexdigest()
    assert whole.text.startswith("I hear a wav sound of 1.20 seconds")
    assert digest in whole.text
    assert (whole.charged_s, whole.usage) == (1.0, None)
    assert [(part.name, part.filename, part.media_type) for part in entry.parts] == [
        ("model", None, None), ("language", None, None), ("prompt", None, None), ("temperature", None, None),
        ("file", "sound.wav", "audio/wav"),
    ]  # fmt: skip
    assert entry.parts[-1].sha256 == digest


def test_times_come_where_they_are_wanted(hear: Any) -> None:
    """Of segments, or of words."""
    (segments,) = hear(timed=("segment",))
    (both,) = hear(timed=("segment", "word"))
    assert (segments.duration_s, segments.language, len(segments.segments), segments.words) == (
        pytest.approx(1.2), "english", 1, (),
    )  # fmt: skip
    assert (len(both.segments), both.words[0].text, both.words[-1].end_s) == (1, "I", pytest.approx(1.2))


def test_words_come_as_they_are_found(hear: Any) -> None:
    """Where that is wanted and the model does it; another answers at once all the same."""
    *pieces, whole = hear(model="gpt-4o-transcribe", stream=True)
    assert len(pieces) > 1
    assert "".join(pieces) == whole.text
    assert whole.usage.input_tokens == 12
    assert len(hear(stream=True)) == 1


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"sound": File(data=b"words", name="notes.txt")}, "notes.txt is text/plain, not sound"),
        ({"sound": Audio(data=WAV + bytes(25 * 2**20))}, "the file is larger than the 25 MB that the service takes"),
    ],
    ids=["text", "large"],
)
def test_what_is_no_sound_is_refused_before_anything_is_sent(
    hear: Any, sandbox: Sandbox, given: dict[str, Any], sentence: str
) -> None:
    """In one sentence with the field."""
    with pytest.raises(BadOption, match=sentence) as caught:
        hear(**given)
    assert (caught.value.field, sandbox.journal()) == ("file", [])


@pytest.mark.parametrize(
    ("fault", "kind", "sentence"),
    [
        ({"fault": "html"}, FormatChanged, "openai answered with a web page instead of data"),
        ({"fault": "error_200"}, Unavailable, "openai says"),
        ({"fault": "changed_field", "field": "text", "to": "said"}, FormatChanged, "its text is missing"),
        ({"fault": "drop", "after": 3}, Interrupted, "openai ended the transcript without finishing it"),
        ({"fault": "cut_frame", "after": 3}, Interrupted, "was cut"),
        ({"fault": "malformed_frame", "after": 3}, FormatChanged, "no transcript that we know"),
    ],
    ids=["page", "error inside", "changed", "ended early", "cut", "malformed"],
)
def test_troubles_with_transcripts_keep_their_names(
    hear: Any, sandbox: Sandbox, fault: dict[str, Any], kind: type[PolychatError], sentence: str
) -> None:
    """Half a transcript is never passed off as the whole."""
    sandbox.fault("openai", **fault, path=HEAR)
    with pytest.raises(kind, match=sentence):
        hear(model="gpt-4o-transcribe", stream=True)


def test_a_spent_quota_is_one(hear: Any, sandbox: Sandbox) -> None:
    """Told by the service's code."""
    sandbox.knobs("openai", quota=0)
    with pytest.raises(QuotaSpent):
        hear()


# ---------------------------------------------------------------- who can what


def test_every_emulated_model_can_what_it_is_for() -> None:
    """And is listed."""
    info = provider("openai").info
    listed = {model.id: model for model in info.models}
    assert {model.id for model in MODELS} == set(listed)
    for model in MODELS:
        can = {kind for kind in KINDS.values() if kind in (listed[model.id].capabilities or ())}
        assert can == {KINDS[model.kind]}


def test_a_service_can_what_its_models_can() -> None:
    """All of them together, and so can a model that is not listed."""
    for name in rows():
        info = provider(name).info
        for model in info.models:
            assert model.capabilities
            assert model.capabilities <= info.capabilities
    assert {"drawing", "image_edit", "speech", "transcription", "embeddings"} <= provider("openai").info.capabilities


def test_a_row_says_what_one_of_its_models_can() -> None:
    """As the others but for what it cannot, or all of it; the calls of the row are for models that are not listed."""
    hears = RowModel(id="ears", cannot=frozenset({"seed", "stop"}), context=9)
    paints = RowModel(id="paint", can=frozenset({"drawing"}))
    can = frozenset[Capability]({"seed", "embeddings"})
    row = Row(label="X", base_url="http://127.0.0.1:1/v1", models=("chat", hears, paints), can=can)
    info = OpenAICompatible("x", row).info
    chat, ears, paint = info.models
    every = {"text", "stream", "system", "tools", "sampling", "stop", "max_tokens"}
    assert (info.default_model, ears.context_tokens, chat.context_tokens) == ("chat", 9, None)
    assert (chat.capabilities, ears.capabilities, paint.capabilities) == (
        every | {"seed"}, every - {"stop"}, {"drawing"},
    )  # fmt: skip
    assert info.capabilities == every | {"seed", "embeddings", "drawing"}


def test_a_live_list_keeps_what_is_known(run: Any) -> None:
    """Of the models that the service names, too."""
    listed = run(lambda service, session: service.list_models(session))
    known = {model.id: model for model in provider("openai").info.models}
    assert {model.id: model for model in listed} == known
