"""wire/openai_images.py: what is asked for, and what an answer means."""

from __future__ import annotations

import base64
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polychat.errors import BadOption, FormatChanged
from polychat.types import Drawing, Image, Usage
from polychat.wire.openai_images import OPTIONS, Answer, body, check_options, drawn, fields, files

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
ENCODED = base64.b64encode(PNG).decode()


def drawing(**wish: Any) -> Drawing:
    """A wish for a fox."""
    return Drawing(**{"model": "gpt-image-2", "prompt": "a fox"} | wish)


def answer(*pictures: Any, **rest: Any) -> Answer:
    """An answer as it comes."""
    return msgspec.json.decode(msgspec.json.encode({"created": 1, "data": pictures, **rest}), type=Answer)


@pytest.mark.parametrize(
    ("wish", "asked"),
    [
        ({}, {}),
        ({"n": 1}, {}),
        ({"n": 3}, {"n": 3}),
        ({"size": "64x64"}, {"size": "64x64"}),
        ({"linked": True}, {"response_format": "url"}),
        ({"options": {"quality": "high", "output_compression": 5}}, {"quality": "high", "output_compression": 5}),
        ({"options": {"extra_body": {"steps": 4, "prompt": "a dog"}}}, {"steps": 4, "prompt": "a dog"}),
    ],
)
def test_only_what_is_wished_for_is_asked_for(wish: dict[str, Any], asked: dict[str, Any]) -> None:
    """The service chooses the rest; its own fields stand beside and above ours."""
    given = drawing(**wish)
    before = msgspec.json.encode(given)
    assert body(given) == {"model": "gpt-image-2", "prompt": "a fox"} | asked
    assert msgspec.json.encode(given) == before


def test_a_form_says_the_same_in_text() -> None:
    """Text as it is, all else as JSON."""
    options = {"quality": "высокое", "output_compression": 5, "extra_body": {"upscale": True, "loras": [1, 2]}}
    assert fields(drawing(n=2, options=options)) == [
        ("model", "gpt-image-2"), ("prompt", "a fox"), ("n", "2"), ("quality", "высокое"), ("output_compression", "5"),
        ("upscale", "true"), ("loras", "[1,2]"),
    ]  # fmt: skip


def test_one_picture_is_a_file_and_several_are_a_list() -> None:
    """The mask is named for itself."""
    one, two, mask = Image(data=PNG), Image(data=PNG + b"2"), Image(data=PNG + b"m")
    assert list(files(drawing())) == []
    assert list(files(drawing(images=(one,), mask=mask))) == [("image", one), ("mask", mask)]
    assert list(files(drawing(images=(one, two)))) == [("image[]", one), ("image[]", two)]


def test_options_are_those_there_are() -> None:
    """Each of its type; another is named, with what comes near."""
    values: dict[type, Any] = {str: "x", int: 1, dict: {}}
    check_options({name: values[kind] for name, kind in OPTIONS.items()}, "openai")
    for options, field, sentence, hint in (
        ({"qualty": "high"}, "qualty", "openai has no option 'qualty' for a picture", "did you mean quality?"),
        ({"seed": 1}, "seed", "openai has no option 'seed' for a picture", f"a picture takes: {', '.join(OPTIONS)}"),
        ({"quality": 1}, "quality", "quality is int, not str", None),
    ):
        with pytest.raises(BadOption) as caught:
            check_options(options, "openai")
        assert (caught.value.field, caught.value.message, caught.value.hint) == (field, sentence, hint)


def test_a_picture_is_bytes_a_link_or_both() -> None:
    """In the order they came, with what the service says it drew."""
    made = drawn(
        answer(
            {"b64_json": ENCODED},
            {"url": "https://x.example/a.png", "revised_prompt": "a red fox", "b64_json": None},
            {"url": f"data:image/png;base64,{ENCODED}"},
            {"url": "https://x.example/b.png", "b64_json": ENCODED},
            {"b64_json": ENCODED, "url": ""},
        )
    )
    assert [(one.data, one.url, one.prompt) for one in made.images] == [
        (PNG, None, None),
        (None, "https://x.example/a.png", "a red fox"),
        (PNG, None, None),
        (PNG, "https://x.example/b.png", None),
        (PNG, None, None),
    ]
    assert made.images[0].media_type == "image/png"


def test_facts_and_costs_are_kept() -> None:
    """As far as they were told."""
    about = {"size": "64x64", "quality": "high", "background": None, "output_format": "png"}
    made = drawn(
        answer({"b64_json": ENCODED}, usage={"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}, **about)
    )
    assert made.facts == {"size": "64x64", "quality": "high", "output_format": "png"}
    assert made.usage == Usage(input_tokens=3, output_tokens=4)
    assert (drawn(answer({"b64_json": ENCODED})).facts, drawn(answer({"b64_json": ENCODED})).usage) == ({}, None)


@pytest.mark.parametrize(
    ("pictures", "sentence"),
    [
        ([], "it drew, and gives no picture"),
        ([{"b64_json": ENCODED}, {}], "neither bytes nor a link"),
        ([{"b64_json": "", "url": ""}], "neither bytes nor a link"),
        ([{"url": "data:image/png;base64,%%"}], "a damaged data URI"),
    ],
)
def test_an_answer_without_pictures_is_none(pictures: list[Any], sentence: str) -> None:
    """It is told."""
    with pytest.raises(FormatChanged, match=sentence):
        drawn(answer(*pictures))


@given(st.binary(min_size=1))
def test_the_bytes_are_those_that_were_encoded(data: bytes) -> None:
    """Whatever they are."""
    (made,) = drawn(answer({"b64_json": base64.b64encode(data).decode()})).images
    assert made.data == data
