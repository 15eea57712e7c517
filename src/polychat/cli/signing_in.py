"""The ways in which a sign-in comes in, as rows of one table: an option, what it can bring, and what finds it.

What is secret comes from a file, from stdin, from a browser's window or its store, never from the command line. Of it
only names are told, and when they end.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from polychat.cli import options, pasting
from polychat.cli.terminal import draws, is_terminal, note
from polychat.errors import BadOption, PolychatError

if TYPE_CHECKING:
    from playwright.async_api import Page

    from polychat.credentials import CredentialKind, Secret, SessionCookies
    from polychat.engine.settings import Settings
    from polychat.providers.base import Info
    from polychat.signin.found import Field, Found

F = TypeVar("F", bound=Callable[..., Any])
_STDIN = "-"
_WINDOW_S = 300.0  # how long a window waits for the person
_PROTECTED = ("brave", "chrome", "chromium", "edge", "opera", "safari", "vivaldi")


class Errand(NamedTuple):
    """What is to be found, and where the person says it is."""

    info: Info
    hosts: tuple[str, ...]
    settings: Settings
    value: str  # of the way's option
    timeout_s: float | None
    username: str | None


class Way(NamedTuple):
    """One way."""

    option: str
    value: str | None  # the option's metavar; None for a flag
    help: str
    find: Callable[[Errand], Found]
    kinds: tuple[CredentialKind, ...] = ()  # what it can bring; empty: what the service's key is
    leaves: bool = False  # True when the value is a file that stays behind

    @property
    def usage(self) -> str:
        """The option as it is typed."""
        return f"--{self.option} {self.value}" if self.value else f"--{self.option}"

    def suits(self, info: Info) -> bool:
        """True when the service takes what this way brings."""
        return not set(self.kinds or (info.sign_in.key_kind,)).isdisjoint(info.accepts)


def ways(command: F) -> F:
    """The option of each way, passed on by its name."""
    for way in reversed(WAYS):
        command = click.option(f"--{way.option}", metavar=way.value, is_flag=way.value is None, help=way.help)(command)
    return command


def chosen(info: Info, given: Mapping[str, Any]) -> tuple[Way, str]:
    """The one way that was asked for, and its value. Raises: `BadOption` for none, several, or an unsuitable one."""
    named = [(way, value) for way in WAYS if (value := given[way.option.replace("-", "_")]) not in (None, False)]
    if len(named) != 1:
        options_given = ", ".join(f"--{way.option}" for way, _ in named)
        excess = f": {options_given} exclude one another" if named else ""
        raise BadOption(f"say how to sign in to {info.label}{excess}", hint=_table(info))
    way, value = named[0]
    if not way.suits(info):
        raise BadOption(f"{info.label} takes nothing that --{way.option} brings", field=way.option, hint=_table(info))
    return way, str(value)


def told(found: Found, now: float) -> list[str]:
    """What was found, a line for each place it was at. `now` is in Unix seconds."""
    lines: dict[str | None, list[str]] = {}
    for field in found.fields:
        lines.setdefault(field.place, []).append(_with_expiry(field, now))
    if found.others:
        named = [field for field in found.fields if field.kind == "cookie"]
        count = f"{found.others}{' other' if named else ''} cookie{'' if found.others == 1 else 's'}"
        lines.setdefault(named[0].place if named else None, []).append(count)
    return [f"found {', '.join(names)} in {place or found.where}" for place, names in lines.items()]


def _with_expiry(field: Field, now: float) -> str:
    from polychat.cli.phrases import expiry

    return field.name if field.expires_at is None else f"{field.name} ({expiry(field.expires_at, now)})"


def _table(info: Info) -> str:
    suited = [way for way in WAYS if way.suits(info)]
    width = max(len(way.usage) for way in suited)
    rows = [f"  polychat login {info.name} {way.usage.ljust(width)}  {way.help.rstrip('.')}" for way in suited]
    first = f"log in at {info.sign_in.url} in your browser (--browser opens a window for it), then use one of these"
    return "\n".join([first, *rows])


# ---------------------------------------------------------------- what is handed over


def _key(errand: Errand) -> Found:
    from polychat.credentials import Secret
    from polychat.engine import accounts
    from polychat.signin import found

    info = errand.info
    _only_stdin(errand, "key", "a key")
    key = accounts.key_credential(info, Secret(_typed(f"{info.label} key or token")))
    return found.of(info.sign_in, key, where="stdin")


def _cookies(errand: Errand) -> Found:
    from polychat.signin import cookie_files
    from polychat.signin.sighting import cookie_domains

    recipe = errand.info.sign_in
    whole = errand.value == _STDIN
    text = pasting.text("the cookies") if whole else options.text(_bytes(errand.value), of=errand.value)
    domains = cookie_domains(recipe, errand.hosts[0])
    return cookie_files.read(text, recipe, domains=domains, where="stdin" if whole else errand.value)


def _har(errand: Errand) -> Found:
    from polychat.signin import har

    return har.read(Path(errand.value), errand.info.sign_in, hosts=errand.hosts)


def _curl(errand: Errand) -> Found:
    from polychat.signin import curl

    _only_stdin(errand, "curl", "a request")
    return curl.read(pasting.text("the curl command"), errand.info.sign_in, hosts=errand.hosts, where="stdin")


def _only_stdin(errand: Errand, option: str, what: str) -> None:
    if errand.value != _STDIN:
        raise BadOption(
            f"--{option} takes only -: {what} on the command line would stay in the shell's history",
            field=option,
            hint=f"polychat login {errand.info.name} --{option} - < FILE, or without < FILE to be asked for it",
        )


def _bytes(name: str) -> bytes:
    try:
        return Path(name).read_bytes()
    except (OSError, ValueError) as error:
        shown = "the --cookies file" if "=" in name else name  # what has a = may be the cookies themselves
        raise BadOption(
            f"cannot read {shown}: {getattr(error, 'strerror', None) or 'not a file name'}",
            field="cookies",
            hint="--cookies takes the name of a file, or - for stdin",
        ) from error


def _typed(what: str) -> str:
    if is_terminal(sys.stdin):
        return str(click.prompt(what, hide_input=True, err=True)).strip()
    return options.text(sys.stdin.buffer.read(), of="stdin").strip()


# ---------------------------------------------------------------- what a browser holds


def _from_browser(errand: Errand) -> Found:
    from polychat.signin import firefox
    from polychat.signin.sighting import cookie_domains

    browser, _, profile = errand.value.partition(":")
    if browser.lower() in _PROTECTED:
        raise BadOption(
            f"the cookie store of {browser.capitalize()} is protected and is not opened",
            field="from_browser",
            hint=f"polychat login {errand.info.name} --browser opens a window of its own, --cookies takes an export",
        )
    if browser.lower() != "firefox":
        raise BadOption("--from-browser reads no browser but firefox", field="from_browser", hint=_table(errand.info))
    recipe = errand.info.sign_in
    return firefox.read(profile or None, recipe, domains=cookie_domains(recipe, errand.hosts[0]))


def _browser(errand: Errand) -> Found:
    import asyncio

    from polychat.credentials import Secret
    from polychat.signin import found

    info, password = errand.info, None
    if errand.username is not None:
        if info.sign_in.username_field is None:
            raise BadOption(
                f"the login form of {info.label} is not known", field="username", hint="type the name in the window"
            )
        password = Secret(_typed(f"{info.label} password"))
    return found.of(info.sign_in, asyncio.run(_window(errand, password)), where="the window")


async def _window(errand: Errand, password: Secret | None) -> SessionCookies:
    from polychat.signin import browser, sighting

    recipe, settings = errand.info.sign_in, errand.settings
    url = sighting.login_page(recipe, errand.hosts[0])

    async def tell(_: Page) -> None:
        _wipe()
        note(f"log in at {url} in the window that is open now; it closes by itself, and nothing is done in your name")

    try:
        return await browser.sign_in(
            recipe, url=url, hosts=errand.hosts, timeout_s=errand.timeout_s or _WINDOW_S, proxy=settings.proxy,
            username=errand.username, password=password, waiting=_count if draws(sys.stderr) else None, opened=tell,
        )  # fmt: skip
    except PolychatError as error:
        error.located(errand.info.name, None)
        raise
    finally:
        _wipe()


def _count(left_s: float) -> None:
    _wipe()
    minutes, seconds = divmod(math.ceil(left_s), 60)
    sys.stderr.write(f"waiting for you to log in: {minutes}:{seconds:02} left")
    sys.stderr.flush()


def _wipe() -> None:
    if draws(sys.stderr):
        sys.stderr.write("\r\x1b[2K")


WAYS = (
    Way("browser", None, "Log in in a window of your own Chrome, Chromium or Edge.", _browser, ("cookies",)),
    Way(
        "from-browser",
        "firefox[:PROFILE]",
        "Take the session of your Firefox on this machine.",
        _from_browser,
        ("cookies",),
    ),
    Way(
        "har", "FILE", "Read a network log exported from the developer tools.", _har, ("cookies", "bearer"), leaves=True
    ),
    Way("curl", "-", "Read a request copied as cURL, from stdin or pasted.", _curl, ("cookies", "bearer")),
    Way(
        "cookies",
        "FILE|-",
        "Read an export of browser cookies, in any common form.",
        _cookies,
        ("cookies",),
        leaves=True,
    ),
    Way("key", "-", "Read a key or token from stdin; on a terminal, ask for it without echo.", _key),
)
