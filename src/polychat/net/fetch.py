"""Pictures by their address: reading a URL that a person named, without being led into the house.

Such a URL is a stranger's wish. It may point at this machine, at the local network or at a cloud's metadata service,
openly or by a redirect or a name that resolves there. So every hop is checked, nothing that proves who we are goes
along, and no more is read than was allowed. The rule of what is public lives here; `net/aiohttp.py` applies it to what
names resolve to.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Collection
from functools import lru_cache
from http import HTTPStatus
from urllib.parse import SplitResult, urljoin, urlsplit

import msgspec

from polychat.errors import BadOption
from polychat.net.clocks import Clocks
from polychat.net.transport import HttpRequest, HttpResponse, Transport

REDIRECTS = (301, 302, 303, 307, 308)
_DEFAULT_PORTS = {"http": 80, "https": 443}
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")  # RFC 4291 section 2.4 and the IANA registry
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Fetched(msgspec.Struct, frozen=True, kw_only=True):
    """What lay at a URL."""

    data: bytes
    url: str  # where the redirects ended
    media_type_declared: str | None = None  # as the server says, without parameters; the bytes know better


async def fetch_public(
    transport: Transport,
    url: str,
    *,
    limit_bytes: int,
    clocks: Clocks,
    allow_origins: frozenset[str] = frozenset(),
    redirects: int = 5,
) -> Fetched:
    """Read a public http or https URL, following redirects one checked hop at a time.

    `transport` is to be one that refuses private addresses itself, for only it sees what a name resolves to.
    `allow_origins` may be private all the same ("http://127.0.0.1:8765").

    Raises: `BadOption` (field "url") for an address that is private, malformed, too large or answers other than 2xx.
    """
    for _ in range(redirects + 1):
        check_public(url, allow_origins)
        async with transport.open(HttpRequest(method="GET", url=url, headers={"accept": "*/*"}), clocks) as response:
            if response.status not in REDIRECTS:
                return await _whole(response, url, limit_bytes)
            url = _next_hop(url, response)
    raise _bad_url(f"the URL redirects more than {redirects} times")


def check_public(url: str, allow_origins: Collection[str] = frozenset()) -> None:
    """Refuse a URL that is not plain http or https, carries a password or names a private address outright.

    Raises: `BadOption` (field "url").
    """
    parts = _split(url)
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise _bad_url("the URL is not an http or https address")
    if "@" in parts.netloc:
        raise _bad_url("the URL holds a user name or password", hint="put the file where it can be read without one")
    if origin_of(url) not in map(origin_of, allow_origins):
        check_host(parts.hostname)


def check_host(host: str) -> None:
    """Refuse a host that is itself a private address, in any spelling the operating system reads as one."""
    address = _literal(host)
    if address is not None and not is_public(address):
        raise private_address(host)


def private_address(host: str) -> BadOption:
    """The refusal of a host inside the house."""
    return _bad_url(f"{host} points to a private address", hint="give the file itself instead of its URL")


def is_public(address: Address) -> bool:
    """True for a unicast address of the open Internet, also when IPv4 hides inside IPv6."""
    if isinstance(address, ipaddress.IPv4Address):
        return address.is_global and not address.is_multicast
    inner = address.ipv4_mapped or address.sixtofour
    if address in _NAT64:
        inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return is_public(inner) if inner is not None else address in _GLOBAL_UNICAST and address.is_global


@lru_cache(maxsize=256)
def origin_of(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of a URL, lower-case, the port always there."""
    parts = _split(url)
    return parts.scheme, parts.hostname or "", parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)


def _literal(host: str) -> Address | None:
    """The address a host is, or None for a name: 127.0.0.1, ::1, and 2130706433, 0x7f.1, 0177.0.0.1 by inet_aton(3)."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host.rstrip(".")))
    except (OSError, UnicodeError):
        return None


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise _bad_url("the URL is malformed") from None
    return parts


def _next_hop(url: str, response: HttpResponse) -> str:
    location = response.headers.get("location")
    if not location:
        raise _bad_url(f"the URL answers {_phrase(response.status)} and does not say where to")
    target = urljoin(url, location)
    if urlsplit(url).scheme == "https" and _split(target).scheme == "http":
        raise _bad_url("the URL redirects from https to http")
    return target


async def _whole(response: HttpResponse, url: str, limit_bytes: int) -> Fetched:
    if not 200 <= response.status < 300:
        raise _bad_url(f"the URL answers {_phrase(response.status)}", upstream_status=response.status)
    declared = response.headers.get("content-length", "")
    data = b"" if _exceeds(declared, limit_bytes) else await response.read(limit_bytes + 1)
    if _exceeds(declared, limit_bytes) or len(data) > limit_bytes:
        raise _bad_url(f"the file at the URL is larger than {limit_bytes} bytes")
    media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    return Fetched(data=data, url=url, media_type_declared=media_type or None)


def _exceeds(declared: str, limit_bytes: int) -> bool:
    return declared.isascii() and declared.isdigit() and int(declared) > limit_bytes


def _phrase(status: int) -> str:
    try:
        return f"{status} ({HTTPStatus(status).phrase})"
    except ValueError:
        return str(status)


def _bad_url(message: str, *, hint: str | None = None, upstream_status: int | None = None) -> BadOption:
    return BadOption(message, field="url", hint=hint, upstream_status=upstream_status)
