"""net/session.py: one account at one service, against servers of two origins that note what they are sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, TypeVar

import msgspec
import pytest

from polychat.credentials import Account, ApiKey, BearerToken, Credential, Secret, SessionCookies
from polychat.errors import AuthExpired, BadRequest, ConnectFailed, FormatChanged, PolychatError, Unavailable
from polychat.net.aiohttp import AiohttpTransport
from polychat.net.retry import RetryPolicy
from polychat.net.session import Session, Step
from polychat.net.transport import FilePart

T = TypeVar("T")
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n" + b'{"n":"yes"}'
COOKIES = SessionCookies(cookies={"session": Secret("sandbox-cookie")})


class Yes(msgspec.Struct):
    """What the servers answer."""

    n: str


class Server:
    """Answers with what it is given, in turn (the last one for ever), and keeps the heads it saw."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers) or [OK]
        self.heads: list[str] = []
        self.url = ""

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.heads.append(head)
        writer.write(self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])
        writer.write_eof()
        await writer.drain()
        writer.close()


def answer(status: str, *headers: str, body: bytes = b"") -> bytes:
    """An HTTP answer."""
    lines = [f"HTTP/1.1 {status}", *headers, f"content-length: {len(body)}", "connection: close", "", ""]
    return "\r\n".join(lines).encode() + body


@asynccontextmanager
async def listening(*servers: Server) -> AsyncIterator[None]:
    """All servers on loopback, each with a port of its own."""
    async with AsyncExitStack() as running:
        for server in servers:
            listener = await running.enter_async_context(await asyncio.start_server(server, "127.0.0.1", 0))
            server.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
        yield


def run(
    use: Callable[[Session], Awaitable[T]], *servers: Server, credential: Credential | None = COOKIES, **options: Any
) -> T:
    """The result of `use` with a session whose home is the first server."""

    async def main() -> T:
        transport = AiohttpTransport()
        async with listening(*servers):
            account = credential and Account(name="me", provider="p", credential=credential)
            session = Session(
                provider="p", hosts={"web": servers[0].url}, transport=transport, account=account,
                retry=RetryPolicy(base_s=0.001, cap_s=0.001), **options,
            )  # fmt: skip
            try:
                return await use(session)
            finally:
                await transport.aclose()

    return asyncio.run(main())


def json(path: str = "/x", method: str = "GET", **rest: Any) -> Callable[[Session], Awaitable[Yes]]:
    """A call that expects `Yes`."""
    return lambda session: session.json(method, path, into=Yes, **rest)


async def bearer() -> BearerToken:
    """A token as a service would give it."""
    return BearerToken(token=Secret("sandbox-token"))


# ---------------------------------------------------------------- what goes where


def test_credentials_and_an_honest_name_go_to_the_own_host() -> None:
    """Cookie, bearer and our own user agent; never a browser's."""
    server = Server()
    run(json(bearer=bearer, headers={"x-own": "1"}), server)
    (head,) = server.heads
    assert "cookie: session=sandbox-cookie\r\n" in head.lower()
    assert "authorization: bearer sandbox-token\r\n" in head.lower()
    assert "user-agent: polychat/" in head.lower()
    assert "x-own: 1" in head.lower()
    assert "mozilla" not in head.lower()


def test_credentials_never_go_to_another_origin() -> None:
    """Neither by an absolute URL nor across a redirect; a cookie the stranger sets is not kept."""
    own, stranger = Server(), Server(answer("200 OK", "set-cookie: session=evil", body=b'{"n":"yes"}'))

    async def use(session: Session) -> str | None:
        await session.json("GET", stranger.url + "/x", into=Yes, bearer=bearer)
        own.answers = [answer("302 Found", f"location: {stranger.url}/y"), OK]
        await session.json("GET", "/x", into=Yes, bearer=bearer, redirects=3, headers={"x-gate": "sandbox-gate"})
        return session.cookies.header(own.url)

    assert run(use, own, stranger) == "session=sandbox-cookie"
    assert len(stranger.heads) == 2
    assert [head for head in stranger.heads if "sandbox-" in head] == []
    assert "sandbox-token" in own.heads[0]


def test_a_redirect_at_home_keeps_them() -> None:
    """Same origin, same proofs."""
    server = Server(answer("307 Temporary Redirect", "location: /y"), OK)
    assert run(json(bearer=bearer, redirects=1), server).n == "yes"
    assert [("GET /y" in head, "sandbox-token" in head) for head in server.heads] == [(False, True), (True, True)]


@pytest.mark.parametrize(("method", "redirects"), [("GET", 0), ("POST", 5)])
def test_a_redirect_that_is_not_to_be_followed_is_told(method: str, redirects: int) -> None:
    """A question with a body is not carried elsewhere, and following is asked for."""
    server = Server(answer("302 Found", "location: /y"))
    with pytest.raises(FormatChanged):
        run(json(method=method, redirects=redirects), server)
    assert len(server.heads) == 1


