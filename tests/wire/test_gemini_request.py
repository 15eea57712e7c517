"""wire/gemini_request.py: what is sent to the Gemini API."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from polychat.errors import BadOption, UnsupportedFeature
from polychat.types import (
    Image,
    Message,
    NamedTool,
    Request,
    ResponseFormat,
    Text,
    Tool,
    ToolCall,
    ToolResult,
)
from polychat.wire.gemini_request import OPTIONS, body

HI = Message(role="user", parts=(Text(text="hi"),))
CONTENTS = [{"role": "user", "parts": [{"text": "hi"}]}]
F = Tool(name="f", description="d", parameters={"type": "object", "$defs": {}, "additionalProperties": False})
G = Tool(name="g")
DECLARED = [
    {"functionDeclarations": [{"name": "f", "description": "d", "parametersJsonSchema": F.parameters}, {"name": "g"}]}
]
NEW, OLD = "gemini-3.8-flash", "gemini-2.5-flash"


def sent(*messages: Message, model: str = NEW, **request: Any) -> dict[str, Any]:
    """The body for a question."""
    return body(Request(model=model, messages=messages or (HI,), **request))


def configured(**request: Any) -> Any:
    """The settings for a question."""
    return sent(**request).get("generationConfig")


def test_what_is_unset_is_left_out() -> None:
    """The talk alone."""
    assert sent() == {"contents": CONTENTS}


def test_every_setting_has_its_place() -> None:
    """In the service's words."""
    assert configured(
        temperature=0.5, top_p=0.9, max_tokens=7, stop=("a", "b"), seed=3,
        options={
            "top_k": 5, "presence_penalty": 0.1, "frequency_penalty": 0.2, "media_resolution": "MEDIA_RESOLUTION_LOW",
            "image_config": {"aspectRatio": "16:9"}, "speech_config": {"languageCode": "pl"},
        },
    ) == {
        "temperature": 0.5, "topP": 0.9, "maxOutputTokens": 7, "stopSequences": ["a", "b"], "seed": 3, "topK": 5,
        "presencePenalty": 0.1, "frequencyPenalty": 0.2, "mediaResolution": "MEDIA_RESOLUTION_LOW",
        "imageConfig": {"aspectRatio": "16:9"}, "speechConfig": {"languageCode": "pl"},
    }  # fmt: skip


def test_zero_is_a_setting() -> None:
    """As much as any number."""
    assert configured(temperature=0.0, seed=0, options={"presence_penalty": 0.0}) == {
        "temperature": 0.0,
        "seed": 0,
        "presencePenalty": 0.0,
    }


def test_six_stops_are_too_many() -> None:
    """Told by the field."""
    assert len(configured(stop=tuple("abcde"))["stopSequences"]) == 5
    with pytest.raises(BadOption, match="stop has 6 texts; gemini takes 5") as caught:
        sent(stop=tuple("abcdef"))
    assert caught.value.field == "stop"


@pytest.mark.parametrize(
    ("modalities", "expected"),
    [
        (("text",), None),
        (("text", "image"), ["TEXT", "IMAGE"]),
        (("image",), ["IMAGE"]),
        (("audio",), ["AUDIO"]),
        (("text", "audio"), ["AUDIO"]),
    ],
)
def test_modalities_are_told_where_they_are_not_words(modalities: Any, expected: Any) -> None:
    """Words alone are what every model answers in."""
    assert (configured(modalities=modalities) or {}).get("responseModalities") == expected


def test_forms_of_an_answer() -> None:
    """A schema goes as it is; free text is no form."""
    schema = {"type": "object", "properties": {"a": {"$ref": "#/$defs/x"}}, "$defs": {"x": {"type": "string"}}}
    mime = {"responseMimeType": "application/json"}
    assert configured(response_format=ResponseFormat(type="json_object")) == mime
    assert configured(response_format=ResponseFormat(type="json_schema", name="n", schema=schema)) == mime | {
        "responseJsonSchema": schema
    }
    assert configured(response_format=ResponseFormat(type="text")) is None


@pytest.mark.parametrize(
    ("model", "request_", "expected"),
    [
        (NEW, {"reasoning_effort": "high"}, {"thinkingLevel": "HIGH", "includeThoughts": True}),
        (OLD, {"reasoning_effort": "low"}, {"thinkingBudget": 1024, "includeThoughts": True}),
        (OLD, {"reasoning_effort": "none"}, {"thinkingBudget": 0}),
        (OLD, {"options": {"thinking_budget": 99}}, {"thinkingBudget": 99}),
        (NEW, {"options": {"include_thoughts": True}}, {"includeThoughts": True}),
        (
            OLD,
            {"reasoning_effort": "high", "options": {"thinking_budget": -1, "include_thoughts": False}},
            {"thinkingBudget": -1, "includeThoughts": False},
        ),
    ],
)
def test_how_hard_to_think(model: str, request_: Any, expected: Any) -> None:
    """By effort, or to the token; what is said exactly counts."""
    assert configured(model=model, **request_) == {"thinkingConfig": expected}


# ---------------------------------------------------------------- tools


def test_tools_go_with_their_schemas() -> None:
    """One without parameters has none."""
    assert sent(tools=(F, G)) == {"contents": CONTENTS, "tools": DECLARED}


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("auto", {"mode": "AUTO"}),
        ("none", {"mode": "NONE"}),
        ("required", {"mode": "ANY"}),
        (NamedTool(name="g"), {"mode": "ANY", "allowedFunctionNames": ["g"]}),
    ],
)
def test_which_tool_to_call(choice: Any, expected: Any) -> None:
    """None, any, or this one."""
    assert sent(tools=(F, G), tool_choice=choice)["toolConfig"] == {"functionCallingConfig": expected}


