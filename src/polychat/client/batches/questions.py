"""One line of a batch, asked: what its body says goes to `create`, and nothing that is not data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from polychat.client.aio import AsyncClient, heading_of
from polychat.client.batches.lines import CHAT, Line
from polychat.client.embeddings import Embeddings
from polychat.client.shapes import ChatCompletion, Shape, completion
from polychat.engine.failover import may_go_on
from polychat.engine.ledger import prices
from polychat.errors import BadOption, PolychatError, RateLimited, ServiceProblem, TransportProblem
from polychat.types import Usage

_BINDING = frozenset({"tools", "conversation", "image", "images", "files", "modalities"})  # see `engine.failover`
_EMBEDDING = frozenset({"model", "input", "dimensions", "account", "timeout", "user", "encoding_format"})


class Asked(NamedTuple):
    """What came of a question."""

    body: Shape
    usage: Usage
    cost_usd: float | None


async def asked(client: AsyncClient, line: Line) -> Asked:
    """Its answer. Raises: as `chat.completions.create` and `embeddings.create`."""
    for name in ("model", "account"):
        if line.body.get(name) is not None and word(line.body, name) is None:
            raise BadOption(f"{name} is {type(line.body[name]).__name__}, not a name", field=name)
    return await (_chat if line.url == CHAT else _embeddings)(client, line.body)


async def _chat(client: AsyncClient, body: Mapping[str, Any]) -> Asked:
    question = {name: value for name, value in body.items() if name not in {"model", "messages", "stream"}}
    clocks = question.get("clocks") or {}
    if isinstance(clocks, Mapping):
        question["clocks"] = {"pool_s": None, **clocks}  # a place at an account is worth any wait here
    turn = await client.ask(body.get("model"), body["messages"], False, question)
    reply = await turn.reply()
    answer = completion(heading_of(turn), reply)
    if answer.conversation is not None and answer.conversation.id is None:
        answer.conversation = None  # it would only repeat the question
    usage = reply.usage or Usage()
    return Asked(answer, usage, _cost(client, answer, usage))


async def _embeddings(client: AsyncClient, body: Mapping[str, Any]) -> Asked:
    if strange := body.keys() - _EMBEDDING:
        raise BadOption(f"embeddings take no {min(strange)}", field=min(strange))
    if body.get("encoding_format") not in {None, "float"}:
        raise BadOption("encoding_format is not float", field="encoding_format", hint="leave it out")
    if not isinstance(body["input"], str | list):
        raise BadOption("input is not a text or a list of texts", field="input")
    taken = {name: value for name, value in body.items() if name not in {"user", "encoding_format"}}
    made = await client.embeddings.create(**taken)
    usage = Usage(input_tokens=made.usage.prompt_tokens if made.usage else None, output_tokens=0)
    return Asked(made, usage, _cost(client, made, usage))


def _cost(client: AsyncClient, answer: ChatCompletion | Embeddings, usage: Usage) -> float | None:
    """In US dollars; an emulated service costs nothing that counts."""
    if client.engine.settings.sandbox is not None:
        return None
    return prices.cost(answer.provider, answer.model, usage)


def word(body: Mapping[str, Any], name: str) -> str | None:
    """A name that the body gives, if it does."""
    found = body.get(name)
    return found if isinstance(found, str) and found else None


def may_pass(error: PolychatError, line: Line) -> bool:
    """Whether the trouble may pass, and asking the line again cannot do a thing twice."""
    passing = isinstance(error, RateLimited | ServiceProblem | TransportProblem)
    return passing and may_go_on(error, binding=not _BINDING.isdisjoint(line.body))
