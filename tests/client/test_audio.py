"""client/audio.py: sound over real HTTP, as it comes, and files that are whole or not there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from polychat import AsyncClient, BadOption, Client, Interrupted, UnsupportedFeature
from polychat.client.duration import duration_s
from polychat.errors import IdleTimeout
from polychat.sandbox.server import Sandbox

SOUND = "/backend-api/synthesize"
HELLO: dict[str, Any] = {"model": "chatgpt", "input": "Hello there"}


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Client]:
    """A client of the emulated services."""
    with Client(sandbox=sandbox.url, strict=True) as made:
        yield made


def ended(sandbox: Sandbox) -> str:
    """How the last call for sound ended, once the service has noticed."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if (how := sandbox.journal(path=SOUND)[-1].ended) != "open":
            return how
    return "open"


@pytest.mark.parametrize(("form", "media_type"), [("aac", "audio/aac"), ("wav", "audio/wav"), (None, "audio/aac")])
def test_a_text_is_read_aloud_into_a_file(client: Client, tmp_path: Path, form: str | None, media_type: str) -> None:
    """The file is the sound, of the format asked for, and nothing else is left in the folder."""
    with client.audio.speech.create(response_format=form, **HELLO) as speech:
        speech.stream_to_file(tmp_path / "hello")
    data = (tmp_path / "hello").read_bytes()
    assert (speech.media_type, speech.provider) == (media_type, "chatgpt")
    assert data[:2] == b"\xff\xf1" if media_type == "audio/aac" else data[:4] == b"RIFF"
    assert [path.name for path in tmp_path.iterdir()] == ["hello"]


def test_the_last_answer_of_a_conversation_is_read(client: Client, sandbox: Sandbox) -> None:
    """The service is asked for that very message, in that voice; nothing new is said for it."""
    answer = client.chat.completions.create(model="chatgpt", messages="Hello")
    assert answer.conversation is not None
    with client.audio.speech.create(conversation=answer.conversation, voice="cove", response_format="wav") as speech:
        spoken = speech.read()
    (entry,) = sandbox.journal(path=SOUND)
    assert entry.query == (
        f"conversation_id={answer.conversation.id}&message_id={answer.conversation.parent_id}&voice=cove&format=wav"
    )
    assert len(sandbox.journal(path="/backend-api/f/conversation")) == 1
    assert duration_s(spoken) == pytest.approx(0.4 * len(answer.text.split()))


def test_every_way_of_reading_gives_the_same_bytes(client: Client, tmp_path: Path) -> None:
    """Whole, in pieces, in pieces of one size, to a file; and read twice."""

    def speech() -> Any:
        return client.audio.speech.create(**HELLO)

    whole = speech().read()
    cut = list(speech().iter_bytes(100))
    again = speech()
    assert again.content == again.read() == whole
    again.write_to_file(tmp_path / "sound")
    assert b"".join(speech()) == b"".join(cut) == (tmp_path / "sound").read_bytes() == whole
    assert {len(piece) for piece in cut[:-1]} == {100}


def test_a_broken_sound_is_kept_beside_the_name(client: Client, sandbox: Sandbox, tmp_path: Path) -> None:
    """Half of it is in NAME.part, the error says so, and what had that name before is untouched."""
    path = tmp_path / "hello.aac"
    path.write_bytes(b"older")
    sandbox.fault("chatgpt", "cut_frame", after=0, path=SOUND, times=1)
    with (
        client.audio.speech.create(**HELLO) as speech,
        pytest.raises(Interrupted, match=r"what came is kept in .*hello\.aac\.part"),
    ):
        speech.stream_to_file(path)
    part = (tmp_path / "hello.aac.part").read_bytes()
    client.audio.speech.create(**HELLO).stream_to_file(tmp_path / "whole")
    whole = (tmp_path / "whole").read_bytes()
    assert path.read_bytes() == b"older"
    assert 0 < len(part) < len(whole)
    assert whole.startswith(part)


def test_sound_is_handed_on_as_it_comes_and_leaving_hangs_up(client: Client, sandbox: Sandbox) -> None:
    """The first piece is here while the answer is open, and the service sees the listener go."""
    sandbox.fault("chatgpt", "stall", path=SOUND)
    with client.audio.speech.create(**HELLO) as speech:
        assert next(speech)[:1] == b"\xff"
        assert sandbox.journal(path=SOUND)[-1].ended == "open"
    assert ended(sandbox) == "client left"
    assert list(speech) == []


def test_leaving_an_asynchronous_speech_hangs_up(sandbox: Sandbox) -> None:
    """At the end of its block, while the client stays open and the speech is still held."""
    sandbox.fault("chatgpt", "stall", path=SOUND)

    async def main() -> str:
        async with AsyncClient(sandbox=sandbox.url, strict=True) as client:
            async with await client.audio.speech.create(**HELLO) as speech:
                async for _ in speech:
                    break
            return f"{speech.provider}: {await asyncio.to_thread(ended, sandbox)}"

    assert asyncio.run(main()) == "chatgpt: client left"


def test_a_file_has_its_name_only_when_it_is_whole(sandbox: Sandbox, tmp_path: Path) -> None:
    """While the sound comes there is NAME.part alone; who stops waiting keeps it."""
    sandbox.fault("chatgpt", "stall", path=SOUND)
    path, part = tmp_path / "a.aac", tmp_path / "a.aac.part"

    async def main() -> None:
        async with (
            AsyncClient(sandbox=sandbox.url, strict=True) as client,
            await client.audio.speech.create(**HELLO) as speech,
        ):
            writing = asyncio.create_task(speech.stream_to_file(path))
            while not part.exists():
                await asyncio.sleep(0.01)
            assert not path.exists()
            writing.cancel()
            await asyncio.wait({writing})

    asyncio.run(main())
    assert ([file.name for file in tmp_path.iterdir()], part.stat().st_size > 0) == ([part.name], True)
    assert ended(sandbox) == "client left"


