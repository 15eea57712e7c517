"""GET models and models/M: what there is, page by page."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from typing import Any

from starlette.responses import Response

from polychat.sandbox.call import json
from polychat.sandbox.services.gemini import refusals
from polychat.sandbox.services.gemini.models import Model
from polychat.sandbox.services.gemini.state import ApiCall

_USUAL, _MOST = 50, 1000  # models a page
_CHATS = {"temperature": 1, "topP": 0.95, "topK": 64, "maxTemperature": 2}


async def listing(call: ApiCall) -> Response:
    """One page of the models."""
    models = list(call.state.models.values())
    start, size = _start(call.query.get("pageToken", ""), models), _size(call.query.get("pageSize", "0"))
    more = {"nextPageToken": _token(start + size)} if start + size < len(models) else {}
    return json({"models": [_told(model) for model in models[start : start + size]], **more})


async def retrieve(call: ApiCall) -> Response:
    """One model."""
    found = call.state.models.get(call.path["model"])
    if found is None:
        raise refusals.no_model(call.path["model"])
    return json(_told(found))


def _size(said: str) -> int:
    if not said.isdecimal():
        raise refusals.bad("page_size", f"'{said}' is no number of models.")
    return min(int(said), _MOST) or _USUAL


def _token(start: int) -> str:
    return urlsafe_b64encode(f"from {start}".encode()).decode()


def _start(token: str, models: list[Model]) -> int:
    starts = {_token(start): start for start in range(1, len(models))} | {"": 0}
    if token not in starts:
        raise refusals.bad("page_token", "it is none that was given here.")
    return starts[token]


def _told(model: Model) -> dict[str, Any]:
    chats = "generateContent" in model.methods
    return {
        "name": f"models/{model.id}", "version": "001", "displayName": model.name,
        "description": f"{model.name}, as the sandbox plays it", "inputTokenLimit": model.input_tokens,
        "outputTokenLimit": model.output_tokens, "supportedGenerationMethods": list(model.methods),
        **(_CHATS if chats else {}), **({"thinking": True} if model.thinks else {}),
    }  # fmt: skip
