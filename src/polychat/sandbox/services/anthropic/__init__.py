"""The official Anthropic API, `/anthropic/v1/...`: messages, the counting of tokens, models.

    POST /v1/messages                `messages`: request; `history`, `blocks`, `sources`: the past; `events`: the stream
    POST /v1/messages/count_tokens   `messages`
    GET  /v1/models, /v1/models/ID   `listing`

`gate` stands before all of them: key, version, limits, headers. `bodies` reads requests and refuses by place;
`refusals` says how. A model's turn is `turn`: it thinks (`thinking`), searches (`searching`), speaks and calls
(`answers`), cites (`citing`); `caching` counts what that cost. Which models there are and what they can do is data
(`models`, `catalogue`). What the service alone can have made (thoughts, pages it found) bears its seal.

Source: the types of the `anthropic` package 2.12 and public knowledge of the API's answers, November 2026; nothing was
tried against the live service. Where that leaves a shape open this package chooses; the texts of errors are its own.
"""

from __future__ import annotations

from functools import partial

from starlette.responses import Response
from starlette.routing import Match

from polychat.sandbox.services import Service
from polychat.sandbox.services.anthropic import refusals, state
from polychat.sandbox.services.anthropic.catalogue import MODELS
from polychat.sandbox.services.anthropic.gate import anything, free, metered
from polychat.sandbox.services.anthropic.knobs import Knobs
from polychat.sandbox.services.anthropic.listing import listing, retrieve
from polychat.sandbox.services.anthropic.messages import count, create
from polychat.sandbox.services.anthropic.refusals import Refusal
from polychat.sandbox.services.anthropic.state import ApiCall

__all__ = ["State", "routes", "service"]

State = partial(state.State, models=MODELS)
_known = (
    free("GET", "/v1/models", listing),
    free("GET", "/v1/models/{id}", retrieve),
    metered("/v1/messages", create),
    free("POST", "/v1/messages/count_tokens", count),
)


async def _nowhere(call: ApiCall) -> Response:
    """What a path that is none, or a method that is not its own, gets."""
    asked = {"type": "http", "method": call.entry.method, "path": call.entry.path}
    if any(route.matches(asked)[0] is not Match.NONE for route in _known):
        raise Refusal(f"the method {call.entry.method} is not taken at {call.entry.path}", status=405)
    raise Refusal(f"there is nothing at {call.entry.method} {call.entry.path}", status=404)


routes = (*_known, anything("/{path:path}", _nowhere))
service = Service(
    label="Anthropic, the official API (api.anthropic.com)",
    error=refusals.error,
    knobs=Knobs,
    expire=state.State.expire,
)
