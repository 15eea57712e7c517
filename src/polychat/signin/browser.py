"""A sign-in in a window of the person's own Chrome, Chromium or Edge, driven by Playwright (extra `browser`).

    1. the browser starts with an empty profile and shows the service's login page;
    2. the person logs in, in that window and in whatever pop-ups it opens;
    3. meanwhile the service's cookies and the requests to its own hosts are watched for what the recipe names;
    4. the window closes, and the profile is deleted.

The browser says what it is, and that it is automated; a service may refuse it for that. Nothing is typed or pressed
unless a name is given for the login form. Whatever happens, no process stays behind.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from polychat.credentials import Secret, SessionCookies, SignIn
from polychat.errors import BadOption, ConfigError
from polychat.signin.sighting import Sighting

if TYPE_CHECKING:
    from playwright.async_api import Page

_ON_PATH = ("google-chrome", "google-chrome-stable", "chromium", "chromium-browser", "microsoft-edge")
_ON_MACOS = ("Google Chrome", "Chromium", "Microsoft Edge")
_ON_WINDOWS = ("Google/Chrome/Application/chrome.exe", "Microsoft/Edge/Application/msedge.exe")
_WAYS = "--from-browser firefox, --har FILE, --cookies FILE, --curl - or --key -"
_OTHER_WAYS = f"sign in without a window: polychat login with {_WAYS}"


async def sign_in(
    recipe: SignIn,
    *,
    url: str,
    hosts: Sequence[str],
    timeout_s: float = 300.0,
    executable: Path | None = None,
    headless: bool = False,
    proxy: Secret | None = None,
    username: str | None = None,
    password: Secret | None = None,
    waiting: Callable[[float], None] | None = None,
    opened: Callable[[Page], Awaitable[None]] | None = None,
) -> SessionCookies:
    """Show the login page `url` and wait until the person has logged in; what the session proves itself with.

    hosts: where the service is, each an origin or, where it shares one, with a path; the first one's cookies count.
    timeout_s: how long the person may take, from the moment the window is there.
    username, password: filled into the form that the recipe names; its button, if it names one, is then pressed.
    waiting: told once a second how many seconds are left.
    opened: handed Playwright's page of the login, for those who automate their own; its error ends the sign-in.

    Raises: `AuthExpired` when the window is closed or the time is over before that; `ConfigError` without Playwright, a
    browser or a display; `BadOption` for a username where the form is not known; `ConnectFailed` for no page.
    """
    if username is not None and recipe.username_field is None:
        raise BadOption("the fields of this login form are not known", field="username", hint="type the name there")
    executable = executable or _installed()
    if not headless:
        _check_display()
    _check_playwright()
    from polychat.signin import window

    acts = [opened] if opened else []
    if username is not None:
        acts.append(partial(window.fill, recipe, url, username, password))
    sighting = Sighting(recipe, hosts)
    async with window.opened(executable, headless=headless, proxy=proxy) as context:
        await window.watch(context, sighting, url=url, home=hosts[0], timeout_s=timeout_s, waiting=waiting, acts=acts)
    return sighting.credential()


def find_browser(environ: Mapping[str, str]) -> Path | None:
    """The browser to use: what POLYCHAT_BROWSER names, else the first installed of Chrome, Chromium and Edge.

    Raises: `ConfigError` when POLYCHAT_BROWSER names no program.
    """
    chosen, path = environ.get("POLYCHAT_BROWSER"), environ.get("PATH")
    if chosen and not shutil.which(chosen, path=path):
        raise ConfigError("POLYCHAT_BROWSER names no program", hint="give the path of Chrome, Chromium or Edge")
    places = [shutil.which(name, path=path) for name in ([chosen] if chosen else _ON_PATH)]
    places += [f"/Applications/{name}.app/Contents/MacOS/{name}" for name in _ON_MACOS]
    folders = [environ[name] for name in ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA") if name in environ]
    places += [f"{folder}/{place}" for place in _ON_WINDOWS for folder in folders]
    return next((Path(place) for place in places if place and Path(place).is_file()), None)


def _installed() -> Path:
    if (found := find_browser(os.environ)) is None:
        raise ConfigError(
            "there is no browser to open a window of",
            hint=f"install Chrome, Chromium or Edge, or name one by POLYCHAT_BROWSER; or {_OTHER_WAYS}",
        )
    return found


def _check_display() -> None:
    if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise ConfigError(
            "there is no display to open a window on: neither DISPLAY nor WAYLAND_DISPLAY is set", hint=_OTHER_WAYS
        )


def _check_playwright() -> None:
    if find_spec("playwright") is None:
        raise ConfigError(
            "a sign-in in a browser window needs Playwright", hint=f'pip install "polychat[browser]"; or {_OTHER_WAYS}'
        )
