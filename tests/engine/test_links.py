"""engine/links.py: whose links are read, through what, and which are only kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from polychat.credentials import Account, ApiKey, Secret, SessionCookies
from polychat.engine.links import Links
from polychat.errors import BadOption
from polychat.net.aiohttp import AiohttpTransport
from polychat.net.session import Session

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
FAR = "https://api.example.com/v1"


class Site:
    """A loopback server with one picture, /fox.png, and one redirect, /moved; it keeps the heads of requests."""

    def __init__(self) -> None:
        self.port = 0
        self.heads: list[str] = []

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.heads.append(head)
        name = head.split()[1].rpartition("/")[2]
        pages = {"fox.png": (b"200 OK", PNG), "moved": (b"302 Found\r\nlocation: /fox.png", b"")}
        first, body = pages.get(name, (b"404 Not Found", b""))
        writer.write(b"HTTP/1.1 %s\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%s" % (first, len(body), body))
        await writer.drain()
        writer.close()


@asynccontextmanager
async def world(
    *homes: str, allowed: bool = False, proxied: bool = False
) -> AsyncIterator[tuple[Links, Session, Site, str]]:
    """Links, the session of a service that lives at `homes` (PORT is the site's), the site, and its address."""
    site = Site()
    async with await asyncio.start_server(site.talk, "127.0.0.1", 0) as server:
        site.port = server.sockets[0].getsockname()[1]
        here = f"http://127.0.0.1:{site.port}"
        own = frozenset({here} if allowed else ())
        public, any_host = AiohttpTransport(public_only=True, allow_origins=own), AiohttpTransport()
        hosts = {str(number): home.replace("PORT", str(site.port)) for number, home in enumerate(homes)}
        account = Account(name="me", provider="x", credential=SessionCookies(cookies={"sid": Secret("sandbox-alice")}))
        proxy = Secret(f"{here}/") if proxied else None
        session = Session(provider="x", hosts=hosts, transport=any_host, account=account, proxy=proxy)
        yield Links(lambda: public, own, proxied=proxied), session, site, here
        await public.aclose()
        await any_host.aclose()


def made(*homes: str, at: Callable[[str, int], str] = lambda here, port: f"{here}/fox.png", **how: Any) -> Any:
    """What a service's link gives, and the heads of what was asked."""

    async def main() -> tuple[bytes | None, list[str]]:
        async with world(*homes, **how) as (links, session, site, here):
            return await links.made(session, at(here, site.port)), site.heads

    return asyncio.run(main())


def named(*, at: Callable[[str, int], str] = lambda here, port: f"{here}/fox.png", **how: Any) -> bytes:
    """What a person's link gives."""

    async def main() -> bytes:
        async with world(FAR, **how) as (links, _, site, here):
            return await links.named(at(here, site.port), field="image")

    return asyncio.run(main())


def test_a_link_at_the_services_own_host_is_read() -> None:
    """With its credentials on its own origin, and without on another port."""
    data, (head,) = made("http://127.0.0.1:PORT")
    assert (data, "sid=sandbox-alice" in head) == (PNG, True)
    data, (head,) = made("http://127.0.0.1:9/v1")
    assert (data, "sandbox-alice" in head) == (PNG, False)


@pytest.mark.parametrize("home", ["http://localhost:9/v1", "http://127.0.0.9:9/v1"])
def test_a_service_on_this_machine_may_point_to_this_machine(home: str) -> None:
    """By any of its names."""
    assert made(home)[0] == PNG


def test_a_service_elsewhere_may_not_point_into_the_house(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is asked there; the link is kept, and the log says why it was not read."""
    assert made(FAR) == (None, [])
    assert "what x made cannot be fetched: 127.0.0.1 points to a private address" in caplog.text
    assert made(FAR, allowed=True)[0] == PNG


@pytest.mark.parametrize("path", ["/none.png", "/moved"])
def test_a_link_that_cannot_be_read_is_kept(path: str) -> None:
    """A page that is not there, or that leads elsewhere."""
    data, heads = made("http://127.0.0.1:PORT/v1", at=lambda here, port: here + path)
    assert (data, len(heads)) == (None, 1)


@pytest.mark.parametrize("link", ["", "fox.png", "file:///etc/passwd", "http://[::1", "ftp://x.example/a"])
def test_what_is_no_link_is_not_followed(link: str) -> None:
    """Whatever a service sends."""
    assert made("http://127.0.0.1:PORT/v1", at=lambda here, port: link) == (None, [])


def test_through_a_proxy_only_public_links_are_read() -> None:
    """As far as the address itself tells; the proxy is asked for them."""
    data, (head,) = made(FAR, proxied=True, at=lambda here, port: "http://pictures.example/fox.png")
    assert (data, head.split()[1]) == (PNG, "http://pictures.example/fox.png")
    assert made(FAR, proxied=True) == (None, [])


def test_a_persons_link_must_be_public() -> None:
    """Unless it lies where we are told that all is ours."""
    assert named(allowed=True) == PNG
    with pytest.raises(BadOption, match="points to a private address"):
        named()


def test_a_persons_link_goes_through_no_proxy() -> None:
    """In one sentence with the field."""
    with pytest.raises(BadOption, match="a file named by its URL is not fetched through a proxy") as caught:
        named(allowed=True, proxied=True)
    assert caught.value.field == "image"


def test_a_key_goes_nowhere() -> None:
    """An API key is no part of a link's request, even at home."""

    async def main() -> str:
        async with world("http://127.0.0.1:PORT/v1") as (links, session, site, here):
            session.account = Account(name="me", provider="x", credential=ApiKey(key=Secret("sandbox-key")))
            await links.made(session, f"{here}/fox.png")
            return site.heads[0]

    assert "sandbox-key" not in asyncio.run(main())
