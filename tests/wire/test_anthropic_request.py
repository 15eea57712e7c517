"""wire/anthropic_request.py: what of a question reaches the wire, in which words, and what a model is not asked."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from polychat.errors import BadOption, UnsupportedFeature
from polychat.types import Message, NamedTool, Request, ResponseFormat, Text, Tool
from polychat.wire.anthropic_request import Traits, body

HELLO = Message(role="user", parts=(Text(text="Hello"),))
TOOL = Tool(name="f")
NEW = Traits(max_output=128_000, sampling=False)
BUDGETED = Traits(max_output=64_000, thinks="budget", effort=False)
SCHEMA = {"type": "object", "properties": {"x": {"type": "integer"}}}


def sent(traits: Traits | None = None, **fields: Any) -> dict[str, Any]:
    """The JSON of a request."""
    return body(Request(**({"model": "m", "messages": (HELLO,)} | fields)), traits)


def refused(traits: Traits | None = None, **fields: Any) -> BadOption | UnsupportedFeature:
    """Why there is none."""
    with pytest.raises((BadOption, UnsupportedFeature)) as caught:
        sent(traits, **fields)
    return caught.value


def test_what_is_unset_is_left_to_the_service() -> None:
    """But for the most tokens of an answer, which it wants to know."""
    assert sent() == {
        "model": "m",
        "max_tokens": 32_000,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}],
        "stream": True,
    }
    assert sent(NEW)["max_tokens"] == 128_000
    assert sent(NEW, max_tokens=5)["max_tokens"] == 5


def test_everything_that_is_set_goes_out_in_the_apis_words() -> None:
    """Under the names that it reads."""
    asked = sent(
        messages=(Message(role="system", parts=(Text(text="s"),)), HELLO), stream=False, max_tokens=5, temperature=0.0,
        top_p=0.5, stop=("a", "b"), web_search=True, tools=(TOOL,), tool_choice="auto",
        options={
            "top_k": 3, "metadata": {"user_id": "u"}, "service_tier": "auto", "cache_control": {"type": "ephemeral"},
            "betas": ["x"], "extra_body": {"inference_geo": "eu", "max_tokens": 6},
        },
    )  # fmt: skip
    assert {name: asked[name] for name in asked.keys() - {"model", "messages", "tools"}} == {
        "system": [{"type": "text", "text": "s"}], "stream": False, "max_tokens": 6, "temperature": 0.0, "top_p": 0.5,
        "stop_sequences": ["a", "b"], "tool_choice": {"type": "auto"}, "top_k": 3, "metadata": {"user_id": "u"},
        "service_tier": "auto", "cache_control": {"type": "ephemeral"}, "inference_geo": "eu",
    }  # fmt: skip
    assert asked["tools"][-1] == {"type": "web_search_20250305", "name": "web_search"}


def test_a_model_that_nobody_knows_is_asked_as_the_newest_are() -> None:
    """Its answers are as long as those of every model may be, and the service has the last word."""
    talk = (HELLO, Message(role="system", parts=(Text(text="s"),)))
    asked = sent(messages=talk, reasoning_effort="low")
    assert [turn["role"] for turn in asked["messages"]] == ["user", "system"]
    assert (asked["max_tokens"], asked["output_config"]) == (32_000, {"effort": "low"})
    assert sent(messages=talk, traits=Traits(system_turns=False))["system"] == [{"type": "text", "text": "s"}]
    assert sent(options={"top_k": 1}, tools=(TOOL,), tool_choice="required")["top_k"] == 1


@pytest.mark.parametrize(("most", "streamed"), [(21_333, False), (21_334, True), (None, True)])
def test_a_long_answer_is_streamed_though_nobody_reads_along(most: int | None, streamed: bool) -> None:
    """The service closes a connection that is silent for ten minutes."""
    assert sent(stream=False, max_tokens=most)["stream"] is streamed


# ---------------------------------------------------------------- sampling


@pytest.mark.parametrize("temperature", [-0.1, 1.01, 2])
def test_a_temperature_out_of_range_is_refused(temperature: float) -> None:
    """It ends at 1 here, where other services go to 2."""
    error = refused(temperature=temperature)
    assert isinstance(error, BadOption)
    assert (error.field, error.message) == ("temperature", f"temperature is {temperature:g}; here it goes from 0 to 1")


def test_the_ends_of_the_range_are_taken() -> None:
    """Both."""
    assert [sent(temperature=temperature)["temperature"] for temperature in (0, 1)] == [0, 1]


def test_a_model_without_sampling_takes_no_top_k() -> None:
    """The other two are refused by its capabilities."""
    assert refused(NEW, options={"top_k": 1}).message == "m does not take top_k"


@pytest.mark.parametrize(
    ("fields", "field"), [({"temperature": 0.5}, "temperature"), ({"options": {"top_k": 1}}, "top_k")]
)
def test_a_model_that_is_told_to_think_is_not_told_how_to_choose_words(fields: dict[str, Any], field: str) -> None:
    """The API takes one or the other; a temperature of 1 is what it would take anyway."""
    error = refused(reasoning_effort="low", **fields)
    assert isinstance(error, BadOption)
    assert (error.field, error.hint) == (field, f"leave out {field} or reasoning_effort")
    assert sent(reasoning_effort="low", temperature=1)["temperature"] == 1
    assert sent(reasoning_effort="none", **fields)["thinking"] == {"type": "disabled"}


# ---------------------------------------------------------------- tools


def test_tools_are_schemas_of_objects() -> None:
    """Also where a tool takes nothing."""
    full = Tool(name="f", description="d", parameters=SCHEMA, strict=True)
    assert sent(tools=(full, Tool(name="g")))["tools"] == [
        {"name": "f", "description": "d", "input_schema": SCHEMA, "strict": True},
        {"name": "g", "input_schema": {"type": "object"}},
    ]


@pytest.mark.parametrize(
    ("choice", "parallel", "expected"),
    [
        (None, None, None),
        (None, True, None),
        ("auto", None, {"type": "auto"}),
        ("none", None, {"type": "none"}),
        ("none", False, {"type": "none"}),
        ("required", None, {"type": "any"}),
        (NamedTool(name="f"), None, {"type": "tool", "name": "f"}),
        (None, False, {"type": "auto", "disable_parallel_tool_use": True}),
        ("auto", False, {"type": "auto", "disable_parallel_tool_use": True}),
        ("required", False, {"type": "any", "disable_parallel_tool_use": True}),
        (NamedTool(name="f"), False, {"type": "tool", "name": "f", "disable_parallel_tool_use": True}),
    ],
)
def test_how_freely_the_model_chooses(choice: Any, parallel: bool | None, expected: Any) -> None:
    """And whether several calls may come at once."""
    assert sent(tools=(TOOL,), tool_choice=choice, parallel_tool_calls=parallel).get("tool_choice") == expected


@pytest.mark.parametrize("choice", ["auto", "none", None])
def test_without_tools_there_is_no_choice(choice: Any) -> None:
    """The API refuses to be told of one."""
    assert "tool_choice" not in sent(tool_choice=choice, parallel_tool_calls=False)


@pytest.mark.parametrize("choice", ["required", NamedTool(name="f")])
def test_nobody_insists_on_a_tool_that_is_not_there(choice: Any) -> None:
    """The service's own search is one."""
    error = refused(tool_choice=choice)
    assert isinstance(error, BadOption)
    assert (error.field, error.message) == ("tool_choice", "tool_choice insists on a tool, and there are no tools")
    assert sent(tool_choice="required", web_search=True)["tool_choice"] == {"type": "any"}


