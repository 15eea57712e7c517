"""What stands before every endpoint: the key, the query, and the limits.

The key is the header `x-goog-api-key` or the argument `key`. In a stream without `alt=sse` a refusal is a list of one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from polychat.sandbox.call import SCOPE_KEY
from polychat.sandbox.services.gemini import refusals
from polychat.sandbox.services.gemini.models import Method, Model
from polychat.sandbox.services.gemini.refusals import Refusal, Violation
from polychat.sandbox.services.gemini.state import ApiCall, Window, account

Handler = Callable[[ApiCall], Awaitable[Response]]
_DAY_S = 86_400.0
_ALWAYS = {"key", "alt", "$alt", "prettyPrint", "$prettyPrint"}
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def free(method: str, path: str, handler: Handler, *query: str) -> Route:
    """A route that costs nothing, and the arguments it takes."""
    return Route(path, _endpoint(handler, lambda call: _authorise(call, query)), methods=[method])


def metered(path: str, handler: Handler) -> Route:
    """A POST that counts against the limits of the account with that model."""
    return Route(path, _endpoint(handler, _admit), methods=["POST"])


def anything(path: str, handler: Handler) -> Route:
    """Every method, without a key."""
    return Route(path, _endpoint(handler, lambda _call: None), methods=_METHODS)


def _endpoint(handler: Handler, judge: Callable[[ApiCall], None]) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        call: ApiCall = request.scope[SCOPE_KEY]
        call.path = request.path_params
        try:
            judge(call)
            return await handler(call)
        except Refusal as refusal:
            listed = call.entry.path.endswith(":streamGenerateContent") and not wants_events(call)
            return refusal.response(listed=listed)

    return endpoint


def wants_events(call: ApiCall) -> bool:
    """True when the stream is to be server-sent events."""
    return "sse" in (call.query.get("alt"), call.query.get("$alt"))


def _authorise(call: ApiCall, query: tuple[str, ...] = ()) -> None:
    key = call.headers.get("x-goog-api-key") or call.query.get("key")
    if not key:
        raise refusals.no_token() if call.bearer else refusals.no_key()
    if call.recognise(call.state.person(key)) is None:
        raise refusals.wrong_key()
    if unknown := [name for name in call.query if name not in _ALWAYS and name not in query]:
        said = [Violation(name, f"The argument “{name}” is bound to no field of the request.") for name in unknown]
        raise refusals.violated(said)
    if call.query.get("alt", "json") not in ("json", "sse"):
        raise refusals.bad("alt", f"'{call.query['alt']}' is neither json nor sse.")


def _admit(call: ApiCall) -> None:
    _authorise(call)
    model, knobs = call.path["model"], call.knobs
    now, day = _window(call), call.state.window(_DAY_S, account(call), model, "day")
    wait_s = now.ends_at - call.now
    if knobs.daily_limit is not None and day.requests >= knobs.daily_limit:
        quota = "GenerateRequestsPerDayPerProjectPerModel-FreeTier"
        raise refusals.exhausted("generate_content_free_tier_requests", quota, knobs.daily_limit, model, None)
    if now.requests >= knobs.rate_limit:
        quota = "GenerateRequestsPerMinutePerProjectPerModel-FreeTier"
        raise refusals.exhausted("generate_content_free_tier_requests", quota, knobs.rate_limit, model, wait_s)
    if now.tokens >= knobs.token_limit:
        metric, quota = "generate_content_free_tier_input_token_count", "GenerateContentInputTokensPerModelPerMinute"
        raise refusals.exhausted(metric, f"{quota}-FreeTier", knobs.token_limit, model, wait_s)
    now.requests += 1
    day.requests += 1


def spend(call: ApiCall, tokens: int) -> None:
    """Count tokens of a prompt against the limit."""
    _window(call).tokens += tokens


def _window(call: ApiCall) -> Window:
    return call.state.window(call.knobs.rate_window_s, account(call), call.path["model"])


def model(call: ApiCall, method: Method) -> Model:
    """The model of the path, if it can do that. Raises: Refusal."""
    name = call.path["model"]
    found = call.state.models.get(name)
    if found is None:
        raise refusals.no_model(name)
    if method not in found.methods:
        raise refusals.no_model(name, method)
    return found
