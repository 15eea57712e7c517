"""GET /v1/models and one model: pages forwards and backwards, by the id of a neighbour."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import parse_qsl

from starlette.responses import Response

from polychat.sandbox.call import json
from polychat.sandbox.services.anthropic import refusals
from polychat.sandbox.services.anthropic.models import Model
from polychat.sandbox.services.anthropic.state import ApiCall

_STAGES = ("active", "deprecated", "retired")
_PAGE = 20
_LARGEST = 1000


async def listing(call: ApiCall) -> Response:
    """One page of the models, the newest first."""
    before, after = call.query.get("before_id"), call.query.get("after_id")
    if before is not None and after is not None:
        raise refusals.wrong("before_id", "is not taken together with after_id")
    models = _wanted(call)
    limit = _limit(call)
    if before is not None:
        models = models[: _position(models, before, "before_id")]
        page, more = models[-limit:], len(models) > limit
    else:
        models = models if after is None else models[_position(models, after, "after_id") + 1 :]
        page, more = models[:limit], len(models) > limit
    ends = {"first_id": page[0].id, "last_id": page[-1].id} if page else {"first_id": None, "last_id": None}
    return json({"data": [model.info for model in page], "has_more": more, **ends})


async def retrieve(call: ApiCall) -> Response:
    """One model, also by its alias."""
    found = call.state.model(call.path["id"])
    if found is None:
        raise refusals.not_found(f"model: {call.path['id']}")
    return json(found.info)


def _wanted(call: ApiCall) -> Sequence[Model]:
    """The models in the stages of life that are asked for."""
    asked = [value for name, value in parse_qsl(call.entry.query) if name in ("lifecycle", "lifecycle[]")]
    for stage in asked:
        if stage not in _STAGES:
            raise refusals.wrong("lifecycle", f"'{stage}' is none of {', '.join(_STAGES)}")
    stages = asked or _STAGES[:2]
    return [model for model in call.state.models.values() if model.lifecycle in stages]


def _limit(call: ApiCall) -> int:
    text = call.query.get("limit", str(_PAGE))
    if not text.isdecimal() or not 1 <= int(text) <= _LARGEST:
        raise refusals.wrong("limit", f"must be a number from 1 to {_LARGEST}")
    return int(text)


def _position(models: Sequence[Model], name: str, field: str) -> int:
    for index, model in enumerate(models):
        if name in (model.id, model.alias):
            return index
    raise refusals.wrong(field, f"'{name}' is no model of this list")