def test_the_asynchronous_speech_reads_alike(sandbox: Sandbox, tmp_path: Path) -> None:
    """`await` and `async for` instead."""

    async def main() -> list[bytes]:
        async with AsyncClient(provider="chatgpt", sandbox=sandbox.url, strict=True) as client:
            create = client.audio.speech.create
            async with await create(input="Hello there") as speech:
                with pytest.raises(BadOption, match="the sound was not read yet"):
                    _ = speech.content
                whole = await speech.read()
                assert speech.content == whole
                await speech.stream_to_file(tmp_path / "read")
            async with await create(input="Hello there") as speech:
                pieces = b"".join([piece async for piece in speech])
            async with await create(input="Hello there") as speech:
                cut = b"".join([piece async for piece in speech.iter_bytes(7)])
            return [whole, pieces, cut, (tmp_path / "read").read_bytes()]

    assert len(set(asyncio.run(main()))) == 1


@pytest.mark.parametrize(
    ("reading", "kind", "complaint"),
    [
        ({}, BadOption, "give either a text or a conversation"),
        ({"input": "Hi", "conversation": {"provider": "chatgpt", "id": "c"}}, BadOption, "give either a text or a"),
        ({"input": " "}, BadOption, "input is empty"),
        ({"input": "Hi", "response_format": "midi"}, BadOption, "response_format is not one of aac, wav"),
        ({"input": "Hi", "model": "reka"}, UnsupportedFeature, "reka does not read aloud"),
        ({"input": "Hi", "model": "openai/gpt-4o"}, UnsupportedFeature, "openai/gpt-4o does not read aloud"),
        ({"input": "Hi", "speed": 2.0}, UnsupportedFeature, "chatgpt does not let the speed of a voice be chosen"),
        ({"input": "Hi", "instructions": "calm"}, UnsupportedFeature, "chatgpt does not let the instructions of a"),
        ({"input": "Hi", "speed": "fast"}, BadOption, "speed: expected `float | null`, got `str`"),
        ({"input": "Hi", "voic": "cove"}, BadOption, "there is no argument 'voic'"),
        ({"conversation": "{}"}, BadOption, "conversation is not one that an answer gave"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_cannot_be_read_is_refused_before_anything_is_sent(
    client: Client, sandbox: Sandbox, reading: dict[str, Any], kind: type[Exception], complaint: str
) -> None:
    """One sentence names it, and the service hears nothing."""
    with pytest.raises(kind, match=complaint):
        client.audio.speech.create(**{"model": "chatgpt"} | reading)
    assert sandbox.journal() == []


def test_a_text_is_said_by_a_model_that_only_speaks(client: Client, sandbox: Sandbox) -> None:
    """In the words of the official package, byte for byte as it gets them."""
    import openai

    reading: Any = {"input": "Hello there", "voice": "nova", "speed": 2.0, "response_format": "wav"}
    with client.audio.speech.create(model="openai/gpt-4o-mini-tts", instructions="calm", **reading) as speech:
        spoken = speech.read()
    with openai.OpenAI(base_url=f"{sandbox.url}/openai/v1", api_key="sandbox-alice") as official:
        theirs = official.audio.speech.create(model="gpt-4o-mini-tts", instructions="calm", **reading).content
    assert (spoken, speech.media_type, speech.account) == (theirs, "audio/wav", "sandbox-alice@openai")
    ours, other = (entry.json for entry in sandbox.journal(service="openai"))
    assert ours == other


def test_a_service_alone_speaks_with_its_first_model_that_can(client: Client, sandbox: Sandbox) -> None:
    """In its usual voice."""
    with client.audio.speech.create(model="openai", input="Hello there") as speech:
        assert speech.media_type == "audio/mpeg"
    (entry,) = sandbox.journal(service="openai")
    assert entry.json == {"model": "gpt-4o-mini-tts", "input": "Hello there", "voice": "alloy"}


def test_bare_samples_are_what_was_asked_for(client: Client) -> None:
    """Their bytes say nothing of themselves, whatever they look like."""
    with client.audio.speech.create(model="openai/tts-1", input="Hello", response_format="pcm") as speech:
        assert (speech.media_type, len(speech.read())) == ("audio/pcm", 2 * 9600)


def test_a_sound_takes_no_longer_than_was_allowed(client: Client, sandbox: Sandbox) -> None:
    """From the question to its last byte."""
    sandbox.fault("openai", "stall", path="/v1/audio/speech")
    with (
        client.audio.speech.create(model="openai/tts-1", input="Hello there", timeout=0.2) as speech,
        pytest.raises(IdleTimeout, match=r"openai was not done within 0\.2 s"),
    ):
        speech.read()


def test_half_a_sound_is_not_passed_off_as_the_whole(client: Client, tmp_path: Path) -> None:
    """After a piece was taken, saving and reading are refused."""
    with client.audio.speech.create(**HELLO) as speech:
        next(speech)
        with pytest.raises(BadOption, match="part of the sound was taken already"):
            speech.read()
        with pytest.raises(BadOption, match="part of the sound was taken already"):
            speech.stream_to_file(tmp_path / "half")
    assert list(tmp_path.iterdir()) == []
