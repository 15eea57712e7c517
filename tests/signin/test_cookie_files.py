"""Exports of cookies: five forms, one service's cookies, and no value in any message."""

from __future__ import annotations

import json
from typing import Any

import pytest

from polychat.credentials import Secret, SessionCookies
from polychat.errors import BadOption
from polychat.signin.cookie_files import CookieFile, credential_from_cookies, parse

DOMAINS = ("space.reka.ai", "reka.ai")
NOW = 1_750_000_000.0  # 2025-06-15
LATER, EARLIER = NOW + 3600, NOW - 3600

NETSCAPE = f"""# Netscape HTTP Cookie File
# https://curl.se/docs/http-cookies.html

.reka.ai\tTRUE\t/\tTRUE\t{LATER:.0f}\tconsent\tyes
#HttpOnly_space.reka.ai\tFALSE\t/\tTRUE\t{LATER}\tappSession\tcanary-1
space.reka.ai\tFALSE\t/\tFALSE\t0\ttheme\tdark=blue
other.example\tFALSE\t/\tTRUE\t{LATER:.0f}\tid\tcanary-2
"""


def read(export: Any, now: float | None = NOW) -> CookieFile:
    return parse(export if isinstance(export, str) else json.dumps(export), domains=DOMAINS, now=now)


def refused(export: Any, now: float | None = NOW) -> str:
    with pytest.raises(BadOption) as caught:
        read(export, now)
    assert caught.value.field == "cookies"
    assert caught.value.hint
    assert "canary" not in str(caught.value)
    return caught.value.message


def values(file: CookieFile) -> dict[str, str]:
    return {name: value.reveal() for name, value in file.cookies.items()}


def cookie(
    name: str = "appSession", value: str = "canary", domain: str = "space.reka.ai", **more: Any
) -> dict[str, Any]:
    return {"name": name, "value": value, "domain": domain, **more}


def test_netscape_cookies_txt() -> None:
    """Comments are skipped, HttpOnly rows are not, 0 is a cookie without an end, other sites' cookies are left."""
    assert read(NETSCAPE) == CookieFile(
        form="netscape",
        cookies={"consent": Secret("yes"), "appSession": Secret("canary-1"), "theme": Secret("dark=blue")},
        expires_at={"consent": LATER, "appSession": LATER, "theme": None},
        expired={},
        domains_found=("other.example", "reka.ai", "space.reka.ai"),
    )


@pytest.mark.parametrize(
    "text",
    [
        NETSCAPE.replace("\n", "\r\n"),
        "\ufeff" + NETSCAPE,
        "\n\n" + NETSCAPE.partition("\n\n")[2],
        NETSCAPE.replace("\t", "    "),
        NETSCAPE.replace("TRUE", "true"),
    ],
)
def test_cookies_txt_as_it_really_comes(text: str) -> None:
    """CRLF, a byte order mark, no first line, tabs that became spaces, small letters."""
    assert read(text) == read(NETSCAPE)


def test_an_empty_last_column_may_have_lost_its_tab() -> None:
    """A cookie without a value is still a cookie."""
    assert values(read("reka.ai\tTRUE\t/\tTRUE\t0\ta\r\nreka.ai\tTRUE\t/\tTRUE\t0\tb\t\n")) == {"a": "", "b": ""}


def test_a_damaged_row_is_counted() -> None:
    """Nothing is dropped in silence: the row may have been the one that matters."""
    assert refused(NETSCAPE + "space.reka.ai\tFALSE\t/\tcanary\n") == (
        "line 8 of the cookies.txt is not a cookie: it needs seven columns"
    )
    assert refused(NETSCAPE.replace("\t0\t", "\tcanary\t")).startswith("line 6 ")


def test_cookie_editor_json() -> None:
    """A list of objects, with `expirationDate` for those that have an end."""
    export = [
        cookie(expirationDate=LATER, hostOnly=True, httpOnly=True, sameSite="lax", storeId=None),
        cookie("theme", "dark", ".reka.ai", session=True),
        cookie("id", "x", "other.example"),
    ]
    assert read(export) == CookieFile(
        form="cookie-editor",
        cookies={"theme": Secret("dark"), "appSession": Secret("canary")},
        expires_at={"theme": None, "appSession": LATER},
        domains_found=("other.example", "reka.ai", "space.reka.ai"),
    )


