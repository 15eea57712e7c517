"""Network logs: which entries count, what they come to, and what is said when that is no sign-in."""

from __future__ import annotations

import base64
import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from polychat.credentials import BearerToken, Secret, SessionCookies, SignIn
from polychat.errors import BadOption
from polychat.signin import har
from polychat.signin.found import Field, Found

ROOT = Path(__file__).resolve().parents[2]
HOME = "https://chat.example"
RECIPE = SignIn(
    url="https://chat.example/talk",
    cookies=("sid",),
    domains=("chat.example",),
    headers=("x-device",),
    gate_headers={"x-proof": "proof"},
    token_paths={"/session": "accessToken", "/": "accessToken"},
)
T0 = 1_750_000_000.0  # 2025-06-15 15:06:40 UTC
NOW = T0 + 1000
AT = "2025-06-15 15:06 UTC"


def jwt(ends_at: float, name: str = "") -> str:
    """A token that says when it ends."""
    claims = base64.urlsafe_b64encode(json.dumps({"exp": ends_at, "n": name}).encode()).decode().rstrip("=")
    return f"canary.{claims}."


def entry(
    url: str = "/me",
    *,
    after: float | None = 0,
    method: str = "GET",
    headers: dict[str, str] | None = None,
    cookies: str | None = None,
    sets: Sequence[str] = (),
    body: str | None = None,
    encoding: str | None = None,
    status: int = 200,
    took_ms: float = 1,
    **answered: str,
) -> dict[str, Any]:
    """One entry, `after` seconds; `cookies` is its Cookie header."""
    sent = dict(headers or {}) | ({} if cookies is None else {"Cookie": cookies})
    started = {} if after is None else {"startedDateTime": datetime.fromtimestamp(T0 + after, UTC).isoformat()}
    content = {"size": 0, "mimeType": "x"} | ({} if body is None else {"text": body})
    answer = [{"name": name.replace("_", "-"), "value": value} for name, value in answered.items()]
    return {
        **started,
        "time": took_ms,
        "request": {
            "method": method,
            "url": url if ":" in url else f"{HOME}{url}",
            "headers": [{"name": name, "value": value} for name, value in sent.items()],
            "cookies": [],
            "queryString": [],
        },
        "response": {
            "status": status,
            "headers": [*answer, *({"name": "Set-Cookie", "value": value} for value in sets)],
            "content": content | ({"encoding": encoding} if encoding else {}),
        },
    }


@pytest.fixture
def log(tmp_path: Path) -> Callable[..., Path]:
    """log(*entries): a file of them."""

    def write(*entries: dict[str, Any]) -> Path:
        path = tmp_path / "log.har"
        path.write_text(json.dumps({"log": {"version": "1.2", "creator": {"name": "x"}, "entries": entries}}))
        return path

    return write


def read(path: Path) -> Found:
    return har.read(path, RECIPE, hosts=[HOME], now=lambda: NOW)


def session(path: Path) -> SessionCookies:
    credential = read(path).credential
    assert isinstance(credential, SessionCookies)
    return credential


def values(path: Path) -> dict[str, str]:
    return {name: value.reveal() for name, value in session(path).cookies.items()}


def refused(path: Path) -> str:
    with pytest.raises(BadOption) as caught:
        read(path)
    assert caught.value.field == "har"
    assert caught.value.hint
    assert "canary" not in str(caught.value)
    return caught.value.message.replace(str(path), "FILE")


# ---------------------------------------------------------------- what counts


def test_a_whole_log(log: Callable[..., Path]) -> None:
    """Cookies, token, headers and gate token, each told with the entry it is of; other sites are not looked at."""
    good = jwt(NOW + 3600)
    path = log(
        entry("https://other.example/", cookies="sid=canary-of-others"),
        entry("/login?code=canary", method="POST", sets=["sid=canary; Max-Age=5000; Path=/", "theme=dark; Path=/"]),
        entry(
            "/session", after=60, cookies="sid=canary; theme=dark; a=1", body=f'{{"user": 1, "accessToken":"{good}"}}'
        ),
        entry(f"/c/{'canary' * 5}/x", after=120, headers={"X-Device": "d", "X-Proof": "p"}),
        entry("https://chat.example.evil/", after=180, headers={"Authorization": "Bearer of-evil"}),
    )
    at = [f"entry 3 (GET /session, {AT[:-5]}7 UTC)", f"entry 4 (GET /c/.../x, {AT[:-5]}8 UTC)"]
    assert read(path) == Found(
        credential=SessionCookies(
            cookies={"sid": Secret("canary"), "theme": Secret("dark"), "a": Secret("1")},
            ends_at=T0 + 0.001 + 5000,
            token=Secret(good),
            expires_at=NOW + 3600,
            headers={"x-device": Secret("d")},
            gate_tokens={"proof": Secret("p")},
        ),
        where=str(path),
        fields=(
            Field(name="sid", kind="cookie", expires_at=T0 + 0.001 + 5000, place=at[0]),
            Field(name="access token", kind="token", expires_at=NOW + 3600, place=at[0]),
            Field(name="proof token", kind="gate", place=at[1]),
            Field(name="x-device", kind="header", place=at[1]),
        ),
        others=2,
    )


