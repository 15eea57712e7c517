"""What the input of a response may hold."""

from __future__ import annotations

import hashlib

import pytest

PLACE = "input[0].content[0]"


def said(*parts, role="user"):
    """A message."""
    return {"role": role, "content": list(parts)}


@pytest.fixture
def text(client):
    """text(*items, model): what is answered to items."""
    return lambda *items, model="gpt-4o": client.responses.create(model=model, input=list(items)).output_text


def test_roles_are_understood(text):
    """Developer and system instruct, the rest is talk."""
    told = text(
        said({"type": "input_text", "text": "Be brief"}, role="developer"), {"role": "system", "content": "Now"},
        {"type": "message", "role": "user", "content": "One"},
        said({"type": "output_text", "text": "Two"}, role="assistant"), {"role": "user", "content": "Three"},
    )  # fmt: skip
    assert told == (
        "You asked: “Three” (1 word). My instructions hold 3 words. "
        "Before that I was given 2 turns: user “One”, assistant “Two”."
    )


def test_pictures_and_documents_arrive_whole(text, png, uri):
    """Told from their bytes."""
    picture, document = png(48, 24, "blue"), b"%PDF-1.4 sandbox"
    told = text(said(
        {"type": "input_image", "image_url": uri(picture), "detail": "auto"},
        {"type": "input_file", "filename": "a.pdf", "file_data": uri(document, "application/pdf")},
    ))  # fmt: skip
    assert "a PNG picture, 48 × 24 pixels, mostly blue" in told
    assert hashlib.sha256(picture).hexdigest() in told
    assert hashlib.sha256(document).hexdigest() in told


def test_the_output_of_a_function_may_have_parts(text, png, uri):
    """Text and pictures."""
    told = text(
        {"type": "function_call", "call_id": "c", "name": "look", "arguments": "{}"},
        {
            "type": "function_call_output", "call_id": "c",
            "output": [{"type": "input_text", "text": "See"}, {"type": "input_image", "image_url": uri(png(8, 8))}],
        },
    )  # fmt: skip
    assert told.startswith("The tool answered: “See” (1 word). I see a PNG picture, 8 × 8 pixels")


@pytest.mark.parametrize(
    ("item", "param", "code"),
    [
        ("x", "input[0]", "invalid_type"),
        ({"type": ["message"]}, "input[0].type", "invalid_type"),
        ({"role": "user"}, "input[0].content", "missing_required_parameter"),
        ({"role": "bot", "content": "x"}, "input[0].role", "invalid_value"),
        ({"role": "user", "content": "x", "text": "y"}, "input[0].text", "unknown_parameter"),
        (said({"type": "text", "text": "x"}), f"{PLACE}.type", "invalid_value"),
        (said({"type": "output_text", "text": "x"}), PLACE, "invalid_value"),
        (said({"type": "refusal", "refusal": "x"}, role="system"), PLACE, "invalid_value"),
        (said({"type": "input_text", "text": "x"}, role="assistant"), PLACE, "invalid_value"),
        (said({"type": "input_image", "image_url": "x"}, role="assistant"), PLACE, "invalid_value"),
        (said({"type": "input_text"}), f"{PLACE}.text", "missing_required_parameter"),
        (said({"type": "input_image"}), f"{PLACE}.image_url", "missing_required_parameter"),
        (said({"type": "input_image", "image_url": "https://a.b/c"}), f"{PLACE}.image_url", "invalid_image_url"),
        (said({"type": "input_image", "file_id": "file-1"}), f"{PLACE}.file_id", "invalid_value"),
        (said({"type": "input_file", "file_url": "https://a.b/c"}), f"{PLACE}.file_url", "invalid_value"),
        (said({"type": "input_file"}), f"{PLACE}.file_data", "missing_required_parameter"),
        (
            said({"type": "input_image", "image_url": "data:image/png;base64,JVBERi0xLjQ="}),
            f"{PLACE}.image_url",
            "invalid_image_format",
        ),
        (
            said({"type": "input_image", "image_url": "data:image/png;base64,iVBORw0KGgo="}),
            f"{PLACE}.image_url",
            "invalid_image_format",
        ),
        (
            said({"type": "input_image", "image_url": "data:image/png;base64,??"}),
            f"{PLACE}.image_url",
            "invalid_base64_image",
        ),
        (said({"type": "input_image", "image_url": "cat.png"}), f"{PLACE}.image_url", "invalid_image_url"),
        (said({"type": "input_image", "image_url": "x", "detail": "huge"}), f"{PLACE}.detail", "invalid_value"),
        (
            said({"type": "input_file", "file_data": "data:application/pdf;base64,aGVsbG8="}),
            f"{PLACE}.file_data",
            "invalid_value",
        ),
        ({"type": "web_search_call", "id": "ws_1", "action": {"type": "x"}}, "input[0].action.type", "invalid_value"),
        ({"type": "image_generation_call", "id": "ig_1", "result": "??"}, "input[0].result", "invalid_base64_image"),
        ({"type": "item_reference", "id": "msg_1"}, "input[0].type", "unsupported_by_sandbox"),
        ({"type": "function_call_output", "call_id": "x", "output": "y"}, "input", None),
        ({"type": "function_call", "call_id": "x", "name": "f", "arguments": "{}"}, "input", None),
    ],
)
def test_items_that_make_no_sense_are_refused(refused, item, param, code):
    """400 with the place."""
    assert refused("/responses", {"model": "gpt-4o", "input": [item]}) == (400, param, code)


def test_a_model_without_eyes_takes_no_pictures(refused, png, uri):
    """Nor documents."""
    for part in ({"type": "input_image", "image_url": uri(png())}, {"type": "input_file", "file_data": "x"}):
        body = {"model": "gpt-3.5-turbo", "input": [said(part)]}
        assert refused("/responses", body) == (400, f"{PLACE}.type", "invalid_value")
