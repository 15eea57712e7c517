"""An answer, as the official package sees it: whole, in a stream, in a chat, synchronous or not."""

from __future__ import annotations

import asyncio
import json

import pytest
from google import genai
from google.genai import errors, types


def test_an_answer_has_text_usage_and_a_finish_reason(generate):
    """The whole of it."""
    told = generate(model="gemini-2.5-flash-lite")
    assert told.text == "You asked: “Hello there” (2 words)."
    assert told.candidates[0].finish_reason is types.FinishReason.STOP
    assert (told.model_version, told.candidates[0].index) == ("gemini-2.5-flash-lite", 0)
    usage = told.usage_metadata
    assert (usage.prompt_token_count, usage.candidates_token_count, usage.total_token_count) == (2, 6, 8)


def test_every_answer_has_an_id_of_its_own(generate, stream):
    """One for all pieces of a stream."""
    ids = {generate().response_id, generate().response_id, *(chunk.response_id for chunk in stream())}
    assert len(ids) == 3


@pytest.mark.parametrize("version", ["v1", "v1beta"])
def test_the_package_streams_what_it_gets_whole(sandbox, version):
    """In either version of the API."""
    options = types.HttpOptions(base_url=f"{sandbox.url}/gemini", api_version=version)
    with genai.Client(api_key="sandbox-bob", http_options=options) as client:
        asked = {"model": "gemini-3.8-flash", "contents": "Grüße aus Łódź"}
        whole = client.models.generate_content(**asked)
        chunks = list(client.models.generate_content_stream(**asked))
    assert "".join(chunk.text for chunk in chunks) == whole.text
    assert [chunk.candidates[0].finish_reason for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)
    assert chunks[-1].candidates[0].finish_reason is types.FinishReason.STOP
    assert chunks[-1].usage_metadata == whole.usage_metadata


@pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")  # the package's own
def test_the_package_does_the_same_asynchronously(sandbox):
    """Answers, streams and chats."""

    async def main():
        options = types.HttpOptions(base_url=f"{sandbox.url}/gemini")
        async with genai.Client(api_key="sandbox-alice", http_options=options).aio as client:
            asked = {"model": "gemini-2.5-flash", "contents": "Hello there"}
            whole = await client.models.generate_content(**asked)
            pieces = [chunk.text async for chunk in await client.models.generate_content_stream(**asked)]
            chat = client.chats.create(model="gemini-2.5-flash")
            await chat.send_message("One")
            second = await chat.send_message("Two")
            with pytest.raises(errors.ClientError) as caught:
                await client.models.generate_content(model="nope", contents="x")
        assert "".join(pieces) == whole.text == "You asked: “Hello there” (2 words)."
        assert "Before that I was given 2 turns: user “One”" in second.text
        assert (caught.value.code, caught.value.status) == (404, "NOT_FOUND")

    asyncio.run(main())


@pytest.mark.parametrize("model", ["gemini-2.5-flash", "gemini-3.8-flash"])
def test_a_chat_hands_its_history_back(client, model):
    """Also the answers that came in pieces, as one turn each."""
    chat = client.chats.create(model=model)
    first = chat.send_message("One").text
    pieces = "".join(chunk.text for chunk in chat.send_message_stream("Two"))
    assert pieces.startswith("You asked: “Two” (1 word). Before that I was given 2 turns: user “One”, assistant “You")
    third = chat.send_message("Three").text
    assert f"4 turns: user “One”, assistant “{first}”, user “Two”, assistant “You asked: “Two” (1 word)." in third


def test_instructions_are_heard(generate, answered):
    """As text, or as a content."""
    assert "My instructions hold 2 words." in generate(system_instruction="Be brief").text
    told = answered({"system_instruction": {"parts": {"text": "Be brief"}}})
    assert "My instructions hold 2 words." in told["content"]["parts"][0]["text"]


def test_every_chat_model_answers(client, generate):
    """With nothing but a question."""
    models = [model.name for model in client.models.list() if "generateContent" in model.supported_actions]
    assert len(models) == 13
    for model in models:
        config = {"response_modalities": ["AUDIO"]} if model.endswith("-tts") else {}
        assert generate(model=model, **config).candidates[0].finish_reason is types.FinishReason.STOP


def test_another_name_for_a_model_is_told(generate):
    """In the version that answered."""
    assert generate(model="gemini-flash-latest").model_version == "gemini-3.8-flash"


def test_a_script_speaks_for_the_model(generate, stream, sandbox):
    """Its pieces are those of the stream, its finish reason is the service's own word."""
    sandbox.script("gemini", chunks=["Grü", "ße"], finish_reason="RECITATION")
    chunks = stream()
    assert [chunk.text for chunk in chunks] == ["Grü", "ße"]
    assert chunks[-1].candidates[0].finish_reason is types.FinishReason.RECITATION
    sandbox.script("gemini", text="x", revisions=["whole"])
    assert generate().text == "whole"


def test_without_sse_a_stream_is_a_list(post):
    """That comes piece by piece and is JSON in the end."""
    answer = post("gemini-2.5-flash:streamGenerateContent", {"contents": [{"parts": [{"text": "Hello there"}]}]})
    assert answer.headers["content-type"] == "application/json"
    texts = [chunk["candidates"][0]["content"]["parts"][0]["text"] for chunk in json.loads(answer.body)]
    assert texts == ["You", " asked:", " “Hello", " there”", " (2", " words)."]


