"""Questions that cannot be sent as they are, and those a service refuses: every dialect, over real HTTP.

What is wrong by itself is `BadOption` with its place, and nothing is sent; what only the service can judge is
`BadRequest` in its words, once.
"""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any, NamedTuple

import pytest

from polychat import BadOption, ChatCompletion, Client
from polychat.errors import BadRequest, PolychatError, UnsupportedFeature
from polychat.sandbox import Sandbox

Ask = Callable[..., ChatCompletion]


class Dialect(NamedTuple):
    """One way of speaking to a service."""

    service: str  # as the sandbox calls it
    question: dict[str, Any]
    schema: str | None = None  # what it says of a schema with a type that is none
    tool: str | None = None  # and of a tool with one


NONE = "in context (properties, n), 'nonsense' is not a type"
CHAT = Dialect(
    "openai", {"model": "gpt-4o"},
    f"says: Invalid schema for response_format 'a': {NONE} (HTTP 400)",
    f"says (tools[0].function.parameters): Invalid schema for function 'f': {NONE} (HTTP 400)",
)  # fmt: skip
DIALECTS = {
    "openai": CHAT,
    "responses": Dialect(
        "openai", {"model": "gpt-4o", "api": "responses"},
        f"says: Invalid schema for text.format 'a': {NONE} (HTTP 400)",
        f"says (tools[0].parameters): Invalid schema for function 'f': {NONE} (HTTP 400)",
    ),
    "anthropic": Dialect(
        "anthropic", {},
        f"says: output_config.format.schema: {NONE} (HTTP 400)", f"says: tools.0.input_schema: {NONE} (HTTP 400)",
    ),
    "gemini": Dialect(
        "gemini", {},
        f"says: generation_config.response_json_schema: {NONE} (HTTP 400)",
        f"says: tools[0].function_declarations[0].parameters_json_schema: {NONE} (HTTP 400)",
    ),
    "raycast": Dialect("raycast", {}),
    "custom": CHAT,
}  # fmt: skip
EVERY = pytest.mark.parametrize("name", DIALECTS)
WITH_SCHEMAS = pytest.mark.parametrize("name", [name for name, one in DIALECTS.items() if one.schema])


@pytest.fixture
def ask(sandbox: Sandbox, sandbox_client: Callable[..., Client]) -> Ask:
    """ask(name, **question): an answer of that dialect, read to its end."""

    def asked(name: str, **question: Any) -> ChatCompletion:
        service = {"responses": "openai"}.get(name, name)
        to = {"base_url": f"{sandbox.url}/openai/v1"} if name == "custom" else {"provider": service}
        client = sandbox_client(**to, api_key="sandbox-alice")
        whole: ChatCompletion = client.chat.completions.create(
            **{"messages": "hi", **DIALECTS[name].question, **question}
        )
        return whole

    return asked


def refused(ask: Ask, name: str, kind: type[PolychatError], **question: Any) -> Any:
    """The error of a question that has to fail, streamed or not."""
    errors = []
    for stream in (False, True):
        with pytest.raises(PolychatError) as told:
            ask(name, stream=stream, **question)
        errors.append(told.value)
    assert [type(error) for error in errors] == [kind, kind]
    assert [error.message for error in errors] == [errors[0].message] * 2
    assert "\n" not in errors[0].message
    return errors[0]


def posted(sandbox: Sandbox) -> list[Any]:
    """The bodies of all questions."""
    return [entry.json for entry in sandbox.journal() if entry.method == "POST"]


# ---------------------------------------------------------------- arguments of an earlier call

BROKEN = ('{"city": "Par', "not JSON", "[1]", '"Paris"', "null", "5", "{}{}")


def talk(arguments: Any) -> list[dict[str, Any]]:
    """A call of a tool, as the caller kept it, and its result."""
    function = {"name": "get_weather", "arguments": arguments}
    return [
        {"role": "user", "content": "How is the weather?"},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "c1", "type": "function", "function": function}]},
        {"role": "tool", "tool_call_id": "c1", "content": "22 degrees"},
    ]


@pytest.mark.parametrize("arguments", BROKEN)
@pytest.mark.parametrize("name", ["openai", "responses", "custom"])
def test_where_arguments_are_text_they_go_as_the_model_wrote_them(
    sandbox: Sandbox, ask: Ask, name: str, arguments: str
) -> None:
    """Not a character is changed: the model may see its own mistake."""
    assert ask(name, messages=talk(arguments)).choices[0].finish_reason == "stop"
    (body,) = posted(sandbox)
    item = body["input"][1] if name == "responses" else body["messages"][1]["tool_calls"][0]["function"]
    assert item["arguments"] == arguments


