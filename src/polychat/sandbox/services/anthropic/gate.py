"""What stands before every endpoint: the key, the version, the limits, and the headers of every answer."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from polychat.sandbox.call import SCOPE_KEY
from polychat.sandbox.services.anthropic import refusals
from polychat.sandbox.services.anthropic.models import Model
from polychat.sandbox.services.anthropic.refusals import Refusal
from polychat.sandbox.services.anthropic.state import ApiCall, account

Handler = Callable[[ApiCall], Awaitable[Response]]
_VERSIONS = ("2023-06-01", "2026-10-21")
_BETA = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def free(method: str, path: str, handler: Handler) -> Route:
    """A route that counts against no limit."""
    return Route(path, _endpoint(handler, _authorise), methods=[method])


def metered(path: str, handler: Handler) -> Route:
    """A POST that counts against the account's limits."""
    return Route(path, _endpoint(handler, _admit), methods=["POST"])


def anything(path: str, handler: Handler) -> Route:
    """Every method, without a key."""
    return Route(path, _endpoint(handler, lambda _call: None), methods=["GET", "POST", "PUT", "PATCH", "DELETE"])


def _endpoint(handler: Handler, judge: Callable[[ApiCall], None]) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        call: ApiCall = request.scope[SCOPE_KEY]
        call.path = request.path_params
        name = f"req_{call.world.ids.hex(24)}"
        try:
            judge(call)
            response = await handler(call)
        except Refusal as refusal:
            response = refusal.response(name)
        response.headers["request-id"] = name
        if judge is _admit and account(call):
            response.headers.update(_limits(call))
        return response

    return endpoint


def _authorise(call: ApiCall) -> None:
    key = call.headers.get("x-api-key") or call.bearer
    if key is None:
        raise refusals.no_key()
    if call.recognise(call.state.person(key)) is None:
        raise refusals.wrong_key()
    _judge_version(call)


def _judge_version(call: ApiCall) -> None:
    version = call.headers.get("anthropic-version")
    if version is None:
        raise refusals.wrong("anthropic-version", "header is required")
    if version not in _VERSIONS:
        raise refusals.wrong("anthropic-version", f"'{version}' is not a valid version")
    for beta in betas(call):
        if not _BETA.fullmatch(beta):
            raise refusals.wrong("anthropic-beta", f"'{beta}' is not the name of a beta")


def newest(call: ApiCall) -> bool:
    """True when the request is of the newest version of the API."""
    return call.headers.get("anthropic-version") == _VERSIONS[-1]


def betas(call: ApiCall) -> list[str]:
    """The betas that were asked for."""
    given = ",".join(call.headers.getlist("anthropic-beta"))
    return [name.strip() for name in given.split(",")] if given else []


def _admit(call: ApiCall) -> None:
    _authorise(call)
    name, knobs = account(call), call.knobs
    window = call.state.window(name, knobs.rate_window_s)
    for kind, used, limit in _used(call):
        if used >= limit:
            raise refusals.rate_limited(kind.replace("-", " "), limit, window.ends_at - call.now)
    if knobs.quota is not None and call.state.requests.get(name, 0) >= knobs.quota:
        raise refusals.quota_spent()
    window.requests += 1
    call.state.requests[name] = call.state.requests.get(name, 0) + 1


def spend(call: ApiCall, input_tokens: int, output_tokens: int) -> None:
    """Count tokens against the account's limits."""
    window = call.state.window(account(call), call.knobs.rate_window_s)
    window.input_tokens += input_tokens
    window.output_tokens += output_tokens


def _used(call: ApiCall) -> tuple[tuple[str, int, int], ...]:
    """Of each limit its kind, what is used of it, and how much there is."""
    knobs = call.knobs
    window = call.state.window(account(call), knobs.rate_window_s)
    return (
        ("requests", window.requests, knobs.rate_limit),
        ("input-tokens", window.input_tokens, knobs.input_token_limit),
        ("output-tokens", window.output_tokens, knobs.output_token_limit),
    )


def _limits(call: ApiCall) -> dict[str, str]:
    used = list(_used(call))
    used.append(("tokens", sum(used for _, used, _ in used[1:]), sum(limit for *_, limit in used[1:])))
    ends_at = call.state.window(account(call), call.knobs.rate_window_s).ends_at
    reset = datetime.fromtimestamp(ends_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    headers = {}
    for kind, spent, limit in used:
        headers[f"anthropic-ratelimit-{kind}-limit"] = str(limit)
        headers[f"anthropic-ratelimit-{kind}-remaining"] = str(max(0, limit - spent))
        headers[f"anthropic-ratelimit-{kind}-reset"] = reset
    return headers


def model(call: ApiCall, name: str) -> Model:
    """The model that can be asked by this name. Raises: Refusal."""
    found = call.state.model(name)
    if found is None or found.lifecycle == "retired":
        raise refusals.not_found(f"model: {name}")
    return found
