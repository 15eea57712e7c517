"""Keys, arguments, limits, and the package's own error for each status."""

from __future__ import annotations

import pytest
from google import genai
from google.genai import errors, types

from polychat.sandbox import Sandbox

HELLO = {"contents": [{"parts": [{"text": "Hello there"}]}]}
PATH = "/gemini/v1beta/models/gemini-2.5-flash:generateContent"


def details(error):
    """The details of an error by kind."""
    return {it["@type"].rpartition(".")[2]: it for it in error.get("details", ())}


@pytest.mark.parametrize(
    ("status", "kind", "word"),
    [
        (400, errors.ClientError, "INVALID_ARGUMENT"),
        (401, errors.ClientError, "UNAUTHENTICATED"),
        (402, errors.ClientError, "FAILED_PRECONDITION"),
        (403, errors.ClientError, "PERMISSION_DENIED"),
        (404, errors.ClientError, "NOT_FOUND"),
        (409, errors.ClientError, "ABORTED"),
        (429, errors.ClientError, "RESOURCE_EXHAUSTED"),
        (500, errors.ServerError, "INTERNAL"),
        (503, errors.ServerError, "UNAVAILABLE"),
        (504, errors.ServerError, "DEADLINE_EXCEEDED"),
    ],
)
def test_a_failure_raises_the_error_of_its_status(generate, stream, status, kind, word):
    """In the form the service gives."""
    for ask in (generate, stream):
        with pytest.raises(kind) as caught:
            ask(scenario=f"status={status}")
        assert (caught.value.code, caught.value.status) == (status, word)
        assert caught.value.message == "The sandbox was told to fail."


def test_the_key_is_a_header_or_an_argument(ask):
    """Whose it is, the journal knows."""
    assert ask("POST", PATH, HELLO, {"x-goog-api-key": "sandbox-bob"}).status == 200
    assert ask("POST", f"{PATH}?key=sandbox-alice", HELLO).status == 200


def test_the_journal_knows_who_asked_and_keeps_no_key(ask, sandbox):
    """Neither from the header nor from the argument."""
    ask("POST", PATH, HELLO, {"x-goog-api-key": "sandbox-bob"})
    ask("POST", f"{PATH}?key=sandbox-alice", HELLO)
    first, second = sandbox.journal(service="gemini")
    assert (first.account, second.account) == ("sandbox-bob", "sandbox-alice")
    assert (first.headers["x-goog-api-key"], second.query) == ("***", "key=%2A%2A%2A")


def test_a_request_without_a_key_is_refused(ask):
    """403 on every endpoint; a bearer token is none, 401."""
    for method, path in (("GET", "models"), ("GET", "models/x"), ("POST", "models/x:embedContent")):
        answer = ask(method, f"/gemini/v1beta/{path}")
        assert (answer.status, answer.json["error"]["status"]) == (403, "PERMISSION_DENIED")
    answer = ask("POST", PATH, HELLO, {"authorization": "Bearer sandbox-alice"})
    assert (answer.status, answer.json["error"]["status"]) == (401, "UNAUTHENTICATED")


def test_a_key_that_nobody_has_is_an_invalid_argument(sandbox):
    """400 with the reason; the key is in no message."""
    options = types.HttpOptions(base_url=f"{sandbox.url}/gemini")
    with (
        genai.Client(api_key="nobody-knows", http_options=options) as client,
        pytest.raises(errors.ClientError) as caught,
    ):
        client.models.generate_content(model="gemini-2.5-flash", contents="x")
    assert (caught.value.code, caught.value.status) == (400, "INVALID_ARGUMENT")
    assert details(caught.value.details["error"])["ErrorInfo"]["reason"] == "API_KEY_INVALID"
    assert "nobody-knows" not in str(caught.value)


def test_a_refused_stream_is_a_list_unless_it_is_of_events(ask):
    """Of one error."""
    for query, listed in (("", True), ("?alt=json", True), ("?alt=sse", False)):
        answer = ask("POST", f"/gemini/v1beta/models/gemini-2.5-flash:streamGenerateContent{query}", HELLO)
        assert answer.status == 403
        assert isinstance(answer.json, list) is listed