@pytest.mark.parametrize("arguments", BROKEN)
@pytest.mark.parametrize("name", ["anthropic", "gemini"])
def test_where_arguments_are_an_object_others_are_named_by_their_place(
    sandbox: Sandbox, ask: Ask, name: str, arguments: str
) -> None:
    """With what to do about it; nothing is sent."""
    error = refused(ask, name, BadOption, messages=talk(arguments))
    assert error.field == "messages[1].tool_calls[0].function.arguments"
    assert error.message.startswith(f"{error.field} is no JSON object")
    assert error.hint == "write them as an object, {} where there are none; or leave out the call and its result"
    assert (error.provider, posted(sandbox)) == (name, [])


@pytest.mark.parametrize("name", ["anthropic", "gemini"])
def test_no_arguments_at_all_are_an_empty_object(sandbox: Sandbox, ask: Ask, name: str) -> None:
    """As some services write a call that has none."""
    assert ask(name, messages=talk("")).choices[0].finish_reason == "stop"
    (body,) = posted(sandbox)
    part = body["messages"][1]["content"][0] if name == "anthropic" else body["contents"][1]["parts"][0]["functionCall"]
    assert part["input" if name == "anthropic" else "args"] == {}


@EVERY
@pytest.mark.parametrize(
    ("arguments", "sentence", "hint"),
    [
        ({"city": "Paris"}, "is an object, not text", "write it as JSON text, as the model did"),
        (None, "is missing", None),
        (5, "is int, not text", None),
    ],
)
def test_arguments_that_are_no_text_are_named(
    sandbox: Sandbox, ask: Ask, name: str, arguments: Any, sentence: str, hint: str | None
) -> None:
    """A call keeps its arguments as JSON text, whoever is asked."""
    error = refused(ask, name, BadOption, messages=talk(arguments))
    assert error.field == "messages[1].tool_calls[0].function.arguments"
    assert (error.message, error.hint) == (f"{error.field} {sentence}", hint)
    assert posted(sandbox) == []


def test_raycast_takes_no_result_back(sandbox: Sandbox, ask: Ask) -> None:
    """Whatever the arguments are, and before even its models are asked for."""
    error = refused(ask, "raycast", UnsupportedFeature, messages=talk("not JSON"))
    assert error.hint == "begin a new question that holds the result as text"
    assert sandbox.journal() == []


# ---------------------------------------------------------------- parts of a message

KINDS = "a part is text, or an object whose type is text, image_url, input_audio or file"
LONE = "holds half of a character, U+D83D without its pair"


@EVERY
@pytest.mark.parametrize(
    ("content", "place", "sentence", "hint"),
    [
        ([{"type": "smell"}], "[0].type", "is 'smell'", KINDS),
        (["hi", {"type": "tool_result", "tool_use_id": "c1"}], "[1].type", "is 'tool_result'", KINDS),
        ([{"type": ["text"]}], "[0].type", "is ['text']", KINDS),
        ([{"text": "hi"}], "[0].type", "is missing", KINDS),
        ([5], "[0]", "is int, not a content part", KINDS),
        (5, "", "is int, not text or a list of parts", None),
        ([{"type": "text", "text": 5}], "[0].text", "is int, not text", None),
        ([{"type": "text", "text": "\ud83d"}], "[0].text", LONE, "take it out, or decode the text anew"),
        ("\ud83d", "", LONE, "take it out, or decode the text anew"),
    ],
    ids=str,
)
def test_a_part_that_nobody_knows_is_named_by_its_place(
    sandbox: Sandbox, ask: Ask, name: str, content: Any, place: str, sentence: str, hint: str | None
) -> None:
    """Nothing is left out in silence, and nothing is sent."""
    error = refused(ask, name, BadOption, messages=[{"role": "user", "content": content}])
    assert error.field == f"messages[0].content{place}"
    assert (error.message, error.hint) == (f"{error.field} {sentence}", hint)
    assert sandbox.journal() == []


@pytest.mark.parametrize(
    ("question", "field", "sentence"),
    [
        ({"model": 5}, "model", "model is int, not a name"),
        ({"timeout": "soon"}, "timeout", "timeout is not a number of seconds"),
        ({"tools": 5}, "tools", "tools is not a list"),
        ({"tools": {"type": "function"}}, "tools", "tools is not a list"),
        ({"tools": ["f"]}, "tools[0]", "tools[0]: expected `object`, got `str`"),
        ({"files": 5}, "files", "files is not a list"),
        ({"files": "a.pdf"}, "files", "files is not a list"),
        ({"files": BytesIO(b"%PDF-1.7\n1\n")}, "files", "files is not a list"),
        ({"images": 5}, "images", "images is not a list; for one picture say image="),
        ({"options": [1]}, "options", "options is list, not a mapping"),
        ({"messages": "\ud83d"}, "messages", f"messages {LONE}"),
        (
            {"messages": [{"role": ["user"], "content": "hi"}]}, "messages[0].role",
            "messages[0].role is ['user']; it is one of assistant, developer, function, system, tool, user",
        ),
        (
            {"messages": [{"role": "assistant", "tool_calls": 5}]}, "messages[0].tool_calls",
            "messages[0].tool_calls is int, not a list of tool calls",
        ),
        (
            {"messages": [{"role": "assistant", "tool_calls": {"id": "c1"}}]}, "messages[0].tool_calls",
            "messages[0].tool_calls is dict, not a list of tool calls",
        ),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)  # fmt: skip
def test_what_is_of_another_kind_is_named(
    sandbox: Sandbox, ask: Ask, question: dict[str, Any], field: str, sentence: str
) -> None:
    """And is no crash."""
    error = refused(ask, "openai", BadOption, **question)
    assert (error.field, error.message) == (field, sentence)
    assert sandbox.journal() == []


@EVERY
@pytest.mark.parametrize(
    ("value", "what"), [(object(), "a value of type object"), ("\ud83d", "half of a character, a surrogate")]
)
def test_what_is_no_json_is_told_and_not_sent(sandbox: Sandbox, ask: Ask, name: str, value: Any, what: str) -> None:
    """Deep inside a schema too."""
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "description": value}}}
    error = refused(ask, name, BadOption, tools=[tool])
    assert error.message.startswith(f"the question holds what JSON cannot: {what}")
    assert error.hint == "give text, numbers, lists and dicts"
    assert posted(sandbox) == []


