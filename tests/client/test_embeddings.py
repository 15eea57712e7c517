"""client/embeddings.py against the emulated OpenAI API, beside the `openai` package."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from polychat import AsyncClient, BadOption, Client
from polychat.errors import UnknownModel, UnsupportedFeature
from polychat.sandbox import Sandbox

MODEL = "openai/text-embedding-3-small"
TEXTS = ["a cat on a mat", "кот", "a cat on the mat"]


def made(sandbox_client: Callable[..., Client], **asked: Any) -> Any:
    """The vectors of a question."""
    return sandbox_client().embeddings.create(**({"model": MODEL, "input": TEXTS} | asked))


def test_each_text_gets_its_vector(sandbox_client: Callable[..., Client]) -> None:
    """In order, the same as when it is alone, with what it cost and who made it."""
    vectors = made(sandbox_client)
    alone = made(sandbox_client, input="кот")
    assert [one.index for one in vectors.data] == [0, 1, 2]
    assert vectors.data[1].embedding == alone.data[0].embedding
    assert vectors.usage.prompt_tokens == vectors.usage.total_tokens > 0
    assert (vectors.model, vectors.provider, vectors.account) == (
        "text-embedding-3-small", "openai", "sandbox-alice@openai",
    )  # fmt: skip


def test_they_are_those_of_the_official_package(sandbox: Sandbox, sandbox_client: Callable[..., Client]) -> None:
    """Number by number, as that one decodes them from base64."""
    import openai

    with openai.OpenAI(base_url=f"{sandbox.url}/openai/v1", api_key="sandbox-alice") as official:
        theirs = official.embeddings.create(model="text-embedding-3-small", input=TEXTS)
    ours = made(sandbox_client)
    for mine, other in zip(ours.data, theirs.data, strict=True):
        assert mine.embedding == pytest.approx(other.embedding, abs=1e-6)


def test_dimensions_are_asked_for(sandbox_client: Callable[..., Client]) -> None:
    """Where the model lets them be chosen."""
    assert {len(one.embedding) for one in made(sandbox_client, dimensions=8).data} == {8}


@pytest.mark.parametrize(
    ("asked", "kind", "sentence"),
    [
        ({"input": []}, BadOption, "nothing to embed"),
        ({"input": ["a", ""]}, BadOption, "nothing to embed"),
        ({"input": [1]}, BadOption, "input is not a text"),
        ({"model": "reka/reka-core"}, UnsupportedFeature, "reka makes no embeddings"),
        ({"model": "groq/x"}, UnsupportedFeature, "groq makes no embeddings"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_sent(
    sandbox: Sandbox, sandbox_client: Callable[..., Client], asked: Any, kind: type[Exception], sentence: str
) -> None:
    """In one sentence."""
    with pytest.raises(kind, match=sentence):
        made(sandbox_client, **asked)
    assert sandbox.journal() == []


def test_a_model_there_is_not_is_the_services_word(sandbox_client: Callable[..., Client]) -> None:
    """It knows its models."""
    with pytest.raises(UnknownModel, match="openai says"):
        made(sandbox_client, model="openai/text-embedding-99")


def test_the_asynchronous_client_has_them_too(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of any address."""
    monkeypatch.setenv("POLYCHAT_HOME", str(tmp_path))

    async def main() -> int:
        async with AsyncClient(base_url=f"{sandbox.url}/openai/v1", api_key="sandbox-alice") as client:
            return len((await client.embeddings.create(model="text-embedding-3-small", input="hi")).data)

    assert asyncio.run(main()) == 1
