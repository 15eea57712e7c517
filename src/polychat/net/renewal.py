"""What a service made of a browser session while it was in use: newer cookies, a fetched token, a later end."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from polychat.credentials import BearerToken, SessionCookies, pieces
from polychat.net.cookies import CookieJar


def renewed(
    given: SessionCookies, jar: CookieJar, token: BearerToken | None, *, origin: str, essential: Sequence[str]
) -> SessionCookies | None:
    """`given` as it is now; None where nothing changed.

    `essential` names the cookies without which it is no session: while one is gone, what the person gave is kept.
    """
    now = given
    if token is not None:
        now = msgspec.structs.replace(now, token=token.token, expires_at=token.expires_at)
    if jar.changed:
        cookies = jar.export(origin)
        kept = [pieces(name, cookies) for name in essential]
        if not all(kept):
            return None
        ends = [end for found in kept for piece in found if (end := jar.ends_at(piece)) is not None]
        now = msgspec.structs.replace(now, cookies=cookies, ends_at=min(ends, default=given.ends_at))
    return None if now == given else now
