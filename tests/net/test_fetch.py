"""Pictures by their address, and no way into the house."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress

import pytest

from polychat.errors import BadOption
from polychat.net.aiohttp import AiohttpTransport
from polychat.net.clocks import Clocks
from polychat.net.fetch import Fetched, check_public, fetch_public, is_public
from polychat.net.transport import HttpRequest, HttpResponse

USUAL = Clocks()
PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


def answer(body: bytes = b"", status: str = "200 OK", **headers: str) -> bytes:
    fields = {"content-length": str(len(body)), **{name.replace("_", "-"): value for name, value in headers.items()}}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status}\r\n{head}connection: close\r\n\r\n".encode() + body


class Site:
    """A loopback server that answers each path with what `pages` says; "PORT" in an answer is its own port."""

    def __init__(self, pages: dict[str, bytes]) -> None:
        self.pages = pages
        self.heads: list[str] = []
        self.port = 0

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.heads.append(head)
            writer.write(self.pages[head.split()[1]].replace(b"PORT", str(self.port).encode()))
            await writer.drain()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


@asynccontextmanager
async def serving(pages: dict[str, bytes]) -> AsyncIterator[Site]:
    site = Site(pages)
    server = await asyncio.start_server(site.talk, "127.0.0.1", 0)
    site.port = server.sockets[0].getsockname()[1]
    try:
        yield site
    finally:
        server.close()


async def fetched(site: Site, path: str, limit_bytes: int = 1000, redirects: int = 5) -> Fetched:
    """What lies at a path of `site`, the site itself being allowed."""
    allowed = frozenset({site.origin})
    transport = AiohttpTransport(public_only=True, allow_origins=allowed)
    try:
        return await fetch_public(
            transport,
            site.origin + path,
            limit_bytes=limit_bytes,
            clocks=USUAL,
            allow_origins=allowed,
            redirects=redirects,
        )
    finally:
        await transport.aclose()


def fetch(pages: dict[str, bytes], limit_bytes: int = 1000, redirects: int = 5) -> tuple[Fetched, Site]:
    """What lies at /."""

    async def main() -> tuple[Fetched, Site]:
        async with serving(pages) as site:
            return await fetched(site, "/", limit_bytes, redirects), site

    return asyncio.run(main())


def refusal(pages: dict[str, bytes], limit_bytes: int = 1000, redirects: int = 5) -> BadOption:
    with pytest.raises(BadOption) as caught:
        fetch(pages, limit_bytes, redirects)
    assert caught.value.field == "url"
    return caught.value


def test_picture_is_fetched_without_proof_of_who_we_are() -> None:
    """The bytes come whole with what the server calls them, and the request names no person."""
    got, site = fetch({"/": answer(PNG, content_type="Image/PNG; charset=x")})
    assert got == Fetched(data=PNG, url=f"{site.origin}/", media_type_declared="image/png")
    names = {line.partition(":")[0].lower() for line in site.heads[0].split("\r\n")[1:] if line}
    assert names == {"host", "accept", "accept-encoding"}


def test_redirects_are_followed_to_their_end() -> None:
    """Relative and absolute hops are followed, and the last URL is told."""
    got, site = fetch(
        {
            "/": answer(status="302 Found", location="/two?x=1"),
            "/two?x=1": answer(status="308 Permanent Redirect", location="http://127.0.0.1:PORT/three"),
            "/three": answer(PNG),
        }
    )
    assert (got.data, got.url, got.media_type_declared) == (PNG, f"{site.origin}/three", None)


def test_page_is_handed_over_as_bytes() -> None:
    """An HTML page instead of a file is for the caller to notice."""
    got, _ = fetch({"/": answer(b"<html>", content_type="text/html")})
    assert (got.data, got.media_type_declared) == (b"<html>", "text/html")


HOPS = {
    "private": "http://10.0.0.1/",
    "metadata": "http://169.254.169.254/latest/meta-data/",
    "another port": "http://127.0.0.1:1/",
    "decimal": "http://2130706433/",
    "name": "http://localhost:PORT/",
    "file": "file:///etc/passwd",
    "password": "http://user:canary@127.0.0.1:PORT/",
}


@pytest.mark.parametrize("location", HOPS.values(), ids=HOPS.keys())
def test_redirect_into_the_house_is_refused(location: str) -> None:
    """Each hop is checked like the first, also by what its name resolves to."""
    error = refusal({"/": answer(status="302 Found", location=location)})
    assert "canary" not in str(error)


def test_redirect_from_https_to_http_is_refused() -> None:
    """A hop that gives up encryption is not taken."""

    class Downgrading:
        """A transport whose only answer leads from https to http."""

        status = 302
        headers: Mapping[str, str] = {"location": "http://93.184.215.14/"}  # a Mapping is read only
        set_cookies: tuple[str, ...] = ()
        url = "https://93.184.215.14/"

        @asynccontextmanager
        async def open(
            self, request: HttpRequest, clocks: Clocks, *, progress: Callable[[int, int], None] | None = None
        ) -> AsyncIterator[HttpResponse]:
            yield self

        async def aclose(self) -> None: ...

        def chunks(self) -> AsyncIterator[bytes]:
            raise AssertionError

        async def read(self, limit_bytes: int) -> bytes:
            raise AssertionError

    with pytest.raises(BadOption, match="from https to http"):
        asyncio.run(fetch_public(Downgrading(), Downgrading.url, limit_bytes=1, clocks=USUAL))


def test_redirects_have_a_limit() -> None:
    """As many redirects as allowed are followed, and no more."""
    pages = {
        "/": answer(status="302 Found", location="/two"),
        "/two": answer(status="303 See Other", location="/three"),
        "/three": answer(PNG),
    }
    assert fetch(pages, redirects=2)[0].data == PNG
    assert refusal(pages, redirects=1).message == "the URL redirects more than 1 times"


def test_addresses_are_checked_whatever_the_transport() -> None:
    """A transport that would go anywhere is not asked to."""

    async def main() -> list[str]:
        async with serving({"/": answer(PNG)}) as site:
            transport = AiohttpTransport()
            with pytest.raises(BadOption):
                await fetch_public(transport, f"{site.origin}/", limit_bytes=1000, clocks=USUAL)
            await transport.aclose()
            return site.heads

    assert asyncio.run(main()) == []


def test_redirect_to_nowhere_is_refused() -> None:
    """A redirect must say where to."""
    assert "does not say where" in refusal({"/": answer(status="302 Found")}).message


@pytest.mark.parametrize(
    "page",
    [
        answer(bytes(1001)),
        answer(content_length="5000"),
        answer(status="200 OK", transfer_encoding="chunked").replace(b"content-length: 0\r\n", b"")
        + b"3e9\r\n" + bytes(1001) + b"\r\n0\r\n\r\n",
    ],
    ids=["one byte more", "announced", "unannounced"],
)  # fmt: skip
def test_file_over_the_limit_is_refused(page: bytes) -> None:
    """Neither an announced nor an unannounced body gets past the limit."""
    assert refusal({"/": page}).message == "the file at the URL is larger than 1000 bytes"


def test_file_of_exactly_the_limit_is_taken() -> None:
    """The limit itself is allowed."""
    assert fetch({"/": answer(bytes(1000))})[0].data == bytes(1000)


@pytest.mark.parametrize(("status", "words"), [("404 Not Found", "404 (Not Found)"), ("599 What", "599")])
def test_refused_file_says_how(status: str, words: str) -> None:
    """An answer other than 2xx names its status."""
    error = refusal({"/": answer(b"nope", status=status)})
    assert (error.message, error.upstream_status) == (f"the URL answers {words}", int(status[:3]))


@pytest.mark.parametrize(
    "url",
    [
        "", "cat.png", "//example.com/a", "ftp://example.com/a", "file:///etc/passwd", "data:image/png;base64,AA==",
        "http://", "http:///a", "http://[::1/", "http://example.com:99999/", "https://user@example.com/",
        "https://user:pass@example.com/", "https://127.0.0.1", "http://[::1]:80/", "http://0x7f000001/",
        "http://0177.1/", "http://127.1", "http://127.0.0.1./",
    ],
)  # fmt: skip
def test_url_that_is_not_plainly_public_is_refused(url: str) -> None:
    """Only http and https, no user name, no private address in whatever spelling."""
    with pytest.raises(BadOption) as caught:
        check_public(url)
    assert caught.value.field == "url"


def test_allowed_origin_is_scheme_host_and_port() -> None:
    """An allowed origin lets in nothing but itself."""
    allowed = {"http://127.0.0.1:8765"}
    check_public("http://127.0.0.1:8765/cat.png", allowed)
    for url in ("http://127.0.0.1:8766/", "https://127.0.0.1:8765/", "http://127.0.0.2:8765/", "http://127.0.0.1/"):
        with pytest.raises(BadOption):
            check_public(url, allowed)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True), ("8.8.8.8", True), ("2606:2800:21f::1", True),
        ("10.1.2.3", False), ("172.16.0.1", False), ("192.168.1.1", False), ("127.8.8.8", False), ("0.0.0.0", False),
        ("169.254.169.254", False), ("100.64.0.1", False), ("224.0.0.1", False), ("233.252.0.1", False),
        ("255.255.255.255", False), ("198.18.0.1", False), ("240.0.0.1", False),
        ("::1", False), ("::", False), ("fe80::1", False), ("fc00::1", False), ("fec0::1", False), ("ff02::1", False),
        ("::ffff:10.0.0.1", False), ("::ffff:8.8.8.8", True), ("::127.0.0.1", False),
        ("64:ff9b::a00:1", False), ("64:ff9b::808:808", True), ("64:ff9b:1::808:808", False),
        ("2002:a00:1::", False), ("2002:808:808::", True), ("2001:db8::1", False), ("2001::1", False),
    ],
)  # fmt: skip
def test_public_is_what_the_open_internet_routes(address: str, public: bool) -> None:
    """Private, local, shared, reserved and multicast ranges are not public, however they are wrapped."""
    assert is_public(ipaddress.ip_address(address)) is public
