"""The transport against servers that behave, and servers that do not."""

from __future__ import annotations

import asyncio
import gzip
import re
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from operator import sub
from typing import Any, TypeVar

import pytest
import trustme

from polychat.errors import BadOption, ConnectFailed, IdleTimeout, Interrupted, PolychatError
from polychat.net.aiohttp import AiohttpTransport
from polychat.net.clocks import Clocks
from polychat.net.transport import FilePart, HttpRequest, HttpResponse

T = TypeVar("T")

BOUND_S = 10.0  # generous: for what happens at once
USUAL = Clocks()
SOON = Clocks(connect_s=0.2, first_event_s=0.2, between_events_s=0.2, pool_s=0.2)
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"
HALF_A_HEAD = b"HTTP/1.1 200 OK\r\ncontent-"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
FIRST_CHUNK = b"5\r\nhello\r\n"
CLOSED_PORT = 1  # nobody listens on tcpmux


class Peer:
    """The server's end of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.requests: list[tuple[bytes, bytes]] = []
        self.gone = asyncio.Event()  # the client has closed

    async def request(self) -> tuple[bytes, bytes]:
        """Head and body of the next request."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        body = await self.reader.readexactly(int(length[1])) if length else b""
        self.requests.append((head, body))
        return head, body

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def wait_gone(self) -> None:
        """Return when the client closes; whatever it still sends is dropped."""
        with suppress(ConnectionError):
            while await self.reader.read(65536):
                pass
        self.gone.set()


class Site:
    """A loopback server and the connections it has had."""

    def __init__(self) -> None:
        self.peers: list[Peer] = []
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/path?key=canary"


Talk = Callable[[Peer], Awaitable[object]]


