"""Tools: which functions are called, with what, and which requests are refused."""

from __future__ import annotations

import pytest
from google.genai import types

FREE = {"type": "object", "properties": {"city": {"type": "string"}}, "additionalProperties": False}


def config(mode, *names):
    """How functions are to be called."""
    return {"functionCallingConfig": {"mode": mode} | ({"allowedFunctionNames": list(names)} if names else {})}


@pytest.fixture
def called(answered, functions):
    """called(text, config): the names of the functions that are called, of two that there are."""

    def called(text, config=None):
        body = {"contents": [{"parts": [{"text": text}]}], "tools": functions("get_weather", "find_hotel")}
        parts = answered(body | ({"toolConfig": config} if config else {}))["content"]["parts"]
        return [part["functionCall"]["name"] for part in parts if "functionCall" in part]

    return called


@pytest.mark.parametrize(
    ("text", "config", "expected"),
    [
        ("Hello", None, []),
        ("The weather?", None, ["get_weather"]),
        ("The weather?", config("AUTO"), ["get_weather"]),
        ("The weather and a hotel?", config("VALIDATED"), ["get_weather", "find_hotel"]),
        ("The weather and a hotel?", config("VALIDATED", "find_hotel"), ["find_hotel"]),
        ("The weather?", config("NONE"), []),
        ("Hello", config("ANY"), ["get_weather"]),
        ("A hotel?", config("ANY"), ["find_hotel"]),
        ("The weather?", config("ANY", "find_hotel"), ["find_hotel"]),
        ("The weather?", config("any", "find_hotel", "find_hotel"), ["find_hotel"]),
    ],
)
def test_the_mode_is_obeyed(called, text, config, expected):
    """None, some, or certain ones."""
    assert called(text, config) == expected


@pytest.mark.parametrize("model", ["gemini-3.8-flash", "gemini-2.5-flash"])
def test_the_package_calls_a_function_by_itself(client, model):
    """And hands its result back, in a chat and in a stream."""
    asked = []

    def get_weather(city: str) -> str:
        """The weather of a city."""
        asked.append(city)
        return f"Sunny in {city}"

    tools = {"tools": [get_weather]}
    chat = client.chats.create(model=model, config=tools)
    assert '“{"result":"Sunny in Weather, please"}”' in chat.send_message("Weather, please").text
    chunks = chat.send_message_stream("The weather once more")
    assert "Sunny in The weather once more" in "".join(chunk.text or "" for chunk in chunks)
    assert asked == ["Weather, please", "The weather once more"]


@pytest.mark.parametrize("model", ["gemini-3.8-flash", "gemini-2.5-flash"])
def test_parallel_calls_go_round_with_the_package(generate, stream, functions, model):
    """Whole and streamed: the content goes back as it came, and every call gets its result."""
    asked = {"tools": functions("get_weather", "find_hotel")}
    for answers in (
        [generate("The weather and a hotel", model, **asked)],
        stream("The weather and a hotel", model, **asked),
    ):
        calls = [call for answer in answers for call in answer.function_calls or ()]
        assert [(call.name, call.args) for call in calls] == [
            ("get_weather", {"city": "The weather and a hotel"}), ("find_hotel", {"city": "The weather and a hotel"}),
        ]  # fmt: skip
        results = [
            types.Part(function_response=types.FunctionResponse(name=call.name, id=call.id, response={"ok": 1}))
            for call in calls
        ]
        contents = ["The weather and a hotel", *(answer.candidates[0].content for answer in answers), results]
        assert generate(contents, model, **asked).text.startswith('The tool answered: “{"ok":1}” (1 word).')


def test_a_call_ends_the_answer(generate, functions):
    """With the usual reason, no text, and tokens that were said."""
    told = generate("weather", tools=functions("get_weather"))
    assert (told.text, told.candidates[0].finish_reason) == (None, types.FinishReason.STOP)
    assert told.usage_metadata.candidates_token_count > 0


def test_parameters_may_be_a_json_schema(generate):
    """Or none at all."""
    declared = types.FunctionDeclaration(name="get_weather", parameters_json_schema=FREE)
    bare = types.FunctionDeclaration(name="find_hotel")
    told = generate("weather, hotel", tools=[types.Tool(function_declarations=[declared, bare])])
    assert [call.args for call in told.function_calls] == [{"city": "weather, hotel"}, {}]


@pytest.mark.parametrize("name", ["f", "_f", "a.b:c-d_9", "f" * 128])
def test_a_name_may_be_so(answered, functions, name):
    """Letters, digits and four signs."""
    assert answered({"tools": functions(name)})["finishReason"] == "STOP"