def test_with_sse_a_stream_is_of_events(post, events):
    """Each a line of data, ended by CR LF twice."""
    answer = post("gemini-2.5-flash:streamGenerateContent?alt=sse", {"contents": [{"parts": [{"text": "Hello"}]}]})
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert len(events(answer.body)) == 5


def test_an_error_can_come_inside_a_stream(client, post):
    """After some pieces; the package raises it."""
    options = {"http_options": {"headers": {"x-sandbox-scenario": "unavailable_after=2"}}}
    heard = []
    with pytest.raises(errors.ServerError) as caught:
        heard.extend(
            chunk.text
            for chunk in client.models.generate_content_stream(model="gemini-2.5-pro", contents="Hi", config=options)
        )
    assert (caught.value.code, caught.value.status) == (503, "UNAVAILABLE")
    body = {"contents": [{"parts": [{"text": "Hello"}]}]}
    *pieces, last = post("gemini-2.5-pro:streamGenerateContent", body, "unavailable_after=2").json
    assert (len(pieces), last["error"]["status"]) == (2, "UNAVAILABLE")


def test_a_context_that_is_too_long_is_refused(generate):
    """400."""
    with pytest.raises(errors.ClientError) as caught:
        generate("one two three four", scenario="context_tokens=3")
    assert (caught.value.code, caught.value.status) == (400, "INVALID_ARGUMENT")
    assert "4 tokens" in caught.value.message


def test_a_long_beginning_is_cached(generate, sandbox):
    """From 1024 tokens on, until it is forgotten; for this account and model."""
    long = "word " * 1200
    counts = [generate([long], system_instruction=long).usage_metadata for _ in range(2)]
    assert [usage.cached_content_token_count for usage in counts] == [None, 2402]
    assert counts[1].cache_tokens_details == [types.ModalityTokenCount(modality="TEXT", token_count=2402)]
    assert generate("Else", system_instruction=long).usage_metadata.cached_content_token_count == 1201
    assert generate(long, "gemini-2.5-pro", system_instruction=long).usage_metadata.cached_content_token_count is None
    sandbox.clock(advance_s=301)
    assert generate(long, system_instruction=long).usage_metadata.cached_content_token_count is None


def test_a_short_beginning_is_not(generate):
    """Below 1024 tokens nothing is kept."""
    usages = [generate("word " * 1000).usage_metadata.cached_content_token_count for _ in range(2)]
    assert usages == [None, None]


def test_settings_without_effect_are_taken(generate, answered):
    """As the package writes them, and as a message has them."""
    config = {
        "temperature": 2, "top_p": 0, "top_k": 40, "seed": -5, "presence_penalty": -2, "frequency_penalty": 1.5,
        "candidate_count": 1, "labels": {"a": "b"}, "service_tier": "flex", "store": False,
        "media_resolution": "MEDIA_RESOLUTION_LOW",
    }  # fmt: skip
    assert generate(**config).candidates[0].finish_reason is types.FinishReason.STOP
    assert answered({"model": "models/x", "generation_config": {"top_k": "40"}})["finishReason"] == "STOP"


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"contents": []}, ["contents"]),
        ({"contents": None}, ["contents"]),
        ({"colour": "red"}, [""]),
        ({"continuationToken": "eA=="}, ["continuation_token"]),
        ({"systemInstruction": {"parts": []}}, ["system_instruction.parts"]),
        ({"generationConfig": {"colour": 1, "warmth": 2}}, ["generation_config", "generation_config"]),
    ],
)
def test_what_is_wrong_is_refused_by_field(wrong, body, fields):
    """400 with every field's place."""
    assert wrong(body) == fields


def test_cached_content_is_not_there(refused):
    """403, as the service tells what it does not have."""
    assert refused({"cachedContent": "cachedContents/x"}) == (403, "PERMISSION_DENIED", [])


def test_instructions_are_text_and_not_for_every_model(wrong, blob, png):
    """By field."""
    assert wrong({"systemInstruction": {"parts": [blob(png())]}}) == ["system_instruction.parts[0]"]
    assert wrong({"systemInstruction": {"parts": [{"text": "x"}]}}, "gemma-3-27b-it") == ["system_instruction"]


def test_the_newest_models_want_the_last_word_from_the_user(wrong, answered):
    """Older ones go on from the model's."""
    said = [{"role": "user", "parts": [{"text": "x"}]}, {"role": "model", "parts": [{"text": "y"}]}]
    assert wrong({"contents": said}, "gemini-3.8-flash") == ["contents"]
    assert answered({"contents": said})["finishReason"] == "STOP"


def test_tools_and_json_exclude_each_other_in_older_models(wrong, answered, functions):
    """Newer ones mix them."""
    body = {"tools": functions("f"), "generationConfig": {"responseMimeType": "application/json"}}
    assert wrong(body) == ["generation_config.response_mime_type"]
    assert answered(body, "gemini-3.1-pro-preview")["finishReason"] == "STOP"
