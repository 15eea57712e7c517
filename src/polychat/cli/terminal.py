"""The two ends of a terminal: what may be written there, and how."""

from __future__ import annotations

import os
import sys
from typing import Any, TextIO

import click

_CONTROLS = {code: None for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"}


def is_terminal(stream: TextIO | None) -> bool:
    """True when a person sits at `stream`."""
    return stream is not None and not stream.closed and stream.isatty()


def draws(stream: TextIO) -> bool:
    """True when `stream` is a terminal that can move its cursor."""
    return is_terminal(stream) and os.environ.get("TERM") not in {"dumb", "unknown"}


def colours() -> bool | None:
    """For click's `color=`: never where NO_COLOR asks for none or the terminal has none, otherwise on terminals."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") in {"dumb", "unknown"}
    return False if plain else None


def say(text: str, **style: Any) -> None:
    """A line of data, on stdout."""
    click.echo(click.style(text, **style) if style else text, color=colours())


def note(text: str, **style: Any) -> None:
    """A line about what happens, on stderr."""
    click.echo(click.style(text, **style) if style else text, err=True, color=colours())


def murmur(text: str) -> None:
    """A piece of what goes on beside the answer, dimmed, on stderr."""
    words = harmless(text) if is_terminal(sys.stderr) else text
    click.echo(click.style(words, dim=True), err=True, nl=False, color=colours())


def write(text: str) -> None:
    """A piece of an answer, on stdout as it is; on a terminal without the characters that would command it."""
    sys.stdout.write(harmless(text) if is_terminal(sys.stdout) else text)


def harmless(text: str) -> str:
    """`text` without control characters, line ends and tabs excepted: an answer must not steer the terminal."""
    return text.translate(_CONTROLS)
