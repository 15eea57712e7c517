"""Files by their address: those that a person names, and those that a service made and points to.

A person's link must be public, and goes through no proxy. A service's link is read as it is where it lies on the
service's own host, or on this machine as the service itself; anywhere else it must be public too. Credentials go along
to the service's own origins alone.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from polychat.engine.attachments import LIMIT_BYTES
from polychat.errors import BadOption, PolychatError
from polychat.net.clocks import Clocks
from polychat.net.fetch import check_public, fetch_public, origin_of
from polychat.net.session import Session
from polychat.net.transport import Transport
from polychat.providers.openai_compatible import is_local

log = logging.getLogger("polychat.engine")


class Links:
    """The links of one engine. `public` opens the transport that refuses private addresses but `own_origins`."""

    def __init__(self, public: Callable[[], Transport], own_origins: frozenset[str], *, proxied: bool) -> None:
        self._public = public
        self._own_origins = own_origins
        self._proxied = proxied

    async def named(self, url: str, *, field: str) -> bytes:
        """What lies where a person points to. Raises: `BadOption`."""
        if self._proxied:
            raise BadOption(
                "a file named by its URL is not fetched through a proxy", field=field, hint="give the file itself"
            )
        return await self._fetched(url)

    async def made(self, session: Session, url: str) -> bytes | None:
        """What a service made; None when it cannot be read, because the link itself is worth keeping then."""
        try:
            if self._proxied:  # which resolves names where nobody checks
                check_public(url, self._own_origins)
            if self._proxied or _is_at_home(session, url):
                return await _through(session, url)
            return await self._fetched(url)
        except PolychatError as error:
            log.warning("what %s made cannot be fetched: %s", session.provider, error.message)
            return None

    async def _fetched(self, url: str) -> bytes:
        fetched = await fetch_public(
            self._public(), url, limit_bytes=LIMIT_BYTES, clocks=Clocks(), allow_origins=self._own_origins
        )
        return fetched.data


def _is_at_home(session: Session, url: str) -> bool:
    host = origin_of(url)[1]
    homes = {origin_of(home)[1] for home in session.hosts.values()}
    return host in homes or (is_local(host) and any(map(is_local, homes)))


async def _through(session: Session, url: str) -> bytes:
    async with session.open("GET", url) as response:
        data = await response.read(LIMIT_BYTES + 1)
    if len(data) > LIMIT_BYTES:
        raise BadOption(f"the file at the URL is larger than {LIMIT_BYTES} bytes", field="url")
    return data
