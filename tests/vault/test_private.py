"""One private file: who may reach it, one writer at a time, and nothing half-written."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from polychat.errors import ConfigError
from polychat.vault.private import Hidden, PrivateFile

posix = pytest.mark.skipif(sys.platform == "win32", reason="modes and signals are of POSIX")


@pytest.fixture
def file(tmp_path: Path) -> PrivateFile:
    return PrivateFile(tmp_path / "my data" / "things.json", "health file")


@pytest.fixture
def wide_open() -> Iterator[None]:
    """A process that hides nothing from anyone by itself."""
    before = os.umask(0)
    yield
    os.umask(before)


def write(file: PrivateFile, data: bytes, *, durable: bool = True) -> None:
    with file.locked():
        file.replace(data, durable=durable)


def modes(folder: Path) -> dict[str, int]:
    return {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}


def refusal(act: Callable[[], object]) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        act()
    return caught.value


# ---------------------------------------------------------------- reading and writing


def test_looking_makes_nothing(file: PrivateFile) -> None:
    """A file that is not there has no content and no stamp, and gets no folder."""
    assert (file.read(), file.stamp()) == (None, None)
    assert not file.path.parent.exists()


@pytest.mark.parametrize("durable", [True, False])
def test_what_is_written_is_read(file: PrivateFile, durable: bool) -> None:
    """The last content counts, whole, whether or not the disk is waited for."""
    for data in (b"one", b"a longer one", b""):
        write(file, data, durable=durable)
        assert data == file.read()


@posix
@pytest.mark.usefixtures("wide_open")
def test_only_the_owner_can_open_it(file: PrivateFile) -> None:
    """Folder 0700 and every file in it 0600, also when the process would allow more."""
    write(file, b"one")
    file.copy_to(file.sibling("copy"))

    assert stat.S_IMODE(file.path.parent.stat().st_mode) == 0o700
    assert modes(file.path.parent) == {"things.json": 0o600, "things.json.lock": 0o600, "things.json.copy": 0o600}


def test_a_stamp_tells_every_state_from_the_next(file: PrivateFile) -> None:
    """Also states of one size that follow each other faster than a file system's clock ticks."""
    stamps = set()
    for number in range(200):
        write(file, b"%03d" % number, durable=False)
        stamps |= {file.stamp(), file.stamp()}

    assert len(stamps) == 200


def test_a_killed_writers_draft_is_thrown_away(file: PrivateFile) -> None:
    """It stands in nobody's way."""
    write(file, b"one")
    file.sibling("new").write_bytes(b"half")
    write(file, b"two")

    assert file.read() == b"two"
    assert not file.sibling("new").exists()


@posix
def test_behind_a_link_the_file_is_changed_and_the_link_stays(file: PrivateFile, tmp_path: Path) -> None:
    """The file may live elsewhere."""
    write(file, b"one")
    link = tmp_path / "link.json"
    link.symlink_to(file.path)
    write(PrivateFile(link), b"two")

    assert link.is_symlink()
    assert file.read() == b"two"


def test_of_many_who_make_a_file_one_does(file: PrivateFile) -> None:
    """The others are told so, and everybody finds it whole."""
    start = threading.Barrier(8)

    def make(number: int) -> tuple[bool, bytes | None]:
        start.wait()
        return file.create(b"%d" % number * 100), file.read()

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(make, range(8)))

    assert [done for done, _ in made].count(True) == 1
    assert {file.read()} == {read for _, read in made}
    assert [path.name for path in file.path.parent.iterdir()] == ["things.json"]


def test_a_copy_overwrites_nothing(file: PrivateFile) -> None:
    """A file in its place is named and stays."""
    write(file, b"one")
    file.sibling("copy").write_bytes(b"mine")

    assert (
        "things.json.copy cannot be written: File exists" in refusal(lambda: file.copy_to(file.sibling("copy"))).message
    )
    assert file.sibling("copy").read_bytes() == b"mine"


def test_a_file_is_removed_if_there_is_one(file: PrivateFile) -> None:
    """Twice is once."""
    write(file, b"one")
    file.remove()
    file.remove()

    assert file.read() is None


# ---------------------------------------------------------------- who may reach it


@posix
@pytest.mark.parametrize("bits", [0o640, 0o604, 0o620, 0o610, 0o666])
def test_a_file_that_others_can_open_is_refused(file: PrivateFile, bits: int) -> None:
    """Its content, and its stamp, until its owner closes it; the hint is the command."""
    write(file, b"one")
    file.path.chmod(bits)

    for act in (file.read, file.stamp):
        error = refusal(act)
        assert error.message == f"the health file {file.path} can be opened by other users (mode 0{bits:o})"
        assert error.hint == f"chmod 600 '{file.path}'"


@posix
@pytest.mark.parametrize("bits", [0o770, 0o720, 0o702, 0o777])
def test_a_folder_that_others_can_write_to_is_refused(file: PrivateFile, bits: int) -> None:
    """Who can write there can put a file of his own in place of this one."""
    write(file, b"one")
    folder = file.path.parent
    folder.chmod(bits)

    for act in (file.read, lambda: write(file, b"two"), lambda: PrivateFile(folder / "other").create(b"two")):
        error = refusal(act)
        assert f"is in a folder that other users can write to (mode 0{bits:o})" in error.message
        assert error.hint == f"chmod go-w '{folder}'"
    assert file.path.read_bytes() == b"one"


