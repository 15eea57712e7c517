"""The cookies of one service among those that an export or a store has.

The rest is none of our business. Of one name the service's first domain wins over a later one, a domain over what is
below it, and what is alive over what has ended.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from polychat.credentials import SignIn
from polychat.errors import BadOption
from polychat.signin.found import Cookie, Found, day, some
from polychat.signin.sighting import Sighting

_AGAIN = "log in at {url} and export again, HttpOnly cookies too (document.cookie has none)"


def session(
    recipe: SignIn,
    cookies: Sequence[Cookie],
    *,
    domains: Sequence[str],
    where: str,
    whole: str = "the export",
    again: str = _AGAIN,
    now: Callable[[], float] = time.time,
) -> Found:
    """The browser session that is among `cookies`; one that names no host is believed to be the service's.

    whole: what the cookies are of, in words. again: how to mend it; {url} is where the person logs in.

    Raises: `BadOption` when there are none of `domains`, all have expired, or one that the recipe names is missing.
    """
    hint = again.format(url=recipe.url)
    own = _nearest_last(cookies, domains)
    if not own:
        raise _elsewhere(whole, sorted({cookie.host for cookie in cookies if cookie.host}), domains, hint)
    sighting = Sighting(recipe, now=now)
    sighting.holds(own)
    if not sighting.credential().cookies:
        last = max(ended.at for ended in sighting.ended.values())
        raise _bad(f"all cookies of {domains[0]} in {whole} have expired, the last on {day(last)}", hint)
    for name in sighting.missing:
        ended = sighting.ended.get(name) or sighting.ended.get(f"{name}.0")
        fault = f"expired on {day(ended.at)}" if ended else f"is not in {whole}"
        raise _bad(f"the cookie {name} {fault}, and a session needs it", hint)
    return sighting.found(where)


def _nearest_last(cookies: Sequence[Cookie], domains: Sequence[str]) -> list[Cookie]:
    """The service's own cookies; of one name, the one that counts comes last."""
    ranked = [(rank, cookie) for cookie in cookies if (rank := _rank(cookie.host, domains)) is not None]
    return [cookie for _, cookie in sorted(ranked, key=lambda pair: pair[0], reverse=True)]


def _rank(host: str, domains: Sequence[str]) -> tuple[bool, int] | None:
    """How far a cookie's host is from the service: a domain itself before a subdomain; None is another site."""
    if not host:
        return (False, 0)
    ranks = [(host != domain, n) for n, domain in enumerate(domains) if f".{host}".endswith(f".{domain}")]
    return min(ranks, default=None)


def _elsewhere(whole: str, hosts: Sequence[str], domains: Sequence[str], hint: str) -> BadOption:
    wanted = " or ".join(domains)
    if not hosts:
        return _bad(f"{whole} holds no cookie of {wanted}", hint)
    return _bad(f"{whole} holds cookies of {some(hosts)}, but none of {wanted}", hint)


def _bad(message: str, hint: str) -> BadOption:
    return BadOption(message, field="cookies", hint=hint)
