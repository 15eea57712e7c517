"""What `polychat doctor` looks at; each check gives findings, and every finding that is not good says how to mend it.

Nothing is changed, nothing is created, and no secret is shown. The network is touched for a sandbox's health, and for
the accounts only when asked to.
"""

from __future__ import annotations

import stat
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from polychat.cli import options
from polychat.cli.phrases import expiry
from polychat.errors import ConfigError, NoAccount, PolychatError

if TYPE_CHECKING:
    from polychat.credentials import Account
    from polychat.engine.settings import Settings
    from polychat.vault.base import Entry, Vault

Area = Literal["setup", "account"]
Level = Literal["good", "notice", "broken"]

_OLDEST_PYTHON = (3, 11)
_WRITTEN_IN = 2025  # a clock that shows an earlier year is wrong
_PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
_HEALTH_TIMEOUT_S = 3.0


class Finding(NamedTuple):
    """One line of the checkup."""

    level: Level
    said: str
    mend: str | None = None
    area: Area = "setup"


async def findings(environ: Mapping[str, str], *, online: bool) -> list[Finding]:
    """Everything there is to say, in the order of what rests on what."""
    found = [*python(sys.version_info[:3]), *clock(time.time()), *proxies(environ)]
    try:
        settings = options.settings()
    except ConfigError as error:
        return [*found, _of_error(error), Finding("notice", "accounts are not looked at while the settings are broken")]
    found += [*config(settings), *folders(settings), *await sandbox(settings)]
    return [*found, *await accounts(settings, environ, online=online)]


# ---------------------------------------------------------------- the machine


def python(version: tuple[int, ...]) -> Iterator[Finding]:
    """Whether Python is new enough."""
    shown, oldest = ".".join(map(str, version)), ".".join(map(str, _OLDEST_PYTHON))
    if version < _OLDEST_PYTHON:
        yield Finding("broken", f"Python {shown} is too old", f"install Python {oldest} or newer")
    else:
        yield Finding("good", f"Python {shown}")


def clock(now: float) -> Iterator[Finding]:
    """Whether the clock can be right; certificates and tokens are judged by it. `now` is in Unix seconds."""
    year = time.gmtime(now).tm_year
    if year < _WRITTEN_IN:
        yield Finding("broken", f"the clock says that it is {year}", "set the clock, best by NTP")
    else:
        yield Finding("good", f"the clock shows {time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime(now))}")


def proxies(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Proxies of the environment, which polychat does not use. Their URLs may hold passwords and are not shown."""
    names = [name for name in environ if name.upper() in _PROXY_VARIABLES and environ[name]]
    if names:
        mend = "if connections need it, set POLYCHAT_PROXY too"
        yield Finding("notice", f"{', '.join(sorted(names))} is set; polychat does not use it", mend)


# ---------------------------------------------------------------- what polychat keeps


def config(settings: Settings) -> Iterator[Finding]:
    """Where settings come from."""
    path = settings.folders.config / "config.toml"
    yield Finding("good", f"config file {path}" if path.exists() else f"no config file ({path}); defaults are in force")
    if settings.proxy is not None:
        yield Finding("good", "a proxy is set and used")


def folders(settings: Settings) -> Iterator[Finding]:
    """Whether only their owner can open the vault and its folder."""
    from polychat.engine.accounts import vault_path

    vault = vault_path(settings)
    for path, mode in ((vault.parent, 0o700), (vault, 0o600)):
        yield from _mode(path, mode)


def _mode(path: Path, wanted: int) -> Iterator[Finding]:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        return
    except OSError as error:
        yield Finding("broken", f"cannot look at {path}: {error.strerror}", "make it readable for you")
        return
    if sys.platform != "win32" and mode & 0o077:
        yield Finding("broken", f"other users can open {path} (mode {mode:04o})", f"chmod {wanted:o} {path}")
    else:
        yield Finding("good", f"{path} is yours alone")


async def sandbox(settings: Settings) -> list[Finding]:
    """Whether the sandbox answers, where one is set."""
    if settings.sandbox is None:
        return []
    if await _healthy(settings.sandbox):
        return [
            Finding("notice", f"every question goes to the sandbox at {settings.sandbox}", "unset POLYCHAT_SANDBOX")
        ]
    mend = "start it with polychat sandbox, or unset POLYCHAT_SANDBOX"
    return [Finding("broken", f"no sandbox answers at {settings.sandbox}", mend)]


async def _healthy(url: str) -> bool:
    from polychat.net.aiohttp import AiohttpTransport
    from polychat.net.clocks import Clocks
    from polychat.net.transport import HttpRequest

    transport = AiohttpTransport()
    clocks = Clocks(connect_s=_HEALTH_TIMEOUT_S, first_event_s=_HEALTH_TIMEOUT_S, total_s=_HEALTH_TIMEOUT_S)
    try:
        async with transport.open(HttpRequest(method="GET", url=f"{url}/_sandbox/health"), clocks) as answer:
            return answer.status == 200
    except PolychatError:
        return False
    finally:
        await transport.aclose()


# ---------------------------------------------------------------- accounts


async def accounts(settings: Settings, environ: Mapping[str, str], *, online: bool) -> list[Finding]:
    """Whether the vault opens, and what each account in it is worth."""
    from polychat.engine.accounts import kept

    vault = kept(settings, environ)
    try:
        entries = vault.entries()
    except ConfigError as error:
        return [_of_error(error)]
    if not entries:
        return [Finding("notice", "there is no account yet", "polychat providers lists what you can sign in to")]
    return [await _account(vault, entry, settings, online=online) for entry in entries]


async def _account(vault: Vault, entry: Entry, settings: Settings, *, online: bool) -> Finding:
    said = f"{entry.provider} account {entry.name!r} ({entry.kind}, from {entry.source})"
    account = vault.get(entry.name)
    ends = getattr(account.credential, "expires_at", None)
    if ends is not None:
        said += f": {expiry(ends, time.time())}"
        if ends <= time.time():
            return Finding("broken", said, f"polychat login {entry.provider}", "account")
    try:
        answered = online and await _tried(vault, account, settings)
    except PolychatError as error:
        return Finding("broken", f"{said}: {error.message}", error.hint, "account")
    return Finding("good", f"{said}; the service accepts it" if answered else said, area="account")


async def _tried(vault: Vault, account: Account, settings: Settings) -> bool:
    """Use the sign-in once; False where the service has no such step. Raises what the service makes of it."""
    from polychat.client.aio import AsyncClient

    async with AsyncClient(vault=vault, settings=settings) as client:
        return (await client.engine.tried(account.provider, account.name)).asked


def _of_error(error: PolychatError) -> Finding:
    area: Area = "account" if isinstance(error, NoAccount) else "setup"
    return Finding("broken", error.message, error.hint, area)
