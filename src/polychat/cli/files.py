"""Where a picture or a sound goes: a name of its own making, one that was given, or stdout.

No file is overwritten unless that is asked for: a given name that is taken is refused before anything is sent, a made
one gets a number.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import click

from polychat.cli.terminal import is_terminal
from polychat.errors import BadOption, ConfigError

F = TypeVar("F", bound=Callable[..., Any])
STDOUT = "-"
_STEM_WORDS = 6
_STEM_LENGTH = 48  # characters


def output(what: str) -> Callable[[F], F]:
    """`-O FILE` and `--force`, passed on as `output` and `force`."""

    def added(command: F) -> F:
        forced = click.option("--force", is_flag=True, help="Overwrite a file that is there.")(command)
        return click.option(
            "-O",
            "--output",
            metavar="FILE|-",
            help=f"Save {what} there; - writes to stdout. A name is made unless given.",
        )(forced)

    return added


def check(output: str | None, *, force: bool, as_json: bool) -> None:
    """Raises: `BadOption` for a place that cannot be written to."""
    if output == STDOUT:
        if as_json:
            raise BadOption("--json and --output - exclude each other", field="output")
        if is_terminal(sys.stdout):
            raise BadOption("stdout is a terminal", field="output", hint="name a file, or send it through a pipe")
        return
    if output is None:
        return
    path = Path(output)
    if path.exists() and not path.is_dir() and not force:
        raise BadOption(f"{output} is there already", field="output", hint="--force overwrites it")
    if not path.parent.is_dir():
        raise BadOption(f"{output} cannot be written: there is no folder {path.parent}", field="output")


def place(output: str | None, stem: str, extension: str, *, force: bool) -> Path:
    """The file to write: the one given, or one of a made name in the given or the current folder."""
    if output is not None and not Path(output).is_dir():
        return Path(output)
    path = Path(output or "") / f"{stem}.{extension}"
    return path if force else free(path)


def free(path: Path) -> Path:
    """`path`, or with the first number that makes it a file that is not there."""
    names = (path if number == 1 else path.with_stem(f"{path.stem}-{number}") for number in count(1))
    return next(name for name in names if not name.exists())


def stem(text: str, *, otherwise: str) -> str:
    """The first words of `text` as the name of a file: lower case, joined by dashes."""
    words = re.findall(r"[^\W_]+", text.lower())[:_STEM_WORDS]
    return "-".join(words)[:_STEM_LENGTH].strip("-") or otherwise


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """What the disk refuses becomes a `ConfigError` that names `path`."""
    try:
        yield
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}") from error
