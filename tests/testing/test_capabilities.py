"""What the services say they can do is what they do, as far as their emulations go: every capability is tried."""

from __future__ import annotations

import asyncio
from typing import get_args

import pytest

from polychat import providers
from polychat.engine.engine import Engine
from polychat.providers.base import Capability, Model
from polychat.sandbox import Sandbox
from polychat.testing.bench import Bench, Subject
from polychat.testing.capabilities import TRIES, can, engine_of_everything

INFOS = [providers.load(name).info for name in providers.names()]
EMULATED = [info.name for info in INFOS if (info.emulation or info.name).partition("/")[0] == info.name]
ONLY_DRAWS = "gpt-image"  # answers everything with a picture, so that words prove nothing
UNDERSTATED = {  # what an emulation takes and a service is not said to understand
    ("chatgpt", "audio_in"): "any file is taken in; whether the model hears it nobody knows",
    ("chatgpt", "video_in"): "any file is taken in; whether the model sees it nobody knows",
    ("gemini", "audio_in"): "the emulation gives its image models whatever any model takes",
    ("gemini", "video_in"): "the emulation gives its image models whatever any model takes",
    ("gemini", "file_in"): "the emulation gives its image models whatever any model takes",
    ("openai", "video_in"): "any file is taken in; whether the model sees it nobody knows",
}


def test_every_capability_can_be_tried() -> None:
    """None is left to belief."""
    assert set(TRIES) == set(get_args(Capability))


def test_the_services_that_are_judged_are_not_few() -> None:
    """All that have an emulation of their own; the others borrow one."""
    assert {"anthropic", "chatgpt", "gemini", "openai", "raycast", "reka"} <= set(EMULATED)


@pytest.mark.parametrize("capability", get_args(Capability))
@pytest.mark.parametrize("service", EMULATED)
def test_a_statement_is_true(service: str, capability: Capability, sandbox: Sandbox) -> None:
    """Each model does what it says it can, and nothing that it says it cannot."""
    bench = Bench(Subject(service, sandbox))

    async def tried() -> tuple[list[str], list[str]]:
        async with engine_of_everything(bench) as engine:
            models = await emulated(bench, engine)
            found = [model.id for model in models if await can(bench, engine, model.id, capability)]
        return [model.id for model in models if bench.info.can(model, capability)], found

    stated, found = asyncio.run(tried())
    if (service, capability) in UNDERSTATED:
        found = [model for model in found if model in stated]
    assert found == stated


async def emulated(bench: Bench, engine: Engine) -> list[Model]:
    """The models that the provider states something of, and the emulation has; of each kind there is one."""
    models = [model for model in bench.info.models if model.id != ONLY_DRAWS]
    if not bench.info.any_model:  # and others are taken too
        return models
    there = {model.id for model in await engine.models(bench.name)}
    return [model for model in models if model.id in there]


@pytest.mark.parametrize("service", EMULATED)
def test_the_models_that_are_tried_are_not_few(service: str, sandbox: Sandbox) -> None:
    """A statement about models that nobody tries would always be true; the first is the one asked by default."""
    bench = Bench(Subject(service, sandbox))

    async def main() -> list[Model]:
        async with engine_of_everything(bench) as engine:
            return await emulated(bench, engine)

    tried = [model.id for model in asyncio.run(main())]
    assert bench.info.default_model in tried
    assert len(tried) >= min(len(bench.info.models), 3)


@pytest.mark.parametrize("service", EMULATED)
def test_a_service_can_what_its_models_can(service: str) -> None:
    """Its own statement is that of all of them together."""
    info = providers.load(service).info
    assert info.capabilities == frozenset().union(*(info.abilities(model) for model in info.models))