@pytest.mark.parametrize("argument", ["colour=red", "pageSize=5", "alt=xml"])
def test_an_argument_that_is_none_is_refused(post, argument):
    """By its name."""
    answer = post(f"gemini-2.5-flash:generateContent?{argument}", HELLO)
    assert answer.status == 400
    (violation,) = details(answer.json["error"])["BadRequest"]["fieldViolations"]
    assert violation["field"] == argument.partition("=")[0]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1beta/nothing"),
        ("POST", "/"),
        ("GET", "/v2/models"),
        ("DELETE", "/v1beta/models"),
        ("PUT", "/v1/models"),
    ],
)
def test_a_path_that_is_none_gets_an_error_in_form(ask, method, path):
    """No key is needed to learn that."""
    answer = ask(method, f"/gemini{path}")
    assert (answer.status, answer.json["error"]["status"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("model", "method"),
    [
        ("nope", "generateContent"),
        ("nope", "countTokens"),
        ("gemini-embedding-001", "generateContent"),
        ("gemini-embedding-001", "streamGenerateContent"),
        ("gemini-2.5-flash", "embedContent"),
        ("gemini-2.5-flash", "predict"),
    ],
)
def test_a_model_that_is_not_there_or_cannot_is_not_found(post, model, method):
    """404."""
    error = post(f"{model}:{method}?alt=sse", HELLO).json["error"]
    assert (error["code"], error["status"]) == (404, "NOT_FOUND")
    assert ("does not support" in error["message"]) is (model != "nope" and method != "predict")


def exhausted(generate):
    """The error of a limit that is reached, and its details by kind."""
    with pytest.raises(errors.ClientError) as caught:
        generate()
    assert (caught.value.code, caught.value.status) == (429, "RESOURCE_EXHAUSTED")
    return details(caught.value.details["error"])


def test_too_many_requests_must_wait_for_the_window(client, generate, sandbox):
    """429 with the time to wait, for this account and model only; afterwards all is well."""
    sandbox.knobs("gemini", rate_limit=2, rate_window_s=30)
    generate()
    generate()
    found = exhausted(generate)
    (violation,) = found["QuotaFailure"]["violations"]
    assert violation["quotaId"] == "GenerateRequestsPerMinutePerProjectPerModel-FreeTier"
    assert violation["quotaDimensions"] == {"location": "global", "model": "gemini-2.5-flash"}
    assert (violation["quotaValue"], found["RetryInfo"]["retryDelay"]) == ("2", "30s")
    assert found["Help"]["links"]
    assert generate(model="gemini-2.5-pro").text
    options = types.HttpOptions(base_url=f"{sandbox.url}/gemini")
    with genai.Client(api_key="sandbox-bob", http_options=options) as bob:
        assert bob.models.generate_content(model="gemini-2.5-flash", contents="x").text
    sandbox.clock(advance_s=31)
    assert generate().text


def test_too_many_tokens_must_wait_too(client, generate, sandbox):
    """429 that names tokens."""
    sandbox.knobs("gemini", token_limit=2)
    generate()
    found = exhausted(generate)
    assert found["QuotaFailure"]["violations"][0]["quotaId"] == "GenerateContentInputTokensPerModelPerMinute-FreeTier"
    assert "RetryInfo" in found


def test_a_day_has_only_so_many_requests(client, generate, sandbox):
    """429 without a time to wait, until the day is over; what costs nothing still works."""
    sandbox.knobs("gemini", daily_limit=2)
    generate()
    generate()
    sandbox.clock(advance_s=3600)
    found = exhausted(generate)
    assert found["QuotaFailure"]["violations"][0]["quotaId"] == "GenerateRequestsPerDayPerProjectPerModel-FreeTier"
    assert "RetryInfo" not in found
    assert client.models.count_tokens(model="gemini-2.5-flash", contents="x").total_tokens == 1
    sandbox.clock(advance_s=86_400)
    assert generate().text


def test_a_key_that_expires_while_an_answer_comes_says_so(client):
    """An error in the stream."""
    options = {"http_options": {"headers": {"x-sandbox-scenario": "expired_mid_stream; after=2"}}}
    chunks = client.models.generate_content_stream(model="gemini-2.5-flash", contents="Hello", config=options)
    heard = [next(chunks).text, next(chunks).text]
    with pytest.raises(errors.ClientError) as caught:
        next(chunks)
    assert (heard, caught.value.status) == (["You", " asked:"], "UNAUTHENTICATED")


def test_two_sandboxes_share_nothing(ask, sandbox):
    """Neither limits nor signatures."""
    sandbox.knobs("gemini", rate_limit=0)
    with Sandbox() as other:
        options = types.HttpOptions(base_url=f"{other.url}/gemini")
        with genai.Client(api_key="sandbox-alice", http_options=options) as client:
            assert client.models.generate_content(model="gemini-2.5-flash", contents="x").text
        assert len(other.journal()) == 1
    assert sandbox.journal() == []
