"""`polychat transcribe`: the words on stdout or in a file, or the reason why not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from polychat.cli.commands import transcribe
from polychat.client import transcription
from polychat.sandbox.services.openai import sound

HEAR = "/v1/audio/transcriptions"
WAV = sound.wav("one two three")
HEARD = "I hear a wav sound of 1.20 seconds: "


@pytest.fixture
def program(polychat: Any) -> Any:
    """The program, with talk.wav, notes.txt and nothing.wav in its folder."""
    home = Path(polychat.home)
    (home / "talk.wav").write_bytes(WAV)
    (home / "notes.txt").write_text("some words")
    (home / "nothing.wav").touch()
    return polychat


def test_stdout_carries_the_words(program: Any) -> None:
    """And nothing else is said."""
    done = program("transcribe", "talk.wav")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(HEARD)
    assert done.stdout.count("\n") == 1


def test_the_sound_may_come_from_a_pipe(program: Any) -> None:
    """With - for FILE."""
    assert program("transcribe", "-", stdin=WAV).stdout == program("transcribe", "talk.wav").stdout


def test_subtitles_begin_as_players_want_them(program: Any) -> None:
    """--format srt and vtt, ready to be saved."""
    assert program("transcribe", "talk.wav", "--format", "srt").stdout.startswith(
        f"1\n00:00:00,000 --> 00:00:01,200\n{HEARD}"
    )
    assert program("transcribe", "talk.wav", "--format", "vtt").stdout.startswith("WEBVTT\n\n00:00:00.000 --> ")


def test_json_tells_who_wrote_it_and_what_it_cost(program: Any) -> None:
    """--json is --format json; --words adds times."""
    facts = json.loads(program("transcribe", "talk.wav", "--json").stdout)
    assert facts == json.loads(program("transcribe", "talk.wav", "--format", "json").stdout)
    assert (facts["provider"], facts["model"], facts["usage"]["seconds"], facts["words"]) == (
        "openai", "whisper-1", 1.0, None,
    )  # fmt: skip
    timed = json.loads(program("transcribe", "talk.wav", "--json", "--words").stdout)
    assert (timed["words"][0]["word"], len(timed["segments"]), timed["duration"]) == ("I", 1, pytest.approx(1.2))


def test_a_file_may_take_it(program: Any) -> None:
    """Its ending tells the format; nothing is overwritten unless that is asked for."""
    done = program("transcribe", "talk.wav", "-O", "talk.srt")
    assert (done.returncode, done.stdout, done.stderr) == (0, "talk.srt\n", "SRT\n")
    assert Path(program.home, "talk.srt").read_text().startswith("1\n00:00:00,000")
    assert program("transcribe", "talk.wav", "-O", "talk.srt").returncode == 2
    assert program("transcribe", "talk.wav", "-O", "talk.srt", "--force", "--format", "text").stdout == "talk.srt\n"
    assert Path(program.home, "talk.srt").read_text().startswith(HEARD)
    Path(program.home, "texts").mkdir()
    assert program("transcribe", "talk.wav", "-O", "texts").stdout == "texts/talk.txt\n"
    assert program("transcribe", "-", "-O", "texts", "--json", stdin=WAV).stdout == "texts/speech.json\n"


def test_what_is_known_of_the_speech_is_passed_on(program: Any) -> None:
    """Language and words to expect, of the model and the account that are named."""
    done = program(
        "transcribe", "talk.wav", "-m", "openai/gpt-4o-transcribe", "--language", "de", "--prompt", "Łódź",
        "--account", "sandbox-bob@openai",
    )  # fmt: skip
    (entry,) = program.sandbox.journal(path=HEAR)
    assert (done.returncode, entry.account) == (0, "sandbox-bob")
    assert [part.name for part in entry.parts] == ["model", "language", "prompt", "file"]


def test_who_can_is_asked_where_nobody_is_named(program: Any) -> None:
    """Whatever model is set; one of a service that can stands for that service."""
    for args, env in (
        ((), {}),
        (("--provider", "openai"), {}),
        (("--account", "sandbox-alice@openai"), {}),
        ((), {"POLYCHAT_MODEL": "openai/gpt-4o"}),
        ((), {"POLYCHAT_MODEL": "openai/whisper-1"}),
        ((), {"POLYCHAT_MODEL": None}),
    ):
        done = program("transcribe", "talk.wav", *args, env=env)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert len(program.sandbox.journal(path=HEAR)) == 6


@pytest.mark.parametrize(
    ("args", "code", "complaint"),
    [
        ([], 2, "missing argument"),
        (["none.wav"], 2, "cannot read none.wav: No such file or directory"),
        (["nothing.wav"], 2, "nothing.wav is empty (0 bytes)"),
        (["notes.txt"], 2, "notes.txt is text/plain, not sound"),
        (["-"], 2, "file is empty (0 bytes)"),
        (["talk.wav", "-m", "reka"], 2, "hint: who does: polychat models --cap transcription"),
        (["talk.wav", "--format", "pdf"], 2, "invalid value for '--format'"),
        (["talk.wav", "--words"], 2, "--words goes with --format json only"),
        (["talk.wav", "--json", "--format", "srt"], 2, "--json and --format srt exclude each other"),
        (["talk.wav", "-O", "no/where.txt"], 2, "there is no folder no"),
        (["talk.wav", "--account", "nobody"], 4, "nobody"),
    ],
)
def test_what_cannot_be_is_told_before_anything_is_sent(
    program: Any, args: list[str], code: int, complaint: str
) -> None:
    """One sentence, its exit code, and silence on the wire."""
    done = program("transcribe", *args)
    assert (done.returncode, done.stdout, complaint in done.stderr) == (code, "", True), done.stderr
    assert program.sandbox.journal() == []


def test_the_services_word_is_told(program: Any) -> None:
    """With the field."""
    done = program("transcribe", "talk.wav", "--language", "Deutsch")
    assert (done.returncode, done.stdout, "at 'language'" in done.stderr) == (1, "", True)


def test_the_formats_are_those_of_the_client() -> None:
    """The choice that spares the import cannot drift."""
    assert set(transcribe.FORMATS) < set(transcription.FORMATS)
