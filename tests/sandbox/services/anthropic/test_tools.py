"""Tools: which are called, with what, how results come back, and which requests are refused."""

from __future__ import annotations

import anthropic
import pytest

HELLO = [{"role": "user", "content": "Hello there"}]
SEARCH = {"type": "web_search_20250305", "name": "web_search"}
SCHEMA = {"type": "object"}


@pytest.fixture
def called(chat, tool):
    """called(text, choice, **fields): the names of the tools that are called, of two that there are."""

    def called(text, choice=None, **fields):
        more = {} if choice is None else {"tool_choice": choice}
        told = chat(text, tools=[tool("get_weather"), tool("find_hotel")], **more, **fields)
        assert told.stop_reason == ("tool_use" if told.content[-1].type == "tool_use" else "end_turn")
        return [block.name for block in told.content if block.type == "tool_use"]

    return called


@pytest.mark.parametrize(
    ("text", "choice", "expected"),
    [
        ("Hello", None, []),
        ("The weather?", None, ["get_weather"]),
        ("The weather and a hotel?", {"type": "auto"}, ["get_weather", "find_hotel"]),
        ("The weather and a hotel?", {"type": "auto", "disable_parallel_tool_use": True}, ["get_weather"]),
        ("The weather?", {"type": "none"}, []),
        ("Hello", {"type": "any"}, ["get_weather"]),
        ("A hotel?", {"type": "any"}, ["find_hotel"]),
        ("The weather and a hotel?", {"type": "any"}, ["get_weather", "find_hotel"]),
        ("The weather and a hotel?", {"type": "any", "disable_parallel_tool_use": True}, ["get_weather"]),
        ("The weather?", {"type": "tool", "name": "find_hotel"}, ["find_hotel"]),
    ],
)
def test_the_choice_of_tools_is_obeyed(called, text, choice, expected):
    """None, some, or a certain one."""
    assert called(text, choice) == expected


def test_a_tool_of_the_client_may_search(chat, tool):
    """By the name of the service's own, which is not there then."""
    told = chat("Please search", tools=[tool("web_search")])
    assert [(block.type, block.name) for block in told.content] == [("tool_use", "web_search")]


@pytest.mark.parametrize("name", ["auto", "none", "required"])
def test_a_tool_may_have_any_name(chat, tool, name):
    """Also one that is a word for choosing."""
    told = chat(tools=[tool("get_weather"), tool(name)], tool_choice={"type": "tool", "name": name})
    assert [block.name for block in told.content] == [name]


def test_a_call_obeys_its_schema(chat, tool):
    """Its input is an object, its id is new, and it comes from the model itself."""
    told = chat("weather", tools=[tool("get_weather", description="Tells", strict=None)])
    (call,) = told.content
    assert (call.type, call.name, call.input) == ("tool_use", "get_weather", {"city": "weather"})
    assert call.id.startswith("toolu_")
    assert call.caller.type == "direct"
    assert told.usage.output_tokens > 0


def test_words_may_come_before_calls(chat, tool):
    """As models like to do."""
    told = chat("weather", "preface", tools=[tool("get_weather")])
    assert [block.type for block in told.content] == ["text", "tool_use"]
    assert told.content[0].text == "Let me look that up."


def test_calls_that_the_limit_cuts_off_are_not_made(chat, tool):
    """Half an input is none."""
    told = chat("weather", tools=[tool("get_weather")], max_tokens=3)
    assert (told.content, told.stop_reason, told.usage.output_tokens) == ([], "max_tokens", 3)


def test_a_turn_of_parallel_calls_is_answered_as_a_whole(chat, tool):
    """The answer is handed back as the package has it, each call gets its result, and the talk goes on."""
    tools = [tool("get_weather"), tool("find_hotel")]
    asked = {"role": "user", "content": "The weather and a hotel"}
    told = chat([asked], tools=tools)
    results = [{"type": "tool_result", "tool_use_id": call.id, "content": "Fine"} for call in told.content]
    talk = [asked, told.to_param(), {"role": "user", "content": results}]
    assert chat(talk, tools=tools).content[0].text.startswith("The tool answered: “Fine” (1 word).")


