"""Requests copied as cURL: whoever wrote them, what they show, and nothing of them in any message."""

from __future__ import annotations

import re
import shlex
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polychat.credentials import BearerToken, Secret, SessionCookies, SignIn
from polychat.errors import BadOption
from polychat.signin import curl
from polychat.signin.found import Found

HOME = "https://chat.example"
RECIPE = SignIn(
    url="https://chat.example/talk",
    cookies=("sid",),
    domains=("chat.example",),
    headers=("user-agent", "x-device"),
    gate_headers={"x-proof": "proof"},
)
JWT = "eyJhbGciOiJub25lIn0.eyJleHAiOiAxMjM0fQ."  # ends at 1234

CHROME_BASH = r"""curl 'https://chat.example/backend-api/me?x=1' \
  -H 'accept: */*' \
  -H 'authorization: Bearer canary-token' \
  -b 'sid=canary-sid; theme=dark=blue; q="1"' \
  -H 'user-agent: Mozilla/5.0 (it'\''s)' \
  -H $'x-device: caf\u00e9\u0021' \
  -H 'x-proof: canary-proof' \
  --data-raw $'{"text":"https://other.example \'; curl https://evil.example"}' ;
"""
CHROME_CMD = r"""curl ^"https://chat.example/backend-api/me?x=1^" ^
  -H ^"accept: */*^" ^
  -H ^"authorization: Bearer canary-token^" ^
  -b ^"sid=canary-sid; theme=dark=blue; q=^\^"1^\^"^" ^
  -H ^"user-agent: Mozilla/5.0 (it's)^" ^
  -H ^"x-device: café^!^" ^
  -H ^"x-proof: canary-proof^" ^
  --data-raw ^"^{^\^"text^\^":^\^"https://other.example '; curl https://evil.example^\^"^}^"
"""
FIREFOX_BASH = r"""curl 'https://chat.example/backend-api/me?x=1' --compressed
-H 'User-Agent: Mozilla/5.0 (it'"'"'s)' -H 'Accept: */*' -H 'Authorization: Bearer canary-token'
-H 'Cookie: sid=canary-sid; theme=dark=blue; q="1"' -H $'X-Device: caf\xe9!' -H 'X-Proof: canary-proof'
--data-binary '-H https://evil.example'""".replace("\n", " ")
FIREFOX_CMD = r'''curl "https://chat.example/backend-api/me?x=1" --compressed -X POST
-H "User-Agent: Mozilla/5.0 (it's)" -H "Accept: */*" -H "Authorization: Bearer canary-token"
-H "Cookie: sid=canary-sid; theme=dark=blue; q=""1""" -H "X-Device: café!" -H "X-Proof: canary-proof"
--data-raw "a"%"20b\\c" '''.replace("\n", " ")
SAFARI = r"""curl 'https://chat.example/backend-api/me?x=1' \
-X 'GET' \
-H 'Accept: */*' \
-H 'Authorization: Bearer canary-token' \
-H 'Cookie: sid=canary-sid; theme=dark=blue; q="1"' \
-H $'User-Agent: Mozilla/5.0 (it\'s)' \
-H $'X-Device: caf\u00e9!' \
-H 'X-Proof: canary-proof'"""


def read(text: str) -> Found:
    return curl.read(text, RECIPE, hosts=[HOME], now=lambda: 1234)


def refused(text: str) -> str:
    with pytest.raises(BadOption) as caught:
        read(text)
    assert caught.value.field == "curl"
    assert caught.value.hint
    assert "canary" not in str(caught.value)
    return caught.value.message


@pytest.mark.parametrize("text", [CHROME_BASH, CHROME_CMD, FIREFOX_BASH, FIREFOX_CMD, SAFARI])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_whoever_wrote_it(text: str, ends: str) -> None:
    """Chrome, Firefox and Safari, for bash and for cmd: cookies, token, headers and gate token are the same."""
    assert read(text.replace("\n", ends)).credential == SessionCookies(
        cookies={"sid": Secret("canary-sid"), "theme": Secret("dark=blue"), "q": Secret('"1"')},
        token=Secret("canary-token"),
        headers={"user-agent": Secret("Mozilla/5.0 (it's)"), "x-device": Secret("café!")},
        gate_tokens={"proof": Secret("canary-proof")},
    )


VALUES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).map(str.strip).filter(bool)


