"""One account at one service: its hosts, its cookies, its token, over a shared transport.

Rules held here, for every provider:
- credentials (cookies, bearer) go to the account's own hosts only, and never across a redirect to another origin;
- a token that is refused with 401 is fetched anew once, by one task at a time, and the request is sent again once;
- an unsuccessful status is raised as the error it means, with the service's own words, and no secret in them;
- a request is repeated only under the retry policy, and only while the service has done nothing.
"""

from __future__ import annotations

import asyncio
import functools
import platform
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from copy import copy
from typing import Any, Literal, TypeVar
from urllib.parse import urlencode, urljoin, urlsplit

import msgspec

from polychat.credentials import Account, BearerToken, Credential, Revealed, Secret, SessionCookies, secrets_of
from polychat.errors import AuthExpired, FormatChanged, PolychatError
from polychat.net.body import encoded
from polychat.net.clocks import Clocks
from polychat.net.cookies import CookieJar
from polychat.net.fetch import REDIRECTS, origin_of
from polychat.net.renewal import renewed
from polychat.net.retry import RetryPolicy, retrying
from polychat.net.statuses import error_for, looks_like_html
from polychat.net.transport import FilePart, HttpRequest, HttpResponse, Transport, WebSocket
from polychat.wire import sse

T = TypeVar("T")
Bearer = Callable[[], Awaitable[BearerToken]]  # fetches an access token anew
Explain = Callable[
    [int, Mapping[str, str], bytes], PolychatError | None
]  # a service's own error codes; None: the usual

REFRESH_EARLY_S = 60.0
OPAQUE_TOKEN_LIFE_S = 50 * 60.0  # of a token that does not say when it ends
ERROR_BODY_BYTES = 64 * 1024
JSON_BODY_BYTES = 32 * 1024 * 1024
_SHORTEST_SECRET = 4  # characters; masking shorter ones would only garble the words


def user_agent() -> str:
    """What we call ourselves: our own name and version, never a browser's."""
    from polychat import __version__

    return f"polychat/{__version__} python/{platform.python_version()}"


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """Something that just happened on the wire, for a progress line or a log. Never a body, a header or a query."""

    name: Literal["asked", "uploading", "answered"]
    method: str
    url: str  # without its query
    status: int | None = None  # of "answered"
    elapsed_s: float | None = None  # of "answered": until the head of the answer
    sent_bytes: int | None = None  # of "uploading"
    total_bytes: int | None = None


class _Fetched:
    """The access token that was fetched, shared by all views of a session."""

    __slots__ = ("token",)

    def __init__(self) -> None:
        self.token: BearerToken | None = None


