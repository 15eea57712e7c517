"""The sandbox as a server: starts at once, stops at once, stands alone."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request

import pytest

from polychat.sandbox import PortTaken, Sandbox, serve


def test_a_sandbox_answers_while_its_block_lasts():
    """Inside the `with` the URL answers; after it nobody listens there."""
    with Sandbox() as sandbox:
        with urllib.request.urlopen(f"{sandbox.url}/_sandbox/health") as answer:
            assert answer.status == 200
        host, port = sandbox.url.removeprefix("http://").split(":")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), timeout=5)


def test_two_sandboxes_do_not_share_anything():
    """Each has its own people, clock and port."""
    with Sandbox() as one, Sandbox() as other:
        one.add_account("sandbox-carol")
        one.clock(advance_s=10_000)
        assert one.url != other.url
        assert other.accounts() == ["sandbox-alice", "sandbox-bob"]
        assert abs(other.clock() - time.time()) < 100


def test_a_taken_port_is_one_clear_sentence():
    """The error says host and port, and is an OSError."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken, match=f"cannot listen on 127.0.0.1 port {port}.*choose another port"):
            Sandbox(port=port).start()
        with pytest.raises(OSError):
            serve(port=port)


def test_stopping_does_not_wait_for_a_stalled_client(capfd):
    """A connection in the middle of a stall is closed, the thread ends, and nothing is printed."""
    with Sandbox() as sandbox, socket.create_connection(_address(sandbox), timeout=10) as client:
        sandbox.fault("reka", "stall", after=0)
        client.sendall(b"GET /reka/bff/auth/login HTTP/1.1\r\nhost: x\r\n\r\n")
        assert client.recv(1000).startswith(b"HTTP/1.1 200 OK")
        started = time.monotonic()
        sandbox.stop()
        assert time.monotonic() - started < 1
        assert client.recv(1000) == b""
    assert [thread.name for thread in threading.enumerate() if thread is _thread(sandbox)] == []
    assert capfd.readouterr() == ("", "")


def test_stopping_twice_is_no_error():
    """So that a `with` block may be left early."""
    with Sandbox() as sandbox:
        sandbox.stop()
    sandbox.stop()


def test_a_sandbox_can_be_started_again():
    """The same object serves once more, with new state."""
    sandbox = Sandbox()
    for _ in range(2):
        with sandbox:
            assert sandbox.accounts() == ["sandbox-alice", "sandbox-bob"]
            sandbox.add_account("sandbox-carol")


def test_the_root_leads_to_the_overview(ask):
    """A person who opens the bare address in a browser sees what is there."""
    assert ask("GET", "/").headers["location"] == "/_sandbox/"


def test_it_serves_from_the_command_line_and_ends_with_an_interrupt():
    """`python -m polychat.sandbox` says where it listens, answers there, and ends with 0 on Ctrl+C."""
    command = [sys.executable, "-W", "error", "-m", "polychat.sandbox", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        url = process.stderr.readline().split()[1]
        with urllib.request.urlopen(f"{url}_sandbox/health") as answer:
            assert answer.status == 200
        process.send_signal(signal.SIGINT)
        assert (process.stderr.read(), process.wait(10)) == ("", 0)


def test_it_imports_nothing_else_of_polychat():
    """The emulation cannot share a decoder's mistakes: only the parent package itself is loaded beside it."""
    program = (
        "import sys, polychat.sandbox.server\n"
        "with polychat.sandbox.server.Sandbox() as sandbox: sandbox.reset()\n"
        "print([name for name in sys.modules if name.startswith('polychat.')"
        " and not name.startswith('polychat.sandbox')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def _address(sandbox: Sandbox) -> tuple[str, int]:
    host, port = sandbox.url.removeprefix("http://").split(":")
    return host, int(port)


def _thread(sandbox: Sandbox) -> threading.Thread | None:
    return sandbox._thread