@given(VALUES, VALUES)
def test_any_value_comes_back(device: str, proof: str) -> None:
    """Whatever stands in a header, quoted for either shell."""
    words = ["curl", f"{HOME}/", "-H", f"x-device: {device}", "--header", f"x-proof: {proof}", "-bsid=1"]
    bash = " \\\n ".join(map(shlex.quote, words))
    cmd = " ^\n ".join(re.sub(r"[^a-zA-Z0-9\s]", r"^\g<0>", subprocess.list2cmdline([word])) for word in words)
    for text in (bash, cmd):
        session = read(text).credential
        assert isinstance(session, SessionCookies)
        assert (session.headers["x-device"], session.gate_tokens["proof"]) == (Secret(device), Secret(proof))


@pytest.mark.parametrize(
    "command",
    [
        "curl -sSL -XPOST --max-time 5 -o https://evil.example/ https://chat.example/ -b sid=1",
        "$ curl --url https://chat.example/ -e https://evil.example/ --cookie sid=1 --http2",
        "/usr/bin/curl --newest-flag https://evil.example/ -b sid=1 --path-as-is https://chat.example/",
        "curl.exe -d https://evil.example/ -kb sid=1 https://chat.example/ --data-raw --compressed",
        "curl --unknown -b sid=1 https://chat.example/ --data-raw -bsid=2",
        "curl -H 'Cookie: sid=1' https://chat.example/ 'https://other.example/'",
        "curl 'https://evil.example/' -b 'sid=2' ;\ncurl 'https://chat.example/' -b sid=1 &\ncurl https://evil.example/",
        "curl https://chat.example/ -b sid=2; curl https://chat.example/ -b sid=1; curl https://chat.example/x -b a=1",
    ],
)
def test_options_are_told_from_addresses(command: str) -> None:
    """The value of an option is no address, known or not; of several commands the newest that has the session."""
    assert read(command).credential == SessionCookies(cookies={"sid": Secret("1")})


def test_cookies_of_two_options_are_one_header() -> None:
    """-b and a Cookie header side by side."""
    session = read("curl https://chat.example/ -b sid=1 -H 'Cookie: a=2' -A me").credential
    assert session == SessionCookies(
        cookies={"sid": Secret("1"), "a": Secret("2")}, headers={"user-agent": Secret("me")}
    )


def test_a_token_without_cookies_is_enough() -> None:
    """It is a bearer then, until it ends."""
    assert read("curl https://chat.example/ -H 'Authorization: bearer abc'").credential == BearerToken(
        token=Secret("abc")
    )


_FETCH = "the text is a fetch() call, not a curl command"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the text is no curl command"),
        ("canary", "the text is no curl command"),
        ("curled canary", "the text is no curl command"),
        ("GET /canary HTTP/1.1\nCookie: sid=canary", "the text is no curl command"),
        ("curl 'https://chat.example/canary", "the curl command was not copied whole: a quote is left open"),
        ("curl -b sid=canary", "the curl command names no address"),
        ("curl chat.example/canary -b sid=canary", "the curl command names no address"),
        (
            "curl https://canary:canary@other.example/canary -b sid=canary",
            "the curl command asks https://other.example, not https://chat.example",
        ),
        (
            "curl http://chat.example/ https://[canary -b sid=canary",
            "the curl command asks http://chat.example, not https://chat.example",
        ),
        (
            "curl https://chat.example.evil/ -b sid=canary",
            "the curl command asks https://chat.example.evil, not https://chat.example",
        ),
        ("curl https://chat.example/ -d canary=1", "the curl command carries no cookie sid and no access token"),
        ("curl https://chat.example/ -b canary.txt", "the curl command carries no cookie sid and no access token"),
        ("curl https://chat.example/ -b other=canary", "the curl command carries no cookie sid and no access token"),
        (
            f"curl https://chat.example/ -H 'authorization: Bearer {JWT}'",
            "the curl command carries no cookie sid and an access token that expired on 1970-01-01 00:20 UTC",
        ),
        (
            '$session = New-Object Microsoft.PowerShell.Commands.WebRequestSession\nInvoke-WebRequest -Uri "canary"',
            "the text is a PowerShell command, not a curl command",
        ),
        ("Invoke-WebRequest -Uri canary", "the text is a PowerShell command, not a curl command"),
        ("fetch('https://chat.example/', {'headers': {'cookie': 'canary'}});", _FETCH),
        ('await fetch("canary', _FETCH),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(text: str, message: str) -> None:
    """One sentence, and of the text only hosts."""
    assert refused(text) == message