class Session:
    """What a provider is handed to talk with. Bound to one event loop; safe for many tasks of it."""

    def __init__(
        self,
        *,
        provider: str,
        hosts: Mapping[str, str],
        transport: Transport,
        account: Account | None = None,
        clocks: Clocks | None = None,
        proxy: Secret | None = None,
        retry: RetryPolicy | None = None,
        now: Callable[[], float] = time.time,
        observe: Callable[[Step], None] | None = None,
        explain: Explain | None = None,
    ) -> None:
        self.provider = provider
        self.hosts = dict(hosts)
        self.account = account
        self.clocks = clocks or Clocks()
        self.now = now
        self.notes: dict[str, str] = {}  # what a provider wants to know again of this account, while the engine lives
        self._uploads: dict[str, tuple[str, float]] = {}  # sha256 of bytes -> where they lie, since when
        self._transport = transport
        self._observe = observe
        self._explain = explain
        self._proxy = proxy
        self._retry = retry or RetryPolicy()
        self._home = next(iter(self.hosts.values()))
        self._origins = {origin_of(host) for host in self.hosts.values()}
        self._jar = CookieJar(now=now)
        self._fetched = _Fetched()
        self._refreshing = asyncio.Lock()
        if isinstance(self.credential, SessionCookies):
            self._jar.preload(self._home, self.credential.cookies)
            if self.credential.token is not None:
                self._fetched.token = BearerToken(token=self.credential.token, expires_at=self.credential.expires_at)

    def view(self, clocks: Clocks, retry: RetryPolicy | None = None) -> Session:
        """The same session for one question, under its clocks and maybe another policy of repeating."""
        if retry is None and clocks == self.clocks:
            return self
        view = copy(self)
        view.clocks = clocks
        view._retry = retry or self._retry
        return view

    @property
    def credential(self) -> Credential | None:
        """What the account proves itself with."""
        return None if self.account is None else self.account.credential

    @property
    def cookies(self) -> CookieJar:
        """The account's cookies as the service last set them."""
        return self._jar

    def url(self, path: str, host: str | None = None) -> str:
        """`path` at the host of that alias (the first one unless told); an absolute URL stays as it is."""
        if "://" in path:
            return path
        return (self.hosts[host] if host else self._home) + path

    # ------------------------------------------------------------ tokens

    async def token(self, fetch: Bearer) -> Secret:
        """The account's access token: the one given, the one cached, or a fresh one (fetched by one task at a time)."""
        if isinstance(self.credential, BearerToken):
            return self._still_valid(self.credential).token
        async with self._refreshing:
            if self._fetched.token is None or self.token_is_ending:
                token = await fetch()
                self._fetched.token = msgspec.structs.replace(
                    token, expires_at=token.expires_at or self.now() + OPAQUE_TOKEN_LIFE_S
                )
            return self._fetched.token.token

    @property
    def token_is_ending(self) -> bool:
        """True when there is a fetched token, and it is time for another."""
        return self._fetched.token is not None and self._ends_at(self._fetched.token) - REFRESH_EARLY_S <= self.now()

    def _ends_at(self, token: BearerToken) -> float:
        return float("inf") if token.expires_at is None else token.expires_at

    def _still_valid(self, token: BearerToken) -> BearerToken:
        if self._ends_at(token) > self.now():
            return token
        raise AuthExpired(f"the {self.provider} token has expired", provider=self.provider)

    def _forget(self, refused: Secret) -> bool:
        """Drop a refused token; False when there is nothing to fetch a new one with."""
        if isinstance(self.credential, BearerToken):
            return False
        if self._fetched.token is not None and self._fetched.token.token == refused:
            self._fetched.token = None
        return True

    def renewed(self, essential: Sequence[str]) -> SessionCookies | None:
        """The browser session as it is now, where it is not what was given; see `polychat.net.renewal`."""
        if not isinstance(self.credential, SessionCookies):
            return None
        return renewed(self.credential, self._jar, self._fetched.token, origin=self._home, essential=essential)

    # ------------------------------------------------------------ uploads

    def uploaded(self, sha256: str, *, max_age_s: float) -> str | None:
        """Where this account put those bytes lately, or None."""
        url, at = self._uploads.get(sha256, (None, 0.0))
        return url if self.now() - at <= max_age_s else None

    def remember_upload(self, sha256: str, url: str) -> None:
        """Note where bytes lie, so that the next turn need not send them again."""
        self._uploads[sha256] = (url, self.now())

    # ------------------------------------------------------------ exchanges

    @asynccontextmanager
    async def open(
        self,
        method: str,
        path: str,
        *,
        host: str | None = None,
        params: Mapping[str, str] | None = None,
        json: Any = None,
        body: bytes | None = None,
        parts: tuple[FilePart, ...] = (),
        headers: Mapping[str, str] | None = None,
        bearer: Bearer | None = None,
        redirects: int = 0,
    ) -> AsyncIterator[HttpResponse]:
        """One exchange whose answer is a success (2xx); anything else is raised.

        `json` is written as JSON, `body` goes out as it is, `parts` go out as multipart/form-data; `bearer` fetches
        the access token that is sent as Authorization; up to `redirects` redirects are followed, without credentials on
        another origin.
        """
        url = self.url(path, host) + (f"?{urlencode(params)}" if params else "")
        sent = dict(headers or {})
        if json is not None:
            sent["content-type"] = "application/json"
            body = encoded(json)
        request = HttpRequest(
            method=method, url=url, headers=sent, body=body, parts=parts, proxy=self._proxy_url(), owner=self
        )
        async with AsyncExitStack() as stack:
            yield await self._authorized(stack, request, bearer, redirects)

    async def _authorized(
        self, stack: AsyncExitStack, request: HttpRequest, bearer: Bearer | None, redirects: int
    ) -> HttpResponse:
        """The answer; with a bearer, a first 401 is answered by a fresh token."""
        if bearer is None:
            return await self._repeated(stack, request, None, redirects)
        token = await self.token(bearer)
        try:
            return await self._repeated(stack, request, token, redirects)
        except AuthExpired:
            if not self._forget(token):
                raise
        return await self._repeated(stack, request, await self.token(bearer), redirects)

    async def _repeated(
        self, stack: AsyncExitStack, request: HttpRequest, token: Secret | None, redirects: int
    ) -> HttpResponse:
        """The answer, after as many tries as the retry policy grants."""
        return await retrying(
            lambda: self._follow(stack, request, token, redirects),
            policy=self._retry,
            idempotent=request.method in {"GET", "HEAD", "PUT", "DELETE"},
        )

    async def _follow(
        self, stack: AsyncExitStack, request: HttpRequest, token: Secret | None, redirects: int
    ) -> HttpResponse:
        """The first answer that is a success, at most `redirects` redirects away."""
        response = await self._send(stack, request, token)
        while redirects and (target := _target(request, response)):
            redirects -= 1
            await stack.aclose()
            kept = request.headers if self.owns(target) else _plain(request.headers)
            request = msgspec.structs.replace(request, url=target, headers=kept)
            response = await self._send(stack, request, token)
        if 200 <= response.status < 300:
            return response
        error = await self._error(response)
        await stack.aclose()
        raise error

    async def _send(self, stack: AsyncExitStack, request: HttpRequest, token: Secret | None) -> HttpResponse:
        headers = {"accept": "*/*", "user-agent": user_agent(), **self._captured(request.url), **request.headers}
        request = msgspec.structs.replace(request, headers=headers | self._proofs(request.url, token))
        self._tell("asked", request)
        started = time.perf_counter()
        uploads = bool(request.parts) or request.method == "PUT"
        progress = functools.partial(self._uploading, request) if uploads and self._observe else None
        response = await stack.enter_async_context(self._transport.open(request, self.clocks, progress=progress))
        elapsed_s = time.perf_counter() - started
        self._tell("answered", request, status=response.status, elapsed_s=elapsed_s)
        if response.set_cookies and self.owns(request.url):
            self._jar.absorb(request.url, response.set_cookies)
        return response

    def _uploading(self, request: HttpRequest, sent_bytes: int, total_bytes: int) -> None:
        self._tell("uploading", request, sent_bytes=sent_bytes, total_bytes=total_bytes)

    def _tell(self, name: Literal["asked", "uploading", "answered"], request: HttpRequest, **facts: Any) -> None:
        if self._observe is not None:
            self._observe(Step(name=name, method=request.method, url=request.url.partition("?")[0], **facts))

    def owns(self, url: str) -> bool:
        """True when credentials may go there."""
        return origin_of(url) in self._origins

    def _captured(self, url: str) -> dict[str, str]:
        """What the person's own browser says of itself in this session; for the account's own hosts only."""
        if not isinstance(self.credential, SessionCookies) or not self.owns(url):
            return {}
        return {name: value.reveal() for name, value in self.credential.headers.items()}

    def _proofs(self, url: str, token: Secret | None) -> dict[str, str]:
        """The credential headers for `url`: none for a host that is not the account's own."""
        if not self.owns(url):
            return {}
        cookie = None if isinstance(self.credential, BearerToken) else self._jar.header(url)
        proofs = {"cookie": cookie} if cookie else {}
        return proofs | ({"authorization": Revealed(f"Bearer {token.reveal()}")} if token else {})

    async def _error(self, response: HttpResponse) -> PolychatError:
        body = await response.read(ERROR_BODY_BYTES)
        usual = error_for(response.status, response.headers, body, provider=self.provider, now=self.now())
        own = self._explain(response.status, response.headers, body) if self._explain else None
        return own.informed(usual) if own else usual

    def own(self, error: PolychatError) -> PolychatError:
        """`error`, knowing its service and account, and without any of the account's secrets in its words."""
        secrets = [value for secret in self.secrets() if len(value := secret.reveal()) >= _SHORTEST_SECRET]
        link: BaseException | None = error
        while link is not None:  # what led to it is printed by a traceback too
            if isinstance(link, PolychatError):
                link.reworded(
                    functools.reduce(lambda text, value: text.replace(value, "********"), secrets, link.message)
                )
            link = link.__cause__ or link.__context__
        return error.located(self.provider, self.account.name if self.account else None)

    @contextmanager
    def owning(self) -> Iterator[None]:
        """An error from inside knows where it came from, and shows no secret."""
        try:
            yield
        except PolychatError as error:
            self.own(error)
            raise

    def secrets(self) -> list[Secret]:
        """Everything of the account that must not be seen: as it was given, and as the service has renewed it."""
        held = secrets_of(self.credential) + ([self._fetched.token.token] if self._fetched.token else [])
        return held + [secret for name in self._jar.names() if (secret := self._jar.get(name))]

    @asynccontextmanager
    async def websocket(self, url: str) -> AsyncIterator[WebSocket]:
        """A websocket at an address that the service handed out. Whoever knows it may enter: nothing else is sent."""
        request = HttpRequest(
            method="GET", url=url, headers={"user-agent": user_agent()}, proxy=self._proxy_url(), owner=self
        )
        async with self._transport.websocket(request, self.clocks) as socket:
            yield socket

    def _proxy_url(self) -> str | None:
        return self._proxy.reveal() if self._proxy else None

    # ------------------------------------------------------------ whole answers

    async def json(self, method: str, path: str, *, into: type[T], **rest: Any) -> T:
        """One JSON document as `into`; takes what `open` takes. Raises `FormatChanged` when it does not fit."""
        headers = {"accept": "application/json", **(rest.pop("headers", None) or {})}
        async with self.open(method, path, headers=headers, **rest) as response:
            body = await response.read(JSON_BODY_BYTES)
        try:
            return msgspec.json.decode(body, type=into)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            what = "a web page" if looks_like_html(body) else f"{len(body)} bytes ({error})"  # that may hold a token
            raise FormatChanged(
                f"{self.provider} answered {path} with {what} instead of the JSON we know",
                provider=self.provider,
                evidence=body,
            ) from error

    async def upload(self, path: str, part: FilePart, *, into: type[T], **rest: Any) -> T:
        """POST one file as multipart/form-data; the JSON answer decoded into `into`."""
        return await self.json("POST", path, into=into, parts=(part,), **rest)

    @asynccontextmanager
    async def sse(self, method: str, path: str, **rest: Any) -> AsyncIterator[AsyncIterator[list[sse.Frame]]]:
        """The answer as batches of event-stream frames, one batch a network read; takes what `open` takes."""
        headers = {"accept": "text/event-stream", **(rest.pop("headers", None) or {})}
        async with self.open(method, path, headers=headers, **rest) as response:
            yield _frames(response)


def _plain(headers: Mapping[str, str]) -> dict[str, str]:
    """What a stranger may know: a provider's own headers can hold what the person's session was given."""
    return {name: value for name, value in headers.items() if name == "accept"}


def _target(request: HttpRequest, response: HttpResponse) -> str | None:
    """Where a redirect leads, if it is one to follow: a question without a body, and not from https down to http."""
    if response.status not in REDIRECTS or request.method not in {"GET", "HEAD"}:
        return None
    target = urljoin(request.url, response.headers.get("location", ""))
    downgraded = urlsplit(request.url).scheme == "https" and urlsplit(target).scheme != "https"
    return None if downgraded else target


async def _frames(response: HttpResponse) -> AsyncIterator[list[sse.Frame]]:
    decoder = sse.Decoder()
    async for chunk in response.chunks():
        if frames := decoder.feed(chunk):
            yield frames
