"""How a user's code is typed: `make check` runs mypy over this file; nothing here is executed."""

from typing import assert_type

from polychat import AsyncClient, AsyncStream, ChatCompletion, ChatCompletionChunk, Client, Stream, Thread


def whole(client: Client) -> None:
    """Without `stream` the answer is whole."""
    answer = client.chat.completions.create(model="reka", messages="Hello", temperature=0.5, image=b"...")
    assert_type(answer, ChatCompletion)
    assert_type(answer.text, str)
    assert_type(answer.choices[0].message.content, str | None)
    assert_type(answer.conversation, Thread | None)
    client.chat.completions.create(messages="More", conversation=answer.conversation)


def streamed(client: Client) -> None:
    """With `stream=True` it is an iterator of chunks and a context manager."""
    with client.chat.completions.create(model="reka", messages=[], stream=True) as stream:
        assert_type(stream, Stream)
        for chunk in stream:
            assert_type(chunk, ChatCompletionChunk)
            assert_type(chunk.choices[0].delta.content, str | None)


def either(client: Client, stream: bool) -> None:
    """A flag known only at run time gives the union."""
    assert_type(client.chat.completions.create(messages="?", stream=stream), ChatCompletion | Stream)


async def asynchronous(client: AsyncClient) -> None:
    """The same with `await`."""
    assert_type(await client.chat.completions.create(messages="?"), ChatCompletion)
    async with await client.chat.completions.create(messages="?", stream=True) as stream:
        assert_type(stream, AsyncStream)
        async for chunk in stream:
            assert_type(chunk, ChatCompletionChunk)


def wrong(client: Client) -> None:
    """A slip is seen before anything runs."""
    client.chat.completions.create(messages="?", temperature="hot")  # type: ignore[call-overload]
    client.chat.completions.create(messages="?", modelt="reka")  # type: ignore[call-overload]