@asynccontextmanager
async def serving(talk: Talk, tls: ssl.SSLContext | None = None) -> AsyncIterator[Site]:
    """A server that holds `talk` with every connection, then closes it."""
    site = Site()
    tasks = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        peer = Peer(reader, writer)
        site.peers.append(peer)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await talk(peer)
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
    site.port = server.sockets[0].getsockname()[1]
    try:
        yield site
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def transporting(**options: Any) -> AsyncIterator[AiohttpTransport]:
    transport = AiohttpTransport(**options)
    try:
        yield transport
    finally:
        await transport.aclose()


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run `main`, not longer than a minute."""
    return asyncio.run(asyncio.wait_for(main, 60))


def get(url: str, proxy: str | None = None) -> HttpRequest:
    return HttpRequest(method="GET", url=url, proxy=proxy)


def post(url: str, body: bytes = b"{}") -> HttpRequest:
    return HttpRequest(method="POST", url=url, body=body)


def saying(*data: bytes, then: Talk | None = None) -> Talk:
    """Hear one request, send `data`, and do `then` or close."""

    async def talk(peer: Peer) -> None:
        await peer.request()
        for piece in data:
            await peer.send(piece)
        if then is not None:
            await then(peer)

    return talk


def answering(data: bytes) -> Talk:
    """Answer every request of a connection with `data`."""

    async def talk(peer: Peer) -> None:
        while True:
            await peer.request()
            await peer.send(data)

    return talk


@asynccontextmanager
async def answer_of(talk: Talk) -> AsyncIterator[HttpResponse]:
    """The answer to one request to a server that behaves like `talk`."""
    async with serving(talk) as site, transporting() as transport, transport.open(get(site.url), USUAL) as response:
        yield response


async def drained(response: HttpResponse) -> list[bytes]:
    return [chunk async for chunk in response.chunks()]


async def failing(
    transport: AiohttpTransport, request: HttpRequest, clocks: Clocks = USUAL
) -> tuple[list[bytes], PolychatError]:
    """The chunks that came, and the error that ended them."""
    came: list[bytes] = []

    async def ask() -> None:
        async with transport.open(request, clocks) as response:
            async for chunk in response.chunks():
                came.append(chunk)  # noqa: PERF401  # an extended list would stay empty when the body fails

    with pytest.raises(PolychatError) as caught:
        await ask()
    assert "canary" not in f"{caught.value} {caught.value!r}"
    return came, caught.value


def failure_of(talk: Talk, clocks: Clocks = USUAL) -> tuple[list[bytes], PolychatError]:
    """What comes of one request to a server that behaves like `talk`."""

    async def main() -> tuple[list[bytes], PolychatError]:
        async with serving(talk) as site, transporting() as transport:
            return await failing(transport, post(site.url), clocks)

    return run(main())


# ---------------------------------------------------------------- what goes out and comes in


def test_answer_is_handed_on_as_it_is() -> None:
    """Status, header names in lower case, repeated fields joined, and each Set-Cookie for itself."""
    answer = (
        b"HTTP/1.1 404 Nope\r\nX-Part: one\r\nSet-Cookie: a=1; Path=/\r\nx-part: two\r\n"
        b"set-cookie: b=x,y\r\nContent-Length: 2\r\n\r\nno"
    )

    async def main() -> None:
        async with serving(saying(answer)) as site, transporting() as transport:
            async with transport.open(get(site.url), USUAL) as response:
                assert await response.read(100) == b"no"
            assert response.status == 404
            assert response.headers == {"x-part": "one, two", "content-length": "2"}
            assert response.set_cookies == ("a=1; Path=/", "b=x,y")
            assert response.url == site.url

    run(main())


def test_nothing_is_added_but_what_http_needs() -> None:
    """A request holds our headers, host, length and the encodings that can be decoded; no user-agent, no cookie."""

    async def main() -> None:
        async with serving(answering(b"HTTP/1.1 200 OK\r\nset-cookie: a=1\r\ncontent-length: 0\r\n\r\n")) as site:
            async with transporting() as transport:
                request = HttpRequest(method="POST", url=site.url, headers={"x-ours": "1"}, body=b"{}")
                for _ in range(2):
                    async with transport.open(request, USUAL) as response:
                        await response.read(1)
            head = site.peers[0].requests[1][0].decode().lower()
            names = {line.partition(":")[0] for line in head.split("\r\n")[1:] if line}
            assert names == {"host", "x-ours", "content-length", "accept-encoding"}
            assert head.startswith("post /path?key=canary http/1.1\r\n")

    run(main())


def test_redirect_is_not_followed() -> None:
    """A redirect is an answer like any other."""

    async def main() -> None:
        answer = b"HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n"
        async with serving(answering(answer)) as site, transporting() as transport:
            async with transport.open(get(site.url), USUAL) as response:
                assert (response.status, response.headers["location"]) == (302, "/elsewhere")
            assert len(site.peers[0].requests) == 1

    run(main())


def test_gzip_is_undone() -> None:
    """A compressed body arrives as it was before."""
    packed = gzip.compress(b"hello" * 1000)
    answer = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n%b" % (len(packed), packed)

    async def main() -> bytes:
        async with answer_of(saying(answer)) as response:
            return b"".join(await drained(response))

    assert run(main()) == b"hello" * 1000


def test_long_header_fields_are_taken() -> None:
    """A security policy of 20 kB does not make an answer unreadable."""
    answer = b"HTTP/1.1 200 OK\r\npolicy: %b\r\ncontent-length: 0\r\n\r\n" % (b"x" * 20_000)

    async def main() -> int:
        async with answer_of(saying(answer)) as response:
            return len(response.headers["policy"])

    assert run(main()) == 20_000


def test_multipart_is_exact() -> None:
    """A form part goes out with its name, file name and type, and its bytes untouched."""
    parts = (
        FilePart(name="image", data=b"\x00\r\n--\xff", filename="image.png", media_type="image/png"),
        FilePart(name='a"b', data="да".encode(), filename="кот\r\n.png"),
    )

    async def main() -> tuple[bytes, bytes]:
        async with serving(answering(OK)) as site, transporting() as transport:
            request = HttpRequest(method="POST", url=site.url, headers={"accept": "*/*"}, parts=parts)
            async with transport.open(request, USUAL) as response:
                await response.read(5)
            return site.peers[0].requests[0]

    head, body = run(main())
    boundary = re.search(rb"(?i)\r\ncontent-type: multipart/form-data; boundary=(\w+)\r\n", head)
    assert boundary is not None
    expected = (
        b'--B\r\nContent-Disposition: form-data; name="image"; filename="image.png"\r\nContent-Type: image/png\r\n\r\n'
        b"\x00\r\n--\xff\r\n"
        b'--B\r\nContent-Disposition: form-data; name="a%22b"; filename="'
        + "кот%0D%0A.png".encode()
        + b'"\r\n\r\n'
        + "да".encode()
        + b"\r\n--B--\r\n"
    )
    assert body == expected.replace(b"--B", b"--" + boundary[1])


@pytest.mark.parametrize("form", [False, True])
def test_large_upload_arrives_whole_and_tells_how_far_it_is(form: bool) -> None:
    """Eight megabytes arrive as they are, and progress climbs in steps of at most 64 KiB to the end."""
    data = bytes(range(256)) * 32 * 1024
    told: list[tuple[int, int]] = []

    async def main() -> bytes:
        async with serving(answering(OK)) as site, transporting() as transport:
            request = HttpRequest(
                method="POST",
                url=site.url,
                body=None if form else data,
                parts=(FilePart(name="image", data=data),) if form else (),
            )
            async with transport.open(request, USUAL, progress=lambda sent, total: told.append((sent, total))):
                return site.peers[0].requests[0][1]

    arrived = run(main())
    sent = [step[0] for step in told]
    content = arrived[arrived.index(b"\r\n\r\n") + 4 : arrived.rindex(b"\r\n--")] if form else arrived
    assert content == data
    assert told[-1] == (len(arrived), len(arrived))
    assert all(0 < step <= 65536 for step in map(sub, sent, [0, *sent]))


def test_read_stops_at_its_limit() -> None:
    """Of an endless body no more than the limit is handed out, and the server hears that nobody reads on."""

    async def pour(peer: Peer) -> None:
        try:
            while True:
                await peer.send(b"1000\r\n" + b"x" * 4096 + b"\r\n")
        finally:
            peer.gone.set()

    async def main() -> int:
        async with serving(saying(CHUNKED, then=pour)) as site, transporting() as transport:
            async with transport.open(get(site.url), USUAL) as response:
                size = len(await response.read(10_000))
            await asyncio.wait_for(site.peers[0].gone.wait(), BOUND_S)
            return size

    assert run(main()) == 10_000


# ---------------------------------------------------------------- connections


def test_finished_exchanges_share_a_connection() -> None:
    """A body read to its end gives the connection back for the next request."""

    async def main() -> list[int]:
        async with serving(answering(OK)) as site, transporting() as transport:
            for _ in range(3):
                async with transport.open(post(site.url), USUAL) as response:
                    assert await drained(response) == [b"hello"]
            return [len(peer.requests) for peer in site.peers]

    assert run(main()) == [3]


def test_leaving_early_closes_the_connection() -> None:
    """A body that was not read to its end takes its connection with it."""

    async def main() -> list[int]:
        async with serving(saying(CHUNKED + FIRST_CHUNK, then=Peer.wait_gone)) as site, transporting() as transport:
            for _ in range(2):
                async with transport.open(get(site.url), USUAL) as response:
                    async for chunk in response.chunks():
                        assert chunk == b"hello"
                        break
                await asyncio.wait_for(site.peers[-1].gone.wait(), BOUND_S)
            return [len(peer.requests) for peer in site.peers]

    assert run(main()) == [1, 1]


def test_kept_connection_that_died_is_replaced() -> None:
    """A server that closes a kept connection costs a GET nothing."""

    async def main() -> int:
        async with serving(saying(OK)) as site, transporting() as transport:
            for _ in range(3):
                async with transport.open(get(site.url), USUAL) as response:
                    assert await response.read(100) == b"hello"
            return len(site.peers)

    assert run(main()) == 3


@pytest.mark.parametrize("begun", [b"", CHUNKED, CHUNKED + FIRST_CHUNK], ids=["asked", "head", "body"])
def test_cancelling_hangs_up(begun: bytes) -> None:
    """Whoever stops waiting, at whatever point, hangs up at once."""

    async def main() -> None:
        heard = asyncio.Event()

        async def stall(peer: Peer) -> None:
            heard.set()
            await peer.wait_gone()

        async def ask(transport: AiohttpTransport, url: str) -> None:
            async with transport.open(post(url), USUAL) as response:
                await drained(response)

        async with serving(saying(begun, then=stall)) as site, transporting() as transport:
            task = asyncio.create_task(ask(transport, site.url))
            await heard.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.wait_for(site.peers[0].gone.wait(), BOUND_S)

    run(main())


def test_cancelling_an_upload_hangs_up() -> None:
    """An upload that nobody reads ends when it is cancelled, and what waited to be sent is dropped."""

    async def main() -> None:
        reading = asyncio.Event()
        received: list[int] = []
        told: list[int] = []

        async def lazy(peer: Peer) -> None:
            await reading.wait()
            with suppress(ConnectionError):
                while data := await peer.reader.read(65536):
                    received.append(len(data))
            peer.gone.set()

        async def ask(transport: AiohttpTransport, url: str) -> None:
            async with transport.open(post(url, bytes(60_000_000)), USUAL, progress=lambda sent, _: told.append(sent)):
                pass

        async with serving(lazy) as site, transporting() as transport:
            task = asyncio.create_task(ask(transport, site.url))
            told_before = -1
            while told_before != len(told):  # until the upload is stuck
                told_before = len(told) or -1
                await asyncio.sleep(0.05)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            reading.set()
            await asyncio.wait_for(site.peers[0].gone.wait(), BOUND_S)
        assert sum(received) < told[-1]

    run(main())


@pytest.mark.parametrize("begun", [b"", CHUNKED, CHUNKED + FIRST_CHUNK], ids=["asked", "head", "body"])
def test_closing_the_transport_ends_what_is_open(begun: bytes) -> None:
    """Whoever waits for an answer hears of the end instead of waiting for ever, and no connection is left."""

    async def main() -> None:
        heard = asyncio.Event()

        async def stall(peer: Peer) -> None:
            heard.set()
            await peer.wait_gone()

        async with serving(saying(begun, then=stall)) as site:
            transport = AiohttpTransport()
            asking = asyncio.create_task(failing(transport, post(site.url)))
            await heard.wait()
            await asyncio.sleep(0.05)  # what was sent is read, so that the wait is for more
            await transport.aclose()
            _, error = await asyncio.wait_for(asking, BOUND_S)
            assert isinstance(error, Interrupted)
            await asyncio.wait_for(site.peers[0].gone.wait(), BOUND_S)

    run(main())


def test_waiting_for_a_slot_has_a_clock() -> None:
    """With all slots taken the pool clock runs; a slot that comes free is taken."""

    async def main() -> None:
        talk = saying(CHUNKED + FIRST_CHUNK, then=Peer.wait_gone)
        async with serving(talk) as site, transporting(connections=2) as transport:
            async with transport.open(get(site.url), USUAL), transport.open(get(site.url), USUAL):
                _, error = await failing(transport, get(site.url), SOON)
                assert isinstance(error, IdleTimeout)
                assert error.clock == "pool"
                waiting = asyncio.create_task(ask(transport, site.url))
            assert await waiting == b"hello"

    async def ask(transport: AiohttpTransport, url: str) -> bytes:
        async with transport.open(get(url), USUAL) as response:
            return await response.read(5)

    run(main())


def test_failures_give_their_slot_back() -> None:
    """Ten failures in a row leave the only slot free."""

    async def main() -> None:
        async with serving(answering(OK)) as site, transporting(connections=1) as transport:
            for _ in range(10):
                await failing(transport, get(f"http://127.0.0.1:{CLOSED_PORT}/"))
            async with transport.open(get(site.url), SOON) as response:
                assert await response.read(5) == b"hello"

    run(main())


def test_two_transports_live_side_by_side() -> None:
    """Closing one leaves the other's connections alone."""

    async def main() -> int:
        async with serving(answering(OK)) as site, transporting() as kept:
            for _ in range(2):
                async with (
                    transporting() as other,
                    kept.open(get(site.url), USUAL) as mine,
                    other.open(get(site.url), USUAL) as theirs,
                ):
                    assert await theirs.read(5) == await mine.read(5)
            return max(len(peer.requests) for peer in site.peers)

    assert run(main()) == 2


