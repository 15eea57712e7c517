"""Keys, versions, limits, headers, and the package's own error for each status."""

from __future__ import annotations

from datetime import UTC, datetime

import anthropic
import pytest

HELLO = {"model": "claude-haiku-4-5", "max_tokens": 100, "messages": [{"role": "user", "content": "Hello there"}]}
VERSION = {"anthropic-version": "2023-06-01"}


@pytest.mark.parametrize(
    ("status", "kind", "name"),
    [
        (400, anthropic.BadRequestError, "invalid_request_error"),
        (401, anthropic.AuthenticationError, "authentication_error"),
        (402, anthropic.PaymentRequiredError, "billing_error"),
        (403, anthropic.PermissionDeniedError, "permission_error"),
        (404, anthropic.NotFoundError, "not_found_error"),
        (413, anthropic.ContentTooLargeError, "request_too_large"),
        (422, anthropic.UnprocessableEntityError, "invalid_request_error"),
        (429, anthropic.RateLimitError, "rate_limit_error"),
        (500, anthropic.InternalServerError, "api_error"),
        (503, anthropic.ServiceUnavailableError, "api_error"),
        (504, anthropic.GatewayTimeoutError, "timeout_error"),
        (529, anthropic.OverloadedError, "overloaded_error"),
    ],
)
def test_a_failure_raises_the_error_of_its_status(chat, status, kind, name):
    """In the form the service gives."""
    with pytest.raises(kind) as caught:
        chat(scenario=f"status={status}")
    assert (caught.value.status_code, caught.value.type) == (status, name)
    assert caught.value.api_message == "The sandbox was told to fail."


def test_a_connection_that_breaks_is_an_error_of_its_own(chat):
    """No status, no answer."""
    with pytest.raises(anthropic.APIConnectionError):
        chat(scenario="close")


def test_a_key_is_taken_in_either_header(ask):
    """As `x-api-key`, and as a bearer token."""
    for head in ({"x-api-key": "sandbox-alice"}, {"authorization": "Bearer sandbox-bob"}):
        assert ask("GET", "/anthropic/v1/models", headers=head | VERSION).status == 200


def test_the_key_says_who_asks(client, sandbox):
    """The journal knows."""
    client.models.list()
    client.with_options(auth_token="sandbox-bob", api_key=None).models.list()
    assert [entry.account for entry in sandbox.journal(service="anthropic")] == ["sandbox-alice", "sandbox-bob"]


def test_a_key_that_nobody_has_is_refused_and_not_repeated(client):
    """401; the key is in no message."""
    with pytest.raises(anthropic.AuthenticationError) as caught:
        client.with_options(api_key="sk-nobody").models.list()
    assert caught.value.type == "authentication_error"
    assert "sk-nobody" not in str(caught.value)


def test_a_revoked_key_is_refused_from_then_on(client, chat):
    """A key that expires while an answer comes is good for nothing more; another person's is."""
    chat(scenario="expired_mid_stream=0")
    with pytest.raises(anthropic.AuthenticationError):
        chat()
    assert client.with_options(api_key="sandbox-bob").messages.create(**HELLO).stop_reason == "end_turn"


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "models"), ("POST", "messages"), ("POST", "messages/count_tokens")]
)
def test_a_request_without_a_key_is_refused(ask, method, path):
    """401, on every endpoint."""
    answer = ask(method, f"/anthropic/v1/{path}", headers=VERSION)
    assert (answer.status, answer.json["error"]["type"]) == (401, "authentication_error")


@pytest.mark.parametrize("version", ["2023-06-01", "2026-10-21"])
def test_the_versions_there_are_are_taken(post, version):
    """Both."""
    assert post({}, anthropic_version=version).status == 200


@pytest.mark.parametrize(
    ("headers", "place"),
    [
        ({}, "anthropic-version"),
        ({"anthropic-version": "2024-01-01"}, "anthropic-version"),
        (VERSION | {"anthropic-beta": "a beta"}, "anthropic-beta"),
        (VERSION | {"anthropic-beta": "files-api-2025-04-14,"}, "anthropic-beta"),
    ],
)
def test_a_request_without_its_version_is_refused(ask, headers, place):
    """400, also for one that there never was, and for betas that are no names."""
    answer = ask("GET", "/anthropic/v1/models", headers={"x-api-key": "sandbox-alice"} | headers)
    assert (answer.status, answer.json["error"]["message"].partition(":")[0]) == (400, place)


def test_betas_are_taken(client):
    """The package's own beta client works."""
    told = client.beta.messages.create(**HELLO, betas=["context-1m-2025-08-07", "files-api-2025-04-14"])
    assert told.content[0].text.startswith("You asked")


def test_every_answer_has_a_request_id_of_its_own(ask, post):
    """Good and bad ones."""
    answers = [
        post({}), post({"stream": True}), post({"max_tokens": -1}), ask("GET", "/anthropic/v1/models"),
        ask("GET", "/anthropic/nowhere"),
    ]  # fmt: skip
    ids = {answer.headers["request-id"] for answer in answers}
    assert len(ids) == 5
    assert all(name.startswith("req_") for name in ids)


