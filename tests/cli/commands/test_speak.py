"""`polychat speak`: the sound in a file that is whole, or on stdout, or the reason why not."""

from __future__ import annotations

import io
import json
import wave
from pathlib import Path
from typing import Any

import pytest

from polychat.cli.commands import speak
from polychat.client.audio import FORMATS

SOUND = "/backend-api/synthesize"


def files(polychat: Any) -> list[str]:
    """What lies in the folder, without what polychat keeps."""
    return sorted(path.name for path in Path(polychat.home).iterdir() if path.is_file())


def test_a_text_is_saved_under_a_name_from_its_words(polychat: Any) -> None:
    """stdout tells the name, stderr how long it lasts and what it is."""
    done = polychat("speak", "Hello there!")
    assert (done.returncode, done.stdout, files(polychat)) == (0, "hello-there.aac\n", ["hello-there.aac"])
    assert Path(polychat.home, "hello-there.aac").read_bytes()[:2] == b"\xff\xf1"
    assert done.stderr.endswith(" s, AAC, 209 B\n")


def test_the_ending_of_the_name_chooses_the_format(polychat: Any) -> None:
    """-O x.wav is WAV, as long as told."""
    done = polychat("speak", "Hello", "-O", "x.wav", "--voice", "cove")
    with wave.open(str(Path(polychat.home, "x.wav"))) as sound:
        lasts_s = sound.getnframes() / sound.getframerate()
    assert (done.stdout, done.stderr.split(" s, ")[0]) == ("x.wav\n", f"{lasts_s:.1f}")
    assert polychat.sandbox.journal(path=SOUND)[-1].query.endswith("voice=cove&format=wav")


def test_the_text_may_come_from_a_pipe_and_the_sound_go_to_one(polychat: Any) -> None:
    """stdin in, bytes out, nothing on disk."""
    assert polychat("speak", "--json", stdin=b"From a pipe\n").returncode == 0
    process = polychat.start("speak", "Hello", "-O", "-", "--format", "wav")
    stdout, stderr = process.communicate(timeout=30)
    with wave.open(io.BytesIO(stdout)) as sound:
        assert sound.getnframes() > 0
    assert (process.returncode, stderr, files(polychat)) == (0, b"", ["from-a-pipe.aac"])


def test_the_last_answer_of_a_conversation_is_read(polychat: Any) -> None:
    """--conversation FILE asks for that very answer, says nothing new, and names the sound after the file."""
    polychat("chat", "Hello", "-m", "chatgpt", "-c", "talk.json")
    thread = json.loads(Path(polychat.home, "talk.json").read_bytes())
    done = polychat("speak", "-c", "talk.json")
    assert (done.returncode, done.stdout) == (0, "talk.aac\n"), done.stderr
    query = polychat.sandbox.journal(path=SOUND)[-1].query
    assert query.startswith(f"conversation_id={thread['id']}&message_id={thread['parent_id']}&")
    assert len(polychat.sandbox.journal(path="/backend-api/f/conversation")) == 1


def test_json_tells_file_and_sound(polychat: Any) -> None:
    """One document, and nothing else."""
    done = polychat("speak", "Hello", "--json", "-O", "x.wav")
    facts = json.loads(done.stdout)
    size_bytes = Path(polychat.home, "x.wav").stat().st_size
    assert done.stderr == ""
    assert facts == {
        "path": "x.wav", "media_type": "audio/wav", "duration_s": facts["duration_s"], "size_bytes": size_bytes,
        "provider": "chatgpt",
    }  # fmt: skip
    assert facts["duration_s"] == pytest.approx((size_bytes - 44) / 48_000, abs=0.001)


def test_nothing_is_overwritten_unless_asked(polychat: Any) -> None:
    """As with pictures."""
    assert [polychat("speak", "Hi").stdout for _ in range(2)] == ["hi.aac\n", "hi-2.aac\n"]
    assert polychat("speak", "Hi", "-O", "hi.aac").returncode == 2
    assert polychat("speak", "Hi", "-O", "hi.aac", "--force").stdout == "hi.aac\n"


def test_a_broken_sound_is_7_and_kept_beside_the_name(polychat: Any) -> None:
    """There is no file of that name, what came is in NAME.part, and the error says so."""
    polychat.sandbox.fault("chatgpt", "cut_frame", after=0, path=SOUND)
    done = polychat("speak", "Hello")
    assert (done.returncode, done.stdout, files(polychat)) == (7, "", ["hello.aac.part"])
    assert "; what came is kept in hello.aac.part" in done.stderr
    assert Path(polychat.home, "hello.aac.part").read_bytes()[:2] == b"\xff\xf1"


@pytest.mark.parametrize(
    ("args", "code", "complaint"),
    [
        ([], 2, "there is nothing to read aloud"),
        (["Hi", "-c", "talk.json"], 2, "give either TEXT or --conversation FILE, not both"),
        (["-c", "talk.json"], 2, "the conversation file talk.json does not exist"),
        (["Hi", "-m", "reka"], 2, "reka does not read aloud"),
        (["Hi", "--format", "midi"], 2, "invalid value for '--format'"),
        (["Hi", "--speed", "2"], 2, "chatgpt does not let the speed of a voice be chosen"),
        (["Hi", "--speed", "fast"], 2, "invalid value for '--speed'"),
        (["Hi", "-O", "no/where.aac"], 2, "there is no folder no"),
        (["Hi", "--account", "nobody"], 4, "nobody"),
    ],
)
def test_what_cannot_be_read_is_told_before_anything_is_sent(
    polychat: Any, args: list[str], code: int, complaint: str
) -> None:
    """One sentence, its exit code, and silence on the wire."""
    done = polychat("speak", *args)
    assert (done.returncode, done.stdout, complaint in done.stderr) == (code, "", True)
    assert (polychat.sandbox.journal(), files(polychat)) == ([], [])


def test_a_model_that_only_speaks_takes_more_wishes(polychat: Any) -> None:
    """Voice, speed and manner, and MP3 unless another format is asked for."""
    done = polychat(
        "speak",
        "Hello there",
        "-m",
        "openai/gpt-4o-mini-tts",
        "--voice",
        "nova",
        "--speed",
        "2",
        "--instructions",
        "calm",
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "hello-there.mp3\n", "MPEG, 408 B\n")
    (entry,) = polychat.sandbox.journal(service="openai")
    assert entry.json == {
        "model": "gpt-4o-mini-tts", "input": "Hello there", "voice": "nova", "speed": 2.0, "instructions": "calm",
    }  # fmt: skip
    assert polychat("speak", "Hello", "-m", "openai/tts-1", "-O", "x.pcm").stderr == "PCM, 19 kB\n"


def test_a_voice_there_is_not_is_the_services_word(polychat: Any) -> None:
    """With the field and the voices there are."""
    done = polychat("speak", "Hello", "-m", "openai/tts-1", "--voice", "bob")
    assert (done.returncode, done.stdout, files(polychat)) == (1, "", [])
    assert done.stderr.startswith("error: openai says: Invalid 'voice': expected one of alloy, ash")


def test_the_formats_are_those_of_the_client() -> None:
    """The choice that spares the import cannot drift."""
    assert set(FORMATS) == set(speak.FORMATS)
