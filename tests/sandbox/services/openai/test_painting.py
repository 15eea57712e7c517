"""The drawing of pictures in a response, as the official package sees it and as a stream, judged by the bytes."""

from __future__ import annotations

import base64
import hashlib
import io

import pytest
from PIL import Image

TOOL = {"type": "image_generation"}
ASKED = {"model": "gpt-5.5", "input": "Draw a red fox", "tools": [TOOL]}


def opened(result):
    """A picture in base64: its format and size."""
    with Image.open(io.BytesIO(base64.b64decode(result))) as picture:
        picture.load()
        return picture.format, picture.size


def picture_of(told):
    """The item of the picture."""
    return next(item for item in told.output if item.type == "image_generation_call")


def test_a_picture_is_an_item(client):
    """A real one, before the words."""
    told = client.responses.create(**ASKED)
    assert [item.type for item in told.output] == ["reasoning", "image_generation_call", "message"]
    item = picture_of(told)
    assert opened(item.result) == ("PNG", (1024, 1024))
    assert item.id.startswith("ig_")
    assert (item.status, item.action, item.output_format, item.size, item.quality, item.background) == (
        "completed", "generate", "png", "1024x1024", "high", "opaque",
    )  # fmt: skip
    assert item.revised_prompt == "Draw a red fox"


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_stream_shows_previews(post, events, count):
    """As many as were asked for, smaller; then the whole."""
    asked = ASKED | {"model": "gpt-4o", "stream": True, "tools": [TOOL | {"partial_images": count}]}
    told = events(post("/responses", asked).body)
    assert [event["type"].removeprefix("response.") for event in told[2 : 7 + count]] == [
        "output_item.added", "image_generation_call.in_progress", "image_generation_call.generating",
        *["image_generation_call.partial_image"] * count, "image_generation_call.completed", "output_item.done",
    ]  # fmt: skip
    item = told[-1]["response"]["output"][0]
    begun = {"id": item["id"], "type": "image_generation_call", "status": "in_progress", "result": None}
    assert (told[2]["item"], told[6 + count]["item"]) == (begun, item)
    assert {(event["item_id"], event["output_index"]) for event in told[3 : 6 + count]} == {(item["id"], 0)}
    previews = told[5 : 5 + count]
    assert [event["partial_image_index"] for event in previews] == list(range(count))
    assert {opened(event["partial_image_b64"]) for event in previews} <= {("PNG", (256, 256))}


def test_the_package_gathers_a_picture(client):
    """Its accumulator ends with it, and the service keeps it."""
    with client.responses.stream(**ASKED | {"tools": [TOOL | {"partial_images": 2}]}) as stream:
        previews = [event for event in stream if event.type == "response.image_generation_call.partial_image"]
        told = stream.get_final_response()
    assert [event.partial_image_index for event in previews] == [0, 1]
    assert opened(picture_of(told).result) == ("PNG", (1024, 1024))
    assert picture_of(client.responses.retrieve(told.id)).result == picture_of(told).result


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"size": "512x256"}, ("PNG", (512, 256))),
        ({"size": "auto", "output_format": "jpeg", "output_compression": 50}, ("JPEG", (1024, 1024))),
        ({"output_format": "webp", "quality": "low", "model": "gpt-image-2"}, ("WEBP", (1024, 1024))),
    ],
)
def test_a_picture_is_as_it_is_wanted(client, more, expected):
    """In size and format."""
    item = picture_of(client.responses.create(**ASKED | {"tools": [TOOL | more]}))
    assert opened(item.result) == expected
    assert (item.output_format, item.size) == (expected[0].lower(), "{}x{}".format(*expected[1]))


def test_a_ground_may_be_clear(client):
    """All that is not painted."""
    item = picture_of(client.responses.create(**ASKED | {"tools": [TOOL | {"background": "transparent"}]}))
    with Image.open(io.BytesIO(base64.b64decode(item.result))) as picture:
        assert picture.getchannel("A").getextrema() == (0, 255)
    assert item.background == "transparent"


