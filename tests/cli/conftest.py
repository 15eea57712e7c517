"""The real program in a process of its own, against a real sandbox."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from polychat.sandbox import Sandbox

TIMEOUT_S = 30.0
CTRL_C = "\x03"
PROGRAM = (sys.executable, "-m", "polychat.cli")


class Program:
    """`polychat` as a person or a script would start it; `env` is all of its environment."""

    def __init__(self, home: Path, sandbox: Sandbox) -> None:
        self.home = home
        self.sandbox = sandbox
        self.started: list[subprocess.Popen[bytes]] = []
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "POLYCHAT_HOME": str(home),
            "POLYCHAT_SANDBOX": sandbox.url,
            "POLYCHAT_MODEL": "reka",  # whichever service comes first, these tests are about one
        }

    def __call__(
        self, *args: str, stdin: bytes = b"", env: Mapping[str, str | None] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run to the end; stdout and stderr as text. None in `env` unsets a variable."""
        done = subprocess.run(
            [*PROGRAM, *args], input=stdin, env=self._env(env), capture_output=True, timeout=TIMEOUT_S, cwd=self.home
        )
        return subprocess.CompletedProcess(args, done.returncode, done.stdout.decode(), done.stderr.decode())

    def configure(self, text: str) -> Path:
        """Let that be the person's config.toml; its path."""
        file = self.home / "config" / "config.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def start(self, *args: str) -> subprocess.Popen[bytes]:
        """Begin; stdin is empty, stdout and stderr are pipes."""
        process = subprocess.Popen(
            [*PROGRAM, *args],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.env,
            cwd=self.home,
        )
        self.started.append(process)
        return process

    def on_terminal(
        self, *args: str, replies: Mapping[str, str] | None = None, columns: int = 80, **env: str | None
    ) -> tuple[int, str]:
        """Run with a terminal at all three ends: the exit code and everything that was drawn.

        `replies` says what is typed once something was drawn; CTRL_C interrupts.
        """
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        process = subprocess.Popen(
            [*PROGRAM, *args],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=self._env({"TERM": "xterm-256color", **env}),
            cwd=self.home,
            start_new_session=True,
        )
        os.close(theirs)
        waiting = dict(replies or {})
        drawn = b""
        deadline = time.monotonic() + TIMEOUT_S
        while time.monotonic() < deadline:
            if select.select([ours], [], [], 0.1)[0]:
                try:
                    drawn += os.read(ours, 65536)
                except OSError:  # how Linux tells that the other end is closed
                    break
            elif process.poll() is not None:
                break
            for prompt in [prompt for prompt in waiting if prompt.encode() in drawn]:
                reply = waiting.pop(prompt)
                if reply == CTRL_C:
                    process.send_signal(signal.SIGINT)
                else:
                    os.write(ours, reply.encode())
        os.close(ours)
        return process.wait(TIMEOUT_S), drawn.decode().replace("\r\n", "\n")

    def _env(self, changes: Mapping[str, str | None] | None) -> dict[str, str]:
        return {name: value for name, value in (self.env | dict(changes or {})).items() if value is not None}


@pytest.fixture
def polychat(tmp_path: Path, sandbox: Sandbox) -> Iterator[Program]:
    """The program, at home in an empty folder; what a test started and did not end is ended."""
    program = Program(tmp_path, sandbox)
    yield program
    for process in program.started:
        if process.poll() is None:
            process.kill()
            process.communicate()