def test_the_newest_wins_by_time_then_by_order(log: Callable[..., Path]) -> None:
    """Also where the file has them otherwise, or one without a time stands between."""
    late = entry(after=10, cookies="sid=late", headers={"authorization": "Bearer late", "x-device": "late"})
    early = entry(after=0, cookies="sid=early; gone=1", headers={"authorization": "Bearer early", "x-device": "early"})
    untimed = entry(after=None, cookies="sid=untimed", headers={"authorization": "Bearer untimed"})
    for entries, expected in [
        ((late, early), "late"),
        ((early, late), "late"),
        ((early, untimed), "untimed"),
        ((late, untimed, early), "untimed"),
        ((early, untimed, late), "late"),
    ]:
        found = session(log(*entries))
        assert (found.cookies, found.token) == ({"sid": Secret(expected)}, Secret(expected))


def test_what_is_set_in_between_counts(log: Callable[..., Path]) -> None:
    """When it was answered, not when it was asked; a deleted cookie is gone, an old Chrome's lines are split."""
    path = log(
        entry("/slow", took_ms=5000, cookies="sid=1; a=1; b=1", sets=["sid=3; Path=/\na=2; Path=/", "b=; Max-Age=0"]),
        entry("/quick", after=1, cookies="sid=2; a=1; b=1"),
    )  # fmt: skip
    assert values(path) == {"sid": "3", "a": "2"}


def test_a_request_without_the_session_takes_nothing_away(log: Callable[..., Path]) -> None:
    """A picture is fetched with fewer cookies."""
    whole = [entry(cookies="sid=0; gone=1"), entry(after=1, cookies="sid.0=1; sid.1=2")]
    path = log(*whole, entry("/picture", after=2, cookies="b=2"), entry("/font", after=3))
    assert values(path) == {"sid.0": "1", "sid.1": "2", "b": "2"}


def test_cookies_may_be_listed_only(log: Callable[..., Path]) -> None:
    """Where the export has no Cookie header."""
    listed = entry() | {"startedDateTime": None}
    listed["request"]["cookies"] = [{"name": "sid", "value": "1", "path": "/", "expires": None}]
    assert values(log(listed)) == {"sid": "1"}


@pytest.mark.parametrize("body", ['<script>x = {"accessToken":"TOKEN"}</script>', '{"accessToken": "TOKEN"}'])
@pytest.mark.parametrize("packed", [False, True])
def test_an_answer_may_hold_the_token(log: Callable[..., Path], body: str, packed: bool) -> None:
    """Where the recipe says so, in a page or in JSON, also of a sanitised log; it is a bearer then."""
    text, encoding = body.replace("TOKEN", jwt(NOW + 60)), None
    if packed:
        text, encoding = base64.b64encode(gzip.compress(text.encode())).decode(), "base64"
    wrong = entry("/elsewhere", after=5, body='{"accessToken": "not-this"}')
    path = log(entry("/?x=1", body=text, encoding=encoding), wrong)
    assert read(path).credential == BearerToken(token=Secret(jwt(NOW + 60)), expires_at=NOW + 60)


def test_the_newest_token_that_is_good_counts(log: Callable[..., Path]) -> None:
    """Neither one that has ended, nor one that the service refused."""
    path = log(
        entry(after=0, cookies="sid=1", headers={"authorization": f"Bearer {jwt(NOW + 60)}"}),
        entry(after=1, headers={"authorization": f"Bearer {jwt(NOW - 60)}"}),
        entry(after=2, headers={"authorization": "Bearer refused"}, status=401),
    )
    assert session(path).token == Secret(jwt(NOW + 60))


def test_an_ended_token_matters_not_beside_cookies(log: Callable[..., Path]) -> None:
    """Another is fetched with them."""
    path = log(entry(cookies="sid=1", headers={"authorization": f"Bearer {jwt(NOW - 60)}"}))
    assert session(path) == SessionCookies(cookies={"sid": Secret("1")})


# ---------------------------------------------------------------- what is wrong