def test_the_last_picture_of_a_talk_is_changed(client, png, uri):
    """The person's or the model's own; its size stays, and `generate` leaves it alone."""
    shown = [{"role": "user", "content": [
        {"type": "input_text", "text": "Edit this"}, {"type": "input_image", "image_url": uri(png(64, 64))},
        {"type": "input_image", "image_url": uri(png(48, 32))},
    ]}]  # fmt: skip
    first = client.responses.create(**ASKED | {"input": shown})
    assert (picture_of(first).action, opened(picture_of(first).result)) == ("edit", ("PNG", (48, 32)))
    again = client.responses.create(**ASKED, previous_response_id=first.id)
    assert opened(picture_of(again).result)[1] == (48, 32)
    assert picture_of(again).result != picture_of(first).result
    anew = client.responses.create(**ASKED | {"tools": [TOOL | {"action": "generate"}]}, previous_response_id=first.id)
    assert (picture_of(anew).action, opened(picture_of(anew).result)[1]) == ("generate", (1024, 1024))


def test_a_mask_says_what_may_change(client, png, uri):
    """What it covers stays as it was."""
    source, mask = png(64, 64, "red"), png(64, 64, (0, 0, 0, 255))
    shown = [{"role": "user", "content": [
        {"type": "input_text", "text": "Edit this"}, {"type": "input_image", "image_url": uri(source)},
    ]}]  # fmt: skip
    tool = TOOL | {"input_image_mask": {"image_url": uri(mask)}}
    item = picture_of(client.responses.create(**ASKED | {"input": shown, "tools": [tool]}))
    with Image.open(io.BytesIO(base64.b64decode(item.result))) as picture:
        assert picture.convert("RGB").getcolors() == [(64 * 64, (255, 0, 0))]


def test_a_picture_is_seen_in_the_next_turn(client):
    """By the response before, by its bytes, or by the id of its item."""
    first = client.responses.create(**ASKED)
    item = picture_of(first)
    sha = hashlib.sha256(base64.b64decode(item.result)).hexdigest()
    by_id = {"type": "image_generation_call", "id": item.id}
    told = [
        client.responses.create(model="gpt-4o", input="And?", previous_response_id=first.id),
        client.responses.create(model="gpt-4o", input=[item, {"role": "user", "content": "And?"}]),
        client.responses.create(model="gpt-4o", input=[by_id, {"role": "user", "content": "And?"}]),
    ]
    assert [sha in one.output_text for one in told] == [True, True, True]


@pytest.mark.parametrize(
    ("more", "param", "code"),
    [
        ({"partial_images": 4}, "partial_images", "integer_above_max_value"),
        ({"partial_images": -1}, "partial_images", "integer_below_min_value"),
        ({"partial_images": "2"}, "partial_images", "invalid_type"),
        ({"size": "10x10"}, "size", "invalid_value"),
        ({"size": "00x00"}, "size", "invalid_value"),
        ({"size": "huge"}, "size", "invalid_value"),
        ({"output_format": "bmp"}, "output_format", "invalid_value"),
        ({"output_format": "gif"}, "output_format", "unsupported_by_sandbox"),
        ({"frame_count": 3}, "frame_count", "unsupported_by_sandbox"),
        ({"background": "transparent", "output_format": "jpeg"}, "background", "invalid_value"),
        ({"output_compression": 101}, "output_compression", "integer_above_max_value"),
        ({"model": "gpt-4o"}, "model", "invalid_value"),
        ({"model": "dall-e-3"}, "model", "invalid_value"),
        ({"action": "edit"}, "action", "invalid_value"),
        ({"n": 2}, "n", "unknown_parameter"),
        ({"input_image_mask": {}}, "input_image_mask.image_url", "missing_required_parameter"),
        ({"input_image_mask": {"file_id": "file-1"}}, "input_image_mask.file_id", "invalid_value"),
        ({"input_image_mask": {"image_url": "x"}}, "input_image_mask.image_url", "invalid_image_url"),
    ],
)
def test_a_picture_that_makes_no_sense_is_refused(refused, more, param, code):
    """400 with the field's place in the tool."""
    body = {"model": "gpt-4o", "input": "Draw a fox", "tools": [TOOL | more]}
    assert refused("/responses", body) == (400, f"tools[0].{param}", code)