@posix
def test_a_folder_for_everybody_is_not_to_be_closed(file: PrivateFile) -> None:
    """Of one like /tmp the hint does not say to take it from the others."""
    write(file, b"one")
    file.path.parent.chmod(0o1777)

    assert refusal(file.read).hint == "keep it in a folder of your own"


@posix
def test_a_folder_that_others_can_look_into_is_fine(file: PrivateFile) -> None:
    """They see names, and can open nothing."""
    write(file, b"one")
    file.path.parent.chmod(0o755)

    assert file.read() == b"one"


# ---------------------------------------------------------------- one writer at a time


def test_threads_that_lock_lose_nothing(file: PrivateFile) -> None:
    """Each reads, adds one and writes, alone."""
    write(file, b"0")

    def count(_: int) -> None:
        with file.locked():
            file.replace(b"%d" % (int(file.read() or b"") + 1), durable=False)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count, range(80)))

    assert file.read() == b"80"


def test_a_lock_that_is_never_let_go_is_told(file: PrivateFile) -> None:
    """Nobody waits for ever, and the lock is free again afterwards."""
    with file.locked():
        error = refusal(lambda: file.locked(wait_s=0.02).__enter__())
    assert error.message == (
        f"the health file {file.path} is being changed by another process, for more than 0.02 seconds now"
    )
    write(file, b"one")


HOLDER = """
import sys, time
from polychat.vault.private import PrivateFile

with PrivateFile(sys.argv[1]).locked():
    print("locked", flush=True)
    time.sleep(60)
"""


@posix
def test_a_killed_holder_lets_go(file: PrivateFile) -> None:
    """The lock is the process's, and goes with it."""
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(file.path)], stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        refusal(lambda: file.locked(wait_s=0.02).__enter__())
        process.send_signal(signal.SIGKILL)
    write(file, b"one")

    assert file.read() == b"one"


# ---------------------------------------------------------------- what the disk refuses


def test_a_path_through_a_file_is_named(file: PrivateFile) -> None:
    """The error says which path, and that a part of it is no folder."""
    write(file, b"one")
    below = PrivateFile(file.path / "below", "key file")

    for act in (below.read, below.stamp, lambda: write(below, b"x"), lambda: below.create(b"x")):
        error = refusal(act)
        assert error.message.startswith(f"the key file {below.path} cannot be ")
        assert error.hint == "a part of the path is a file where a folder should be"


def test_a_folder_in_its_place_is_named(file: PrivateFile) -> None:
    """It can neither be read nor replaced."""
    file.path.mkdir(parents=True)

    for act in (file.read, lambda: write(file, b"x")):
        assert refusal(act).hint == "a folder is where the file should be"
    assert [path.name for path in file.path.parent.iterdir() if path.name.endswith("new")] == []


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="there is no /proc")
def test_a_disk_that_takes_nothing_is_named() -> None:
    """Not even a folder can be made there."""
    file = PrivateFile("/proc/polychat/things.json")

    assert refusal(lambda: write(file, b"x")).message.startswith(
        "the file /proc/polychat/things.json cannot be written: "
    )


FULL_DISK = """
import resource, sys
from polychat.errors import ConfigError
from polychat.vault.private import PrivateFile

resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
file = PrivateFile(sys.argv[1], "health file")
for act in (file.replace, file.create if sys.argv[2] == "new" else file.replace):
    try:
        with file.locked():
            act(b"x" * 5000)
    except ConfigError as error:
        print(error)
"""
FULL_STICK = """
import resource, sys
from pathlib import Path
from polychat.errors import ConfigError
from polychat.vault.private import PrivateFile

resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    PrivateFile(sys.argv[1]).copy_to(Path(sys.argv[1] + ".copy"))
except ConfigError as error:
    print(error.message)
"""


@posix
@pytest.mark.parametrize("content", [None, b"one"])
def test_a_full_disk_leaves_what_was_there(file: PrivateFile, content: bytes | None) -> None:
    """The old file is whole, no draft is left, and the error says what to do."""
    if content:
        write(file, content)
    arguments = [sys.executable, "-c", FULL_DISK, str(file.path), "old" if content else "new"]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)

    told = (
        f"the health file {file.path} cannot be written: File too large\n"
        "hint: raise the limit on the size of files (ulimit -f); what was there before is still whole\n"
    )
    assert done.stdout == told * 2
    assert content == file.read()
    assert not [path for path in file.path.parent.iterdir() if path.name.endswith("new")]


@posix
def test_half_a_copy_is_none(file: PrivateFile) -> None:
    """A copy that does not fit leaves nothing that looks like one."""
    write(file, b"x" * 5000)
    done = subprocess.run(
        [sys.executable, "-c", FULL_STICK, str(file.path)], capture_output=True, text=True, check=True
    )

    assert done.stdout == f"the copy {file.sibling('copy')} cannot be written: File too large\n"
    assert not file.sibling("copy").exists()


def test_a_failed_write_shows_nothing_of_the_content(file: PrivateFile) -> None:
    """Not in a traceback that is printed with all local variables either."""
    file.path.mkdir(parents=True)
    with pytest.raises(ConfigError) as caught, file.locked():
        file.replace(b"canary")
    told = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())

    assert "hidden bytes" in told
    assert told.count("canary") == 1  # the line above, in the source
    assert repr(Hidden(b"canary")) == "<6 hidden bytes>"
