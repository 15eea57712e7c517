"""The Gemini API, `/gemini/v1beta/...` and `/gemini/v1/...`, the same: answers, streams, embeddings, models.

    GET  models, models/M                           `listing`
    POST models/M:generateContent, :stream...       `generate`: request and answer
    POST models/M:countTokens                       `counting`
    POST models/M:embedContent, :batchEmbed...      `embeddings`

`gate` stands before all of them: key, query, limits. `bodies` reads requests, `proto` as ProtoJSON; `refusals` says no.
The parts of a request: `contents` and `calls` (what may stand where), `blobs`, `tools`, `openapi` (schemas),
`settings`, `thinking`, `speech`, `safety`. The model's turn is `turn`, told what is in `transcript`; `answers` writes
it down, `grounding` says what it rests on. Which models there are and what they can do is data (`models`, `catalogue`).

Source: the types and converters of the `google-genai` package 3.4 and the public pages of the API, November 2026;
nothing was tried against the live service. Where that leaves a shape open this package chooses: the texts of errors and
the places in them are its own.
"""

from __future__ import annotations

from collections.abc import Iterator

from starlette.responses import Response
from starlette.routing import BaseRoute

from polychat.sandbox.services import Service
from polychat.sandbox.services.gemini import counting, embeddings, generate, listing, refusals
from polychat.sandbox.services.gemini.gate import anything, free, metered
from polychat.sandbox.services.gemini.knobs import Knobs
from polychat.sandbox.services.gemini.refusals import Refusal
from polychat.sandbox.services.gemini.state import ApiCall, State

__all__ = ["State", "routes", "service"]

_VERSIONS = ("v1beta", "v1")


async def _nowhere(call: ApiCall) -> Response:
    raise Refusal(f"There is nothing at {call.entry.method} {call.entry.path}.", status=404)


def _version(name: str) -> Iterator[BaseRoute]:
    model = f"/{name}/models/{{model}}"
    yield free("GET", f"/{name}/models", listing.listing, "pageSize", "pageToken")
    yield metered(f"{model}:generateContent", generate.generate)
    yield metered(f"{model}:streamGenerateContent", generate.stream)
    yield metered(f"{model}:embedContent", embeddings.embed)
    yield metered(f"{model}:batchEmbedContents", embeddings.embed_many)
    yield free("POST", f"{model}:countTokens", counting.count)
    yield free("GET", model, listing.retrieve)


routes: tuple[BaseRoute, ...] = (
    *(route for name in _VERSIONS for route in _version(name)),
    anything("/{path:path}", _nowhere),
)

service = Service(
    label="Gemini API (generativelanguage.googleapis.com)", error=refusals.error, knobs=Knobs, expire=State.expire
)