def test_a_strict_schema_is_obeyed() -> None:
    """Where the model may choose; a choice that is made stays."""
    strict = (Tool(name="s", strict=True), F)
    modes = [
        sent(tools=strict, tool_choice=choice)["toolConfig"]["functionCallingConfig"]["mode"]
        for choice in (None, "auto", "required", "none")
    ]
    assert modes == ["VALIDATED", "VALIDATED", "ANY", "NONE"]


def test_one_call_at_a_time_cannot_be_asked_for() -> None:
    """Unless there are no tools to call."""
    with pytest.raises(UnsupportedFeature, match="one tool at a time"):
        sent(tools=(F,), parallel_tool_calls=False)
    assert "toolConfig" not in sent(tools=(F,), parallel_tool_calls=True)
    assert "toolConfig" not in sent(parallel_tool_calls=False)


def test_tools_of_the_services_own() -> None:
    """A search, and those that are options."""
    assert sent(web_search=True)["tools"] == [{"googleSearch": {}}]
    options = {"code_execution": True, "url_context": True}
    assert sent(options=options)["tools"] == [{"codeExecution": {}}, {"urlContext": {}}]
    assert "tools" not in sent(options={"code_execution": False})
    assert "toolConfig" not in sent(web_search=True, options=options)


@pytest.mark.parametrize("wish", [{"web_search": True}, {"options": {"code_execution": True}}])
def test_its_tools_beside_the_callers_are_told_of(wish: Any) -> None:
    """By a model that can; another is not asked."""
    both = sent(tools=(F, G), tool_choice="auto", **wish)
    assert both["tools"][0] == DECLARED[0]
    assert len(both["tools"]) == 2
    assert both["toolConfig"] == {
        "functionCallingConfig": {"mode": "AUTO"},
        "includeServerSideToolInvocations": True,
    }
    with pytest.raises(UnsupportedFeature, match="uses either your tools or its own"):
        sent(model=OLD, tools=(F,), **wish)


# ---------------------------------------------------------------- the rest


def test_safety_and_cached_content() -> None:
    """As the service documents them."""
    safety = [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}]
    assert sent(options={"safety_settings": safety, "cached_content": "cachedContents/x"}) == {
        "contents": CONTENTS,
        "safetySettings": safety,
        "cachedContent": "cachedContents/x",
    }


def test_fields_of_its_own_are_merged() -> None:
    """Object by object; theirs count."""
    extra = {"generationConfig": {"logprobs": 2, "temperature": 1.0}, "labels": {"a": "b"}, "contents": []}
    assert sent(temperature=0.5, seed=1, options={"extra_body": extra}) == {
        "contents": [],
        "generationConfig": {"temperature": 1.0, "seed": 1, "logprobs": 2},
        "labels": {"a": "b"},
    }


def test_every_option_has_a_type() -> None:
    """That the engine checks, by the name that is read here."""
    assert {
        "top_k": int, "presence_penalty": float, "frequency_penalty": float, "media_resolution": str,
        "image_config": dict, "speech_config": dict, "include_thoughts": bool, "thinking_budget": int,
        "code_execution": bool, "url_context": bool, "safety_settings": list, "cached_content": str,
        "extra_body": dict,
    } == OPTIONS  # fmt: skip


EVERYTHING = Request(
    model=NEW,
    messages=(
        Message(role="system", parts=(Text(text="be brief"),)),
        Message(role="user", parts=(Text(text="hi"), Image(data=b"GIF89a\0"))),
        Message(role="assistant", tool_calls=(ToolCall(id="c", name="f", arguments='{"a": 1}'),)),
        Message(role="tool", parts=(ToolResult(tool_call_id="c", content=(Text(text="x"), Image(data=b"GIF89a\1"))),)),
    ),
    tools=(F, Tool(name="s", strict=True)),
    web_search=True,
    temperature=0.5,
    top_p=0.9,
    max_tokens=7,
    stop=("a",),
    seed=3,
    modalities=("text", "image"),
    reasoning_effort="high",
    response_format=ResponseFormat(type="json_schema", schema={"type": "object"}),
    options={
        "top_k": 5,
        "presence_penalty": 0.1,
        "frequency_penalty": 0.2,
        "code_execution": True,
        "url_context": True,
        "media_resolution": "MEDIA_RESOLUTION_LOW",
        "speech_config": {"languageCode": "pl"},
        "safety_settings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
    },
)


def test_the_official_package_knows_every_field() -> None:
    """Its own types take what is sent, and refuse any other name."""
    from google.genai import types
    from pydantic import ValidationError

    whole = msgspec.json.decode(msgspec.json.encode(body(EVERYTHING)))
    assert whole.keys() == {
        "systemInstruction", "contents", "tools", "toolConfig", "generationConfig", "safetySettings",
    }  # fmt: skip
    contents = [types.Content.model_validate(one) for one in (whole["systemInstruction"], *whole["contents"])]
    assert [content.role for content in contents] == [None, "user", "model", "user"]
    assert [types.Tool.model_validate(one) for one in whole["tools"]][1].code_execution is not None
    assert types.ToolConfig.model_validate(whole["toolConfig"]).include_server_side_tool_invocations
    assert types.GenerationConfig.model_validate(whole["generationConfig"]).seed == 3
    assert types.SafetySetting.model_validate(whole["safetySettings"][0]).threshold == "BLOCK_NONE"
    with pytest.raises(ValidationError):
        types.GenerationConfig.model_validate({"seeed": 3})
