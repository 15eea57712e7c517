"""Answers that are not what they claim to be, told by a server on this machine in the words of each dialect.

A success with an error inside, tokens that are counted after the end: the emulated services never do it, real ones
have. Calls of tools have a file of their own, `test_bad_input_calls`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import pytest

from polychat import ChatCompletionChunk
from polychat.errors import AuthExpired, Overloaded, PolychatError, RateLimited, Unavailable

Json = dict[str, Any]
NAMES = ("openai", "responses", "anthropic", "gemini", "raycast", "custom")
EVERY = pytest.mark.parametrize("name", NAMES)


# ---------------------------------------------------------------- what each dialect says


def dialect(name: str) -> str:
    """A service of the person's own speaks as OpenAI does."""
    return "openai" if name == "custom" else name


def words(name: str, text: str) -> list[Json]:
    """The events of an answer that has begun."""
    match dialect(name):
        case "openai":
            return [{"choices": [{"index": 0, "delta": {"content": text}}]}]
        case "responses":
            return [{"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": text}]
        case "anthropic":
            return [
                {"type": "message_start", "message": {"usage": {"input_tokens": 9, "output_tokens": 1}}},
                {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": text}},
                {"type": "content_block_stop", "index": 0},
            ]
        case "gemini":
            return [{"candidates": [{"content": {"parts": [{"text": text}]}}]}]
    return [{"text": text}]


def failure(name: str, kind: str, message: str) -> Json:
    """An error where an answer was promised, of one of the `KINDS`."""
    code, word, google = KINDS[kind][0]
    match dialect(name):
        case "responses":
            return {"type": "error", "code": word, "message": message}
        case "anthropic":
            return {"type": "error", "error": {"type": word, "message": message}}
        case "gemini":
            return {"error": {"code": code, "status": google, "message": message}}
        case "raycast":
            return {"error": {"status": code, "message": message}}
    return {"error": {"type": word, "message": message}}


KINDS: dict[str, tuple[tuple[int, str, str], type[PolychatError]]] = {
    "rate": ((429, "rate_limit_error", "RESOURCE_EXHAUSTED"), RateLimited),
    "key": ((401, "authentication_error", "UNAUTHENTICATED"), AuthExpired),
    "busy": ((529, "overloaded_error", "UNAVAILABLE"), Overloaded),
    "unknown": ((599, "something_new", "SOMETHING_NEW"), Unavailable),
}


def late_usage(name: str) -> list[Json]:
    """The end of an answer that was cut at its limit, and only then its nine tokens of input and three of output."""
    match dialect(name):
        case "openai":
            return [
                {"choices": [{"index": 0, "delta": {}, "finish_reason": "length"}]},
                {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 3}},
            ]
        case "responses":
            whole = {"id": "r", "output": [], "status": "incomplete", "usage": {"input_tokens": 9, "output_tokens": 3}}
            return [
                {"type": "response.output_item.done", "output_index": 0, "item": {"type": "something_new"}},
                {"type": "response.incomplete", "response": whole},
            ]
        case "anthropic":
            return [
                {"type": "message_delta", "delta": {"stop_reason": "max_tokens"}},
                {"type": "message_delta", "delta": {"stop_reason": None}, "usage": {"output_tokens": 3}},
                {"type": "message_stop"},
            ]
        case "gemini":
            return [
                {"candidates": [{"finishReason": "MAX_TOKENS"}]},
                {"usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 3}},
            ]
    return [{"text": "", "finish_reason": "length"}, {"usage": {"input": 9, "output": 3}}]


def text(chunks: Sequence[ChatCompletionChunk]) -> str:
    """Their words."""
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks)


# ---------------------------------------------------------------- an error inside a success


def sentence(name: str, said: str) -> str:
    """How it is told."""
    if name == "raycast":
        return f"raycast answered 200 with an error inside: {said}"
    return f"{'openai' if name == 'responses' else name} says: {said} (inside a successful answer)"


