"""Thinking: how it is asked for, shown and handed back, and what each model takes."""

from __future__ import annotations

import base64

import anthropic
import pytest

HELLO = {"role": "user", "content": "Hello there"}
ENABLED = {"type": "enabled", "budget_tokens": 1024}
ADAPTIVE = {"type": "adaptive"}
OLDER = "claude-sonnet-4-6"


@pytest.mark.parametrize(
    ("model", "thinking", "thinks", "shown"),
    [
        ("claude-haiku-4-5", None, False, False),
        ("claude-haiku-4-5", ENABLED, True, True),
        ("claude-haiku-4-5", ENABLED | {"display": "omitted"}, True, False),
        ("claude-haiku-4-5", {"type": "disabled"}, False, False),
        (OLDER, ADAPTIVE, True, True),
        ("claude-opus-4-7", None, False, False),
        ("claude-opus-4-7", ADAPTIVE, True, False),
        ("claude-opus-4-7", ADAPTIVE | {"display": "summarized"}, True, True),
        ("claude-opus-5-5", None, True, False),
        ("claude-sonnet-5-5", {"type": "between_tools"}, False, False),
        ("claude-haiku-5-5", {"type": "disabled"}, False, False),
    ],
)
def test_a_model_thinks_as_it_is_told_and_used_to(chat, model, thinking, thinks, shown):
    """A thought comes first; its text may be kept back, its tokens count all the same."""
    told = chat(model=model, **({} if thinking is None else {"thinking": thinking}))
    assert [block.type for block in told.content] == ["thinking", "text"][1 - thinks :]
    assert (told.usage.output_tokens_details.thinking_tokens > 0) == thinks
    assert told.usage.output_tokens == told.usage.output_tokens_details.thinking_tokens + 6
    if thinks:
        assert bool(told.content[0].thinking) == shown
        assert told.content[0].signature


@pytest.mark.parametrize(
    ("model", "thinking"),
    [
        ("claude-haiku-4-5", ADAPTIVE),
        ("claude-opus-4-7", ENABLED),
        ("claude-opus-5-5", ENABLED),
        ("claude-opus-5-5", {"type": "disabled"}),
        ("claude-sonnet-5-5", {"type": "disabled"}),
        ("claude-haiku-5-5", {"type": "between_tools"}),
        (OLDER, {"type": "between_tools"}),
    ],
)
def test_a_way_of_thinking_that_is_not_the_models_is_refused(refused, model, thinking):
    """400."""
    assert refused({"model": model, "thinking": thinking}) == (400, "thinking.type")


def test_more_effort_is_more_thought(chat):
    """Each level twice the one before; without any, the model's own."""
    spent = {}
    for effort in (None, "low", "medium", "high", "xhigh", "max"):
        config = {} if effort is None else {"output_config": {"effort": effort}}
        spent[effort] = chat(model="claude-opus-5-5", **config).usage.output_tokens_details.thinking_tokens
    assert spent == {None: 16, "low": 8, "medium": 16, "high": 32, "xhigh": 64, "max": 128}


@pytest.mark.parametrize(
    ("model", "fields", "place"),
    [
        ("claude-haiku-4-5", {"output_config": {"effort": "low"}}, "output_config.effort"),
        (OLDER, {"output_config": {"effort": "xhigh"}}, "output_config.effort"),
        ("claude-haiku-5-5", {"output_config": {"effort": "max"}, "thinking": {"type": "disabled"}}, "thinking.type"),
    ],
)
def test_an_effort_that_is_not_the_models_is_refused(refused, model, fields, place):
    """Nor can the deepest go without thinking."""
    assert refused({"model": model} | fields) == (400, place)


def test_an_effort_without_thinking_is_taken(post):
    """Where thinking is not the rule, or the effort is not the deepest."""
    disabled = {"thinking": {"type": "disabled"}}
    assert post({"model": OLDER, "output_config": {"effort": "max"}} | disabled).status == 200
    assert post({"model": "claude-haiku-5-5", "output_config": {"effort": "high"}} | disabled).status == 200


def test_a_thinking_model_is_not_forced_to_call(refused, post, tool):
    """A call that is forced goes without thinking, and cannot go with it."""
    forced = {"tools": [tool("get_weather")], "tool_choice": {"type": "any"}}
    for model, thinking in (("claude-haiku-4-5", ENABLED), (OLDER, ADAPTIVE)):
        assert refused({"model": model, "thinking": thinking} | forced) == (400, "thinking")
    answer = post({"model": "claude-haiku-5-5"} | forced)
    assert [block["type"] for block in answer.json["content"]] == ["tool_use"]


def test_thoughts_count_against_the_limit(chat):
    """A limit that the thinking uses up leaves no answer."""
    told = chat(model="claude-opus-5-5", max_tokens=10, thinking=ADAPTIVE | {"display": "summarized"})
    assert [block.type for block in told.content] == ["thinking"]
    assert (told.stop_reason, told.usage.output_tokens) == ("max_tokens", 10)