@pytest.mark.parametrize("choice", ["required", NamedTool(name="f")])
def test_some_models_cannot_be_made_to_call(choice: Any) -> None:
    """They are left the choice, or not asked."""
    free = Traits(forced_tools=False)
    assert refused(free, tools=(TOOL,), tool_choice=choice).message == "m cannot be made to call a tool"
    assert sent(free, tools=(TOOL,), tool_choice="none")["tool_choice"] == {"type": "none"}


# ---------------------------------------------------------------- thinking


@pytest.mark.parametrize(
    ("effort", "told"), [("minimal", "low"), ("low", "low"), ("medium", "medium"), ("high", "high")]
)
def test_how_hard_to_think_is_an_effort(effort: Any, told: str) -> None:
    """Beside thinking that the model measures itself, and that is shown."""
    asked = sent(NEW, reasoning_effort=effort)
    assert asked["thinking"] == {"type": "adaptive", "display": "summarized"}
    assert asked["output_config"] == {"effort": told}


@pytest.mark.parametrize(
    ("effort", "most", "budget"),
    [
        ("minimal", None, 1024),
        ("low", None, 4096),
        ("medium", None, 10_000),
        ("high", None, 32_000),
        ("high", 100_000, 32_000),
        ("high", 50_000, 25_000),
        ("high", 2000, 1024),
        ("medium", 1025, 1024),
    ],
)
def test_older_models_have_a_budget(effort: Any, most: int | None, budget: int) -> None:
    """At least what the API wants, and less than the most tokens of the answer."""
    asked = sent(BUDGETED, reasoning_effort=effort, max_tokens=most)
    assert asked["thinking"] == {"type": "enabled", "budget_tokens": budget, "display": "summarized"}
    assert budget < asked["max_tokens"]
    assert "output_config" not in asked


