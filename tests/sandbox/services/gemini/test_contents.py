"""The contents of a request: roles, and parts with one kind of data each."""

from __future__ import annotations

import pytest

TEXT = {"text": "x"}


def contents(*pairs):
    """Contents of a role and parts each."""
    return {"contents": [{"role": role, "parts": list(parts)} for role, *parts in pairs]}


def test_a_lone_content_needs_no_role(answered):
    """It is the user's; and it may stand for a list, as may its part."""
    assert answered({"contents": [{"parts": [{"text": "Hi"}]}]})["finishReason"] == "STOP"
    assert answered({"contents": {"parts": {"text": "Hi"}}})["finishReason"] == "STOP"


def test_several_texts_are_one_question(answered):
    """The user's on lines of their own, the model's without a seam."""
    body = contents(("user", {"text": "One"}, {"text": "two"}), ("model", {"text": "a"}, {"text": "b"}), ("user", TEXT))
    told = answered(body)["content"]["parts"][0]["text"]
    assert told.endswith("2 turns: user “One two”, assistant “ab”.")


def test_neighbours_of_one_role_are_one_turn(answered):
    """As pieces of a stream are handed back."""
    body = contents(("user", {"text": "One"}), ("model", {"text": "a"}), ("model", {"text": "b"}), ("user", TEXT))
    assert answered(body)["content"]["parts"][0]["text"].endswith("2 turns: user “One”, assistant “ab”.")


def test_thoughts_that_come_back_are_not_heard(answered):
    """They are no part of what was said."""
    thought = {"text": "hm", "thought": True}
    body = contents(("user", {"text": "One"}), ("model", thought, {"text": "b"}), ("user", TEXT))
    assert answered(body)["content"]["parts"][0]["text"].endswith("assistant “b”.")


def test_an_empty_text_is_a_text(answered):
    """As the last piece of a stream has one."""
    assert answered(contents(("user", TEXT), ("model", {"text": ""}), ("user", TEXT)))["finishReason"] == "STOP"


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (contents(("system", TEXT)), ["contents[0].role"]),
        (contents(("assistant", TEXT)), ["contents[0].role"]),
        ({"contents": [{"role": "user", "parts": [TEXT]}, {"parts": [TEXT]}]}, ["contents[1].role"]),
        ({"contents": [{"parts": [TEXT]}, {"role": "user", "parts": [TEXT]}]}, ["contents[0].role"]),
        (contents(("user",)), ["contents[0].parts"]),
        ({"contents": [{"role": "user"}]}, ["contents[0].parts"]),
        (contents(("user", {})), ["contents[0].parts[0].data"]),
        (contents(("user", {"thought": True})), ["contents[0].parts[0].data"]),
        (contents(("user", TEXT, {"text": "x", "inlineData": {}})), ["contents[0].parts[1].data"]),
        (contents(("user", {"functionCall": {"name": "f"}})), ["contents[0].parts[0].function_call"]),
        (contents(("user", {"executableCode": {"code": "1"}})), ["contents[0].parts[0].executable_code"]),
        (contents(("model", {"functionResponse": {"name": "f"}})), ["contents[0].parts[0].function_response"]),
        (contents(("model", {"toolCall": {}})), ["contents[0].parts[0].tool_call"]),
        (contents(("user", {"txt": "x"})), ["contents[0].parts[0]"]),
        (contents(("user", {"text": 5})), ["contents[0].parts[0].text"]),
    ],
)
def test_what_is_no_content_is_refused(wrong, body, fields):
    """400 with the place."""
    assert wrong(body) == fields


def test_a_file_that_was_never_uploaded_is_not_there(refused):
    """403, beside a text or alone."""
    part = {"fileData": {"fileUri": "https://example.org/files/x", "mimeType": "image/png"}}
    assert refused(contents(("user", TEXT, part))) == (403, "PERMISSION_DENIED", [])


def test_extras_of_a_part_are_taken(answered, blob):
    """Where to look, and how closely."""
    film = blob(b"\0\0\0\x18ftypmp42", "video/mp4")
    part = film | {"videoMetadata": {"startOffset": "1s", "fps": 0.5}, "partMetadata": {"a": 1}}
    body = contents(("user", part | {"mediaResolution": {"level": "MEDIA_RESOLUTION_HIGH"}}))
    assert answered(body)["finishReason"] == "STOP"


def test_media_of_functions_is_for_the_newer_models(wrong, answered, blob, png):
    """And judged like any other."""
    call = {"functionCall": {"name": "f"}, "thoughtSignature": "skip_thought_signature_validator"}

    def asked(*shown):
        response = {"functionResponse": {"name": "f", "response": {}, "parts": list(shown)}}
        return contents(("user", TEXT), ("model", call), ("user", response))

    place = "contents[2].parts[0].function_response.parts"
    assert wrong(asked(blob(png()))) == [place]
    told = answered(asked(blob(png(8, 4, "blue"))), "gemini-3.8-flash")["content"]["parts"][0]["text"]
    assert "I see a PNG picture, 8 × 4 pixels, mostly blue" in told
    assert wrong(asked({}), "gemini-3.8-flash") == [f"{place}[0].data"]
    assert wrong(asked(blob(b"x")), "gemini-3.8-flash") == [f"{place}[0].inline_data.data"]
