"""What writes the ledger, in processes of its own: killed, many at once, without a disk, at the end of a program."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from polychat.engine.ledger.reader import Reader

TIMEOUT_S = 60.0
PUTTING = """
import sys, time
from pathlib import Path
from polychat.engine.ledger.record import Record, new_id
from polychat.engine.ledger.writer import Ledger

ledger = Ledger(Path(sys.argv[1]))
def put(number, **facts):
    at = time.time()
    ledger.put(Record(id=new_id(at), at=at, wanted=f"{sys.argv[2]}-{number}", **facts))
"""
FOREVER = (
    PUTTING
    + """
number = 0
while True:
    put(number, finish="x" * 200)
    print(number, time.time(), flush=True)
    number += 1
    time.sleep(0.005)  # so that it is time, not number, that ends a batch
"""
)
A_FEW = PUTTING + "for number in range(300): put(number)\nledger.close()\nprint(ledger.dropped)"
WITHOUT_CLOSING = PUTTING + "put(0)"
ON_A_SMALL_DISK = (
    """
import logging, resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))
logging.basicConfig(format="%(name)s: %(message)s")
"""
    + PUTTING
    + """
for number in range(3_000): put(number, finish="x" * 500)
ledger.close(30)
print(ledger.dropped)
"""
)
FORKING = (
    PUTTING
    + """
import os
from polychat.engine.ledger.reader import Reader
put(0)
while not (Path(sys.argv[1]).exists() and Reader(Path(sys.argv[1])).newest()): time.sleep(0.01)
if child := os.fork():
    os.waitpid(child, 0)
    ledger.close()
else:
    put(1)
    ledger.close()
    os._exit(0)
"""
)


def start(program: str, path: Path, name: str = "a") -> subprocess.Popen[str]:
    """Run `program` in a new interpreter."""
    arguments = [sys.executable, "-c", program, str(path), name]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finished(process: subprocess.Popen[str]) -> tuple[str, str]:
    """What it said, once it has ended well."""
    out, err = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 0, err
    return out, err


def found(path: Path) -> list[str]:
    """What was wanted by the requests in the file, in the order of writing."""
    with Reader(path) as reader:
        return [record.wanted for record in reader.after(None)]


def integrity(path: Path) -> Any:
    """SQLite's own judgement of the file."""
    connection = sqlite3.connect(path)
    try:
        return connection.execute("PRAGMA integrity_check").fetchone()[0]
    finally:
        connection.close()


def test_a_killed_process_loses_its_last_second_at_most(path: Path) -> None:
    """SIGKILL in the midst of writing: the file is whole, and what was put a second before is there, without a gap."""
    process = start(FOREVER, path)
    assert process.stdout is not None
    first = float(process.stdout.readline().split()[1])
    put: list[float] = [first]
    while put[-1] - first < 2.5:  # long enough for a few transactions
        put.append(float(process.stdout.readline().split()[1]))
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=TIMEOUT_S)
    numbers = [
        int(wanted.partition("-")[2]) for wanted in found(path)
    ]  # the first to open it after the kill only reads
    assert integrity(path) == "ok"
    assert numbers == list(range(len(numbers)))
    assert len(numbers) >= sum(at < put[-1] - 1.0 for at in put) > 0


def test_two_processes_write_to_one_file(path: Path) -> None:
    """Both begin where there is no file yet, and nothing of either is lost."""
    processes = [start(A_FEW, path, name) for name in ("a", "b")]
    assert [finished(process) for process in processes] == [("0\n", ""), ("0\n", "")]
    wanted = found(path)
    assert sorted(wanted) == sorted(f"{name}-{number}" for name in "ab" for number in range(300))
    assert [one for one in wanted if one.startswith("a")] == [f"a-{number}" for number in range(300)]
    assert integrity(path) == "ok"


def test_a_program_that_ends_writes_what_waits(path: Path) -> None:
    """Also one that does not close its ledger."""
    assert finished(start(WITHOUT_CLOSING, path)) == ("", "")
    assert found(path) == ["a-0"]


def test_a_full_disk_costs_records_and_nothing_else(path: Path) -> None:
    """The program goes on; one warning; what was written before is whole, and what was not is counted."""
    out, err = finished(start(ON_A_SMALL_DISK, path))
    written = found(path)
    assert (len(written) + int(out), 0 < int(out) < 3_000) == (3_000, True)
    assert err.count("\n") == 1
    assert err.startswith("polychat.ledger: requests are not recorded: ")
    assert integrity(path) == "ok"


@pytest.mark.skipif(not hasattr(signal, "SIGCHLD"), reason="there is no fork")
def test_a_child_of_a_fork_writes_too(path: Path) -> None:
    """It has no thread of its parent's, and makes its own; what its parent wrote stays."""
    finished(start(FORKING, path))
    assert sorted(found(path)) == ["a-0", "a-1"]
