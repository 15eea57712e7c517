"""Bodies that are no JSON, no form, or too large."""

from __future__ import annotations

import openai
import pytest


def test_a_body_that_is_not_json_is_refused(post):
    """400 without a field."""
    for body in (b"", b"{", b"\xff"):
        answer = post("/chat/completions", body, **{"content-type": "application/json"})
        assert (answer.status, answer.json["error"]["param"]) == (400, None)


@pytest.mark.parametrize("body", [b"[]", b"7"])
def test_a_body_that_is_no_object_is_refused(post, body):
    """400 that names the type."""
    answer = post("/chat/completions", body, **{"content-type": "application/json"})
    assert (answer.status, answer.json["error"]["code"]) == (400, "invalid_type")


def test_another_content_type_is_refused(post):
    """415 names it."""
    answer = post("/chat/completions", b"{}", **{"content-type": "text/plain"})
    assert (answer.status, answer.json["error"]["code"]) == (415, "unsupported_content_type")


def test_a_form_is_not_taken_for_granted(post):
    """A broken one is refused with what is wrong."""
    answer = post("/audio/transcriptions", b"x", **{"content-type": "multipart/form-data; boundary=b"})
    assert answer.status == 400
    assert "boundary" in answer.json["error"]["message"]


def test_a_body_that_is_too_large_is_refused(client, sandbox, png):
    """413, JSON or form."""
    sandbox.knobs("openai", upload_limit_bytes=500)
    with pytest.raises(openai.APIStatusError) as caught:
        client.images.edit(model="gpt-image-1", image=("a.png", png() * 10), prompt="x")
    assert caught.value.status_code == 413
    with pytest.raises(openai.APIStatusError) as caught:
        client.embeddings.create(model="text-embedding-3-small", input="x" * 500)
    assert caught.value.status_code == 413


def test_fields_of_a_form_are_judged_like_those_of_json(client, png):
    """Unknown, wrong and missing ones by name."""
    for extra, param, code in (
        ({"colour": "red"}, "colour", "unknown_parameter"),
        ({"n": "many"}, "n", "invalid_type"),
        ({"n": 11}, "n", "integer_above_max_value"),
    ):
        with pytest.raises(openai.BadRequestError) as caught:
            client.images.edit(model="gpt-image-1", image=("a.png", png()), prompt="x", extra_body=extra)
        assert (caught.value.param, caught.value.code) == (param, code)
