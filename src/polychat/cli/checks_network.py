"""The checkup of the network: proxies, the sandbox, the clocks of the services, and model servers on this machine."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

import msgspec

from polychat.cli.checks_machine import skew
from polychat.cli.finding import Finding
from polychat.errors import ConfigError, PolychatError

if TYPE_CHECKING:
    from polychat.engine.settings import Settings

_PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
_TIMEOUT_S = 3.0
_LOCAL_S = 0.5  # for a server on this machine


class _Answer(NamedTuple):
    status: int
    ahead_s: float | None  # how far this clock is ahead of the one that answered


def proxies(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Proxies of the environment, which polychat does not use. Their URLs may hold passwords and are not shown."""
    names = [name for name in environ if name.upper() in _PROXY_VARIABLES and environ[name]]
    if names:
        mend = "if connections need it, set POLYCHAT_PROXY too"
        yield Finding("notice", f"{', '.join(sorted(names))} is set; polychat does not use it", mend)


async def lines(settings: Settings) -> list[Finding]:
    """Which way questions go, and whether the sandbox answers where one is set."""
    found = [Finding("good", "a proxy is set and used")] if settings.proxy else []
    if settings.sandbox is None:
        return found or [Finding("good", "questions go straight to the services, through no proxy")]
    answer = await _asked(_health_url(settings.sandbox), settings)
    if answer and answer.status == 200:
        said = f"every question goes to the sandbox at {settings.sandbox}"
        return [*found, Finding("notice", said, "unset POLYCHAT_SANDBOX to ask the services")]
    mend = "start it with polychat sandbox, or unset POLYCHAT_SANDBOX"
    return [*found, Finding("broken", f"no sandbox answers at {settings.sandbox}", mend)]


async def clocks(settings: Settings, environ: Mapping[str, str]) -> list[Finding]:
    """This clock beside that of the sandbox, or of each service that has an account."""
    places = _places(settings, environ)
    answers = await asyncio.gather(*(_asked(url, settings) for url in places.values()))
    return [_compared(label, answer) for label, answer in zip(places, answers, strict=True)]


def _places(settings: Settings, environ: Mapping[str, str]) -> dict[str, str]:
    """The names of those whose clocks count, and where they tell the time."""
    if settings.sandbox:
        return {"the sandbox": _health_url(settings.sandbox)}
    from polychat import providers
    from polychat.engine.accounts import kept

    try:
        entries = kept(settings, environ).entries()
    except ConfigError:  # told where the vault is looked at
        return {}
    used = {entry.provider for entry in entries} & set(providers.names())
    infos = [providers.load(name).info for name in sorted(used)]
    return {info.label: f"{next(iter(info.hosts.values()))}/" for info in infos}


async def local_servers(settings: Settings) -> list[Finding]:
    """The model servers that answer on this machine without a key."""
    from polychat.providers.openai_compatible import is_local, rows

    found = {name: row for name, row in rows().items() if is_local(urlsplit(row.base_url).hostname or "")}
    listed = await asyncio.gather(*(_models(row.base_url, settings) for row in found.values()))
    return [
        Finding("good", f"{row.label} answers at {row.base_url}: polychat -m {name}/{models[0]}")
        for (name, row), models in zip(found.items(), listed, strict=True)
        if models
    ]


async def _models(base_url: str, settings: Settings) -> list[str]:
    from polychat.client.aio import AsyncClient
    from polychat.net.clocks import Clocks

    quick = Clocks(connect_s=_LOCAL_S, first_event_s=_LOCAL_S, total_s=_LOCAL_S)
    direct = msgspec.structs.replace(settings, clocks=quick, proxy=None)
    try:
        async with asyncio.timeout(_LOCAL_S), AsyncClient(base_url=base_url, settings=direct) as client:
            return [model.id for model in await client.engine.models(str(client.provider))]
    except (PolychatError, TimeoutError):
        return []


def _compared(label: str, answer: _Answer | None) -> Finding:
    if answer is None or answer.ahead_s is None:
        said = f"the clock cannot be compared with that of {label}, which does not tell the time"
        return Finding("notice", said, "look at the connection, then: polychat doctor --online")
    return skew(label, answer.ahead_s)


def _health_url(sandbox: str) -> str:
    return f"{sandbox}/_sandbox/health"


async def _asked(url: str, settings: Settings) -> _Answer | None:
    """What answers there, to a request that carries nothing; None where nothing does."""
    from polychat.net.aiohttp import AiohttpTransport
    from polychat.net.clocks import Clocks
    from polychat.net.transport import HttpRequest

    transport = AiohttpTransport()
    limits = Clocks(connect_s=_TIMEOUT_S, first_event_s=_TIMEOUT_S, total_s=_TIMEOUT_S)
    proxy = settings.proxy.reveal() if settings.proxy else None
    try:
        async with transport.open(HttpRequest(method="GET", url=url, proxy=proxy), limits) as answer:
            return _Answer(answer.status, _ahead_s(answer.headers.get("date"), time.time()))
    except PolychatError:
        return None
    finally:
        await transport.aclose()


def _ahead_s(date: str | None, now: float) -> float | None:
    try:
        return now - parsedate_to_datetime(date).timestamp() if date else None
    except ValueError:
        return None