# ---------------------------------------------------------------- schemas


def wish(schema: Any) -> dict[str, Any]:
    """An answer of that form."""
    return {"type": "json_schema", "json_schema": {"name": "a", "schema": schema}}


NONSENSE = {
    "type": "object", "properties": {"n": {"type": "nonsense"}}, "required": ["n"], "additionalProperties": False,
}  # fmt: skip


@WITH_SCHEMAS
def test_a_schema_that_the_service_refuses_is_told_in_its_words(sandbox: Sandbox, ask: Ask, name: str) -> None:
    """Which name the field; it is asked once and nowhere else."""
    error = refused(ask, name, BadRequest, response_format=wish(NONSENSE))
    assert error.message == f"{'openai' if name == 'responses' else name} {DIALECTS[name].schema}"
    assert 'put them in words: tool_mode="emulate"' in (error.hint or "")
    assert (error.upstream_status, error.account) == (400, f"given@{error.provider}")
    assert len(posted(sandbox)) == 2  # whole and streamed


@WITH_SCHEMAS
def test_a_tool_whose_schema_is_refused_is_named(sandbox: Sandbox, ask: Ask, name: str) -> None:
    """By its number, or its name."""
    tool = {"type": "function", "function": {"name": "f", "parameters": NONSENSE}}
    error = refused(ask, name, BadRequest, tools=[tool])
    assert error.message == f"{'openai' if name == 'responses' else name} {DIALECTS[name].tool}"
    assert 'put them in words: tool_mode="emulate"' in (error.hint or "")
    assert len(posted(sandbox)) == 2


def test_raycast_does_not_take_schemas(sandbox: Sandbox, ask: Ask) -> None:
    """The hint names the way that it can have one."""
    error = refused(ask, "raycast", UnsupportedFeature, response_format=wish(NONSENSE))
    assert error.message == "raycast/openai-gpt-4o-mini does not take response_format"
    assert 'put it in words: tool_mode="emulate"' in error.hint
    assert sandbox.journal() == []


@EVERY
@pytest.mark.parametrize(
    ("form", "field", "what"),
    [
        (wish([1]), ".json_schema.schema", ": expected `object | null`, got `array`"),
        (wish("object"), ".json_schema.schema", ": expected `object | null`, got `str`"),
        (wish(None), ".json_schema.schema", " is missing"),
        ({"type": "json_schema"}, ".json_schema.schema", " is missing"),
        ({"type": "json_schema", "json_schema": 5}, ".json_schema", ": expected `object | null`, got `int`"),
        ({"type": "xml"}, ".type", ": invalid enum value 'xml'"),
        ("json", "", ": expected `object`, got `str`"),
    ],
    ids=str,
)
def test_what_is_no_schema_at_all_is_not_sent(
    sandbox: Sandbox, ask: Ask, name: str, form: Any, field: str, what: str
) -> None:
    """The place is named, and the hint shows how it is written."""
    error = refused(ask, name, BadOption, response_format=form)
    assert error.field == f"response_format{field}"
    assert error.message == f"{error.field}{what}"
    assert error.hint.startswith('write it like {"type": "json_schema", "json_schema": {"name": "answer", "schema": ')
    assert sandbox.journal() == []


@EVERY
def test_parameters_that_are_no_schema_at_all_are_not_sent(sandbox: Sandbox, ask: Ask, name: str) -> None:
    """Nor is the tool left out."""
    tool = {"type": "function", "function": {"name": "f", "parameters": [1]}}
    error = refused(ask, name, BadOption, tools=[tool])
    assert (error.field, error.message) == (
        "tools[0].function.parameters",
        "tools[0].function.parameters: expected `object`, got `array`",
    )
    assert error.hint.startswith('write it like {"type": "function", "function": ')
    assert sandbox.journal() == []