def test_a_result_may_hold_pictures_and_documents(chat, tool, picture, document, png):
    """The model sees them."""
    call = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"a": [1, None]}}
    content = [{"type": "text", "text": "See"}, picture(png()), document("Words of a document")]
    found = {"type": "search_result", "source": "here", "title": "T", "content": [{"type": "text", "text": "found it"}]}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": [*content, found], "is_error": False}
    talk = [*HELLO, {"role": "assistant", "content": [call]}, {"role": "user", "content": [result]}]
    text = chat(talk, tools=[tool("look")]).content[0].text
    assert text.startswith("The tool answered: “See found it” (3 words). I see 2 attachments.")
    assert "PNG picture, 32 × 16 pixels" in text


def test_words_may_follow_results(chat, tool):
    """Then they are what is asked."""
    call = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "toolu_1"}
    answered = {"role": "user", "content": [result, {"type": "text", "text": "And now?"}]}
    told = chat([*HELLO, {"role": "assistant", "content": [call]}, answered], tools=[tool("look")])
    assert told.content[0].text.startswith("You asked: “And now?” (2 words).")


@pytest.mark.parametrize("model", ["claude-haiku-4-5", "claude-opus-5-5"])
def test_the_package_runs_tools_until_all_is_said(client, model):
    """Its own runner calls functions, and hands back calls, thoughts and results."""

    @anthropic.beta_tool
    def get_weather(city: str) -> str:
        """Tell the weather."""
        return f"Fine in {city}"

    asked = {"role": "user", "content": "The weather"}
    runner = client.beta.messages.tool_runner(
        model=model, max_tokens=99, tools=[get_weather], messages=[asked], thread=False
    )
    said = runner.until_done().content[-1].text
    assert said.startswith("The tool answered: “Fine in The weather” (4 words).")


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"tools": [{"input_schema": SCHEMA}]}, "tools.0.name"),
        ({"tools": [{"name": "a b", "input_schema": SCHEMA}]}, "tools.0.name"),
        ({"tools": [{"name": "a" * 129, "input_schema": SCHEMA}]}, "tools.0.name"),
        ({"tools": [{"name": "a"}]}, "tools.0.input_schema"),
        ({"tools": [{"name": "a", "input_schema": {}}]}, "tools.0.input_schema.type"),
        ({"tools": [{"name": "a", "input_schema": {"type": "array"}}]}, "tools.0.input_schema.type"),
        ({"tools": [{"name": "a", "input_schema": SCHEMA | {"properties": 7}}]}, "tools.0.input_schema"),
        ({"tools": [{"name": "a", "input_schema": SCHEMA, "strict": True}]}, "tools.0.input_schema"),
        ({"tools": [{"name": "a", "input_schema": SCHEMA, "parameters": {}}]}, "tools.0.parameters"),
        ({"tools": [{"name": "a", "input_schema": SCHEMA}] * 2}, "tools"),
        ({"tools": [{"name": "bash", "type": "bash_20250124"}]}, "tools.0.type"),
        ({"tools": [SEARCH | {"name": "search"}]}, "tools.0.name"),
        ({"tools": [SEARCH | {"max_uses": 0}]}, "tools.0.max_uses"),
        ({"tools": [SEARCH | {"allowed_domains": ["a.b"], "blocked_domains": ["c.d"]}]}, "tools.0"),
        ({"tools": [SEARCH | {"blocked_domains": ["https://c.d"]}]}, "tools.0"),
        ({"tools": [SEARCH | {"response_inclusion": "excluded"}]}, "tools.0.response_inclusion"),
        ({"tools": [SEARCH | {"user_location": {"type": "exact"}}]}, "tools.0.user_location.type"),
        ({"tool_choice": {"type": "auto"}}, "tool_choice"),
        ({"tools": [SEARCH], "tool_choice": {"type": "maybe"}}, "tool_choice.type"),
        ({"tools": [SEARCH], "tool_choice": {"type": "none", "name": "web_search"}}, "tool_choice.name"),
        ({"tools": [SEARCH], "tool_choice": {"type": "tool", "name": "other"}}, "tool_choice.name"),
        ({"tools": [SEARCH], "tool_choice": {"type": "any"}, "model": "claude-opus-5-5"}, "tool_choice"),
    ],
)  # fmt: skip
def test_tools_that_make_no_sense_are_refused(refused, fields, place):
    """400 with the place."""
    assert refused(fields) == (400, place)


def test_a_tool_may_say_what_it_is(post, tool):
    """Its type is optional."""
    for kind in ("custom", None):
        assert post({"tools": [tool("a", type=kind)]}).status == 200


def test_a_strict_tool_is_closed(post, tool):
    """Then it is taken."""
    assert post({"tools": [tool("a", {"type": "object", "additionalProperties": False}, strict=True)]}).status == 200