def test_redirects_end() -> None:
    """A circle is not followed for ever."""
    server = Server(answer("302 Found", "location: /x"))
    with pytest.raises(FormatChanged):
        run(json(redirects=3), server)
    assert len(server.heads) == 4


def test_cookies_that_the_service_sets_are_sent_from_then_on() -> None:
    """A rotated session stays alive."""
    server = Server(answer("200 OK", "set-cookie: session=sandbox-new; Path=/", body=b'{"n":"yes"}'), OK)

    async def use(session: Session) -> None:
        await session.json("GET", "/x", into=Yes)
        await session.json("GET", "/x", into=Yes)

    run(use, server)
    assert "session=sandbox-new" in server.heads[1]


def test_a_bearer_account_sends_no_cookies() -> None:
    """Also not those the service set."""
    server = Server(answer("200 OK", "set-cookie: a=b", body=b'{"n":"yes"}'), OK)

    async def use(session: Session) -> None:
        await session.json("GET", "/x", into=Yes, bearer=bearer)
        await session.json("GET", "/x", into=Yes, bearer=bearer)

    run(use, server, credential=BearerToken(token=Secret("sandbox-own")))
    assert ["sandbox-own" in head and "cookie" not in head.lower() for head in server.heads] == [True, True]


def test_what_a_browser_session_says_of_itself_goes_to_its_own_host_only() -> None:
    """Captured headers replace our defaults at home, give way to what a call needs, and stay away from strangers."""
    captured = {"user-agent": Secret("Own Browser"), "x-device": Secret("sandbox-device"), "accept": Secret("x/y")}
    own, stranger = Server(), Server()

    async def use(session: Session) -> None:
        await session.json("GET", "/x", into=Yes)
        await session.json("GET", stranger.url + "/x", into=Yes)

    run(use, own, stranger, credential=SessionCookies(cookies={}, headers=captured))
    assert "own browser" in own.heads[0].lower()
    assert "sandbox-device" in own.heads[0]
    assert "accept: application/json" in own.heads[0].lower()
    assert "sandbox-device" not in stranger.heads[0]
    assert "user-agent: polychat/" in stranger.heads[0].lower()


def test_a_secret_in_a_body_is_sent_and_not_shown() -> None:
    """What a service wants in its JSON arrives there as text; anything that is no data is refused."""
    server = Server()
    run(json(method="POST", json={"p": Secret("sandbox-proof").reveal()}), server)
    assert "content-length: 21" in server.heads[0].lower()
    with pytest.raises(TypeError):
        run(json(method="POST", json={"p": Secret("sandbox-proof")}), Server())


# ---------------------------------------------------------------- tokens


def test_a_token_seen_beside_the_cookies_is_used_until_it_ends() -> None:
    """The session's own token saves a call; a minute before its end a fresh one is fetched."""
    clock = [0.0]
    kept = SessionCookies(cookies={}, token=Secret("sandbox-kept"), expires_at=100.0)

    async def use(session: Session) -> list[str]:
        tokens = []
        for clock[0] in (0.0, 39.0, 41.0):
            tokens.append((await session.token(bearer)).reveal())
        return tokens

    assert run(use, Server(), credential=kept, now=lambda: clock[0]) == [
        "sandbox-kept",
        "sandbox-kept",
        "sandbox-token",
    ]


def test_a_refused_token_is_fetched_anew_once() -> None:
    """401, a fresh token, the same request again; a second 401 is the caller's."""
    fetched: list[int] = []

    async def fetch() -> BearerToken:
        fetched.append(1)
        return BearerToken(token=Secret(f"sandbox-token-{len(fetched)}"))

    server = Server(answer("401 Unauthorized"), OK)
    assert run(json(bearer=fetch), server).n == "yes"
    assert [f"sandbox-token-{n}" in head for n, head in enumerate(server.heads, 1)] == [True, True]
    with pytest.raises(AuthExpired):
        run(json(bearer=fetch), Server(answer("401 Unauthorized")))
    assert len(fetched) == 4


def test_a_token_given_that_has_ended_is_not_sent() -> None:
    """The clock says so before the service does."""
    server = Server()
    with pytest.raises(AuthExpired, match="expired"):
        run(json(bearer=bearer), server, credential=BearerToken(token=Secret("t"), expires_at=5.0), now=lambda: 6.0)
    assert server.heads == []


def test_an_opaque_token_is_trusted_for_fifty_minutes() -> None:
    """A token that does not say when it ends is fetched anew before its usual hour is over."""
    clock = [0.0]
    fetched: list[float] = []

    async def fetch() -> BearerToken:
        fetched.append(clock[0])
        return BearerToken(token=Secret("sandbox-token"))

    async def use(session: Session) -> None:
        for clock[0] in (0.0, 2939.0, 2941.0, 3000.0):
            await session.token(fetch)

    run(use, Server(), now=lambda: clock[0])
    assert fetched == [0.0, 2941.0]


