"""What stands before every endpoint: the key, the limits, and the headers of every answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from polychat.sandbox.call import SCOPE_KEY
from polychat.sandbox.services.openai import refusals
from polychat.sandbox.services.openai.models import Kind, Model
from polychat.sandbox.services.openai.refusals import Refusal
from polychat.sandbox.services.openai.state import ApiCall, account

Handler = Callable[[ApiCall], Awaitable[Response]]


def free(method: str, path: str, handler: Handler) -> Route:
    """A route that costs nothing."""
    return Route(path, _endpoint(handler, _authorise), methods=[method])


def metered(path: str, handler: Handler) -> Route:
    """A POST that counts against the account's limits."""
    return Route(path, _endpoint(handler, _admit), methods=["POST"])


def public(path: str, handler: Handler) -> Route:
    """A GET that asks for no key."""
    return Route(path, _endpoint(handler, lambda _call: None), methods=["GET"])


def anything(path: str, handler: Handler) -> Route:
    """Every method, without a key."""
    return Route(path, _endpoint(handler, lambda _call: None), methods=["GET", "POST", "PUT", "PATCH", "DELETE"])


def _endpoint(handler: Handler, judge: Callable[[ApiCall], None]) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        call: ApiCall = request.scope[SCOPE_KEY]
        call.path = request.path_params
        try:
            judge(call)
            response = await handler(call)
        except Refusal as refusal:
            response = refusal.response
        response.headers["x-request-id"] = f"req_{call.world.ids.hex(32)}"
        if judge is _admit and account(call):
            response.headers.update(_limits(call))
        return response

    return endpoint


def _authorise(call: ApiCall) -> None:
    if call.bearer is None:
        raise refusals.no_key()
    if call.recognise(call.state.person(call.bearer)) is None:
        raise refusals.wrong_key()


def _admit(call: ApiCall) -> None:
    _authorise(call)
    name, knobs = account(call), call.knobs
    window = call.state.window(name, knobs.rate_window_s)
    for kind, used, limit in (
        ("requests", window.requests, knobs.rate_limit), ("tokens", window.tokens, knobs.token_limit),
    ):  # fmt: skip
        if used >= limit:
            raise refusals.rate_limited(kind, limit, window.ends_at - call.now)
    if knobs.quota is not None and call.state.requests.get(name, 0) >= knobs.quota:
        raise refusals.quota_spent()
    window.requests += 1
    call.state.requests[name] = call.state.requests.get(name, 0) + 1


def spend(call: ApiCall, tokens: int) -> None:
    """Count tokens against the account's limit."""
    call.state.window(account(call), call.knobs.rate_window_s).tokens += tokens


def _limits(call: ApiCall) -> dict[str, str]:
    window = call.state.window(account(call), call.knobs.rate_window_s)
    headers = {}
    for kind, limit, used in (
        ("requests", call.knobs.rate_limit, window.requests), ("tokens", call.knobs.token_limit, window.tokens),
    ):  # fmt: skip
        headers[f"x-ratelimit-limit-{kind}"] = str(limit)
        headers[f"x-ratelimit-remaining-{kind}"] = str(max(0, limit - used))
        headers[f"x-ratelimit-reset-{kind}"] = duration(window.ends_at - call.now)
    return headers


def duration(seconds: float) -> str:
    """A time to wait as the headers have it: `120ms`, `8.64s`, `6m0s`."""
    if seconds < 1:
        return f"{round(seconds * 1000)}ms"
    if seconds < 60:
        return f"{seconds:.2f}s"
    return f"{int(seconds // 60)}m{int(seconds % 60)}s"


def model(call: ApiCall, name: str, kind: Kind) -> Model:
    """The model called `name`, if it is of that kind. Raises: Refusal."""
    found = call.state.models.get(name)
    if found is None:
        raise refusals.no_model(name)
    if found.kind == kind:
        return found
    message = f"The model '{name}' is not for this endpoint: it is of the kind {found.kind}, not {kind}."
    if kind == "chat":
        raise Refusal(message, param="model", status=404)
    if kind == "embedding":
        raise Refusal(message, status=403)
    raise Refusal(message, param="model", code="invalid_value")
