"""What the model runs and paints."""

from __future__ import annotations

import io

import pytest
from google.genai import types
from PIL import Image

PAINTER = "gemini-2.5-flash-image"


def opened(part):
    """The picture of a part."""
    assert part.inline_data.mime_type == "image/png"
    return Image.open(io.BytesIO(part.inline_data.data))


def test_code_is_run_before_the_answer(generate, stream):
    """It counts the words of the question."""
    code, result, said = generate("Hello there", tools=[{"code_execution": {}}]).parts
    assert code.executable_code.language is types.Language.PYTHON
    assert code.executable_code.code == "print(len('Hello there'.split()))\n"
    assert (result.code_execution_result.outcome, result.code_execution_result.output) == (
        types.Outcome.OUTCOME_OK,
        "2\n",
    )
    assert said.text == "You asked: “Hello there” (2 words)."
    first, second, *_ = stream("Hello there", tools=[{"code_execution": {}}])
    assert (first.executable_code, second.code_execution_result) == (code.executable_code.code, "2\n")


def test_code_that_was_run_goes_back(client):
    """In a chat."""
    chat = client.chats.create(model="gemini-2.5-flash", config={"tools": [{"code_execution": {}}]})
    chat.send_message("One")
    assert "user “One”, assistant “print(len('One'.split())) 1 You asked:" in chat.send_message("Two").text


def test_a_picture_is_painted_beside_words(generate):
    """The same one for the same question."""
    text, picture = generate("A cat", PAINTER).parts
    assert text.text == "You asked: “A cat” (2 words)."
    assert opened(picture).size == (1024, 1024)
    assert picture == generate("A cat", PAINTER).parts[1]
    assert picture != generate("A dog", PAINTER).parts[1]


def test_in_a_stream_the_picture_comes_after_the_words(stream):
    """Whole, in one piece."""
    parts = [part for chunk in stream("A cat", PAINTER) for part in chunk.parts]
    assert [part.inline_data is not None for part in parts] == [False] * 6 + [True]


def test_a_picture_can_come_alone(generate):
    """When only that is asked for; or only words."""
    (picture,) = generate("A cat", PAINTER, response_modalities=["IMAGE"]).parts
    assert picture.inline_data is not None
    (text,) = generate("A cat", PAINTER, response_modalities=["Text"]).parts
    assert text.text is not None


@pytest.mark.parametrize(
    ("config", "size"),
    [
        ({"aspect_ratio": "16:9"}, (1344, 768)),
        ({"aspect_ratio": "2:3", "image_size": "1K"}, (832, 1248)),
        ({"image_size": "2K"}, (2048, 2048)),
    ],
)
def test_a_picture_has_the_size_that_is_asked_for(generate, config, size):
    """By ratio and size."""
    (picture,) = generate("A cat", PAINTER, response_modalities=["IMAGE"], image_config=config).parts
    assert opened(picture).size == size


def test_a_picture_that_is_shown_is_painted_over(generate, png):
    """And keeps its size."""
    shown = types.Part.from_bytes(data=png(40, 20, "white"), mime_type="image/png")
    _, picture = generate(["A hat", shown], PAINTER).parts
    assert opened(picture).size == (40, 20)


@pytest.mark.parametrize("config", [{"aspectRatio": "5:1"}, {"imageSize": "8K"}, {"personGeneration": "ALLOW_ALL"}])
def test_a_picture_that_cannot_be_is_refused(wrong, config):
    """By field."""
    (field,) = wrong({"generationConfig": {"imageConfig": config}}, PAINTER)
    assert field.startswith("generation_config.image_config")


def test_revised_answers_are_told_in_the_end(generate, sandbox):
    """There is no other way in this service."""
    sandbox.script("gemini", chunks=["a"], revisions=["b c", "d e"])
    assert generate().text == "d e"
