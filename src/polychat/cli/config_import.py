"""The config of another program, taken over: read, told about, written to a place of its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from polychat.cli import files
from polychat.cli.moving import read
from polychat.cli.terminal import harmless, note
from polychat.errors import BadOption, ConfigError

if TYPE_CHECKING:
    from polychat.engine.importing.mapped import Converted, Remark

Convert = Callable[..., "Converted"]
STDIN = "-"
_KINDS = {"left_out": "left out", "differs": "differs", "to_do": "to do"}


def converted(convert: Convert, file: str) -> Converted:
    """What that file becomes; - is stdin. Raises: `BadOption`, `ConfigError`."""
    name = "stdin" if file == STDIN else file
    data = sys.stdin.buffer.read() if file == STDIN else read(Path(file))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{name} is not text in UTF-8", hint="name the YAML file itself") from error
    return convert(text, name=name)


def refuse_taken(place: Path | None) -> None:
    """Raises: `BadOption` for a file that is there already."""
    if place is not None and (place.exists() or place.is_symlink()):
        raise BadOption(
            f"{place} is there already, and is not overwritten",
            field="output",
            hint="-O names another file; what you want of it you can then copy over",
        )


def write(text: str, place: Path) -> None:
    """Make that file, for its owner only, and its folder. Raises: `BadOption`, `ConfigError`."""
    with files.writing(place):
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            refuse_taken(place)
            raise
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
        except OSError:
            place.unlink(missing_ok=True)
            raise


def tell(found: Converted, source: str) -> None:
    """Every remark on stderr, those of one reason together."""
    alike: dict[tuple[str, str, str | None], list[Remark]] = {}
    for remark in found.remarks:
        alike.setdefault((remark.kind, remark.reason, remark.hint), []).append(remark)
    for (kind, reason, hint), remarks in alike.items():
        first, more = remarks[0], len(remarks) - 1
        where = f"{source}:{first.line}" if first.line else source
        others = f" and {more} more" if more else ""
        said = f"{first.path}{others}: {reason}" + (f" ({hint})" if hint else "")
        note(f"{click.style(_KINDS[kind] + ':', fg='yellow')} {harmless(f'{where}: {said}')}")


def facts(found: Converted, text: str, source: str, written: Path | None) -> dict[str, Any]:
    """All of it, for --json."""
    return {
        "program": found.program,
        "file": source,
        "config": found.table,
        "toml": text,
        "written": written and str(written),
        "unmapped": [msgspec.structs.asdict(remark) for remark in found.remarks],
    }