def test_playwright_storage_state() -> None:
    """An object of cookies and origins, with -1 for those without an end."""
    export = {"cookies": [cookie(expires=LATER, path="/"), cookie("theme", "dark", expires=-1)], "origins": []}
    file = read(export)

    assert file.form == "playwright"
    assert file.expires_at == {"appSession": LATER, "theme": None}


def test_plain_json() -> None:
    """Names and values, believed to be the service's; even a cookie named cookies."""
    file = read({"appSession": "canary", "cookies": "x"})

    assert (file.form, values(file)) == ("plain", {"appSession": "canary", "cookies": "x"})
    assert file.expires_at == {"appSession": None, "cookies": None}
    assert file.domains_found == ()


@pytest.mark.parametrize(
    "text",
    [
        "Cookie: appSession=a.b-c==; theme=dark",
        "cookie:appSession=a.b-c==;theme=dark;",
        "appSession=a.b-c==; theme=dark\n",
        "GET /chat HTTP/1.1\r\nHost: space.reka.ai\r\nCookie: appSession=a.b-c==; theme=dark\r\nAccept: */*\r\n",
    ],
)
def test_a_cookie_header(text: str) -> None:
    """With its word, without it, or among the other headers of a request."""
    file = read(text)

    assert (file.form, values(file)) == ("header", {"appSession": "a.b-c==", "theme": "dark"})


def test_subdomains_belong_to_the_service_and_lookalikes_do_not() -> None:
    """`chat.reka.ai` is of `reka.ai`; `evilreka.ai` and `reka.ai.evil` are not."""
    export = [
        cookie("a", "1", "chat.reka.ai"), cookie("b", "2", "evilreka.ai"), cookie("c", "3", "reka.ai.evil"),
        cookie("d", "4", ".Reka.AI"), cookie("e", "5", "ai"),
    ]  # fmt: skip

    assert values(read(export)) == {"a": "1", "d": "4"}


@pytest.mark.parametrize("turn", [1, -1])
def test_of_one_name_the_first_domain_counts(turn: int) -> None:
    """The order in the file is nothing: the provider's first domain, then its second, then their subdomains."""
    export = [
        cookie("a", "first", "space.reka.ai"), cookie("a", "second", "reka.ai"), cookie("a", "sub", "chat.reka.ai"),
        cookie("b", "second", "reka.ai"), cookie("b", "sub", "chat.reka.ai"),
    ]  # fmt: skip

    assert values(read(export[::turn])) == {"a": "first", "b": "second"}


def test_expired_cookies_are_left_out_and_told() -> None:
    """One that has ended gives way to one of the same name that has not."""
    export = [
        cookie("old", expirationDate=EARLIER), cookie("new", "n", expirationDate=LATER),
        cookie("both", "dead", expirationDate=EARLIER), cookie("both", "alive", "reka.ai", expirationDate=LATER),
    ]  # fmt: skip
    file = read(export)

    assert values(file) == {"new": "n", "both": "alive"}
    assert file.expired == {"old": EARLIER}


def test_when_all_have_expired_the_last_end_is_told() -> None:
    """An old export is called that, with a date."""
    export = [cookie("a", expirationDate=EARLIER - 86400), cookie("b", expirationDate=EARLIER)]

    assert refused(export) == (
        "all cookies of space.reka.ai in the export have expired, the last on 2025-06-15 14:06 UTC"
    )


def test_without_a_time_given_it_is_now() -> None:
    """What ended in 2001 has expired."""
    assert "expired" in refused([cookie(expirationDate=1e9)], now=None)


def test_cookies_of_another_site_are_called_so() -> None:
    """The sites found are named, the first five of many."""
    assert refused([cookie(domain="chat.example"), cookie(domain=".b.example")]) == (
        "the export holds cookies of b.example, chat.example, but none of space.reka.ai or reka.ai"
    )
    assert "4.example and others, but" in refused([cookie(domain=f"{n}.example") for n in range(9)])


