"""client/subtitles.py: cues as players read them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polychat.client.subtitles import srt, vtt
from polychat.types import Span, Transcript


def spoken(*cues: tuple[str, float, float]) -> Transcript:
    """A transcript of these segments."""
    return Transcript(text="", segments=tuple(Span(text=text, start_s=at, end_s=to) for text, at, to in cues))


HELLO = spoken((" Hello", 0.0, 1.2), (" there,\nyou  all ", 1.2, 3661.0456))


def test_subrip_is_numbered_and_has_commas() -> None:
    """One line a cue, whatever was in it."""
    assert srt(HELLO) == (
        "1\n00:00:00,000 --> 00:00:01,200\nHello\n\n2\n00:00:01,200 --> 01:01:01,046\nthere, you all\n\n"
    )


def test_webvtt_has_a_heading_and_points() -> None:
    """And what would be markup is escaped."""
    assert vtt(HELLO).startswith("WEBVTT\n\n00:00:00.000 --> 00:00:01.200\nHello\n\n00:00:01.200 --> 01:01:01.046\n")
    assert vtt(spoken(("a <b> & --> c", 0, 1))).endswith("\na &lt;b&gt; &amp; --&gt; c\n\n")
    assert srt(spoken(("a <b> & c", 0, 1))).endswith("\na <b> & c\n\n")


def test_silence_has_no_cues() -> None:
    """The heading alone."""
    assert (srt(spoken()), vtt(spoken())) == ("", "WEBVTT\n\n")


@pytest.mark.parametrize(
    ("seconds", "clock"),
    [(59.9996, "00:01:00,000"), (3599.9999, "01:00:00,000"), (-0.2, "00:00:00,000"), (360000, "100:00:00,000")],
)
def test_times_are_carried_over(seconds: float, clock: str) -> None:
    """No minute has sixty seconds."""
    assert srt(spoken(("x", seconds, seconds))).splitlines()[1] == f"{clock} --> {clock}"


@given(st.lists(st.tuples(st.text(), st.floats(0, 86400), st.floats(0, 86400)), max_size=5))
def test_every_cue_is_read_back(cues: list[tuple[str, float, float]]) -> None:
    """Nothing that is said ends a cue early or begins another; where nothing is said there is none."""
    blocks = [block.split("\n") for block in srt(spoken(*cues)).split("\n\n")[:-1]]
    said = [" ".join(text.split()) for text, _, _ in cues if text.split()]
    assert [(number, words) for number, _, words in blocks] == [
        (str(number), words) for number, words in enumerate(said, start=1)
    ]
    clock = r"\d\d:\d\d:\d\d,\d{3}"
    assert all(re.fullmatch(f"{clock} --> {clock}", times) for _, times, _ in blocks)
