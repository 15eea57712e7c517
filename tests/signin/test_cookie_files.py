"""Exports of cookies: five forms, one service's session, and no value in any message."""

from __future__ import annotations

import json
from typing import Any

import pytest

from polychat.credentials import Secret, SessionCookies, SignIn
from polychat.errors import BadOption
from polychat.signin import cookie_files
from polychat.signin.found import Field, Found

RECIPE = SignIn(url="https://space.reka.ai/chat", cookies=("appSession",), domains=("space.reka.ai", "reka.ai"))
ANY = SignIn(url=RECIPE.url, domains=RECIPE.domains)
NOW = 1_750_000_000.0  # 2025-06-15
LATER, EARLIER = NOW + 3600, NOW - 3600

NETSCAPE = f"""# Netscape HTTP Cookie File
# https://curl.se/docs/http-cookies.html

.reka.ai\tTRUE\t/\tTRUE\t{LATER:.0f}\tconsent\tyes
#HttpOnly_space.reka.ai\tFALSE\t/\tTRUE\t{LATER}\tappSession\tcanary-1
space.reka.ai\tFALSE\t/\tFALSE\t0\ttheme\tdark=blue
other.example\tFALSE\t/\tTRUE\t{LATER:.0f}\tid\tcanary-2
"""


def read(export: Any, recipe: SignIn = ANY, now: float = NOW) -> Found:
    return cookie_files.read(export if isinstance(export, str) else json.dumps(export), recipe, now=lambda: now)


def refused(export: Any, recipe: SignIn = ANY) -> str:
    with pytest.raises(BadOption) as caught:
        read(export, recipe)
    assert caught.value.field == "cookies"
    assert caught.value.hint
    assert "canary" not in str(caught.value)
    return caught.value.message


def session(found: Found) -> SessionCookies:
    assert isinstance(found.credential, SessionCookies)
    return found.credential


def values(found: Found) -> dict[str, str]:
    return {name: value.reveal() for name, value in session(found).cookies.items()}


def cookie(
    name: str = "appSession", value: str = "canary", domain: str = "space.reka.ai", **more: Any
) -> dict[str, Any]:
    return {"name": name, "value": value, "domain": domain, **more}


def test_netscape_cookies_txt() -> None:
    """Comments are skipped, HttpOnly rows are not, 0 is a cookie without an end, other sites' cookies are left."""
    assert read(NETSCAPE, RECIPE) == Found(
        credential=SessionCookies(
            cookies={"consent": Secret("yes"), "appSession": Secret("canary-1"), "theme": Secret("dark=blue")},
            ends_at=LATER,
        ),
        where="the export",
        fields=(Field(name="appSession", kind="cookie", expires_at=LATER),),
        others=2,
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
    assert session(read(export, RECIPE)) == SessionCookies(
        cookies={"theme": Secret("dark"), "appSession": Secret("canary")}, ends_at=LATER
    )


def test_playwright_storage_state() -> None:
    """An object of cookies and origins, with -1 for those without an end."""
    export = {"cookies": [cookie(expires=LATER, path="/"), cookie("theme", "dark", expires=-1)], "origins": []}
    assert session(read(export, RECIPE)).ends_at == LATER
    assert session(read({"cookies": [cookie(expires=-1)]}, RECIPE)).ends_at is None


def test_plain_json() -> None:
    """Names and values, believed to be the service's; even a cookie named cookies."""
    assert values(read({"appSession": "canary", "cookies": "x"})) == {"appSession": "canary", "cookies": "x"}


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
    assert values(read(text)) == {"appSession": "a.b-c==", "theme": "dark"}


def test_without_a_time_given_it_is_now() -> None:
    """What ended in 2001 has expired."""
    with pytest.raises(BadOption, match="expired"):
        cookie_files.read(json.dumps([cookie(expirationDate=1e9)]), RECIPE)


@pytest.mark.parametrize("text", ["", " \n\t", "\ufeff"])
def test_nothing_at_all(text: str) -> None:
    """An empty file is told apart from an unknown form."""
    assert refused(text).startswith("there are no cookies: the text is empty; expected is cookies.txt, ")


@pytest.mark.parametrize("export", [[], {"cookies": []}, {}, "# Netscape HTTP Cookie File\n"])
def test_a_form_without_cookies(export: Any) -> None:
    """So is one that is well formed and holds none."""
    assert refused(export) == "the export holds no cookie of space.reka.ai or reka.ai"


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


def test_a_network_log_is_called_one() -> None:
    """It is read by another option."""
    with pytest.raises(BadOption, match=r"no export of cookies but a network log \(HAR\)\nhint: --har FILE reads it"):
        read({"log": {"entries": []}})


def test_nothing_shows_a_value() -> None:
    """Not the repr of what was found."""
    assert "canary" not in repr(read(NETSCAPE))
