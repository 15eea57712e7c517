"""What ChatGPT says when it says no, by name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.responses import Response

from polychat.sandbox.call import json

Problem = dict[str, Any]
_CHALLENGE_PAGE = (
    '<!DOCTYPE html><html lang="en-US"><head><title>Just a moment...</title></head>'
    "<body><noscript>Enable JavaScript and cookies to continue</noscript></body></html>"
)
_BOT_PAGE = (
    '<!DOCTYPE html><html lang="en"><head><title>ChatGPT</title></head>'
    '<body><h1>Unable to load site</h1><p id="challenge-error-text">Please try again later.</p></body></html>'
)


class Refusal(Exception):
    """The request is refused; `response` is the whole answer."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status_code)
        self.response = response


def guarded(handler: Callable[[Any], Awaitable[Response]]) -> Callable[[Any], Awaitable[Response]]:
    """`handler`, with every `Refusal` it raises as its answer."""

    async def answered(call: Any) -> Response:
        try:
            return await handler(call)
        except Refusal as refusal:
            return refusal.response

    return answered


def error(status: int, message: str) -> dict[str, Any]:
    """The body of an error without a code."""
    return {"detail": message}


def plain(status: int, message: str, headers: Mapping[str, str] | None = None) -> Refusal:
    """`{"detail": "..."}`."""
    return Refusal(json({"detail": message}, status, headers))


def coded(status: int, code: str, message: str, **more: Any) -> Refusal:
    """`{"detail": {"code": ..., "message": ...}}`."""
    return Refusal(json({"detail": {"message": message, "code": code, **more}}, status))


def unprocessable(*problems: Problem) -> Refusal:
    """422, FastAPI's form."""
    return Refusal(json({"detail": list(problems)}, 422))


def problem(loc: list[str | int], message: str, kind: str = "value_error") -> Problem:
    """One thing that is wrong, and where."""
    return {"loc": ["body", *loc], "msg": message, "type": kind}


def unauthorized() -> Refusal:
    """Nobody is signed in."""
    return plain(401, "Unauthorized")


def token_expired() -> Refusal:
    """The access token was good once."""
    return coded(401, "token_expired", "Your authentication token has expired. Please try signing in again.")


def invalid_token() -> Refusal:
    """The access token was never good."""
    return coded(401, "invalid_jwt", "Could not parse your authentication token. Please try signing in again.")


def unusual_activity() -> Refusal:
    """The gate was not passed."""
    return plain(403, "Unusual activity has been detected from your device. Try again later. (sandbox)")


def conversation_not_found() -> Refusal:
    """Unknown, deleted, or someone else's."""
    return coded(404, "conversation_not_found", "Conversation not found")


def message_not_found() -> Refusal:
    """The conversation has no such node."""
    return coded(404, "message_not_found", "The parent message is not part of this conversation")


def too_long() -> Refusal:
    """The turn has too many characters."""
    return coded(
        413, "message_length_exceeds_limit", "The message you submitted was too long, please edit it and resubmit."
    )


def cap_reached(clears_in_s: float) -> Refusal:
    """The window of the model or of pictures is spent."""
    return coded(429, "model_cap_exceeded", "You've reached our limit of messages.", clears_in=max(1, int(clears_in_s)))


def told(name: str) -> Refusal:
    """The refusal that the knob `refuse` names."""
    return _TOLD[name]()


def _page(body: str, headers: Mapping[str, str]) -> Refusal:
    return Refusal(Response(body, 403, headers, media_type="text/html"))


_TOLD: Mapping[str, Callable[[], Refusal]] = {
    "token_expired": token_expired,
    "unauthorized": unauthorized,
    "cloudflare": lambda: _page(_CHALLENGE_PAGE, {"server": "cloudflare", "cf-mitigated": "challenge"}),
    "bot_page": lambda: _page(_BOT_PAGE, {"server": "cloudflare"}),
    "unusual_activity": unusual_activity,
    "too_long": too_long,
    "conversation_not_found": conversation_not_found,
    "conversation_too_large": lambda: coded(404, "conversation_too_large", "This conversation is too large to load."),
    "model_cap": lambda: cap_reached(3600),
    "too_many_requests": lambda: plain(429, "Too many requests in 1 hour. Try again later."),
    "detail_in_ok": lambda: Refusal(json({"detail": "Something went wrong. (sandbox)"})),
    "edge": lambda: Refusal(Response("<html><h1>502 Bad Gateway</h1></html>", 502, media_type="text/html")),
}