def test_one_model_has_a_budget_and_an_effort() -> None:
    """Both are told."""
    both = msgspec.structs.replace(BUDGETED, effort=True)
    assert sent(both, reasoning_effort="low")["output_config"] == {"effort": "low"}


def test_too_short_an_answer_to_think_is_refused() -> None:
    """By the field that is too small."""
    error = refused(BUDGETED, reasoning_effort="low", max_tokens=1024)
    assert isinstance(error, BadOption)
    assert (error.field, error.message) == (
        "max_tokens", "max_tokens is 1024; a model that thinks needs more than 1024"
    )  # fmt: skip


@pytest.mark.parametrize("off", ["disabled", "between_tools"])
def test_not_to_think_is_told_in_the_models_words(off: Any) -> None:
    """Without an effort."""
    asked = sent(Traits(off=off), reasoning_effort="none")
    assert (asked["thinking"], asked.get("output_config")) == ({"type": off}, None)


def test_a_model_that_always_thinks_says_so() -> None:
    """With the least there is."""
    error = refused(Traits(off=None), reasoning_effort="none")
    assert error.message == "m always thinks; reasoning_effort cannot be none"
    assert error.hint == 'reasoning_effort="minimal" is the least'


# ---------------------------------------------------------------- form


def test_a_schema_is_the_form_of_the_output() -> None:
    """Beside the effort."""
    wanted = ResponseFormat(type="json_schema", name="n", schema=SCHEMA, strict=True)
    asked = sent(response_format=wanted, reasoning_effort="low")
    assert asked["output_config"] == {"effort": "low", "format": {"type": "json_schema", "schema": SCHEMA}}
    assert "output_config" not in sent(response_format=ResponseFormat(type="text"))


def test_json_of_any_form_is_not_asked_for() -> None:
    """A schema is."""
    error = refused(response_format=ResponseFormat(type="json_object"))
    assert isinstance(error, UnsupportedFeature)
    assert error.hint == "give a schema: response_format of type json_schema"


def test_a_schema_that_is_not_there_is_named() -> None:
    """By its field."""
    error = refused(response_format=ResponseFormat(type="json_schema", name="n"))
    assert isinstance(error, BadOption)
    assert error.field == "response_format.json_schema.schema"
