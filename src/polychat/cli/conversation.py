"""A conversation kept in a file of the person's own: the JSON of a `Thread`, for its owner's eyes only.

The file is replaced in one step after each answer; what cannot be read is refused before anything is sent, and never
overwritten.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from polychat.cli.terminal import note
from polychat.errors import BadOption, ConfigError

if TYPE_CHECKING:
    from polychat.types import Thread


def read(path: Path, *, new: bool) -> Thread | None:
    """The conversation in `path`; None for a file that is not there yet, where a `new` one may begin.

    Raises: `BadOption` for a file that is missing, damaged, or could not be written afterwards.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        if not new:
            raise _unusable(path, "does not exist") from error
        data = None
    except OSError as error:
        raise _unusable(path, f"cannot be read: {error.strerror}") from error
    if new and not os.access(path.resolve().parent, os.W_OK | os.X_OK):
        raise _unusable(path, "cannot be written: its folder is missing or not yours")
    return None if data is None else _decoded(path, data)


def _decoded(path: Path, data: bytes) -> Thread:
    import msgspec

    from polychat.types import Thread

    try:
        return msgspec.json.decode(data, type=Thread)
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError) as error:
        raise _unusable(path, f"is damaged and was left as it is ({error})") from error


def keep(path: Path, thread: Thread | None) -> None:
    """Write where the conversation stands now. Raises: `ConfigError`."""
    if thread is None or (thread.id is None and not thread.history):
        note(f"note: the service keeps nothing of this chat, so {path} was not written")
        return
    import msgspec

    target = path.resolve()  # behind a link the file itself is replaced, not the link
    draft: str | None = None
    try:
        descriptor, draft = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)  # 0600
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.encode(thread))
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(target)
    except OSError as error:
        if draft is not None:
            Path(draft).unlink(missing_ok=True)
        raise ConfigError(f"the conversation could not be kept in {path}: {error.strerror}") from error


def _unusable(path: Path, what: str) -> BadOption:
    return BadOption(
        f"the conversation file {path} {what}",
        field="conversation",
        hint="polychat chat --conversation FILE begins one in a file that is not there yet",
    )
