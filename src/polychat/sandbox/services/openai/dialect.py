"""A service of this dialect from data: its label, its models, and where its paths begin.

Another service that speaks it is three lines under its own name:

    MODELS = (Model(id="..."), ...)
    State, routes, service = emulate("Its name (api.example.com)", MODELS, root="/openai/v1")

Which endpoints there are follows from the kinds of models. Settings with other defaults are a subclass of `Knobs`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route

from polychat.sandbox.call import json
from polychat.sandbox.services import Service
from polychat.sandbox.services.openai import (
    completions,
    embeddings,
    images,
    refusals,
    responses,
    speech,
    transcriptions,
)
from polychat.sandbox.services.openai.gate import anything, free, metered, public
from polychat.sandbox.services.openai.knobs import Knobs
from polychat.sandbox.services.openai.models import Model
from polychat.sandbox.services.openai.refusals import Refusal
from polychat.sandbox.services.openai.state import ApiCall, State

if TYPE_CHECKING:
    from polychat.sandbox.world import World

Parts = tuple[Callable[["World"], State], tuple[BaseRoute, ...], Service]


def emulate(
    label: str, models: Sequence[Model], *, root: str = "/v1", with_responses: bool = False, knobs: type[Knobs] = Knobs
) -> Parts:
    """The three parts of a service file: State, routes, service."""
    known = tuple(_routes(root, {model.kind for model in models}, with_responses))
    service = Service(label=label, error=refusals.error, knobs=knobs, expire=State.expire)
    return partial(State, models=models), (*known, anything("/{path:path}", _nowhere(known))), service


def _routes(root: str, kinds: set[Any], with_responses: bool) -> Iterator[Route]:
    yield free("GET", f"{root}/models", listing)
    yield free("GET", f"{root}/models/{{id:path}}", retrieve)
    if "chat" in kinds:
        yield metered(f"{root}/chat/completions", completions.complete)
    if "embedding" in kinds:
        yield metered(f"{root}/embeddings", embeddings.embed)
    if "image" in kinds:
        yield metered(f"{root}/images/generations", images.generate)
        yield metered(f"{root}/images/edits", images.edit)
        yield public("/pictures/{name}", images.fetch)
    if "speech" in kinds:
        yield metered(f"{root}/audio/speech", speech.speak)
    if "transcription" in kinds:
        yield metered(f"{root}/audio/transcriptions", transcriptions.transcribe)
    if with_responses:
        yield metered(f"{root}/responses", responses.respond)
        yield free("GET", f"{root}/responses/{{id}}", responses.retrieve)
        yield free("DELETE", f"{root}/responses/{{id}}", responses.delete)


async def listing(call: ApiCall) -> Response:
    """Every model."""
    return json({"object": "list", "data": [_told(model) for model in call.state.models.values()]})


async def retrieve(call: ApiCall) -> Response:
    """One model."""
    found = call.state.models.get(call.path["id"])
    if found is None:
        raise refusals.no_model(call.path["id"], param="model")
    return json(_told(found))


def _told(model: Model) -> dict[str, Any]:
    return {"id": model.id, "object": "model", "created": model.created, "owned_by": model.owned_by}


def _nowhere(known: Sequence[Route]) -> Callable[[ApiCall], Any]:
    """What a path that is none, or a method that is not its own, gets."""

    async def nowhere(call: ApiCall) -> Response:
        asked = {"type": "http", "method": call.entry.method, "path": call.entry.path}
        if any(route.matches(asked)[0] is not Match.NONE for route in known):
            raise Refusal(f"The method {call.entry.method} is not taken at {call.entry.path}.", status=405)
        raise Refusal(f"There is nothing at {call.entry.method} {call.entry.path}.", status=404)

    return nowhere