@pytest.mark.parametrize("name", ["", "9f", "a b", "-f", "ä", "f" * 129, "f\n"])
def test_a_name_may_not_be_so(wrong, functions, name):
    """Refused by its place."""
    assert wrong({"tools": functions(name)}) == ["tools[0].function_declarations[0].name"]


def declared(**fields):
    """One function with such fields."""
    return [{"functionDeclarations": [{"name": "f"} | fields]}]


FUNCTION = "tools[0].function_declarations[0]"


@pytest.mark.parametrize(
    ("tools", "fields"),
    [
        ([{}], ["tools[0].tool_type"]),
        ([{"functionDeclarations": []}], ["tools[0].tool_type"]),
        ([{"functions": []}], ["tools[0]"]),
        (declared(type="function"), [FUNCTION]),
        (declared(parameters={"type": "STRING"}), [f"{FUNCTION}.parameters.type"]),
        (declared(parameters={"type": "OBJECT"}), [f"{FUNCTION}.parameters.properties"]),
        (declared(parameters={"type": "OBJECT"}, parametersJsonSchema=FREE), [f"{FUNCTION}.parameters"]),
        (declared(response={"type": "STRING"}, responseJsonSchema={}), [f"{FUNCTION}.response"]),
        (declared(response={}), [f"{FUNCTION}.response.type"]),
        (declared(parametersJsonSchema={"type": "array"}), [f"{FUNCTION}.parameters_json_schema"]),
        (
            declared(parametersJsonSchema={"properties": {"a": {"type": "text"}}}),
            [f"{FUNCTION}.parameters_json_schema"],
        ),
        (declared(responseJsonSchema=[]), [f"{FUNCTION}.response_json_schema"]),
        (declared(behavior="NON_BLOCKING"), [f"{FUNCTION}.behavior"]),
        ([*declared(), *declared()], ["tools[1].function_declarations[0].name"]),
        ([*declared(), {"googleSearch": {}}], ["tools"]),
        ([*declared(), {"codeExecution": {}}], ["tools"]),
        ([{"codeExecution": {"language": "x"}}], ["tools[0].code_execution"]),
        ([{"googleSearchRetrieval": {}}], ["tools[0].google_search_retrieval"]),
        ([{"urlContext": {}}], ["tools[0].url_context"]),
        ([{"googleMaps": {}}], ["tools[0].google_maps"]),
        ([{"fileSearch": {}}], ["tools[0].file_search"]),
        ([{"computerUse": {}}], ["tools[0].computer_use"]),
        ([{"mcpServers": [{}]}], ["tools[0].mcp_servers"]),
    ],
)
def test_tools_that_make_no_sense_are_refused(wrong, tools, fields):
    """400 with the place."""
    assert wrong({"tools": tools}) == fields


def test_there_are_only_so_many_functions(wrong, answered, functions):
    """512."""
    names = [f"f{number}" for number in range(513)]
    assert wrong({"tools": functions(*names)}) == ["tools"]
    assert answered({"tools": functions(*names[1:])})["finishReason"] == "STOP"


@pytest.mark.parametrize("model", ["gemma-3-27b-it", "gemini-2.5-flash-image"])
def test_not_every_model_has_tools(wrong, functions, model):
    """Refused before anything about them."""
    assert wrong({"tools": functions("9")}, model) == ["tools"]


PLACE = "tool_config.function_calling_config"


@pytest.mark.parametrize(
    ("config", "fields"),
    [
        (config("ANY", "g"), [f"{PLACE}.allowed_function_names[0]"]),
        (config("ANY", "f", "g"), [f"{PLACE}.allowed_function_names[1]"]),
        (config("AUTO", "f"), [f"{PLACE}.allowed_function_names"]),
        (config("NONE", "f"), [f"{PLACE}.allowed_function_names"]),
        (config("MAYBE"), [f"{PLACE}.mode"]),
        ({"includeServerSideToolInvocations": True}, ["tool_config.include_server_side_tool_invocations"]),
    ],
)
def test_a_choice_that_makes_no_sense_is_refused(wrong, functions, config, fields):
    """400 with the place."""
    assert wrong({"tools": functions("f"), "toolConfig": config}) == fields


def test_a_choice_needs_functions(wrong, answered):
    """An empty one does not."""
    assert wrong({"toolConfig": config("AUTO")}) == [PLACE]
    assert answered({"toolConfig": {}})["finishReason"] == "STOP"
