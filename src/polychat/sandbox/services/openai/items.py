"""The input of a response: items of several types, and what the model is told of them.

Messages may leave their type out. Calls and their outputs belong together by `call_id`, also across responses.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec

from polychat.sandbox import brain
from polychat.sandbox.services.openai import attachments, drawing, refusals
from polychat.sandbox.services.openai.bodies import Wire, kind, narrow
from polychat.sandbox.services.openai.models import Model
from polychat.sandbox.services.openai.refusals import Refusal

Status = Literal["in_progress", "completed", "incomplete"]
_ROLES: Mapping[str, brain.Role] = {
    "system": "system", "developer": "system", "user": "user", "assistant": "assistant",
}  # fmt: skip


class Part(Wire, frozen=True, kw_only=True, tag_field="type"):
    """A part of a message."""

    prompt_cache_breakpoint: dict[str, Any] | None = None


class InputText(Part, frozen=True, kw_only=True, tag="input_text"):
    """Text."""

    text: str


class InputImage(Part, frozen=True, kw_only=True, tag="input_image"):
    """A picture by address or data URI, or one that was uploaded before."""

    detail: Literal["auto", "low", "high", "original"] = "auto"
    image_url: str | None = None
    file_id: str | None = None


class InputFile(Part, frozen=True, kw_only=True, tag="input_file"):
    """A document as a data URI, by address, or one that was uploaded before."""

    file_data: str | None = None
    file_url: str | None = None
    file_id: str | None = None
    filename: str | None = None
    detail: Literal["auto", "low", "high"] = "auto"


class OutputText(Part, frozen=True, kw_only=True, tag="output_text"):
    """What the model said."""

    text: str
    annotations: tuple[Any, ...] = ()
    logprobs: tuple[Any, ...] | None = None


class OutputRefusal(Part, frozen=True, kw_only=True, tag="refusal"):
    """What the model said when it declined."""

    refusal: str


AnyPart = InputText | InputImage | InputFile | OutputText | OutputRefusal
_SAID = (OutputText, OutputRefusal)  # by the model
_GIVEN = (InputText, InputImage, InputFile)  # to the model
Parts = Annotated[tuple[AnyPart, ...], msgspec.Meta(min_length=1)]


class Item(Wire, frozen=True, kw_only=True):
    """An item of the input."""

    type: str
    id: str | None = None


class Message(Item, frozen=True, kw_only=True):
    """What somebody says."""

    status: Status | None = None
    type: Literal["message"] = "message"
    role: Literal["user", "assistant", "system", "developer"]
    content: str | Parts
    phase: Literal["commentary", "final_answer"] | None = None


class FunctionCall(Item, frozen=True, kw_only=True):
    """A call that the model made."""

    status: Status | None = None
    call_id: str
    name: str
    arguments: str


class FunctionOutput(Item, frozen=True, kw_only=True):
    """What a function answered."""

    status: Status | None = None
    call_id: str
    output: str | Parts


class Words(Wire, frozen=True, kw_only=True):
    """A piece of the reasoning, or of its summary."""

    type: Literal["summary_text", "reasoning_text"]
    text: str


class Reasoning(Item, frozen=True, kw_only=True):
    """What the model thought; handed back, it has no effect."""

    status: Status | None = None
    summary: tuple[Words, ...]
    content: tuple[Words, ...] | None = None
    encrypted_content: str | None = None


class Action(Wire, frozen=True, kw_only=True):
    """What a search did."""

    type: Literal["search", "open_page", "find_in_page"]
    query: str | None = None
    queries: tuple[str, ...] | None = None
    sources: tuple[dict[str, Any], ...] | None = None
    url: str | None = None
    pattern: str | None = None


class WebSearchCall(Item, frozen=True, kw_only=True):
    """A search that the model made; handed back, it has no effect."""

    action: Action
    status: Literal["in_progress", "searching", "completed", "failed", "incomplete"] | None = None


class ImageCall(Item, frozen=True, kw_only=True):
    """A picture that the model drew: in base64, or as the response that was kept has it."""

    result: str | None = None
    status: Literal["in_progress", "generating", "completed", "failed"] | None = None
    action: Literal["generate", "edit", "auto"] | None = None
    background: Literal["transparent", "opaque", "auto"] | None = None
    error: dict[str, Any] | None = None
    output_format: Literal["png", "webp", "jpeg", "gif", "svg"] | None = None
    quality: Literal["low", "medium", "high", "xhigh", "max", "auto"] | None = None
    revised_prompt: str | None = None
    size: str | None = None
    svg_usage: dict[str, Any] | None = None


_KINDS: Mapping[str, type[Item]] = {
    "message": Message, "function_call": FunctionCall, "function_call_output": FunctionOutput, "reasoning": Reasoning,
    "web_search_call": WebSearchCall, "image_generation_call": ImageCall,
}  # fmt: skip


def read(asked: str | Sequence[Any]) -> tuple[Item, ...]:
    """The input as items. Raises: Refusal."""
    if isinstance(asked, str):
        return (Message(role="user", content=asked),)
    return tuple(_item(value, f"input[{index}]") for index, value in enumerate(asked))


def _item(value: Any, param: str) -> Item:
    if not isinstance(value, dict):
        raise Refusal(f"Expected an object at '{param}'.", param=param, code="invalid_type")
    said = kind(value, param, "message")
    if said not in _KINDS:
        raise refusals.unplayed(f"{param}.type", f"items of the type '{said}', only {', '.join(_KINDS)}")
    return narrow(value, _KINDS[said], param)


def judge_calls(items: Sequence[Item], waiting: frozenset[str]) -> None:
    """Refuse calls without output and outputs without call; `waiting` are calls of the response before."""
    calls = waiting | {item.call_id for item in items if isinstance(item, FunctionCall)}
    answered = {item.call_id for item in items if isinstance(item, FunctionOutput)}
    if strangers := answered - calls:
        raise Refusal(f"There is no function call '{min(strangers)}' that this output answers.", param="input")
    if missing := calls - answered:
        raise Refusal(f"The function call '{min(missing)}' has no output.", param="input")


def turns(items: Sequence[Item], model: Model) -> Iterator[brain.Turn]:
    """The items as the model takes them. Raises: Refusal."""
    for index, item in enumerate(items):
        if isinstance(item, Message):
            _judge_parts(item.content, _SAID if item.role == "assistant" else _GIVEN, f"input[{index}].content")
            yield _turn(_ROLES[item.role], item.content, f"input[{index}].content", model)
        elif isinstance(item, FunctionCall):
            yield brain.Turn(role="assistant", text=f"{item.name}({item.arguments})")
        elif isinstance(item, FunctionOutput):
            _judge_parts(item.output, _GIVEN, f"input[{index}].output")
            yield _turn("tool", item.output, f"input[{index}].output", model)
        elif isinstance(item, ImageCall) and item.result is not None:
            param = f"input[{index}].result"
            picture = _picture(attachments.encoded_picture(item.result, param), param)
            yield brain.Turn(role="assistant", text=item.revised_prompt or "", attachments=(picture,))


def _judge_parts(content: str | tuple[AnyPart, ...], allowed: tuple[type[Part], ...], param: str) -> None:
    """Raises: Refusal for a part that is not for this place."""
    for index, part in enumerate(() if isinstance(content, str) else content):
        if not isinstance(part, allowed):
            names = " and ".join(str(kind.__struct_config__.tag) for kind in allowed)
            message = f"'{part.__struct_config__.tag}' is not for this place, where {names} are."
            raise refusals.invalid_value(f"{param}[{index}]", message)


def _turn(role: brain.Role, content: str | tuple[AnyPart, ...], param: str, model: Model) -> brain.Turn:
    if isinstance(content, str):
        return brain.Turn(role=role, text=content)
    said = [part.text for part in content if isinstance(part, InputText | OutputText)]
    said += [part.refusal for part in content if isinstance(part, OutputRefusal)]
    shown = [
        _opened(part, f"{param}[{index}]", model)
        for index, part in enumerate(content)
        if isinstance(part, InputImage | InputFile)
    ]
    return brain.Turn(role=role, text="\n".join(said), attachments=tuple(shown))


def _picture(data: bytes, param: str) -> bytes:
    """The same bytes, which can be opened to the end. Raises: Refusal."""
    if drawing.measure(data) is None:
        raise Refusal("The bytes are a damaged picture.", param=param, code="invalid_image_format")
    return data


def _opened(part: InputImage | InputFile, param: str, model: Model) -> bytes:
    picture = isinstance(part, InputImage)
    if not (model.sees if picture else model.reads):
        message = f"The model '{model.id}' takes no {'pictures' if picture else 'documents'}."
        raise Refusal(message, param=f"{param}.type", code="invalid_value")
    if part.file_id is not None:
        raise refusals.invalid_value(f"{param}.file_id", f"there is no file '{part.file_id}'.")
    if isinstance(part, InputImage):
        if part.image_url is None:
            raise refusals.missing(f"{param}.image_url")
        return _picture(attachments.picture(part.image_url, f"{param}.image_url"), f"{param}.image_url")
    if part.file_url is not None:
        raise refusals.invalid_value(f"{param}.file_url", "the address cannot be reached from here.")
    if part.file_data is None:
        raise refusals.missing(f"{param}.file_data")
    return attachments.document(part.file_data, f"{param}.file_data")
