"""The models: pages forwards and backwards, one alone, and those that are gone."""

from __future__ import annotations

import anthropic
import pytest

FIRST, SECOND, THIRD = "claude-haiku-5-5", "claude-sonnet-5-5", "claude-opus-5-5"


def names(page):
    """The ids on a page."""
    return [model.id for model in page.data]


def test_the_package_goes_through_all_pages(client, sandbox):
    """Two by two, each once."""
    whole = names(client.models.list())
    assert [model.id for model in client.models.list(limit=2)] == whole
    assert len(sandbox.journal(path="/v1/models")) == 1 + -(-len(whole) // 2)


def test_a_page_says_where_it_is(client):
    """Its ends, and whether there is more."""
    page = client.models.list(limit=2)
    assert (names(page), page.first_id, page.last_id, page.has_more) == ([FIRST, SECOND], FIRST, SECOND, True)
    rest = client.models.list(after_id=SECOND)
    assert (names(rest)[0], rest.has_more) == (THIRD, False)


def test_a_page_before_is_the_one_right_before(client):
    """And not the first one."""
    page = client.models.list(before_id=THIRD, limit=1)
    assert (names(page), page.has_more) == ([SECOND], True)
    assert [model.id for model in page] == [SECOND, FIRST]


def test_a_page_may_be_empty(client):
    """Then it has no ends."""
    page = client.models.list(before_id=FIRST)
    assert (names(page), page.first_id, page.last_id, page.has_more) == ([], None, None, False)


def test_a_model_is_told_whole(client):
    """What it can do, too; by its alias as well."""
    model = client.models.retrieve("claude-haiku-4-5")
    assert (model.id, model.type, model.display_name) == ("claude-haiku-4-5-20251001", "model", "Claude Haiku 4.5")
    assert (model.line, model.lifecycle, model.max_input_tokens, model.max_tokens) == (
        "haiku",
        "active",
        200_000,
        64_000,
    )
    assert (model.created_at.year, model.retires_at) == (2025, None)
    able = model.capabilities
    assert (able.thinking.types.enabled.supported, able.thinking.types.adaptive.supported) == (True, False)
    assert (able.effort.supported, able.structured_outputs.supported, able.batch.supported) == (False, True, False)
    tools = able.server_tools
    assert (tools.supported, tools.web_search.supported, tools.code_execution.supported) == (True, True, False)


def test_efforts_are_those_of_the_model(client):
    """Each by its name."""
    effort = client.models.retrieve("claude-sonnet-4-6").capabilities.effort
    assert (effort.supported, effort.max.supported, effort.xhigh.supported) == (True, True, False)


def test_what_will_go_is_listed_with_its_day(client):
    """And can still be asked."""
    (going,) = client.models.list(lifecycle=["deprecated"]).data
    assert (going.id, going.retires_at.month) == ("claude-sonnet-4-5-20250929", 11)
    assert going.id in names(client.models.list())


def test_what_is_gone_is_listed_on_demand(client):
    """And says since when it is gone."""
    (gone,) = client.models.list(lifecycle=["retired"]).data
    assert (gone.id, gone.lifecycle) == ("claude-3-7-sonnet-20250219", "retired")
    assert (gone.deprecated_at.year, gone.retires_at.year) == (2025, 2026)
    assert gone.id not in names(client.models.list())


@pytest.mark.parametrize(
    "query",
    [
        {"limit": 0}, {"limit": 1001}, {"limit": "x"}, {"after_id": "nope"}, {"before_id": "nope"},
        {"before_id": FIRST, "after_id": FIRST}, {"lifecycle": ["young"]},
    ],
)  # fmt: skip
def test_a_page_that_makes_no_sense_is_refused(client, query):
    """400 with the field's name."""
    with pytest.raises(anthropic.BadRequestError) as caught:
        client.models.list(**query)
    assert caught.value.api_message.partition(":")[0] in query


def test_a_model_that_is_none_is_not_found(client):
    """404."""
    with pytest.raises(anthropic.NotFoundError):
        client.models.retrieve("nope")
