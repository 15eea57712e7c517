"""Keys, limits, headers, and the package's own error for each status."""

from __future__ import annotations

import openai
import pytest

from polychat.sandbox.services.openai.gate import duration

HELLO = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello there"}]}


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (400, openai.BadRequestError, None),
        (401, openai.AuthenticationError, "invalid_api_key"),
        (403, openai.PermissionDeniedError, "missing_scope"),
        (404, openai.NotFoundError, "model_not_found"),
        (409, openai.ConflictError, None),
        (422, openai.UnprocessableEntityError, None),
        (429, openai.RateLimitError, "rate_limit_exceeded"),
        (500, openai.InternalServerError, None),
        (503, openai.InternalServerError, None),
    ],
)
def test_a_failure_raises_the_error_of_its_status(chat, status, kind, code):
    """In the form the service gives."""
    with pytest.raises(kind) as caught:
        chat(scenario=f"status={status}")
    assert (caught.value.status_code, caught.value.code, caught.value.param) == (status, code, None)
    assert caught.value.type == {429: "requests", 500: "server_error", 503: "server_error"}.get(
        status, "invalid_request_error"
    )


def test_a_connection_that_breaks_is_an_error_of_its_own(chat):
    """No status, no answer."""
    with pytest.raises(openai.APIConnectionError):
        chat(scenario="close")


def test_a_key_that_nobody_has_is_refused_and_not_repeated(client):
    """401; the key is in no message."""
    with pytest.raises(openai.AuthenticationError) as caught:
        client.with_options(api_key="sk-nobody").models.list()
    assert (caught.value.code, caught.value.type) == ("invalid_api_key", "invalid_request_error")
    assert "sk-nobody" not in str(caught.value)


def test_a_request_without_a_key_is_refused(ask):
    """401 without a code, on every endpoint."""
    for method, path in (
        ("GET", "models"),
        ("POST", "chat/completions"),
        ("POST", "embeddings"),
        ("POST", "responses"),
    ):
        answer = ask(method, f"/openai/v1/{path}")
        assert (answer.status, answer.json["error"]["code"]) == (401, None)


def test_every_answer_has_a_request_id_of_its_own(ask, post):
    """Good and bad ones."""
    answers = [
        post("/chat/completions", HELLO), post("/chat/completions", HELLO | {"stream": True}),
        post("/chat/completions", {}), ask("GET", "/openai/v1/models"), ask("GET", "/openai/nowhere"),
    ]  # fmt: skip
    ids = {answer.headers["x-request-id"] for answer in answers}
    assert len(ids) == 5
    assert all(name.startswith("req_") for name in ids)


def test_the_package_knows_the_request_id(chat):
    """Of an answer and of an error."""
    assert chat()._request_id.startswith("req_")
    with pytest.raises(openai.NotFoundError) as caught:
        chat(model="nope")
    assert caught.value.request_id.startswith("req_")


def test_limits_are_told_in_headers(post):
    """What is left of requests and tokens, and when all is there again."""
    head = post("/chat/completions", HELLO, "rate_limit=10, token_limit=1000").headers
    assert (head["x-ratelimit-limit-requests"], head["x-ratelimit-remaining-requests"]) == ("10", "9")
    assert (head["x-ratelimit-limit-tokens"], head["x-ratelimit-remaining-tokens"]) == ("1000", "992")
    assert head["x-ratelimit-reset-requests"] in ("1m0s", head["x-ratelimit-reset-tokens"])


def test_too_many_requests_must_wait_for_the_window(client, chat, sandbox):
    """429 with the time to wait, for this account only; afterwards all is well."""
    sandbox.knobs("openai", rate_limit=2)
    chat()
    chat()
    with pytest.raises(openai.RateLimitError) as caught:
        chat()
    assert (caught.value.code, caught.value.type) == ("rate_limit_exceeded", "requests")
    assert 0 < int(caught.value.response.headers["retry-after"]) <= 60
    assert 0 < int(caught.value.response.headers["retry-after-ms"]) <= 60_000
    assert caught.value.response.headers["x-ratelimit-remaining-requests"] == "0"
    bob = client.with_options(api_key="sandbox-bob")
    assert bob.chat.completions.create(**HELLO).choices[0].finish_reason == "stop"
    sandbox.clock(advance_s=61)
    assert chat().choices[0].finish_reason == "stop"


def test_too_many_tokens_must_wait_too(chat, sandbox):
    """429 that names tokens."""
    sandbox.knobs("openai", token_limit=5)
    chat()
    with pytest.raises(openai.RateLimitError) as caught:
        chat()
    assert caught.value.type == "tokens"


def test_a_spent_quota_does_not_come_back(chat, client, sandbox):
    """429 without a time to wait; what costs nothing still works."""
    sandbox.knobs("openai", quota=1)
    chat()
    sandbox.clock(advance_s=86_400)
    with pytest.raises(openai.RateLimitError) as caught:
        chat()
    assert (caught.value.code, caught.value.type) == ("insufficient_quota", "insufficient_quota")
    assert "retry-after" not in caught.value.response.headers
    assert client.models.retrieve("gpt-4o").id == "gpt-4o"


def test_the_package_waits_as_told_and_tries_again(client, sandbox):
    """`retry-after-ms` is heeded."""
    sandbox.fault("openai", "status", code=429, retry_after_ms=1, times=1)
    told = client.with_options(max_retries=1).chat.completions.create(**HELLO)
    assert told.choices[0].finish_reason == "stop"
    assert [entry.status for entry in sandbox.journal(service="openai")] == [429, 200]


@pytest.mark.parametrize(
    ("path", "body", "status", "param", "code"),
    [
        ("/chat/completions", HELLO | {"model": "nope"}, 404, None, "model_not_found"),
        ("/chat/completions", HELLO | {"model": "whisper-1"}, 404, "model", None),
        ("/embeddings", {"model": "gpt-4o", "input": "x"}, 403, None, None),
        ("/images/generations", {"model": "gpt-4o", "prompt": "x"}, 400, "model", "invalid_value"),
        ("/audio/speech", {"model": "gpt-4o", "input": "x", "voice": "sage"}, 400, "model", "invalid_value"),
    ],
)
def test_a_model_that_is_not_for_it_is_refused(refused, path, body, status, param, code):
    """Unknown, or of another kind."""
    assert refused(path, body) == (status, param, code)


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0, "0ms"), (0.12, "120ms"), (8.64, "8.64s"), (60, "1m0s"), (375.5, "6m15s")]
)
def test_a_time_to_wait_is_told_as_the_headers_have_it(seconds, expected):
    """Three forms."""
    assert duration(seconds) == expected