@pytest.mark.parametrize("text", ["", " \n\t", "\ufeff"])
def test_nothing_at_all(text: str) -> None:
    """An empty file is told apart from an unknown form."""
    assert refused(text).startswith("there are no cookies: the text is empty; expected is cookies.txt, ")


@pytest.mark.parametrize("export", [[], {"cookies": []}, {}, "# Netscape HTTP Cookie File\n"])
def test_a_form_without_cookies(export: Any) -> None:
    """So is one that is well formed and holds none."""
    assert refused(export) == "the export is well formed and holds no cookie of space.reka.ai, nor of anything else"


@pytest.mark.parametrize(
    "text",
    [
        "canary", "sk-canary/1", "<html lang='canary'>", "# canary", "Set-Cookie: a=canary", "a=1; canary", "a b=1",
        "=canary", '{"canary": 1}', '["canary"]', '[{"name": "canary"}]', '{"cookies": [{"canary": 1}]}', '{"canary": ',
        "[1", '["canary \udcff"]',
    ],
)  # fmt: skip
def test_a_form_that_is_not_understood(text: str) -> None:
    """The forms that are, in one sentence, and nothing of the text."""
    assert refused(text) == (
        "the cookies are in no form that is understood: expected is cookies.txt, Cookie-Editor JSON, "
        "a Playwright storage state, JSON of names and values, or a Cookie: line"
    )


@pytest.mark.parametrize(
    "export", [{"a": "canary\r\nx-evil: 1"}, {"a": "canary; b=2"}, {"canary\n": "x"}, {"a b": "canary"}, {"": "canary"}]
)
def test_what_would_break_out_of_a_header_is_refused(export: dict[str, str]) -> None:
    """A newline or semicolon in a value, or a name that is no name, never reaches a request."""
    assert refused(export) == "a cookie of the export has a name or value that a Cookie header cannot carry"


def test_a_session_from_an_export() -> None:
    """All cookies of the service go along when the required ones are there."""
    assert credential_from_cookies(read(NETSCAPE), required=["appSession"]) == SessionCookies(
        cookies={"consent": Secret("yes"), "appSession": Secret("canary-1"), "theme": Secret("dark=blue")}
    )


def test_a_required_cookie_may_come_in_pieces() -> None:
    """NAME.0 and NAME.1 are NAME."""
    file = read({"appSession.0": "a", "appSession.1": "b"})

    assert set(credential_from_cookies(file, required=["appSession"]).cookies) == {"appSession.0", "appSession.1"}


@pytest.mark.parametrize(
    "export", [{"theme": "canary"}, {"theme": "canary", "appSession": ""}, {"appSession.1": "canary"}]
)
def test_a_missing_cookie_is_named(export: dict[str, str]) -> None:
    """Absent, empty or the second piece only: the error names it and how to export again."""
    with pytest.raises(BadOption) as caught:
        credential_from_cookies(read(export), required=["theme", "appSession"][::-1], url="https://space.reka.ai/chat")

    assert caught.value.message == "the cookie appSession is not in the export, and a session needs it"
    assert str(caught.value.hint).startswith(
        "log in at https://space.reka.ai/chat and export again, HttpOnly cookies too"
    )
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("name", ["appSession", "appSession.0"])
def test_an_expired_required_cookie_is_told_apart_from_a_missing_one(name: str) -> None:
    """The person learns that the export is old, not that it is wrong."""
    file = read([cookie(name, expirationDate=EARLIER), cookie("theme", "dark")])
    with pytest.raises(BadOption, match=r"the cookie appSession expired on 2025-06-15 14:06 UTC, and"):
        credential_from_cookies(file, required=["appSession"])


def test_nothing_shows_a_value() -> None:
    """Not the repr of what was read, not that of the session."""
    file = read(NETSCAPE)

    assert "canary" not in repr((file, credential_from_cookies(file, required=["appSession"])))