# ---------------------------------------------------------------- clocks and cuts


async def hold(peer: Peer) -> None:
    await peer.wait_gone()


@pytest.mark.parametrize(
    "begun", [b"", b"HTTP/1.1 200 OK\r\ncontent-", CHUNKED], ids=["nothing", "half a head", "head"]
)
def test_silence_before_the_body_is_the_first_event_clock(begun: bytes) -> None:
    """Until the first byte of the body it is the first-event clock that runs out."""
    patient = Clocks(first_event_s=0.2, between_events_s=60)
    came, error = failure_of(saying(begun, then=hold), patient)
    assert (came, type(error)) == ([], IdleTimeout)
    assert isinstance(error, IdleTimeout)
    assert error.clock == "first_event"


def test_silence_inside_the_body_interrupts() -> None:
    """After the first byte the shorter clock between events counts, and what came is kept."""
    came, error = failure_of(saying(CHUNKED + FIRST_CHUNK, then=hold), Clocks(first_event_s=60, between_events_s=0.2))
    assert (came, type(error)) == ([b"hello"], Interrupted)


def test_handshake_that_stalls_is_the_connect_clock() -> None:
    """A server that accepts and does not speak TLS back runs into the connect clock."""

    async def main() -> PolychatError:
        async with serving(hold) as site, transporting() as transport:
            return (await failing(transport, get(f"https://127.0.0.1:{site.port}/?key=canary"), SOON))[1]

    error = run(main())
    assert isinstance(error, IdleTimeout)
    assert error.clock == "connect"