def test_the_package_knows_the_request_id(chat):
    """Of an answer and of an error."""
    assert chat()._request_id.startswith("req_")
    with pytest.raises(anthropic.NotFoundError) as caught:
        chat(model="nope")
    assert caught.value.request_id == caught.value.body["request_id"]


def test_limits_are_told_in_headers(post, sandbox):
    """What is left of requests and tokens, and when all is there again."""
    scenario = "rate_limit=10, input_token_limit=1000, output_token_limit=500"
    head = {
        name.removeprefix("anthropic-ratelimit-"): value
        for name, value in post({}, scenario).headers.items()
        if name.startswith("anthropic-ratelimit-")
    }
    resets = {head.pop(f"{kind}-reset") for kind in ("requests", "tokens", "input-tokens", "output-tokens")}
    assert head == {
        "requests-limit": "10", "requests-remaining": "9", "tokens-limit": "1500", "tokens-remaining": "1492",
        "input-tokens-limit": "1000", "input-tokens-remaining": "998", "output-tokens-limit": "500",
        "output-tokens-remaining": "494",
    }  # fmt: skip
    assert len(resets) == 1
    left = datetime.strptime(resets.pop(), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp() - sandbox.clock()
    assert 50 < left <= 60


def test_what_costs_nothing_has_no_limits(ask, post):
    """Neither the list of models nor counting."""
    head = {"x-api-key": "sandbox-alice"} | VERSION
    for answer in (ask("GET", "/anthropic/v1/models", headers=head), post({}, path="/messages/count_tokens")):
        assert not [name for name in answer.headers if name.startswith("anthropic-ratelimit")]


def test_too_many_requests_must_wait_for_the_window(client, chat, sandbox):
    """429 with the time to wait, for this account only; afterwards all is well."""
    sandbox.knobs("anthropic", rate_limit=2)
    chat()
    chat()
    with pytest.raises(anthropic.RateLimitError) as caught:
        chat()
    assert 0 < int(caught.value.response.headers["retry-after"]) <= 60
    assert caught.value.response.headers["anthropic-ratelimit-requests-remaining"] == "0"
    assert client.with_options(api_key="sandbox-bob").messages.create(**HELLO).stop_reason == "end_turn"
    sandbox.clock(advance_s=61)
    assert chat().stop_reason == "end_turn"


@pytest.mark.parametrize(("limit", "words"), [("input_token_limit", "input tokens"), ("output_token_limit", "output")])
def test_too_many_tokens_must_wait_too(chat, sandbox, limit, words):
    """429 that names them."""
    sandbox.knobs("anthropic", **{limit: 2})
    chat()
    with pytest.raises(anthropic.RateLimitError, match=f"limit of 2 {words}"):
        chat()


def test_a_spent_quota_does_not_come_back(chat, client, sandbox):
    """402 without a time to wait; what costs nothing still works."""
    sandbox.knobs("anthropic", quota=2)
    chat()
    chat()
    sandbox.clock(advance_s=86_400)
    with pytest.raises(anthropic.PaymentRequiredError) as caught:
        chat()
    assert caught.value.type == "billing_error"
    assert "retry-after" not in caught.value.response.headers
    assert client.models.retrieve("claude-haiku-4-5").lifecycle == "active"


def test_the_package_waits_as_told_and_tries_again(client, sandbox):
    """`retry-after-ms` is heeded."""
    sandbox.fault("anthropic", "status", code=529, retry_after_ms=1, times=1)
    told = client.with_options(max_retries=1).messages.create(**HELLO)
    assert told.stop_reason == "end_turn"
    assert [entry.status for entry in sandbox.journal(service="anthropic")] == [529, 200]


def test_a_model_that_is_none_is_not_found(chat):
    """As the package's own error."""
    with pytest.raises(anthropic.NotFoundError) as caught:
        chat(model="nope")
    assert (caught.value.type, caught.value.api_message) == ("not_found_error", "model: nope")


def test_a_model_that_is_gone_is_not_found(refused):
    """Although the list can show it."""
    assert refused({"model": "claude-3-7-sonnet-20250219"}) == (404, "model")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/v1/complete", 404), ("POST", "/v1/messages/batches", 404), ("GET", "/v1/messages", 405)],
)
def test_a_path_that_is_none_is_refused(ask, method, path, status):
    """404, or 405 where there is one for another method."""
    assert ask(method, f"/anthropic{path}").status == status


def test_two_sandboxes_share_nothing(client, chat):
    """Neither limits nor what was cached or revoked."""
    from polychat.sandbox import Sandbox

    chat(scenario="expired_mid_stream=0")
    with Sandbox() as other:
        told = client.with_options(base_url=f"{other.url}/anthropic").messages.create(**HELLO)
        assert told.stop_reason == "end_turn"
        assert len(other.journal()) == 1
