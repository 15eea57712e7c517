"""One small file for its owner's eyes only: a vault, a key, the health of accounts.

The file is 0600, and its folder 0700 if it is made here; a file that others can open, or in whose folder others can
write, is refused. It is replaced in one step, so a reader needs no lock and sees the old file or the new one, whole.
Who reads, edits and replaces does so inside `locked()`, alone among all processes and threads. What the disk refuses is
a `ConfigError` that names the file and leaves it as it was.
"""

from __future__ import annotations

import errno
import os
import secrets
import shlex
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from polychat.errors import ConfigError

_LOCK_WAIT_S = 30.0
_LOCK_TICK_S = 0.005
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_STILL_WHOLE = "what was there before is still whole"
_HINTS = {
    errno.ENOSPC: f"free some space; {_STILL_WHOLE}",
    errno.EDQUOT: f"free some space; {_STILL_WHOLE}",
    errno.EFBIG: f"raise the limit on the size of files (ulimit -f); {_STILL_WHOLE}",
    errno.EROFS: f"make the disk writable, or choose another folder with POLYCHAT_HOME; {_STILL_WHOLE}",
    errno.EACCES: "make the file and its folder yours, or choose another folder with POLYCHAT_HOME",
    errno.EPERM: "make the file and its folder yours, or choose another folder with POLYCHAT_HOME",
    errno.ENOTDIR: "a part of the path is a file where a folder should be",
    errno.EEXIST: "a part of the path is a file where a folder should be",
    errno.EISDIR: "a folder is where the file should be",
}


class Hidden(bytes):
    """Bytes on their way into a file: themselves for who writes them, a mask for who prints locals."""

    def __repr__(self) -> str:
        return f"<{len(self)} hidden bytes>"


class Stamp(NamedTuple):
    """What tells one state of a file from the next."""

    mtime_ns: int
    size_bytes: int
    inode: int


