"""Pictures: made of words, changed by words, in base64, by address and as a stream."""

from __future__ import annotations

import base64
import io

import openai
import pytest
from PIL import Image

SMALL = "64x32"


def opened(item):
    """The picture of an answer."""
    with Image.open(io.BytesIO(base64.b64decode(item.b64_json))) as picture:
        picture.load()
        return picture


@pytest.fixture
def draw(client):
    """draw(**fields): the answer to a generation."""
    return lambda **fields: client.images.generate(
        **{"model": "gpt-image-1", "prompt": "A cat", "size": SMALL} | fields
    )


@pytest.fixture
def edit(client, png):
    """edit(**fields): the answer to an edit of a red picture."""
    return lambda **fields: client.images.edit(
        **{"model": "gpt-image-1", "prompt": "A cat", "image": ("a.png", png(64, 32))} | fields
    )


def test_a_picture_is_drawn_from_the_prompt(draw):
    """The same for the same words, in the size that was asked for."""
    one, same, other = draw(), draw(), draw(prompt="A dog")
    assert opened(one.data[0]).size == (64, 32)
    assert one.data[0].b64_json == same.data[0].b64_json != other.data[0].b64_json
    assert (one.size, one.output_format, one.background, one.quality) == (SMALL, "png", "opaque", "high")
    assert (one.usage.input_tokens_details.text_tokens, one.usage.output_tokens) == (2, 2)


def test_several_pictures_differ(draw):
    """`n` of them."""
    assert len({item.b64_json for item in draw(n=3).data}) == 3


def test_the_usual_size_is_a_square(draw):
    """1024 pixels a side."""
    assert opened(draw(size="auto").data[0]).size == (1024, 1024)


@pytest.mark.parametrize(("form", "expected"), [("png", "PNG"), ("jpeg", "JPEG"), ("webp", "WEBP")])
def test_the_format_is_obeyed(draw, form, expected):
    """By the bytes, not the name."""
    assert opened(draw(output_format=form).data[0]).format == expected


def test_the_background_can_be_clear(draw):
    """Then the ground has no alpha."""
    assert opened(draw(background="transparent").data[0]).getchannel("A").getextrema()[0] == 0


def test_an_edit_shows_what_it_was_made_of(edit):
    """The given picture with something of the prompt over it, in the given size."""
    told = edit()
    picture = opened(told.data[0])
    assert picture.size == (64, 32)
    assert (255, 0, 0, 255) in {colour for _count, colour in picture.getcolors()}
    assert len(picture.getcolors()) > 1
    assert told.usage.input_tokens_details.image_tokens == 256
    assert edit(prompt="A dog").data[0].b64_json != told.data[0].b64_json


def test_several_pictures_can_be_shown(edit, png, sandbox):
    """The first one is changed; all are counted."""
    told = edit(image=[("a.png", png(64, 32)), ("b.png", png(8, 8))])
    assert opened(told.data[0]).size == (64, 32)
    assert told.usage.input_tokens_details.image_tokens == 512
    assert [part.name for part in sandbox.journal()[0].parts if part.filename] == ["image[]", "image[]"]


def test_a_mask_keeps_what_it_covers(edit, png):
    """Where it is opaque nothing changes."""
    covered = opened(edit(mask=("m.png", png(64, 32, "black"))).data[0])
    assert covered.getcolors() == [(64 * 32, (255, 0, 0, 255))]
    clear = opened(edit(mask=("m.png", png(64, 32, (0, 0, 0, 0)))).data[0])
    assert len(clear.getcolors()) > 1


def test_an_older_model_gives_an_address(client, ask, sandbox):
    """That anybody who knows it can open, at another origin; or base64 when asked for."""
    told = client.images.generate(model="dall-e-3", prompt="A cat", size=SMALL)
    assert told.data[0].url.startswith(f"{sandbox.foreign_url}/openai/pictures/")
    fetched = ask("GET", told.data[0].url.removeprefix(sandbox.foreign_url))
    assert (fetched.status, fetched.headers["content-type"]) == (200, "image/png")
    same = client.images.generate(model="dall-e-3", prompt="A cat", size=SMALL, response_format="b64_json")
    assert base64.b64decode(same.data[0].b64_json) == fetched.body
    assert ask("GET", "/openai/pictures/none.png").status == 404


def test_previews_are_streamed_before_the_picture(draw, edit):
    """As events that the package knows."""
    for told, name in ((draw(stream=True, partial_images=2), "generation"), (edit(stream=True), "edit")):
        *previews, last = list(told)
        assert [event.type for event in previews] == ["image_generation.partial_image"] * len(previews)
        assert last.type == f"image_{name}.completed"
        assert opened(last).size == (64, 32)
        assert len(previews) == (2 if name == "generation" else 0)


@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ({"prompt": ""}, "prompt", "empty_string"),
        ({"n": 11}, "n", "integer_above_max_value"),
        ({"size": "big"}, "size", "invalid_value"),
        ({"size": "64x33"}, "size", "invalid_value"),
        ({"size": "64x256"}, "size", "invalid_value"),
        ({"quality": "best"}, "quality", "invalid_value"),
        ({"style": "vivid"}, "style", "unsupported_parameter"),
        ({"response_format": "url"}, "response_format", "unsupported_parameter"),
        ({"output_format": "svg"}, "output_format", "unsupported_by_sandbox"),
        ({"output_format": "jpeg", "background": "transparent"}, "background", "invalid_value"),
        ({"output_compression": 50}, "output_compression", "invalid_value"),
        ({"partial_images": 1}, "partial_images", None),
        ({"stream": True, "n": 2}, "n", "invalid_value"),
        ({"seed": 1}, "seed", "unknown_parameter"),
    ],
)
def test_what_is_wrong_is_refused_by_field(refused, fields, param, code):
    """400 with the field's place and a code."""
    assert refused("/images/generations", {"prompt": "A cat", "size": SMALL} | fields) == (400, param, code)


def test_files_that_are_no_pictures_are_refused(edit, png):
    """The picture and the mask; and a picture that is missing."""
    for fields, param, code in (
        ({"image": ("a.png", b"no picture")}, "image", "invalid_image_file"),
        ({"image": ("a.png", png(64, 32)[:40])}, "image", "invalid_image_file"),
        ({"image": [("a.png", png(64, 32)), ("b.png", b"no picture")]}, "image", "invalid_image_file"),
        ({"mask": ("m.png", png(8, 8))}, "mask", "invalid_value"),
        ({"mask": ("m.png", b"no picture")}, "mask", "invalid_value"),
    ):
        with pytest.raises(openai.BadRequestError) as caught:
            edit(**fields)
        assert (caught.value.param, caught.value.code) == (param, code)
