"""Everything the service can say no with."""

from __future__ import annotations

import pytest

CODED = {
    "token_expired": (401, "token_expired"),
    "too_long": (413, "message_length_exceeds_limit"),
    "conversation_not_found": (404, "conversation_not_found"),
    "conversation_too_large": (404, "conversation_too_large"),
    "model_cap": (429, "model_cap_exceeded"),
}
SAID = {
    "unauthorized": (401, "Unauthorized"),
    "unusual_activity": (403, "Unusual activity has been detected"),
    "too_many_requests": (429, "Too many requests"),
    "detail_in_ok": (200, "Something went wrong"),
}
PAGES = {
    "cloudflare": (403, b"Just a moment..."),
    "bot_page": (403, b'id="challenge-error-text"'),
    "edge": (502, b"Bad Gateway"),
}


@pytest.mark.parametrize("name", CODED)
def test_a_refusal_has_a_code(web, name):
    """`detail.code` and a sentence."""
    answer = web.send(web.body("Hi"), f"refuse={name}")
    assert (answer.status, answer.json["detail"]["code"]) == CODED[name]
    assert answer.json["detail"]["message"]


def test_a_cap_says_when_it_clears(web):
    """`clears_in`, in seconds."""
    assert web.send(web.body("Hi"), "refuse=model_cap").json["detail"]["clears_in"] == 3600


@pytest.mark.parametrize("name", SAID)
def test_a_refusal_is_a_sentence(web, name):
    """`detail` alone, also with 200 in place of a stream."""
    answer = web.send(web.body("Hi"), f"refuse={name}")
    assert answer.status == SAID[name][0]
    assert answer.json["detail"].startswith(SAID[name][1])
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("name", PAGES)
def test_a_refusal_is_a_page(web, name):
    """HTML from whoever stands in front of the service."""
    answer = web.send(web.body("Hi"), f"refuse={name}")
    assert (answer.status, answer.headers["content-type"]) == (PAGES[name][0], "text/html; charset=utf-8")
    assert PAGES[name][1] in answer.body


def test_a_refusal_can_be_for_a_time(web, sandbox):
    """`refuse_times`: then all is well."""
    sandbox.knobs("chatgpt", refuse="token_expired", refuse_times=2)
    assert [web.send(web.body("Hi")).status for _ in range(3)] == [401, 401, 200]


@pytest.mark.parametrize(
    ("fault", "status"), [("status; code=504", 504), ("status; code=500", 500), ("challenge", 403)]
)
def test_the_generic_faults_speak_the_service_s_language(web, sandbox, fault, status):
    """An error status has the service's own shape."""
    answer = web.send(web.body("Hi"), fault)
    assert answer.status == status
    if fault != "challenge":
        assert list(answer.json) == ["detail"]
