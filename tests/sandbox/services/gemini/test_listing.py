"""The models: listed page by page, and one by one."""

from __future__ import annotations

import pytest
from google.genai import errors


def test_the_package_turns_the_pages(client, sandbox):
    """Until there is no more."""
    every = [model.name for model in client.models.list()]
    assert {"models/gemini-3.8-flash", "models/gemini-2.5-pro", "models/gemini-embedding-001"} <= set(every)
    for size in (1, 5, len(every)):
        start = len(sandbox.journal())
        assert [model.name for model in client.models.list(config={"page_size": size})] == every
        assert len(sandbox.journal()) - start == -(-len(every) // size)


def test_one_model_says_what_it_can(client):
    """The same as in the list."""
    model = client.models.get(model="gemini-2.5-pro")
    assert (model.display_name, model.input_token_limit, model.output_token_limit) == (
        "Gemini 2.5 Pro",
        1_048_576,
        65_536,
    )
    assert (model.supported_actions, model.thinking) == (["generateContent", "countTokens"], True)
    assert model in list(client.models.list())
    assert client.models.get(model="gemini-embedding-001").supported_actions == ["embedContent", "countTokens"]
    assert client.models.get(model="gemma-3-27b-it").thinking is None


def test_a_model_that_is_not_there_is_not_found(client):
    """404."""
    with pytest.raises(errors.ClientError) as caught:
        client.models.get(model="nope")
    assert (caught.value.code, caught.value.status) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("query", "status"),
    [("pageSize=0", 200), ("pageSize=5000", 200), ("pageSize=-1", 400), ("pageSize=x", 400), ("pageToken=x", 400)],
)
def test_a_page_that_is_none_is_refused(ask, query, status):
    """A size beyond the bounds is not."""
    answer = ask("GET", f"/gemini/v1beta/models?{query}", headers={"x-goog-api-key": "sandbox-alice"})
    assert answer.status == status
    if status == 200:
        assert len(answer.json["models"]) == 15
        assert "nextPageToken" not in answer.json
