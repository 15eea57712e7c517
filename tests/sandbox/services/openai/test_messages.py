"""What messages may hold, in which order, and that every byte of an attachment arrives."""

from __future__ import annotations

import base64
import hashlib
import io
import wave

import pytest

CALL = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city":"Rome"}'}}
ASKED = {"role": "user", "content": "Weather?"}
CALLED = {"role": "assistant", "content": None, "tool_calls": [CALL]}
ANSWERED = {"role": "tool", "tool_call_id": "call_1", "content": "Sunny"}


def sound(seconds=0.5):
    """A WAV file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setparams((1, 2, 8000, 0, "NONE", ""))
        written.writeframes(bytes(int(16_000 * seconds)))
    return file.getvalue()


def image(url, **more):
    """A picture part."""
    return {"type": "image_url", "image_url": {"url": url, **more}}


def test_roles_are_understood(chat):
    """Developer and system instruct, the rest is talk."""
    told = chat([
        {"role": "developer", "content": "Be brief"},
        {"role": "system", "content": [{"type": "text", "text": "Now"}]},
        {"role": "user", "content": "One"}, {"role": "assistant", "content": "Two"},
        {"role": "user", "content": "Three"},
    ])  # fmt: skip
    assert told.choices[0].message.content == (
        "You asked: “Three” (1 word). My instructions hold 3 words. "
        "Before that I was given 2 turns: user “One”, assistant “Two”."
    )


def test_a_picture_arrives_whole(chat, png, uri):
    """Told from its bytes."""
    data = png(48, 24, "blue")
    parts = [{"type": "text", "text": "What?"}, image(uri(data), detail="low")]
    told = chat([{"role": "user", "content": parts}])
    assert "a PNG picture, 48 × 24 pixels, mostly blue" in told.choices[0].message.content
    assert hashlib.sha256(data).hexdigest() in told.choices[0].message.content
    assert told.usage.prompt_tokens == 257


def test_a_document_arrives_whole(chat, uri):
    """A PDF as a data URI."""
    data = b"%PDF-1.4 sandbox"
    part = {"type": "file", "file": {"filename": "a.pdf", "file_data": uri(data, "application/pdf")}}
    told = chat([{"role": "user", "content": [part]}])
    assert "a PDF document (16 bytes" in told.choices[0].message.content


def test_a_sound_is_heard_by_a_model_with_ears(chat):
    """Its length is told."""
    heard = {"data": base64.b64encode(sound()).decode(), "format": "wav"}
    told = chat([{"role": "user", "content": [{"type": "input_audio", "input_audio": heard}]}], model="gpt-audio-mini")
    assert "I hear 0.50 seconds of sound." in told.choices[0].message.content


def test_a_tool_result_comes_back(chat):
    """After the call that asked for it."""
    told = chat([ASKED, CALLED, ANSWERED])
    assert told.choices[0].message.content.startswith("The tool answered: “Sunny” (1 word).")
    assert 'assistant “get_weather({"city":"Rome"})”' in told.choices[0].message.content


def test_an_answer_can_be_sent_back_as_it_came(chat, client):
    """The package's own message objects are taken."""
    first = chat().choices[0].message
    told = chat([ASKED, first, {"role": "user", "content": "And?"}])
    assert "assistant “You asked: “Hello there” (2 words).”" in told.choices[0].message.content


@pytest.mark.parametrize(
    ("messages", "param", "code"),
    [
        ([ANSWERED], "messages[0].tool_call_id", None),
        ([ASKED, CALLED, ANSWERED | {"tool_call_id": "x"}], "messages[2].tool_call_id", None),
        ([ASKED, CALLED], "messages", None),
        ([ASKED, CALLED, ASKED], "messages", None),
        ([ASKED, CALLED, ANSWERED, ANSWERED], "messages[3].tool_call_id", None),
        ([{"role": "assistant"}], "messages[0].content", "invalid_value"),
        ([CALLED | {"tool_calls": []}], "messages[0].tool_calls", "empty_array"),
        ([{"role": "bot", "content": "x"}], "messages[0].role", "invalid_value"),
        ([{"content": "x"}], "messages[0].role", "missing_required_parameter"),
        ([{"role": "user"}], "messages[0].content", "missing_required_parameter"),
        ([{"role": "user", "content": None}], "messages[0].content", "invalid_type"),
        ([{"role": "user", "content": []}], "messages[0].content", "empty_array"),
        ([{"role": "user", "content": "x", "text": "y"}], "messages[0].text", "unknown_parameter"),
        ([{"role": "system", "content": [image("x")]}], "messages[0].content[0].type", "invalid_value"),
        ([{"role": "user", "content": [{"type": "video"}]}], "messages[0].content[0].type", "invalid_value"),
    ],
)
def test_messages_that_make_no_sense_are_refused(refused, messages, param, code):
    """400 with the place."""
    assert refused("/chat/completions", {"model": "gpt-4o", "messages": messages}) == (400, param, code)


PLACE = "messages[0].content[0]"


@pytest.mark.parametrize(
    ("model", "part", "param", "code"),
    [
        ("gpt-4o", image("https://example.com/a.png"), f"{PLACE}.image_url.url", "invalid_image_url"),
        ("gpt-4o", image("cat.png"), f"{PLACE}.image_url.url", "invalid_image_url"),
        ("gpt-4o", image("data:image/png;base64,&&&"), f"{PLACE}.image_url.url", "invalid_base64_image"),
        ("gpt-4o", image("data:image/png;base64,iVBORw0KGgo=&"), f"{PLACE}.image_url.url", "invalid_base64_image"),
        ("gpt-4o", image("data:image/png;base64,"), f"{PLACE}.image_url.url", "invalid_base64_image"),
        ("gpt-4o", image("data:image/png;base64,QUJD"), f"{PLACE}.image_url.url", "invalid_image_format"),
        ("gpt-4o", image("x", detail="huge"), f"{PLACE}.image_url.detail", "invalid_value"),
        ("gpt-3.5-turbo", image("x"), f"{PLACE}.type", "invalid_value"),
        (
            "gpt-4o",
            {"type": "input_audio", "input_audio": {"data": "QUJD", "format": "wav"}}, f"{PLACE}.type", "invalid_value",
        ),
        (
            "gpt-audio-mini", {"type": "input_audio", "input_audio": {"data": "QUJD", "format": "wav"}},
            f"{PLACE}.input_audio.data", "invalid_value",
        ),
        ("gpt-4o", {"type": "file", "file": {"file_id": "file-1"}}, f"{PLACE}.file.file_id", "invalid_value"),
        ("gpt-4o", {"type": "file", "file": {}}, f"{PLACE}.file.file_data", "missing_required_parameter"),
        (
            "gpt-4o", {"type": "file", "file": {"file_data": "data:application/pdf;base64,QUJD"}},
            f"{PLACE}.file.file_data", "invalid_value",
        ),
    ],
)  # fmt: skip
def test_attachments_that_cannot_be_opened_are_refused(refused, model, part, param, code):
    """By what is wrong with them, or with the model."""
    body = {"model": model, "messages": [{"role": "user", "content": [part]}]}
    assert refused("/chat/completions", body) == (400, param, code)
