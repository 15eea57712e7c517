"""The fields that a condition of a routed name may look at, and their values for one candidate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from polychat.engine.conditions import Kind, Value
from polychat.engine.ledger import prices
from polychat.types import Audio, File, Image, Request, Text

if TYPE_CHECKING:
    from polychat.engine.health import Health
    from polychat.engine.routing import Route

KNOWN: Mapping[str, Kind] = {
    "provider": "text",
    "model": "text",  # the service's own id
    "account": "text",
    "health": "text",  # ok, expiring, cooling, quota_spent, needs_sign_in, challenged, paused
    "running": "number",  # questions that the account answers at this moment, for this program
    "asked_1h": "number",  # questions of the last hour
    "errors_1h": "number",  # those of them that broke
    "first_event_s": "number",  # how long the first event took, the median of the last hour
    "quota.remaining": "number",  # of the allowance that has least left
    "quota.share": "number",  # the same as a part of the whole allowance, 0 to 1
    "price.input": "number",  # USD per million tokens
    "price.output": "number",
    "context_tokens": "number",  # that the model takes
    "request.has_images": "truth",
    "request.has_audio": "truth",
    "request.has_files": "truth",
    "request.has_tools": "truth",
    "request.has_schema": "truth",
    "request.streams": "truth",
    "request.messages": "number",
    "request.characters": "number",  # of all texts
    "request.web_search": "truth",
    "request.reasoning_effort": "text",
}


def of_request(request: Request | None) -> dict[str, Value]:
    """What is asked; everything is unknown where nothing is yet."""
    if request is None:
        return {name: None for name in KNOWN if name.startswith("request.")}
    parts = [part for message in request.messages for part in message.parts]
    kinds = {type(part) for part in parts}
    return {
        "request.has_images": Image in kinds,
        "request.has_audio": Audio in kinds,
        "request.has_files": File in kinds,
        "request.has_tools": bool(request.tools),
        "request.has_schema": request.response_format is not None and request.response_format.type != "text",
        "request.streams": request.stream,
        "request.messages": len(request.messages),
        "request.characters": sum(len(part.text) for part in parts if isinstance(part, Text)),
        "request.web_search": request.web_search,
        "request.reasoning_effort": request.reasoning_effort,
    }


def of_target(route: Route) -> dict[str, Value]:
    """The model, and what it costs."""
    rates = prices.rates(route.provider, route.model.id)
    return {
        "provider": route.provider,
        "model": route.model.id,
        "context_tokens": route.model.context_tokens,
        "price.input": rates.input if rates else None,
        "price.output": rates.output if rates else None,
    }


def of_quota(health: Health, now: float) -> dict[str, Value]:
    """What the service last said is left, of windows that have not begun anew since."""
    told = [quota for quota in health.quotas.values() if quota.resets_at is None or quota.resets_at > now]
    left = [quota.remaining for quota in told if quota.remaining is not None]
    shares = [quota.remaining / quota.limit for quota in told if quota.remaining is not None and quota.limit]
    return {"quota.remaining": min(left, default=None), "quota.share": min(shares, default=None)}
