"""The sandbox answers at a second origin, for links that are not to be sent credentials."""

from __future__ import annotations

import sys
import urllib.request
from urllib.parse import urlsplit

import pytest

from polychat.sandbox import PortTaken, Sandbox


def test_the_second_origin_is_another_one_of_the_same_sandbox(sandbox):
    """Another host or port; what one is told, the other knows."""
    assert urlsplit(sandbox.foreign_url).netloc != urlsplit(sandbox.url).netloc
    sandbox.add_account("sandbox-carol")
    with urllib.request.urlopen(f"{sandbox.foreign_url}/_sandbox/accounts") as answer:
        assert b"sandbox-carol" in answer.read()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux answers at all of 127/8 unasked")
def test_on_loopback_it_is_another_host(sandbox):
    """Cookies do not tell ports apart."""
    assert [urlsplit(url).hostname for url in (sandbox.url, sandbox.foreign_url)] == ["127.0.0.1", "127.0.0.2"]


def test_any_other_host_has_its_second_origin_at_another_port():
    """A sandbox on IPv6 stays there."""
    sandbox = Sandbox(host="::1")
    try:
        sandbox.start()
    except PortTaken:
        pytest.skip("this machine has no IPv6")
    one, other = urlsplit(sandbox.url), urlsplit(sandbox.foreign_url)
    sandbox.stop()
    assert (one.hostname, other.hostname) == ("::1", "::1")
    assert one.port != other.port
