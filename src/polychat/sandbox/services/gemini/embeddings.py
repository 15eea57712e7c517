"""POST models/M:embedContent and :batchEmbedContents: a direction for each content, the same for the same content."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import msgspec
from starlette.responses import Response

from polychat.sandbox import brain
from polychat.sandbox.call import json
from polychat.sandbox.services.gemini import answers, contents, refusals, transcript
from polychat.sandbox.services.gemini.bodies import read
from polychat.sandbox.services.gemini.contents import Content, Run
from polychat.sandbox.services.gemini.gate import model as find
from polychat.sandbox.services.gemini.gate import spend
from polychat.sandbox.services.gemini.models import Model
from polychat.sandbox.services.gemini.proto import Wire
from polychat.sandbox.services.gemini.state import ApiCall
from polychat.sandbox.services.openai.embeddings import vector

_DOCUMENT = "RETRIEVAL_DOCUMENT"
_MOST = 100  # contents at once


class Asked(Wire, frozen=True, kw_only=True):
    """One content to embed."""

    model: str = ""
    content: Content | None = None
    task_type: Literal[
        "TASK_TYPE_UNSPECIFIED", "RETRIEVAL_QUERY", "RETRIEVAL_DOCUMENT", "SEMANTIC_SIMILARITY", "CLASSIFICATION",
        "CLUSTERING", "QUESTION_ANSWERING", "FACT_VERIFICATION", "CODE_RETRIEVAL_QUERY",
    ] = "TASK_TYPE_UNSPECIFIED"  # fmt: skip
    title: str = ""
    output_dimensionality: Annotated[int, msgspec.Meta(ge=1)] | None = None


class Batch(Wire, frozen=True, kw_only=True):
    """Several."""

    model: str = ""
    requests: tuple[Asked, ...] = ()


async def embed(call: ApiCall) -> Response:
    """One vector."""
    model = find(call, "embedContent")
    (values,), usage = _embedded(call, (read(call, Asked),), model, "")
    return json({"embedding": {"values": values}, "usageMetadata": usage})


async def embed_many(call: ApiCall) -> Response:
    """A vector for each."""
    model = find(call, "embedContent")
    asked = read(call, Batch).requests
    if not 1 <= len(asked) <= _MOST:
        raise refusals.bad("requests", f"1 to {_MOST} are taken at once, not {len(asked)}.")
    for index, one in enumerate(asked):
        if one.model != f"models/{model.id}":
            raise refusals.bad(f"requests[{index}].model", f"it is models/{model.id}, as in the path.")
    vectors, usage = _embedded(call, asked, model, "requests")
    return json({"embeddings": [{"values": values} for values in vectors], "usageMetadata": usage})


def _embedded(call: ApiCall, asked: tuple[Asked, ...], model: Model, place: str) -> Any:
    runs = [_judged(one, model, f"{place}[{index}]." if place else "") for index, one in enumerate(asked)]
    vectors = [
        vector(" ".join(_words(run)), model.dimensions, one.output_dimensionality or model.dimensions)
        for one, run in zip(asked, runs, strict=True)
    ]
    turns = [turn for run in runs for turn in transcript.turns((run,))]
    sizes = transcript.sizes(turns, runs)
    spend(call, sum(sizes.values()))
    return vectors, {"promptTokenCount": sum(sizes.values()), "promptTokensDetails": answers.details(sizes)}


def _judged(asked: Asked, model: Model, place: str) -> Run:
    if asked.content is None:
        raise refusals.bad(f"{place}content", "it is required.")
    parts = tuple(contents.placed(asked.content, f"{place}content", model, "user"))
    for part, where in parts:
        if part.text is None and not (model.embeds_media and part.inline_data is not None):
            raise refusals.bad(where, f"models/{model.id} embeds no such part.")
        if part.text == "":
            raise refusals.bad(f"{where}.text", "it must not be empty.")
    if asked.title and asked.task_type != _DOCUMENT:
        raise refusals.bad(f"{place}title", f"it is only taken with the task_type {_DOCUMENT}.")
    if (asked.output_dimensionality or 1) > model.dimensions:
        message = f"models/{model.id} has {model.dimensions}, not {asked.output_dimensionality}."
        raise refusals.bad(f"{place}output_dimensionality", message)
    run = Run(role="user", parts=parts)
    _judge_size(run, model, place)
    return run


def _judge_size(run: Run, model: Model, place: str) -> None:
    size = brain.size(brain.Question(turns=transcript.turns((run,))))
    if size > model.input_tokens:
        raise refusals.bad(f"{place}content", f"it has {size} tokens; at most {model.input_tokens} are taken.")


def _words(run: Run) -> Iterator[str]:
    for part, _ in run.parts:
        if part.inline_data is not None:
            yield hashlib.sha256(part.inline_data.data).hexdigest()
        elif part.text is not None:
            yield part.text
