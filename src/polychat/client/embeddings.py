"""Vectors: `client.embeddings.create`, under the names that users of the OpenAI SDK know.

vectors = client.embeddings.create(model="openai/text-embedding-3-small", input=["one", "two"])
vectors.data[0].embedding
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from polychat.client.shapes import CompletionUsage, Shape
from polychat.errors import BadOption

if TYPE_CHECKING:
    from polychat.client.aio import AsyncClient
    from polychat.engine.portal import Portal


class Embedding(Shape, kw_only=True):
    """One vector; `index` is the place of its text."""

    embedding: list[float]
    index: int
    object: Literal["embedding"] = "embedding"


class Embeddings(Shape, kw_only=True):
    """One vector for each text, in their order."""

    data: list[Embedding]
    model: str
    provider: str
    account: str
    usage: CompletionUsage | None = None
    object: Literal["list"] = "list"


class AsyncEmbeddingCalls:
    """`client.embeddings`."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def create(
        self,
        *,
        input: str | Sequence[str],  # noqa: A002 - OpenAI's word
        model: str | None = None,
        dimensions: int | None = None,
        account: str | None = None,
        timeout: float | None = None,
    ) -> Embeddings:
        """The texts of `input` as vectors.

        Raises: `BadOption` for an empty input, `UnsupportedFeature` where the service makes none.
        """
        client = self._client
        texts = [input] if isinstance(input, str) else list(input)
        if not all(isinstance(text, str) for text in texts):
            raise BadOption("input is not a text or a list of texts", field="input")
        made = await client.engine.calls.embed(
            client.named(model), texts, dimensions=dimensions, account=account or client.account,
            provider=client.provider, waits=client.waits(timeout),
        )  # fmt: skip
        vectors, tokens = made.value.vectors, made.value.input_tokens
        return Embeddings(
            data=[Embedding(embedding=list(vector), index=index) for index, vector in enumerate(vectors)],
            model=made.model,
            provider=made.provider,
            account=made.account,
            usage=None
            if tokens is None
            else CompletionUsage(prompt_tokens=tokens, completion_tokens=0, total_tokens=tokens),
        )


class EmbeddingCalls:
    """`client.embeddings` of the synchronous client."""

    def __init__(self, portal: Portal[AsyncClient]) -> None:
        self._portal = portal

    def create(
        self,
        *,
        input: str | Sequence[str],  # noqa: A002 - OpenAI's word
        model: str | None = None,
        dimensions: int | None = None,
        account: str | None = None,
        timeout: float | None = None,
    ) -> Embeddings:
        """The texts of `input` as vectors; see `AsyncEmbeddingCalls.create`."""
        return self._portal.call(
            lambda client: client.embeddings.create(
                input=input, model=model, dimensions=dimensions, account=account, timeout=timeout
            )
        )