# ---------------------------------------------------------------- failures


def test_no_secret_is_quoted_from_what_a_service_says() -> None:
    """A service that echoes what it was sent does not put it into our words."""
    server = Server(answer("400 Bad Request", body=b'{"detail":"bad sandbox-token and sandbox-cookie"}'))

    async def use(session: Session) -> PolychatError:
        with pytest.raises(BadRequest) as caught:
            await session.json("GET", "/x", into=Yes, bearer=bearer)
        return session.own(caught.value)

    error = run(use, server)
    assert "bad ******** and ********" in error.message
    assert "sandbox-" not in repr(error.args)
    assert error.account == "me"


@pytest.mark.parametrize(
    "credential",
    [
        ApiKey(key=Secret("sandbox-kept")),
        BearerToken(token=Secret("sandbox-kept")),
        SessionCookies(cookies={"a": Secret("sandbox-kept")}),
        SessionCookies(cookies={}, token=Secret("sandbox-kept")),
        SessionCookies(cookies={}, headers={"x-a": Secret("sandbox-kept")}),
        SessionCookies(cookies={}, gate_tokens={"proof": Secret("sandbox-kept")}),
    ],
    ids=["key", "bearer", "cookie", "token", "header", "gate"],
)
def test_every_secret_of_an_account_is_masked_in_errors_and_what_led_to_them(credential: Credential) -> None:
    """Whichever part of a credential a message holds."""

    async def use(session: Session) -> PolychatError:
        outer = Unavailable("sandbox-kept")
        outer.__cause__ = FormatChanged("because sandbox-kept")
        return session.own(outer)

    error = run(use, Server(), credential=credential)
    assert [str(error.message), str(error.__cause__.args[0] if error.__cause__ else "")] == [
        "********",
        "because ********",
    ]


@pytest.mark.parametrize(("body", "said"), [(b"<html><body>hi", "a web page"), (b'{"m":1}', "missing required field")])
def test_an_answer_of_another_form_is_named(body: bytes, said: str) -> None:
    """HTML or other fields instead of the JSON we know."""
    with pytest.raises(FormatChanged, match=said):
        run(json(), Server(answer("200 OK", body=body)))


def test_a_question_without_effect_is_repeated_and_a_post_is_not() -> None:
    """A GET survives a 503; a POST that may have done something is asked once."""
    assert run(json(), Server(answer("503 Service Unavailable"), OK)).n == "yes"
    server = Server(answer("503 Service Unavailable"), OK)
    with pytest.raises(Unavailable):
        run(json(method="POST"), server)
    assert len(server.heads) == 1


def test_a_connection_that_fails_is_tried_again_for_any_method() -> None:
    """Nothing was sent, so nothing can have happened twice."""
    steps: list[Step] = []
    with pytest.raises(ConnectFailed):
        run(json("http://127.0.0.1:1/x", method="POST"), Server(), observe=steps.append)
    assert [step.name for step in steps] == ["asked"] * 3


# ---------------------------------------------------------------- forms of an answer


def test_an_event_stream_comes_as_batches_of_frames() -> None:
    """One batch a network read; frames are whole."""
    body = b"data: one\n\nevent: x\ndata: two\n\n"
    server = Server(answer("200 OK", "content-type: text/event-stream", body=body))

    async def use(session: Session) -> list[tuple[str, bytes]]:
        async with session.sse("POST", "/x", json={"a": 1}) as batches:
            return [(frame.event, frame.data) async for batch in batches for frame in batch]

    assert run(use, server) == [("message", b"one"), ("x", b"two")]
    assert "accept: text/event-stream" in server.heads[0].lower()
    assert "content-type: application/json" in server.heads[0].lower()


def test_an_upload_tells_its_steps_and_never_its_query() -> None:
    """What a progress line needs, without anything secret."""
    steps: list[Step] = []
    part = FilePart(name="image", data=b"x" * 1000, filename="a.png", media_type="image/png")
    server = Server()
    run(lambda s: s.upload("/up", part, into=Yes, params={"sig": "sandbox-sig"}), server, observe=steps.append)
    assert "POST /up?sig=sandbox-sig " in server.heads[0]
    assert steps[0] == Step(name="asked", method="POST", url=server.url + "/up")
    assert steps[-1].name == "answered"
    assert steps[-1].status == 200
    assert any(step.name == "uploading" and step.sent_bytes == step.total_bytes for step in steps)
    assert not any("sandbox-sig" in repr(step) for step in steps)


def test_hosts_have_names() -> None:
    """A path goes to the host of its alias; an absolute URL stays."""

    async def use(session: Session) -> list[str]:
        session.hosts["files"] = "https://files.example"
        return [session.url("/a", "files"), session.url("https://x.example/b"), session.url("/c")]

    server = Server()
    assert run(use, server) == ["https://files.example/a", "https://x.example/b", server.url + "/c"]
