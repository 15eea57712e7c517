"""A transcript as subtitles: SubRip (srt) and WebVTT. Pure.

    1                                    WEBVTT
    00:00:00,000 --> 00:00:01,200
    Hello                                00:00:00.000 --> 00:00:01.200
                                         Hello

Source: the W3C's WebVTT: The Web Video Text Tracks Format; SubRip has no standard and is written as players read it.
"""

from __future__ import annotations

from collections.abc import Iterator

from polychat.types import Span, Transcript


def srt(transcript: Transcript) -> str:
    """SubRip: numbered, a comma before the milliseconds."""
    return "".join(
        f"{number}\n{_clock(cue.start_s, ',')} --> {_clock(cue.end_s, ',')}\n{words}\n\n"
        for number, (cue, words) in enumerate(_cues(transcript), start=1)
    )


def vtt(transcript: Transcript) -> str:
    """WebVTT: a heading, a point before the milliseconds, and what would be markup escaped."""
    return "WEBVTT\n\n" + "".join(
        f"{_clock(cue.start_s, '.')} --> {_clock(cue.end_s, '.')}\n{_escaped(words)}\n\n"
        for cue, words in _cues(transcript)
    )


def _cues(transcript: Transcript) -> Iterator[tuple[Span, str]]:
    """The segments that have words, and these on one line: a blank one would end the cue."""
    for segment in transcript.segments:
        if words := " ".join(segment.text.split()):
            yield segment, words


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")  # --> inside would be a time


def _clock(seconds: float, point: str) -> str:
    whole, milliseconds = divmod(round(max(seconds, 0.0) * 1000), 1000)
    minutes, second = divmod(whole, 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{second:02}{point}{milliseconds:03}"
