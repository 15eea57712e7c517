"""`polychat sandbox`: serves, says where, and ends."""

from __future__ import annotations

import json
import re
import signal
import socket
from typing import Any
from urllib.request import urlopen

import pytest


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_told_to_end(polychat: Any, ending: signal.Signals) -> None:
    """The one line on stdout can be run by a shell; both signals end it with 0."""
    process = polychat.start("sandbox", "--port", "0")
    line = process.stdout.readline().decode()
    url = line.removeprefix("export POLYCHAT_SANDBOX=").strip()
    with urlopen(f"{url}/_sandbox/health") as answer:
        assert answer.status == 200
    process.send_signal(ending)
    rest, stderr = process.communicate(timeout=30)
    assert (process.returncode, line.startswith("export POLYCHAT_SANDBOX=http://127.0.0.1:"), rest) == (0, True, b"")
    assert re.search(rf"  {url}/reka +Reka", stderr.decode())


def test_json_is_the_url(polychat: Any) -> None:
    """--json prints one document as soon as it answers."""
    process = polychat.start("sandbox", "--port", "0", "--json")
    assert json.loads(process.stdout.readline())["url"].startswith("http://127.0.0.1:")
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=30) == (b"", b"")


def test_a_taken_port_is_2(polychat: Any) -> None:
    """The address is named, and the way out."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = polychat("sandbox", "--port", str(port))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"error: cannot listen on 127.0.0.1 port {port}: address already in use\n"
        "hint: choose another with --port, or --port 0 for any\n"
    )


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "example.org"])
def test_others_are_let_in_only_when_that_is_meant(polychat: Any, host: str) -> None:
    """A host beyond this machine needs --expose."""
    done = polychat("sandbox", "--host", host, "--port", "0")
    assert (done.returncode, done.stdout, "--expose" in done.stderr) == (2, "", True)