@EVERY
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", ["document", "first event"])
def test_a_success_with_an_error_inside_is_that_error(speaker: Any, name: str, kind: str, form: str) -> None:
    """With the class that its code has, in one sentence on one line; the question is not asked again."""
    error = failure(name, kind, "Not now,\n  says the service.\n")
    if form == "document":
        speaker.hands_out(error)
    else:
        speaker.says(error)
    with pytest.raises(PolychatError) as told:
        speaker.whole(name)
    assert type(told.value) is KINDS[kind][1]
    assert told.value.message == sentence(name, "Not now, says the service")
    assert (told.value.account, told.value.after_content) == (f"given@{told.value.provider}", False)
    assert len(speaker.asked) == 1


@EVERY
@pytest.mark.parametrize("kind", ["rate", "unknown"])
def test_an_error_behind_words_keeps_them(speaker: Any, name: str, kind: str) -> None:
    """For who reads along, and for who waits for the whole."""
    speaker.says(*words(name, "Grüße, "), *words(name, "мир")[-2:], failure(name, kind, "Not now."))
    heard: list[ChatCompletionChunk] = []
    with pytest.raises(PolychatError) as along:
        speaker.streamed(name, heard)
    with pytest.raises(PolychatError) as waiting:
        speaker.whole(name)
    for error in (along.value, waiting.value):
        assert type(error) is KINDS[kind][1]
        assert error.message == sentence(name, "Not now")
        assert error.partial is not None
        assert (error.partial.text, error.partial.finish) == ("Grüße, мир", None)
    assert text(heard) == "Grüße, мир"
    assert len(speaker.asked) == 2


PROGRAM = (sys.executable, "-m", "polychat.cli", "chat", "hi")


@pytest.mark.parametrize("name", NAMES[:-1])
def test_the_program_prints_what_came_and_names_the_error(speaker: Any, name: str) -> None:
    """The words on stdout, the sentence on stderr, and the exit code of a rate limit."""
    speaker.says(*words(name, "Grüße"), failure(name, "rate", "Not now."))
    env = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "POLYCHAT_SANDBOX": speaker.url}
    env |= {"HOME": str(speaker.home), "POLYCHAT_HOME": str(speaker.home)}
    options = {"openai": ["-m", "openai/gpt-4o"], "responses": ["-m", "openai/gpt-4o", "-o", "api=responses"]}
    done = subprocess.run(
        [*PROGRAM, *options.get(name, ["-m", name])], env=env, input=b"", capture_output=True, timeout=30
    )
    assert (done.returncode, done.stdout.decode()) == (5, "Grüße\n")
    told, *hints = done.stderr.decode().splitlines()
    account = f"sandbox-alice@{'openai' if name == 'responses' else name}"
    assert told == f"error: account {account}: {sentence(name, 'Not now')}"
    assert hints == ["hint: wait a little and ask again, or ask another service"]


# ---------------------------------------------------------------- tokens counted after the end


@pytest.mark.parametrize(
    ("name", "after"),
    [*((name, ()) for name in NAMES), *((name, ("[DONE]",)) for name in ("openai", "custom", "raycast"))],
)
def test_what_is_counted_after_the_end_is_counted(speaker: Any, name: str, after: tuple[str, ...]) -> None:
    """Once, with the reason that was given before it, and nothing is told after the end. Raycast counts nothing."""
    speaker.says(*words(name, "Grüße"), *late_usage(name), *after)
    answer = speaker.whole(name)
    assert (answer.text, answer.choices[0].finish_reason) == ("Grüße", "length")
    counted = answer.usage and (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens)
    assert counted == (None if name == "raycast" else (9, 3, 12))
    heard: list[ChatCompletionChunk] = []
    speaker.streamed(name, heard)
    assert text(heard) == "Grüße"
    assert [chunk.choices[0].finish_reason for chunk in heard] == [None] * (len(heard) - 1) + ["length"]
    assert [chunk.usage for chunk in heard if chunk.usage] == ([answer.usage] if counted else [])
