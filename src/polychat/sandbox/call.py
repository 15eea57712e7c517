"""One request as a service sees it, and the few ways to answer.

A handler is `async def handler(call) -> Response`; `get`, `post`, `put` and `patch` make routes of it. The body is
already read.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from urllib.parse import parse_qsl

import msgspec
from starlette.datastructures import Headers
from starlette.requests import Request, cookie_parser
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from polychat.sandbox import brain, multipart
from polychat.sandbox.journal import Entry

if TYPE_CHECKING:
    from polychat.sandbox.world import World

SCOPE_KEY = "polychat.sandbox.call"
StateT = TypeVar("StateT")
KnobsT = TypeVar("KnobsT")


class Call(Generic[StateT, KnobsT]):
    """A request to a service."""

    def __init__(self, *, world: World, service: str, knobs: KnobsT, entry: Entry, scope: Scope, body: bytes) -> None:
        self.world = world
        self.service = service
        self.state: StateT = world.states[service]
        self.knobs = knobs
        self.entry = entry
        self.body = body
        self.headers = Headers(scope=scope)
        self.query: Mapping[str, str] = dict(parse_qsl(scope["query_string"].decode("latin-1")))
        self.path: Mapping[str, str] = {}  # parameters of the route
        self._root = scope["root_path"]
        self.base_url = f"{scope['scheme']}://{self.headers.get('host', 'localhost')}{self._root}"

    @property
    def now(self) -> float:
        """The sandbox's time, Unix seconds."""
        return self.world.clock.now()

    @property
    def foreign_url(self) -> str:
        """The service's root under another origin, for links that must not be sent credentials."""
        return f"{self.world.foreign_url}{self._root}" if self.world.foreign_url else self.base_url

    @property
    def bearer(self) -> str | None:
        """The token of `Authorization: Bearer`, or None."""
        scheme, _space, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" and token.strip() else None

    @cached_property
    def cookies(self) -> Mapping[str, str]:
        """The request's cookies."""
        return cookie_parser(self.headers.get("cookie", ""))

    def recognise(self, account: str | None) -> str | None:
        """Note in the journal whose request this is; hands the name back."""
        self.entry.account = account
        return account

    def parts(self) -> tuple[multipart.Part, ...]:
        """The body as multipart/form-data. Raises: ValueError."""
        return multipart.parse(self.headers.get("content-type", ""), self.body)

    def form(self) -> Mapping[str, str]:
        """The body as an HTML form."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace")))

    def answer(self, question: brain.Question) -> brain.Answer:
        """What the brain says, or what the control plane told it to say."""
        script = self.world.take_script(self.service, self.entry.account)
        if script is None:
            return brain.answer(question)
        pieces = tuple(script.chunks) if script.chunks is not None else brain.pieces(script.text or "")
        return brain.Answer(
            pieces=pieces, revisions=tuple(script.revisions), finish_reason=script.finish_reason or "stop",
            input_tokens=brain.size(question),
        )  # fmt: skip


Handler = Callable[[Call[Any, Any]], Awaitable[Response]]


def get(path: str, handler: Handler) -> Route:
    """A route for GET."""
    return Route(path, _endpoint(handler), methods=["GET"])


def post(path: str, handler: Handler) -> Route:
    """A route for POST."""
    return Route(path, _endpoint(handler), methods=["POST"])


def put(path: str, handler: Handler) -> Route:
    """A route for PUT."""
    return Route(path, _endpoint(handler), methods=["PUT"])


def patch(path: str, handler: Handler) -> Route:
    """A route for PATCH."""
    return Route(path, _endpoint(handler), methods=["PATCH"])


def _endpoint(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        call: Call[Any, Any] = request.scope[SCOPE_KEY]
        call.path = request.path_params
        return await handler(call)

    return endpoint


def json(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer, UTF-8 as it is."""
    return Response(msgspec.json.encode(value), status, headers, media_type="application/json")


def html(title: str, body: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A small page. `body` is HTML; escaping what came from outside is the caller's part."""
    page = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><h1>{title}</h1>{body}</html>'
    return Response(page, status, headers, media_type="text/html")


_TYPED = """<form method="post"><p>Or type it; any password does.</p>
<input name="name" autocomplete="username" aria-label="User name" required>
<input name="password" type="password" autocomplete="current-password" aria-label="Password">
<button>Continue</button></form>"""


def login_form(call: Call[Any, Any], service: str) -> Response:
    """The page that asks who is there, by choice or by typing (any password does); posts `name` to where it lies."""
    names = "".join(f'<option value="{escape(name)}">{escape(name)}</option>' for name in call.world.accounts)
    form = f'<form method="post"><select name="name" aria-label="Name">{names}</select> <button>Log in</button></form>'
    what = f"<p>This is the sandbox, not {service}. Choose who you are.</p>"
    return html(f"Log in to {service} (sandbox)", what + form + _TYPED)


def nobody(service: str) -> Response:
    """What a name that nobody has gets there."""
    return html(f"Log in to {service} (sandbox)", "<p>Nobody here has that name.</p>", 401)


class EventStream(Response):
    """Server-sent events, each frame a write of its own."""

    media_type = "text/event-stream"

    def __init__(self, frames: AsyncIterator[bytes]) -> None:
        super().__init__(headers={"cache-control": "no-cache"})
        del self.headers["content-length"]
        self._frames = frames

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async for frame in self._frames:
            await send({"type": "http.response.body", "body": frame, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
