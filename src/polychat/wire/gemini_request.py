"""A question as the Gemini API's `generateContent` takes it. Pure; `gemini_messages` writes the talk.

Which model is asked stands in the path, and so does whether the answer is streamed. Unset fields are left out. JSON
Schemas go as they are (`parametersJsonSchema`, `responseJsonSchema`). Google Search beside the caller's own tools needs
a model that tells what it searched (`includeServerSideToolInvocations`), which Gemini 3 and later are. `extra_body` is
merged into the request, object by object. Shapes as in the types of `google-genai` 3.4; 2026-11.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from polychat.errors import BadOption, UnsupportedFeature
from polychat.types import NamedTool, Request, ResponseFormat, Tool
from polychat.wire import gemini_messages, gemini_thinking

MOST_STOPS = 5
_TOOLS_TOGETHER = 3  # the generation that searches beside the caller's tools
_MODES = {"auto": "AUTO", "none": "NONE", "required": "ANY"}
_CONFIGURED = {  # our options -> their names in generationConfig
    "top_k": "topK",
    "presence_penalty": "presencePenalty",
    "frequency_penalty": "frequencyPenalty",
    "media_resolution": "mediaResolution",
    "image_config": "imageConfig",
    "speech_config": "speechConfig",
}
_HOSTED = {"code_execution": "codeExecution", "url_context": "urlContext"}  # options -> tools of the service's own

OPTIONS: Mapping[str, type] = {
    "top_k": int,
    "presence_penalty": float,
    "frequency_penalty": float,
    "media_resolution": str,  # MEDIA_RESOLUTION_LOW, _MEDIUM, _HIGH
    "image_config": dict,  # {"aspectRatio": "16:9", "imageSize": "2K"}
    "speech_config": dict,  # {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": "Kore"}}}
    "include_thoughts": bool,
    "thinking_budget": int,  # tokens; 0 for none, -1 for as many as it likes
    "code_execution": bool,
    "url_context": bool,
    "safety_settings": list,  # [{"category": "HARM_CATEGORY_...", "threshold": "BLOCK_NONE"}]
    "cached_content": str,  # cachedContents/ID
    "extra_body": dict,  # fields of the service's own, as they are
}

Json = dict[str, Any]


def body(request: Request) -> Json:
    """The JSON of the request. Raises: `BadOption` and `UnsupportedFeature` for what cannot be said here."""
    options = request.options
    whole = {
        "systemInstruction": gemini_messages.system(request),
        "contents": gemini_messages.contents(request),
        "tools": _tools(request),
        "toolConfig": _tool_config(request),
        "generationConfig": _generation(request),
        "safetySettings": options.get("safety_settings"),
        "cachedContent": options.get("cached_content"),
    }
    return _merged({name: value for name, value in whole.items() if value}, options.get("extra_body", {}))


def _merged(ours: Json, theirs: Json) -> Json:
    """`theirs` over `ours`; objects that both have are merged in turn."""
    merged = dict(ours)
    for name, value in theirs.items():
        both = isinstance(value, dict) and isinstance(ours.get(name), dict)
        merged[name] = _merged(ours[name], value) if both else value
    return merged


def _generation(request: Request) -> Json:
    if len(request.stop) > MOST_STOPS:
        raise BadOption(f"stop has {len(request.stop)} texts; gemini takes {MOST_STOPS}", field="stop")
    fields = {
        "temperature": request.temperature,
        "topP": request.top_p,
        "maxOutputTokens": request.max_tokens,
        "stopSequences": list(request.stop) or None,
        "seed": request.seed,
        "responseModalities": _modalities(request),
        "thinkingConfig": _thinking(request) or None,
        **(_format(request.response_format) if request.response_format else {}),
        **{name: request.options.get(option) for option, name in _CONFIGURED.items()},
    }
    return {name: value for name, value in fields.items() if value is not None}


def _modalities(request: Request) -> list[str] | None:
    """What the answer may be made of, where it is not words alone; one that is heard holds nothing else."""
    if "audio" in request.modalities:
        return ["AUDIO"]
    return [name.upper() for name in request.modalities] if "image" in request.modalities else None


def _thinking(request: Request) -> Json:
    wanted = gemini_thinking.config(request.model, request.reasoning_effort) if request.reasoning_effort else {}
    own = {"includeThoughts": "include_thoughts", "thinkingBudget": "thinking_budget"}
    return wanted | {name: request.options[option] for name, option in own.items() if option in request.options}


def _format(wanted: ResponseFormat) -> Json:
    if wanted.type == "text":
        return {}
    return {"responseMimeType": "application/json", "responseJsonSchema": wanted.schema}


# ---------------------------------------------------------------- tools


def _tools(request: Request) -> list[Json]:
    """The caller's functions, and those of the service."""
    hosted = [name for option, name in _HOSTED.items() if request.options.get(option)]
    if request.web_search:
        hosted.append("googleSearch")
    functions = [{"functionDeclarations": [_declared(tool) for tool in request.tools]}] if request.tools else []
    return [*functions, *({name: {}} for name in hosted)]


def _declared(tool: Tool) -> Json:
    """A function; without parameters it has no schema."""
    fields = {"name": tool.name, "description": tool.description, "parametersJsonSchema": tool.parameters or None}
    return {name: value for name, value in fields.items() if value is not None}


def _tool_config(request: Request) -> Json:
    if request.parallel_tool_calls is False and request.tools:
        raise UnsupportedFeature(
            "gemini cannot be told to call one tool at a time", hint="leave parallel_tool_calls out"
        )
    calling = _calling(request)
    return ({"functionCallingConfig": calling} if calling else {}) | _together(request)


def _calling(request: Request) -> Json | None:
    """Which calls may come; schemas that are to be obeyed strictly are what VALIDATED is for."""
    choice = request.tool_choice
    if isinstance(choice, NamedTool):
        return {"mode": "ANY", "allowedFunctionNames": [choice.name]}
    if choice in {None, "auto"} and any(tool.strict for tool in request.tools):
        return {"mode": "VALIDATED"}
    return None if choice is None else {"mode": _MODES[choice]}


def _together(request: Request) -> Json:
    """What the service's own tools need beside the caller's. Raises: `UnsupportedFeature` for a model without that."""
    if not request.tools or len(_tools(request)) == 1:
        return {}
    if gemini_thinking.generation(request.model) < _TOOLS_TOGETHER:
        raise UnsupportedFeature(
            f"{request.model} uses either your tools or its own, not both", hint="ask a model of Gemini 3 or later"
        )
    return {"includeServerSideToolInvocations": True}
