"""The file of a batch's answers, in the order in which they came, each line written whole.

There is one line for each question: to resume, lines that failed are taken out, and asked again. A program that was
killed leaves at most one torn line at the end, which is cut off then. The file is locked while it is written.
"""

from __future__ import annotations

import os
import secrets
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec

from polychat.client.batches.answers import OK, Answer
from polychat.errors import BadOption, ConfigError

_BEGINS = b'{"id":"batch_req_'  # each line that is written here


class _Status(msgspec.Struct):
    status_code: int


class _Written(msgspec.Struct):
    """What matters of a line that was written earlier."""

    id: str
    custom_id: str
    response: _Status | None
    error: dict[str, Any] | None


def refuse_taken(path: Path) -> None:
    """Raises: `BadOption` for a file that holds something, or cannot be made."""
    if path.is_dir():
        raise BadOption(f"{path} is a folder, not a file", field="output")
    if path.exists() and (not path.is_file() or path.stat().st_size):
        raise BadOption(
            f"{path} is there already", field="output", hint="--resume goes on where it ended; or name another file"
        )


class Output:
    """The file at `path`, open for one writer alone.

    Raises: `BadOption` where another run writes it; `ConfigError` for what the disk refuses.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._named():
            self._descriptor = _locked(path)
            self._end = os.fstat(self._descriptor).st_size
        self._unsynced = False

    def close(self) -> None:
        """Everything is on the disk, and others may write."""
        try:
            self.sync()
        finally:
            os.close(self._descriptor)

    def sync(self) -> None:
        """What was written outlives a power cut, too."""
        if self._unsynced:
            self._unsynced = False
            with self._named():
                os.fsync(self._descriptor)

    def write(self, answer: Answer) -> None:
        """Add a line, or nothing of it."""
        data = msgspec.json.encode(answer) + b"\n"
        try:
            with self._named():
                _write(self._descriptor, data)
        except BaseException:
            os.ftruncate(self._descriptor, self._end)
            raise
        self._end += len(data)
        self._unsynced = True

    # ------------------------------------------------------------ going on

    def resume(self, finished: Callable[[str], object]) -> None:
        """Tell `finished` the `custom_id` of each answer that is there, and take out everything else.

        Raises: `BadOption`, and nothing is changed, for a file that is no batch's output.
        """
        whole = True
        with self._named():
            for data, custom_id in self._lines():
                if custom_id is not None:
                    finished(custom_id)
                whole = whole and custom_id is not None and data.endswith(b"\n")
            if not whole:
                self._replace()
            self._end = os.fstat(self._descriptor).st_size

    def _lines(self) -> Iterator[tuple[bytes, str | None]]:
        """Each line there is, and whose answer it is; None for one that is to go."""
        with self.path.open("rb") as file:
            for number, data in enumerate(file, 1):
                yield data, self._answered(data, number)

    def _answered(self, data: bytes, number: int) -> str | None:
        try:
            written = msgspec.json.decode(data, type=_Written)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            torn = not data.endswith(b"\n") and data[: len(_BEGINS)] == _BEGINS[: len(data)]
            if torn or not data.strip():
                return None
            raise BadOption(
                f"{self.path}:{number} is no line of a batch's output",
                field="output",
                hint="name the file that the batch wrote, or take that line out",
            ) from error
        ok = written.error is None and written.response is not None and written.response.status_code == OK
        return written.custom_id if ok else None

    def _replace(self) -> None:
        """Put a file with only the answers in the place of this one, in one step; both are locked meanwhile."""
        draft = self.path.with_name(f".{self.path.name}.{secrets.token_hex(4)}")
        new = _locked(draft)
        try:
            shutil.copymode(self.path, draft)
            for data, custom_id in self._lines():
                if custom_id is not None:
                    _write(new, data if data.endswith(b"\n") else data + b"\n")
            os.fsync(new)
            self._take_place(draft, new)
        except BaseException:
            draft.unlink(missing_ok=True)
            with suppress(OSError):
                os.close(new)
            raise

    def _take_place(self, draft: Path, new: int) -> None:
        if sys.platform == "win32":  # a file that is open cannot be replaced there
            os.close(new)
            os.close(self._descriptor)
            draft.replace(self.path)
            self._descriptor = _locked(self.path)
            return
        draft.replace(self.path)
        os.close(self._descriptor)
        self._descriptor = new

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise ConfigError(
                f"{self.path} cannot be written: {error.strerror}",
                hint="mend that, then go on with --resume; what was written is whole",
            ) from error


def _write(descriptor: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]


# ---------------------------------------------------------------- one writer


def _locked(path: Path) -> int:
    """The file, made if there is none, opened for one writer alone. Raises: `BadOption` where there is another."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o666)
        if not _try_lock(descriptor):
            os.close(descriptor)
            raise BadOption(
                f"{path} is being written by another run",
                field="output",
                hint="wait until that one has ended, or name another file",
            )
        if _is_still(path, descriptor):
            return descriptor
        os.close(descriptor)  # replaced between opening and locking


def _is_still(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


if sys.platform == "win32":
    import msvcrt

    _FAR_BYTE = 1 << 62  # beyond what anybody reads: locks keep readers out there

    def _try_lock(descriptor: int) -> bool:
        os.lseek(descriptor, _FAR_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