_NO_HAR = "FILE is JSON, but no HAR: it has no log.entries with requests"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "FILE is not JSON, or only a part of it"),
        (b"canary", "FILE is not JSON, or only a part of it"),
        (b'{"log": {"entries": [{"request": {"url": "canary', "FILE is not JSON, or only a part of it"),
        (b'{"log": {"entries": []}} canary', "FILE is not JSON, or only a part of it"),
        (b"[1]", _NO_HAR),
        (b'{"canary": 1}', _NO_HAR),
        (b'{"log": {"entries": [{"request": {"url": 1}}]}}', _NO_HAR),
        (b'\xef\xbb\xbf{"log": {"entries": []}}', "FILE holds no request at all, and so none to https://chat.example"),
        (gzip.compress(b"canary", mtime=0), "FILE is compressed with gzip"),
        (
            b'{"log": {"entries": [{"request": {"url": "https://chat.example/", "headers": "canary"}}]}}',
            "entry 1 of FILE is not as HAR 1.2 has it",
        ),
    ],
)  # fmt: skip
def test_a_file_that_is_none_is_called_so(tmp_path: Path, data: bytes, message: str) -> None:
    """No JSON, no HAR, or compressed."""
    path = tmp_path / "log.har"
    path.write_bytes(data)
    assert refused(path) == message


def test_a_large_file_is_not_read(tmp_path: Path) -> None:
    """Its size is told; here it takes no room on the disk."""
    path = tmp_path / "log.har"
    path.touch()
    os.truncate(path, 312_000_000)
    assert refused(path) == "FILE has 312 MB; a HAR of more than 200 MB is not read"


def test_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    """The reason is told."""
    assert refused(tmp_path / "nowhere.har") == "cannot read FILE: No such file or directory"
    assert refused(tmp_path) == "cannot read FILE: Is a directory"
    assert refused(Path("a\0b")) == "cannot read FILE: not a file name"
    assert refused(Path("sid=canary")) == "cannot read the HAR file: No such file or directory"


def test_another_service_is_called_so(log: Callable[..., Path]) -> None:
    """By the origins found, the first five of many; addresses that are none are left out."""
    urls = [
        "https://canary:canary@b.example/canary",
        "http://chat.example/",
        "data:canary",
        "https://[canary",
        "blob:https://x/",
    ]
    assert refused(log(*map(entry, urls))) == (
        "FILE holds requests to http://chat.example, https://b.example, but none to https://chat.example"
    )
    many = [entry(f"https://{n}.example/") for n in range(9)]
    assert "https://4.example and others, but none to" in refused(log(*many))


def test_a_sanitised_export_is_called_so(log: Callable[..., Path]) -> None:
    """With the setting that changes it."""
    path = log(entry(), entry("/session", body="{}"))
    with pytest.raises(BadOption, match=r"hint: in Chrome's DevTools settings, Preferences, Network, allow HAR with"):
        read(path)
    assert refused(path) == (
        "FILE shows no sign-in at https://chat.example: none of its 2 entries there has a Cookie or Authorization "
        "header; no request shows the access token"
    )


_NO_TOKEN = "no request shows the access token"
_NEITHER = f"no request shows the cookie sid; {_NO_TOKEN}"
_BARE = "none of its 1 entries there has a Cookie or Authorization header"


@pytest.mark.parametrize(
    ("entries", "lacks"),
    [
        ([entry(cookies="other=canary")], _NEITHER),
        (
            [entry(cookies="other=canary", headers={"authorization": f"Bearer {jwt(T0)}"})],
            f"no request shows the cookie sid; the access token of entry 1 (GET /me, {AT}) expired on {AT}",
        ),
        (
            [entry(sets=["sid=canary; Max-Age=60"]), entry(after=1, cookies="sid=canary")],
            f"the cookie sid of entry 2 (GET /me, {AT}) expired on 2025-06-15 15:07 UTC; {_NO_TOKEN}",
        ),
        (
            [entry(cookies="sid=canary"), entry(after=1, sets=["sid=; Max-Age=0"])],
            _NEITHER,
        ),
        (
            [entry("/session", cookies="a=1", body="iwWA", encoding="base64", content_encoding="br")],
            f"{_NEITHER}; the answer of entry 1 (GET /session, {AT}) is compressed with br, or is no text",
        ),
        (
            [entry("/session", body=json.dumps({"accessToken": jwt(T0)}))],
            f"{_BARE}; the access token of entry 1 (GET /session, {AT}) expired on {AT}",
        ),
    ],
)
def test_what_is_missing_is_named(log: Callable[..., Path], entries: list[dict[str, Any]], lacks: str) -> None:
    """Each thing in words of its own, with the entry where there is one."""
    assert refused(log(*entries)) == f"FILE shows no sign-in at https://chat.example: {lacks}"


# ---------------------------------------------------------------- what it costs


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from Linux's /proc")
def test_a_large_log_takes_little_memory(tmp_path: Path) -> None:
    """35 MB stay under 150 MB, the interpreter included: bodies are not decoded."""
    done = subprocess.run(
        [sys.executable, ROOT / "bench" / "har.py", "35", "1"], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert float(done.stdout.rpartition("peak memory")[2].split()[0]) < 150
