"""What is pasted: whole, unseen, and the terminal is afterwards as it was."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time

import pytest

PROGRAM = """
from polychat.cli import pasting
print(len(pasting.text("something")), "characters")
"""


def run(typed: bytes, *, interrupted: bool = False) -> tuple[int, str, bool]:
    """Exit code, what was drawn, and whether the terminal is as before, once `typed` was pasted."""
    ours, theirs = pty.openpty()
    before = termios.tcgetattr(theirs)
    process = subprocess.Popen([sys.executable, "-c", PROGRAM], stdin=theirs, stdout=theirs, stderr=theirs)
    drawn, deadline = b"", time.monotonic() + 20
    while process.poll() is None and time.monotonic() < deadline:
        if select.select([ours], [], [], 0.05)[0]:
            drawn += os.read(ours, 65536)
        if typed and b"not shown" in drawn:
            typed = typed[os.write(ours, typed) :]
            if interrupted:
                process.send_signal(signal.SIGINT)
    while select.select([ours], [], [], 0)[0]:
        drawn += os.read(ours, 65536)
    same = termios.tcgetattr(theirs) == before
    os.close(ours)
    os.close(theirs)
    return process.wait(10), drawn.decode(), same


@pytest.mark.parametrize("length", [0, 3, 70_000])
def test_a_paste_ends_with_ctrl_d(length: int) -> None:
    """However long its lines are, and without a line end before."""
    code, drawn, same = run(b"x" * length + b"\x04")
    assert (code, same) == (0, True)
    assert drawn == f"paste something, then press Ctrl-D; it is not shown\r\n{length} characters\r\n"


def test_an_interruption_leaves_the_terminal_as_it_was() -> None:
    """What was typed next would otherwise not be seen."""
    code, drawn, same = run(b"x", interrupted=True)
    assert (code != 0, "KeyboardInterrupt" in drawn, same) == (True, True, True)


def test_a_pipe_is_read_to_its_end() -> None:
    """Nobody is asked for anything."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], input=b"a\x04b\n", capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"4 characters\n", b"")


def test_what_is_no_text_is_refused() -> None:
    """It may be a picture."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], input=b"\xff", capture_output=True, check=False)
    assert b"stdin is not text in UTF-8" in done.stderr
