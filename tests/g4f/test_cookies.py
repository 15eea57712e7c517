"""The process's cookies."""

from __future__ import annotations

from polychat.g4f.cookies import get_cookies, set_cookies


def test_cookies_are_kept_by_domain_until_forgotten() -> None:
    """What is set for a domain is what is got, as a copy, until nothing is set for it."""
    mine = {"appSession": "one"}
    set_cookies(".Example.org", mine)
    mine["appSession"] = "two"
    got = get_cookies("example.org")
    got["appSession"] = "three"
    assert get_cookies("EXAMPLE.org") == get_cookies(".example.org") == {"appSession": "one"}
    assert get_cookies("www.example.org") == {}
    set_cookies("example.org", {})
    assert get_cookies("example.org") == {}
