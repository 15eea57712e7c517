"""The search of the web: what it finds, how it is cited, and how it comes back."""

from __future__ import annotations

import anthropic
import pytest

SEARCH = {"type": "web_search_20250305", "name": "web_search"}
ASKED = {"role": "user", "content": "Please search"}


@pytest.fixture
def searched(chat):
    """searched(scenario, **tool): an answer to whoever wants a search."""

    def searched(scenario="", **tool):
        return chat([ASKED], scenario, tools=[SEARCH | tool])

    return searched


def test_a_search_is_called_answered_and_cited(searched):
    """By the service itself, in one turn."""
    told = searched()
    call, found, words, *quotes = told.content
    assert (call.type, call.name, call.input) == ("server_tool_use", "web_search", {"query": "Please search"})
    assert call.id.startswith("srvtoolu_")
    assert (found.type, found.tool_use_id) == ("web_search_tool_result", call.id)
    assert [(page.page_age, page.title) for page in found.content] == [
        ("May 4, 2026", "On echoes"), ("May 4, 2026", "News of today"),
    ]  # fmt: skip
    assert [page.url for page in found.content] == ["https://example.com/page", "https://example.org/page"]
    assert words.text.startswith("You asked: “Please search”")
    assert [quote.text for quote in quotes] == [" It is written: An echo repeats.", " It is written: Nothing happened."]
    (cited,) = quotes[0].citations
    assert (cited.type, cited.url, cited.title) == (
        "web_search_result_location", "https://example.com/page", "On echoes",
    )  # fmt: skip
    assert cited.cited_text == "An echo repeats."
    assert (told.stop_reason, told.usage.server_tool_use.web_search_requests) == ("end_turn", 1)


@pytest.mark.parametrize("version", ["20250305", "20260209", "20260318"])
def test_every_version_of_the_tool_is_taken(searched, version):
    """With all its settings."""
    location = {"type": "approximate", "city": "Oslo", "country": "NO", "region": "Oslo", "timezone": "Europe/Oslo"}
    more = {"response_inclusion": "excluded"} if version == "20260318" else {}
    told = searched(
        type=f"web_search_{version}", max_uses=1, user_location=location, allowed_callers=["direct"],
        defer_loading=False, strict=False, **more,
    )  # fmt: skip
    assert told.usage.server_tool_use.web_search_requests == 1


def test_who_asks_for_nothing_gets_no_search(chat):
    """The tool is only offered."""
    told = chat(tools=[SEARCH])
    assert [block.type for block in told.content] == ["text"]
    assert told.usage.server_tool_use is None


@pytest.mark.parametrize(
    ("tool", "hosts"),
    [
        ({"allowed_domains": ["example.com"]}, ["example.com"]),
        ({"allowed_domains": ["com"]}, ["example.com"]),
        ({"allowed_domains": ["ample.com"]}, []),
        ({"blocked_domains": ["example.com"]}, ["example.org"]),
    ],
)
def test_only_the_wanted_domains_are_searched(searched, tool, hosts):
    """Also those below them."""
    told = searched(**tool)
    assert [page.url.split("/")[2] for page in told.content[1].content] == hosts
    assert len(told.content) == 3 + len(hosts)


def test_a_search_may_fail(searched):
    """The answer is given all the same, without citations."""
    told = searched("search_error=too_many_requests")
    assert told.content[1].content.error_code == "too_many_requests"
    assert [block.type for block in told.content[2:]] == ["text"]


def test_a_search_and_a_call_go_together(chat, tool):
    """The call waits for its result, and the search comes back with it."""
    tools = [SEARCH, tool("get_weather")]
    asked = {"role": "user", "content": "Please search for the weather"}
    told = chat([asked], tools=tools)
    assert [block.type for block in told.content] == ["server_tool_use", "web_search_tool_result", "tool_use"]
    assert told.stop_reason == "tool_use"
    result = {"type": "tool_result", "tool_use_id": told.content[2].id, "content": "Fine"}
    again = chat([asked, told.to_param(), {"role": "user", "content": [result]}], tools=tools)
    assert again.content[0].text.startswith("The tool answered: “Fine”")


def test_a_search_comes_back_as_it_was_given(chat, searched):
    """With its citations."""
    told = searched()
    again = chat([ASKED, told.to_param(), ASKED], tools=[SEARCH], tool_choice={"type": "none"})
    assert again.stop_reason == "end_turn"


def test_a_failed_search_comes_back_too(chat, searched):
    """It has no pages."""
    told = searched("search_error=unavailable")
    assert chat([ASKED, told.to_param(), ASKED]).stop_reason == "end_turn"


@pytest.mark.parametrize("change", [{"title": "Another"}, {"encrypted_content": "eA=="}])
def test_a_page_that_was_changed_is_refused(chat, searched, change):
    """What was found is sealed."""
    content = [block.to_dict() for block in searched().content]
    content[1]["content"][1] |= change
    with pytest.raises(anthropic.BadRequestError, match=r"messages\.1\.content\.1\.content\.1: invalid"):
        chat([ASKED, {"role": "assistant", "content": content}, ASKED])


def test_an_answer_that_is_cut_cites_nothing(chat):
    """Neither by its limit nor by a stop sequence."""
    assert chat([ASKED], tools=[SEARCH], max_tokens=3).content[-1].citations is None
    told = chat([ASKED], tools=[SEARCH], stop_sequences=["search"])
    assert (told.content[-1].citations, told.stop_reason) == (None, "stop_sequence")