class PrivateFile:
    """The file at `path`, which need not exist yet; `noun` is what messages call it, as in "vault file"."""

    def __init__(self, path: Path | str, noun: str = "file") -> None:
        self.path = Path(path).resolve()  # behind a link the file itself is replaced, not the link
        self.noun = noun
        self._name = str(self.path)

    def __str__(self) -> str:
        return f"the {self.noun} {self.path}"

    # ------------------------------------------------------------ reading

    def stamp(self) -> Stamp | None:
        """The state it is in; None when there is no file. Costs one system call.

        Take it before `read`: what is read is then at least as new, and a reader may keep it until the stamp changes.
        Raises: `ConfigError` for a file that others can open.
        """
        try:
            status = os.stat(self._name)  # noqa: PTH116 - a third of the time of Path.stat
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._failed("read", error) from error
        if stat.S_ISDIR(status.st_mode):
            raise self._failed("read", IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR)))
        self._refuse_shared(status.st_mode)
        return Stamp(status.st_mtime_ns, status.st_size, status.st_ino)

    def read(self) -> bytes | None:
        """All of it; None when there is no file. Raises: `ConfigError`, also for a file that others can reach."""
        with self._failures_named("read"):
            try:
                file = self.path.open("rb")
            except FileNotFoundError:
                return None
            with file:
                self._refuse_shared(os.fstat(file.fileno()).st_mode)
                self._refuse_shared_folder()
                return file.read()

    # ------------------------------------------------------------ writing

    @contextmanager
    def locked(self, wait_s: float = _LOCK_WAIT_S) -> Iterator[None]:
        """Alone among all who lock this file; its folder is made if there is none. Not to be nested.

        Raises: `ConfigError` when another keeps the lock for longer than `wait_s`.
        """
        with self._failures_named("written"):
            self._make_folder()
            descriptor = os.open(self.sibling("lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            with self._failures_named("locked"):
                self._wait_for_lock(descriptor, wait_s)
            yield
        finally:
            os.close(descriptor)  # lets go of the lock

    def replace(self, data: bytes, *, durable: bool = True) -> None:
        """Put `data` in place of what is there, in one step; call it inside `locked()`.

        Not `durable` spares the wait for the disk: after a power cut the old file may be back, or an empty one.
        """
        draft, data = self.sibling("new"), Hidden(data)
        with self._failures_named("written"):
            draft.unlink(missing_ok=True)  # of a writer that was killed; the lock is ours
            _write_new(draft, data, durable=durable)
            with _thrown_away(draft):
                draft.replace(self.path)
            if durable:
                _flush_folder(self.path.parent)

    def create(self, data: bytes) -> bool:
        """Make the file, whole from its first moment, and its folder; False when there is one already, which stays."""
        draft, data = self.sibling(f"{secrets.token_hex(4)}.new"), Hidden(data)
        with self._failures_named("written"):
            self._make_folder()
            _write_new(draft, data, durable=True)
            with _thrown_away(draft):
                try:
                    os.link(draft, self.path)
                except FileExistsError:
                    return False
            _flush_folder(self.path.parent)
        return True

    def copy_to(self, copy: Path) -> None:
        """Copy what is there to a new file, in whatever folder. Raises: `ConfigError`, also when `copy` exists."""
        data = Hidden(self.read() or b"")
        other = PrivateFile(copy, "copy")
        with other._failures_named("written"):
            _write_new(copy, data, durable=True)

    def remove(self) -> None:
        """Delete the file, if there is one."""
        with self._failures_named("removed"):
            self.path.unlink(missing_ok=True)

    def sibling(self, ending: str) -> Path:
        """The path beside it with `ending` after its name."""
        return self.path.with_name(f"{self.path.name}.{ending}")

    def _make_folder(self) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._refuse_shared_folder()

    # ------------------------------------------------------------ what is refused

    def _wait_for_lock(self, descriptor: int, wait_s: float) -> None:
        deadline = time.monotonic() + wait_s
        while not _try_lock(descriptor):
            if time.monotonic() > deadline:
                raise ConfigError(
                    f"{self} is being changed by another process, for more than {wait_s:g} seconds now",
                    hint="end that process, or try again",
                )
            time.sleep(_LOCK_TICK_S)

    def _refuse_shared(self, mode: int) -> None:
        if sys.platform != "win32" and mode & _OTHERS:
            raise ConfigError(
                f"{self} can be opened by other users (mode {stat.S_IMODE(mode):04o})",
                hint=f"chmod 600 {shlex.quote(str(self.path))}",
            )

    def _refuse_shared_folder(self) -> None:
        folder = self.path.parent
        mode = folder.stat().st_mode
        if sys.platform == "win32" or not mode & _OTHERS_WRITE:
            return
        mend = f"chmod go-w {shlex.quote(str(folder))}"
        raise ConfigError(
            f"{self} is in a folder that other users can write to (mode {stat.S_IMODE(mode):04o})",
            hint="keep it in a folder of your own" if mode & stat.S_ISVTX else mend,
        )

    @contextmanager
    def _failures_named(self, act: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise self._failed(act, error) from error

    def _failed(self, act: str, error: OSError) -> ConfigError:
        return ConfigError(f"{self} cannot be {act}: {error.strerror}", hint=_HINTS.get(error.errno or 0))


@contextmanager
def _thrown_away(draft: Path) -> Iterator[None]:
    """`draft` is gone in the end, whatever happens."""
    try:
        yield
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def _write_new(path: Path, data: Hidden, *, durable: bool) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            now = time.time_ns()
            os.utime(path, ns=(now, now))  # a file system's own clock ticks too slowly to tell two states apart
            if durable:
                os.fsync(file.fileno())
    except OSError:
        path.unlink(missing_ok=True)
        raise


if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True

    def _flush_folder(folder: Path) -> None:
        """Windows keeps folders by itself."""
else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _flush_folder(folder: Path) -> None:
        """A new name is on the disk only when its folder is."""
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