def test_a_model_may_decide_not_to_think(chat):
    """The knob says for how long it does."""
    assert [block.type for block in chat(model="claude-opus-5-5", scenario="thinking_tokens=0").content] == ["text"]
    told = chat(model="claude-opus-5-5", scenario="thinking_tokens=5")
    assert told.usage.output_tokens_details.thinking_tokens == 5


@pytest.mark.parametrize("scenario", ["", "redacted_thinking"])
@pytest.mark.parametrize("model", ["claude-haiku-4-5", "claude-opus-5-5"])
def test_a_thought_goes_there_and_back_with_tools(chat, tool, model, scenario):
    """As the package has it, with the calls that followed it."""
    thinking = {"thinking": ENABLED} if model == "claude-haiku-4-5" else {}
    fields = {"model": model, "tools": [tool("get_weather")], **thinking}
    asked = {"role": "user", "content": "The weather?"}
    told = chat([asked], scenario, **fields)
    assert [block.type for block in told.content] == [
        "redacted_thinking" if scenario else "thinking",
        "tool_use",
    ]
    result = {"type": "tool_result", "tool_use_id": told.content[1].id, "content": "Fine"}
    again = chat([asked, told.to_param(), {"role": "user", "content": [result]}], **fields)
    assert again.content[-1].text.startswith("The tool answered: “Fine”")


@pytest.fixture
def thought(chat):
    """A thought of the model, as it is handed back."""
    return chat(thinking=ENABLED).content[0].to_dict()


@pytest.fixture
def handed_back(chat):
    """handed_back(block, **fields): what becomes of a talk with this block of the assistant."""

    def handed_back(block, **fields):
        said = {"role": "assistant", "content": [block, {"type": "text", "text": "Well"}]}
        return chat([HELLO, said, HELLO], **fields).stop_reason

    return handed_back


def test_a_thought_is_taken_back_as_it_was(handed_back, thought):
    """Also by a model that does not think now."""
    assert handed_back(thought, thinking=ENABLED) == "end_turn"
    assert handed_back(thought) == "end_turn"


@pytest.mark.parametrize(
    "change",
    [
        {"thinking": "Something else."},
        {"thinking": ""},
        {"signature": ""},
        {"signature": "no base64"},
        {"signature": base64.b64encode(bytes(32)).decode()},
    ],
)
def test_a_thought_that_was_changed_is_refused(handed_back, thought, change):
    """Text and signature belong together."""
    with pytest.raises(anthropic.BadRequestError, match=r"messages\.1\.content\.0\.signature: invalid signature"):
        handed_back(thought | change)


def test_a_thought_belongs_to_its_account(client, thought):
    """Another person's is refused."""
    said = {"role": "assistant", "content": [thought, {"type": "text", "text": "Well"}]}
    bob = client.with_options(api_key="sandbox-bob")
    with pytest.raises(anthropic.BadRequestError, match="invalid signature"):
        bob.messages.create(model="claude-haiku-4-5", max_tokens=9, messages=[HELLO, said, HELLO])


@pytest.mark.parametrize("data", ["", "x", "x.32", "{}.33"])
def test_a_redacted_thought_that_was_changed_is_refused(chat, handed_back, data):
    """Its data is a whole."""
    block = chat(scenario="redacted_thinking", thinking=ENABLED).content[0].to_dict()
    assert handed_back(block) == "end_turn"
    changed = data.format(block["data"].rpartition(".")[0])
    with pytest.raises(anthropic.BadRequestError, match=r"messages\.1\.content\.0\.data"):
        handed_back(block | {"data": changed})


def test_with_a_budget_the_last_calls_follow_a_thought(chat, refused, tool):
    """Without one they may stand alone."""
    call = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "toolu_1"}
    talk = [HELLO, {"role": "assistant", "content": [call]}, {"role": "user", "content": [result]}]
    fields = {"messages": talk, "tools": [tool("get_weather")]}
    assert refused(fields | {"thinking": ENABLED}) == (400, "messages.1.content.0.type")
    assert chat(talk, tools=fields["tools"]).stop_reason == "end_turn"
    assert chat(talk, tools=fields["tools"], model=OLDER, thinking=ADAPTIVE).stop_reason == "end_turn"
    later = [*talk, {"role": "assistant", "content": "Well"}, HELLO]
    assert chat(later, tools=fields["tools"], thinking=ENABLED).stop_reason == "end_turn"


def test_who_thinks_does_not_go_on_from_a_last_message(refused):
    """400, although the model could."""
    talk = [HELLO, {"role": "assistant", "content": "Well,"}]
    assert refused({"messages": talk, "thinking": ENABLED}) == (400, "messages.1")
