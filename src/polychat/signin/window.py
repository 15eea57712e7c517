"""One browser window, as Playwright drives it; imported only when one is to be opened.

Playwright's driver is a process of its own: it starts an installed browser, and ends it when it loses us. A terminal's
Ctrl-C is ours to answer, and closes the window.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

from playwright.async_api import (
    BrowserContext,
    Error,
    Page,
    Playwright,
    ProxySettings,
    Request,
    async_playwright,
)
from playwright.async_api import Cookie as BrowserCookie
from playwright.async_api import TimeoutError as FieldTimeout

from polychat.credentials import Secret, SignIn
from polychat.errors import AuthExpired, ConfigError, ConnectFailed
from polychat.signin.found import Cookie
from polychat.signin.sighting import Sighting, belongs

Act = Callable[[Page], Awaitable[None]]  # what goes on in the window beside the watching

_START_S = 60.0
_LOOK_S = 0.2  # between two looks at the cookies
_CLOSING_S = 1.0  # until a window that is being closed is known to be
_ANSWER_S = 2.0  # for the browser to tell its cookies
_TOKEN_S = 10.0  # how long a page that is signed in may take to show its token


@asynccontextmanager
async def opened(executable: Path, *, headless: bool, proxy: Secret | None) -> AsyncIterator[BrowserContext]:
    """A browser with an empty profile of its own. Raises: `ConfigError` when it does not start."""
    async with _driver() as playwright:
        try:
            context = await playwright.chromium.launch_persistent_context(
                "",  # a new folder that is deleted afterwards
                executable_path=executable,
                headless=headless,
                chromium_sandbox=not _is_root(),
                no_viewport=True,
                proxy=_proxy(proxy) if proxy else None,
                handle_sigint=False,
                timeout=_START_S * 1000,
            )
        except Error as error:
            raise ConfigError(
                f"{executable} does not start", hint="POLYCHAT_BROWSER names another Chrome, Chromium or Edge"
            ) from error
        try:
            yield context
        finally:
            with suppress(Error):
                await context.close()


async def watch(
    context: BrowserContext,
    sighting: Sighting,
    *,
    url: str,
    home: str,
    timeout_s: float,
    waiting: Callable[[float], None] | None,
    acts: Sequence[Act],
) -> None:
    """Show `url`, let `acts` go on, and return once `sighting` is a sign-in. The rest is as in `browser.sign_in`."""
    tasks = _Tasks()
    context.on("request", lambda request: tasks.read(request, sighting))
    limit = asyncio.timeout(timeout_s)
    try:
        async with limit:
            if waiting is not None:
                tasks.begin([_count_down(limit, waiting)])
            page = context.pages[0] if context.pages else await context.new_page()
            await _show(page, url)
            tasks.begin(act(page) for act in acts)
            await _until_complete(context, sighting, home, tasks)
    except TimeoutError:
        if not limit.expired():
            raise
        if not sighting.signed_in:
            raise AuthExpired(f"nobody signed in within {timeout_s:g} s") from None
    except Error as error:
        if context.pages:
            raise
        if not sighting.signed_in:
            raise AuthExpired("the window was closed before the sign-in was complete") from error
    finally:
        await tasks.stop()


async def fill(recipe: SignIn, url: str, username: str, password: Secret | None, page: Page) -> None:
    """Fill the login form, in one step or two; where it is not as the recipe has it, the rest is left to the person."""
    hosts = (*recipe.domains, urlsplit(url).hostname or "")
    press = page.locator(recipe.submit_button).first if recipe.submit_button else None
    with suppress(FieldTimeout):
        await _type(page, recipe.username_field, username, hosts)
        if password is None or recipe.password_field is None:
            return
        if press and not await page.locator(recipe.password_field).first.is_visible():
            await press.click()
        await _type(page, recipe.password_field, password.reveal(), hosts)
        if press:
            await press.click()


class _Tasks:
    """What goes on beside the watching."""

    def __init__(self) -> None:
        self._acts: list[asyncio.Future[None]] = []
        self._readings: set[asyncio.Future[None]] = set()

    def begin(self, acts: Iterable[Awaitable[None]]) -> None:
        self._acts += map(asyncio.ensure_future, acts)

    def check(self) -> None:
        """Raise what an act raised."""
        for act in self._acts:
            if act.done():
                act.result()

    def read(self, request: Request, sighting: Sighting) -> None:
        """Let `sighting` see a request; its headers come a little later."""
        if sighting.concerns(request.url):
            reading = asyncio.ensure_future(_read(request, sighting))
            self._readings.add(reading)
            reading.add_done_callback(self._readings.discard)

    async def stop(self) -> None:
        tasks = [*self._acts, *self._readings]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _read(request: Request, sighting: Sighting) -> None:
    with suppress(Error):  # its page is gone
        sighting.requested(await request.all_headers())


async def _show(page: Page, url: str) -> None:
    try:
        await page.goto(url, wait_until="commit", timeout=0)
    except Error as error:
        with suppress(Error):  # a window that is just being closed breaks the page first
            await page.wait_for_event("close", timeout=_CLOSING_S * 1000)
        if page.is_closed():
            raise
        raise ConnectFailed(f"the page {url} does not open in the browser") from error


async def _until_complete(context: BrowserContext, sighting: Sighting, home: str, tasks: _Tasks) -> None:
    now = asyncio.get_running_loop().time
    latest = None
    while not (sighting.complete or (latest and now() > latest)):
        await _look(context, sighting, home)
        tasks.check()
        if not context.pages:
            raise Error("the last window is closed")
        if sighting.signed_in:
            latest = latest or now() + _TOKEN_S
        await asyncio.sleep(_LOOK_S)
    await _look(context, sighting, home)  # the login may have set more since


async def _count_down(limit: asyncio.Timeout, waiting: Callable[[float], None]) -> None:
    while (ends_at := limit.when()) is not None:
        waiting(max(ends_at - asyncio.get_running_loop().time(), 0.0))
        await asyncio.sleep(1.0)


async def _look(context: BrowserContext, sighting: Sighting, home: str) -> None:
    try:
        async with asyncio.timeout(_ANSWER_S):
            cookies = await context.cookies(f"{home}/")
    except TimeoutError:  # a browser that is just closing may leave the question open
        return
    cookies.sort(key=lambda cookie: len(cookie.get("domain", "")))  # of one name, the host's own comes last
    sighting.holds(map(_held, filter(lambda cookie: cookie.get("name"), cookies)))


def _held(cookie: BrowserCookie) -> Cookie:
    expires = cookie.get("expires", -1)
    return Cookie(
        name=cookie.get("name", ""), value=Secret(cookie.get("value", "")), expires_at=expires if expires > 0 else None
    )


async def _type(page: Page, field: str | None, text: str, hosts: Sequence[str]) -> None:
    """Fill a field once it is there, on a page of these hosts and on no other."""
    if field is not None:
        found = page.locator(field).first
        await found.wait_for()
        if belongs(page.url, hosts):
            await found.fill(text)


def _proxy(secret: Secret) -> ProxySettings:
    parts = urlsplit(secret.reveal())
    scheme = parts.scheme.replace("socks5h", "socks5")  # the browser lets the proxy look names up either way
    settings = ProxySettings(server=f"{scheme}://{parts.netloc.rpartition('@')[2]}")
    if parts.username:
        settings |= ProxySettings(username=unquote(parts.username), password=unquote(parts.password or ""))
    return settings


def _is_root() -> bool:
    """True for whom the browser's own sandbox does not start."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


@asynccontextmanager
async def _driver() -> AsyncIterator[Playwright]:
    """Playwright's process, ended also when we are cancelled while it starts."""
    starting = asyncio.ensure_future(async_playwright().start())
    try:
        yield await asyncio.shield(starting)
    finally:
        await (await starting).stop()
