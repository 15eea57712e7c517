"""Checks that need no process of their own."""

from __future__ import annotations

from polychat.cli import checkup


def test_an_old_python_is_broken() -> None:
    """The finding names both versions and the way out."""
    (found,) = checkup.python((3, 10, 4))
    assert (found.level, found.said, found.mend) == (
        "broken",
        "Python 3.10.4 is too old",
        "install Python 3.11 or newer",
    )


def test_a_clock_in_the_past_is_broken() -> None:
    """A clock before this program was written cannot judge certificates and tokens."""
    (found,) = checkup.clock(0.0)
    assert (found.level, found.said) == ("broken", "the clock says that it is 1970")


def test_proxies_of_the_environment_are_named_and_not_shown() -> None:
    """They are not used, and their passwords stay out of the report."""
    (found,) = checkup.proxies({"https_proxy": "http://user:pass@proxy:1", "HTTP_PROXY": "http://x", "ALL_PROXY": ""})
    assert (found.level, found.said) == ("notice", "HTTP_PROXY, https_proxy is set; polychat does not use it")


def test_no_proxies_are_no_finding() -> None:
    """What is not there is not mentioned."""
    assert list(checkup.proxies({"PATH": "/bin"})) == []