CUTS = {
    "accept and close": (b"", []),
    "half a head": (HALF_A_HEAD, []),
    "not http": (b"SSH-2.0-OpenSSH_9.9\r\n\r\n", []),
    "chunked": (CHUNKED + FIRST_CHUNK, [b"hello"]),
    "inside a chunk": (CHUNKED + b"ff\r\nhello", [b"hello"]),
    "damaged chunk": (CHUNKED + FIRST_CHUNK + b"zz\r\nhello", []),
    "shorter than it said": (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello", [b"hello"]),
    "damaged gzip": (b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 5\r\n\r\nhello", []),
}


@pytest.mark.parametrize(("sent", "expected"), CUTS.values(), ids=CUTS.keys())
def test_cut_answers_are_interrupted(sent: bytes, expected: list[bytes]) -> None:
    """An answer that ends before its end says so, after all that arrived was handed out."""
    came, error = failure_of(saying(sent))
    assert (came, type(error)) == (expected, Interrupted)


def test_cut_while_the_reader_is_busy_loses_nothing() -> None:
    """What arrived before the cut is handed out even if it was still unread when the cut came."""

    async def main() -> tuple[bytes, bool]:
        pieces = [CHUNKED, *[FIRST_CHUNK] * 50]
        async with serving(saying(*pieces)) as site, transporting() as transport:
            came = b""
            cut = False
            try:
                async with transport.open(get(site.url), USUAL) as response:
                    async for chunk in response.chunks():
                        came += chunk
                        await asyncio.wait_for(site.peers[0].writer.wait_closed(), BOUND_S)
                        await asyncio.sleep(0.05)  # lets the cut overtake the reader
            except Interrupted:
                cut = True
            return came, cut

    assert run(main()) == (b"hello" * 50, True)


# ---------------------------------------------------------------- no connection


async def refused(url: str, proxy: str | None = None, **options: Any) -> PolychatError:
    async with transporting(**options) as transport:
        return (await failing(transport, get(url, proxy)))[1]


LONG_NAME = ".".join(["a" * 60] * 5)  # too long for a name, so that no name server is asked

UNREACHABLE = {
    f"http://127.0.0.1:{CLOSED_PORT}/a?key=canary": f"no connection to 127.0.0.1:{CLOSED_PORT}: Connection refused",
    f"http://{LONG_NAME}/a?key=canary": f"the name {LONG_NAME} is not known: Name or service not known",
}


@pytest.mark.parametrize(("url", "message"), UNREACHABLE.items(), ids=["port", "name"])
def test_no_connection_says_where_and_why(url: str, message: str) -> None:
    """The sentence names host and port and the reason, never the query."""
    error = run(refused(url))
    assert (type(error), error.message) == (ConnectFailed, message)
    assert error.__cause__ is None


BAD_URLS = [
    "", "127.0.0.1", "ftp://127.0.0.1/", "http://", "http://[::1/", "http://1.2.3.4.5/", f"http://{'a' * 64}.test/",
]  # fmt: skip


@pytest.mark.parametrize("url", BAD_URLS)
def test_malformed_url_is_an_option_to_mend(url: str) -> None:
    """What is no http address is refused before anything is opened."""
    error = run(refused(url))
    assert isinstance(error, BadOption)
    assert error.field == "url"


def test_header_that_breaks_lines_is_refused() -> None:
    """A header value with a line break is never sent, and not shown either."""

    async def main() -> PolychatError:
        async with serving(answering(OK)) as site, transporting() as transport:
            request = HttpRequest(method="GET", url=site.url, headers={"x-ours": "canary\r\nx-theirs: 1"})
            return (await failing(transport, request))[1]

    assert isinstance(run(main()), BadOption)


# ---------------------------------------------------------------- TLS


@pytest.fixture
def tls() -> ssl.SSLContext:
    """A server's side of TLS, vouched for by an authority that nobody trusts."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1", "localhost").configure_cert(context)
    return context


async def https_failure(tls: ssl.SSLContext | None, proxy: str | None = None) -> PolychatError:
    async with serving(answering(OK), tls) as site:
        error = await refused(f"https://127.0.0.1:{site.port}/a?key=canary", proxy)
        assert all(peer.requests == [] for peer in site.peers)
    assert f"127.0.0.1:{site.port}" in error.message
    return error


def test_certificate_nobody_vouches_for_is_refused(tls: ssl.SSLContext) -> None:
    """A self-signed server gets no request."""
    error = run(https_failure(tls))
    assert isinstance(error, ConnectFailed)
    assert "certificate" in error.message


def test_plain_server_behind_https_is_refused() -> None:
    """A port that answers TLS with something else is no connection."""

    async def main() -> PolychatError:
        async def babble(peer: Peer) -> None:
            await peer.reader.read(1)
            await peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        async with serving(babble) as site:
            return await refused(f"https://127.0.0.1:{site.port}/a?key=canary")

    error = run(main())
    assert isinstance(error, ConnectFailed)
    assert "TLS" in error.message


# ---------------------------------------------------------------- proxies


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


async def _tunnel(peer: Peer, host: str, port: int) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        await asyncio.gather(_pump(peer.reader, writer), _pump(reader, peer.writer))
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


def http_proxy(site_port: int, answer: bytes | None = None) -> Talk:
    """An HTTP proxy in front of one port; `answer` refuses everybody instead."""

    async def talk(peer: Peer) -> None:
        head = await peer.reader.readuntil(b"\r\n\r\n")
        peer.requests.append((head, b""))
        if answer is not None:
            await peer.send(answer)
        elif head.startswith(b"CONNECT "):
            await peer.send(b"HTTP/1.1 200 Connected\r\n\r\n")
            await _tunnel(peer, "127.0.0.1", site_port)
        else:
            await peer.send(OK)

    return talk


class Socks:
    """A SOCKS4 and SOCKS5 proxy that reaches one port, whatever it is asked for."""

    def __init__(self, site_port: int, password: bytes | None = None, reply: int = 0) -> None:
        self.site_port, self.password, self.reply = site_port, password, reply
        self.asked: list[bytes] = []  # destinations

    async def __call__(self, peer: Peer) -> None:
        version = (await peer.reader.readexactly(1))[0]
        await (self._four(peer) if version == 4 else self._five(peer))

    async def _four(self, peer: Peer) -> None:
        _, _, *address = await peer.reader.readexactly(7)
        await peer.reader.readuntil(b"\0")
        self.asked.append(bytes(address[1:]))
        await peer.send(b"\0\x5a" + bytes(6))
        await _tunnel(peer, "127.0.0.1", self.site_port)

    async def _five(self, peer: Peer) -> None:
        methods = await peer.reader.readexactly((await peer.reader.readexactly(1))[0])
        wanted = 0 if self.password is None else 2
        await peer.send(bytes([5, wanted if wanted in methods else 0xFF]))
        if wanted and not await self._let_in(peer):
            return
        _, _, _, kind = await peer.reader.readexactly(4)
        size = {1: 4, 4: 16}.get(kind) or (await peer.reader.readexactly(1))[0]
        self.asked.append(await peer.reader.readexactly(size))
        await peer.reader.readexactly(2)
        await peer.send(bytes([5, self.reply, 0, 1]) + bytes(6))
        if self.reply == 0:
            await _tunnel(peer, "127.0.0.1", self.site_port)

    async def _let_in(self, peer: Peer) -> bool:
        _, length = await peer.reader.readexactly(2)
        user = await peer.reader.readexactly(length)
        password = await peer.reader.readexactly((await peer.reader.readexactly(1))[0])
        welcome = (user, password) == (b"someone", self.password)
        await peer.send(bytes([1, 0 if welcome else 1]))
        return welcome


def test_http_proxy_gets_the_whole_url_and_the_password() -> None:
    """A plain request goes to the proxy in absolute form, with the proxy's user and password as Basic."""

    async def main() -> bytes:
        async with serving(http_proxy(0)) as proxy, transporting() as transport:
            through = f"http://someone:p%40ss@127.0.0.1:{proxy.port}"
            async with transport.open(get("http://service.invalid/a?b=c", through), USUAL) as response:
                assert await response.read(5) == b"hello"
            return proxy.peers[0].requests[0][0]

    head = run(main())
    assert head.startswith(b"GET http://service.invalid/a?b=c HTTP/1.1\r\n")
    assert b"Proxy-Authorization: Basic " + b64encode(b"someone:p@ss") + b"\r\n" in head


def test_https_goes_through_a_tunnel(tls: ssl.SSLContext) -> None:
    """For https the proxy is asked to connect, and the certificate behind it is checked all the same."""

    async def main() -> tuple[PolychatError, bytes, int]:
        async with serving(answering(OK), tls) as site, serving(http_proxy(site.port)) as proxy:
            url = f"https://127.0.0.1:{site.port}/a?key=canary"
            error = await refused(url, f"http://127.0.0.1:{proxy.port}")
            return error, proxy.peers[0].requests[0][0], site.port

    error, head, port = run(main())
    assert head.startswith(b"CONNECT 127.0.0.1:%d HTTP/1.1\r\n" % port)
    assert isinstance(error, ConnectFailed)
    assert "certificate" in error.message


REFUSALS = {
    "password": (b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n", "407"),
    "forbidden": (b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n", "403"),
}


@pytest.mark.parametrize(("answer", "status"), REFUSALS.values(), ids=REFUSALS.keys())
def test_http_proxy_that_refuses_is_named(answer: bytes, status: str) -> None:
    """The sentence names the proxy without its password, and what it answered."""

    async def main() -> tuple[PolychatError, int]:
        async with serving(http_proxy(0, answer)) as proxy:
            through = f"http://someone:canary@127.0.0.1:{proxy.port}"
            return await refused("https://service.invalid/", through), proxy.port

    error, port = run(main())
    assert isinstance(error, ConnectFailed)
    assert f"the proxy 127.0.0.1:{port} refused to connect: {status}" in error.message


@pytest.mark.parametrize("scheme", ["http", "https", "socks4", "socks5", "socks5h"])
def test_proxy_that_is_not_there_is_named(scheme: str) -> None:
    """No connection to the proxy is told as such, without its password."""
    error = run(refused("http://127.0.0.1/", f"{scheme}://someone:canary@127.0.0.1:{CLOSED_PORT}"))
    assert isinstance(error, ConnectFailed)
    assert error.message.startswith(f"no connection to the proxy 127.0.0.1:{CLOSED_PORT}")


@pytest.mark.parametrize("proxy", ["canary", "ftp://canary:1", "http://", "socks5://canary:99999", "socks6://canary"])
def test_malformed_proxy_is_an_option_to_mend(proxy: str) -> None:
    """What is no proxy address is refused, and not shown, for it may hold a password."""
    error = run(refused("http://127.0.0.1/", proxy))
    assert isinstance(error, BadOption)
    assert error.field == "proxy"


SOCKS_KINDS = {
    "socks4": (None, bytes([127, 0, 0, 1])),
    "socks5": (None, bytes([127, 0, 0, 1])),
    "socks5 with password": (b"p@ss", bytes([127, 0, 0, 1])),
    "socks5h": (None, b"localhost"),
    "socks5h with password": (b"p@ss", b"localhost"),
}


@pytest.mark.parametrize("kind", SOCKS_KINDS)
def test_socks_proxy_is_used(kind: str) -> None:
    """The exchange runs through the proxy, twice over one connection; only socks5h lets the proxy resolve the name."""
    password, destination = SOCKS_KINDS[kind]
    user = "someone:p%40ss@" if password else ""

    async def main() -> tuple[list[bytes], list[int]]:
        async with serving(answering(OK)) as site:
            socks = Socks(site.port, password)
            async with serving(socks) as proxy, transporting() as transport:
                through = f"{kind.split()[0]}://{user}127.0.0.1:{proxy.port}"
                for _ in range(2):
                    url = f"http://localhost:{site.port}/"
                    async with transport.open(get(url, through), USUAL) as response:
                        assert await response.read(5) == b"hello"
                return socks.asked, [len(peer.requests) for peer in site.peers]

    asked, requests = run(main())
    assert asked == [destination]
    assert requests == [2]


def socks_failure(socks: Talk, user: str = "", clocks: Clocks = USUAL) -> PolychatError:
    async def main() -> PolychatError:
        async with serving(socks) as proxy, transporting() as transport:
            request = get("http://127.0.0.1:9/?key=canary", f"socks5h://{user}127.0.0.1:{proxy.port}")
            return (await failing(transport, request, clocks))[1]

    return run(main())


async def hang_up(peer: Peer) -> None:
    await peer.reader.read(1)


@pytest.mark.parametrize(
    ("socks", "user", "words"),
    [
        (Socks(0, b"right"), "someone:canary@", "refused to connect"),
        (Socks(0, b"right"), "", "refused to connect"),
        (Socks(0, reply=5), "", "refused to connect: Connection refused"),
        (hang_up, "", "closed the connection"),
    ],
    ids=["wrong password", "no password", "refused", "closed"],
)
def test_socks_proxy_that_refuses_is_named(socks: Talk, user: str, words: str) -> None:
    """Whatever a SOCKS proxy does not like is no connection, and its password stays unsaid."""
    error = socks_failure(socks, user)
    assert isinstance(error, ConnectFailed)
    assert error.message.startswith("the proxy 127.0.0.1:")
    assert words in error.message


def test_socks_proxy_that_stalls_is_the_connect_clock() -> None:
    """Getting through the proxy is part of connecting."""
    error = socks_failure(hold, clocks=SOON)
    assert isinstance(error, IdleTimeout)
    assert error.clock == "connect"


def test_certificate_is_checked_behind_socks(tls: ssl.SSLContext) -> None:
    """A SOCKS proxy does not switch TLS checks off."""

    async def main() -> PolychatError:
        async with serving(answering(OK), tls) as site, serving(Socks(site.port)) as proxy:
            return await refused(f"https://127.0.0.1:{site.port}/?key=canary", f"socks5h://127.0.0.1:{proxy.port}")

    error = run(main())
    assert isinstance(error, ConnectFailed)
    assert "certificate" in error.message


def test_name_unknown_before_socks_is_no_connection() -> None:
    """With socks5 we resolve the name ourselves, and say so when there is none."""

    async def main() -> PolychatError:
        async with serving(Socks(0)) as proxy:
            return await refused(f"http://{LONG_NAME}/", f"socks5://127.0.0.1:{proxy.port}")

    assert isinstance(run(main()), ConnectFailed)


# ---------------------------------------------------------------- public addresses only

PRIVATE = [
    "localhost", "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "0x7f000001", "0177.0.0.1",
    "127.1", "10.0.0.1", "169.254.169.254", "[64:ff9b::7f00:1]", "224.0.0.1", "0.0.0.0",
]  # fmt: skip


@pytest.mark.parametrize("host", PRIVATE)
def test_private_address_is_refused(host: str) -> None:
    """A public-only transport opens no connection into the house, however the address is spelled."""

    async def main() -> PolychatError:
        async with serving(answering(OK)) as site:
            error = await refused(f"http://{host}:{site.port}/", public_only=True)
            assert site.peers == []
            return error

    error = run(main())
    assert isinstance(error, BadOption)
    assert error.field == "url"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_allowed_origin_is_reached(host: str) -> None:
    """An origin that was allowed is reached, private or not; another port of it is not."""

    async def main() -> None:
        async with serving(answering(OK)) as site, serving(answering(OK)) as other:
            allowed = frozenset({f"http://{host}:{site.port}"})
            async with transporting(public_only=True, allow_origins=allowed) as transport:
                async with transport.open(get(f"http://{host}:{site.port}/"), USUAL) as response:
                    assert await response.read(5) == b"hello"
                _, error = await failing(transport, get(f"http://{host}:{other.port}/"))
                assert isinstance(error, BadOption)

    run(main())


def test_public_only_goes_through_no_proxy() -> None:
    """A proxy resolves names where nobody checks them."""
    error = run(refused("http://service.invalid/", "http://127.0.0.1:1", public_only=True))
    assert isinstance(error, BadOption)
    assert error.field == "proxy"
