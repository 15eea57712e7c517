"""The contents of a request: their shapes, and which part may stand where.

Neighbours of one role are one turn, as whoever streams an answer hands it back in many pieces.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import msgspec

from polychat.sandbox.services.gemini import blobs, refusals
from polychat.sandbox.services.gemini.blobs import Blob
from polychat.sandbox.services.gemini.models import Model
from polychat.sandbox.services.gemini.proto import Wire

Role = Literal["user", "model"]


class FileData(Wire, frozen=True, kw_only=True):
    """A file that was uploaded before."""

    file_uri: str = ""
    mime_type: str = ""
    display_name: str | None = None


class FunctionCall(Wire, frozen=True, kw_only=True):
    """A call that the model made."""

    name: str = ""
    args: dict[str, Any] = msgspec.field(default_factory=dict)
    id: str = ""


class Resolution(Wire, frozen=True, kw_only=True):
    """How closely to look."""

    level: Literal[
        "MEDIA_RESOLUTION_UNSPECIFIED", "MEDIA_RESOLUTION_LOW", "MEDIA_RESOLUTION_MEDIUM", "MEDIA_RESOLUTION_HIGH",
        "MEDIA_RESOLUTION_ULTRA_HIGH",
    ] = "MEDIA_RESOLUTION_UNSPECIFIED"  # fmt: skip
    num_tokens: int | None = None


class ShownPart(Wire, frozen=True, kw_only=True):
    """What a function shows beside what it says."""

    inline_data: Blob | None = None
    file_data: FileData | None = None
    media_resolution: Resolution | None = None


class FunctionResponse(Wire, frozen=True, kw_only=True):
    """What a function answered."""

    name: str = ""
    response: dict[str, Any] = msgspec.field(default_factory=dict)
    id: str = ""
    parts: tuple[ShownPart, ...] = ()
    will_continue: bool | None = None
    scheduling: Literal["SCHEDULING_UNSPECIFIED", "SILENT", "WHEN_IDLE", "INTERRUPT"] | None = None


class ExecutableCode(Wire, frozen=True, kw_only=True):
    """Code that the model ran."""

    language: Literal["LANGUAGE_UNSPECIFIED", "PYTHON"] = "LANGUAGE_UNSPECIFIED"
    code: str = ""
    id: str = ""


class CodeResult(Wire, frozen=True, kw_only=True):
    """What came of it."""

    outcome: Literal["OUTCOME_UNSPECIFIED", "OUTCOME_OK", "OUTCOME_FAILED", "OUTCOME_DEADLINE_EXCEEDED"] = (
        "OUTCOME_UNSPECIFIED"
    )
    output: str = ""
    id: str = ""


class VideoMetadata(Wire, frozen=True, kw_only=True):
    """Which part of a film to watch."""

    start_offset: str | None = None
    end_offset: str | None = None
    fps: float | None = None


class Part(Wire, frozen=True, kw_only=True):
    """A part of a content; exactly one of the fields above `thought` is its data."""

    text: str | None = None
    inline_data: Blob | None = None
    file_data: FileData | None = None
    function_call: FunctionCall | None = None
    function_response: FunctionResponse | None = None
    executable_code: ExecutableCode | None = None
    code_execution_result: CodeResult | None = None
    tool_call: dict[str, Any] | None = None
    tool_response: dict[str, Any] | None = None
    thought: bool = False
    thought_signature: bytes | None = None
    video_metadata: VideoMetadata | None = None
    media_resolution: Resolution | None = None
    part_metadata: dict[str, Any] | None = None


class Content(Wire, frozen=True, kw_only=True):
    """What one side says."""

    parts: tuple[Part, ...] = ()
    role: str | None = None


class Placed(NamedTuple):
    """A part, and where it stands in the request."""

    part: Part
    place: str


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """All that one side says before the other."""

    role: Role
    parts: tuple[Placed, ...]


_DATA = Part.__struct_fields__[: Part.__struct_fields__.index("thought")]
_OF_ONE_SIDE: dict[str, Role] = {
    "function_call": "model", "function_response": "user", "executable_code": "model", "code_execution_result": "model",
}  # fmt: skip


def runs(contents: Sequence[Content], model: Model, place: str = "contents") -> tuple[Run, ...]:
    """The contents of a request, judged one by one. Raises: Refusal."""
    if not contents:
        raise refusals.bad(place, "it is required and must not be empty.")
    found: list[Run] = []
    for index, content in enumerate(contents):
        where = f"{place}[{index}]"
        role = _role(content, f"{where}.role", alone=len(contents) == 1)
        parts = tuple(placed(content, where, model, role))
        if found and found[-1].role == role:
            found[-1] = Run(role=role, parts=found[-1].parts + parts)
        else:
            found.append(Run(role=role, parts=parts))
    return tuple(found)


def _role(content: Content, place: str, *, alone: bool) -> Role:
    if content.role == "user" or (alone and not content.role):
        return "user"
    if content.role != "model":
        raise refusals.bad(place, f"'{content.role or ''}' is no role: it is user or model.")
    return "model"


def placed(content: Content, place: str, model: Model, role: Role) -> Sequence[Placed]:
    """The parts of a content, judged. Raises: Refusal."""
    if not content.parts:
        raise refusals.bad(f"{place}.parts", "it is required and must not be empty.")
    parts = [Placed(part, f"{place}.parts[{index}]") for index, part in enumerate(content.parts)]
    for part in parts:
        _judge(part, role, model)
    return parts


def _judge(placed: Placed, role: Role, model: Model) -> None:
    part, place = placed
    fields = [name for name in _DATA if getattr(part, name) is not None]
    if len(fields) != 1:
        said = f"{' and '.join(fields)} exclude each other" if fields else "none is there"
        raise refusals.bad(f"{place}.data", f"exactly one field with data is required; {said}.")
    (field,) = fields
    if _OF_ONE_SIDE.get(field, role) != role:
        raise refusals.bad(f"{place}.{field}", f"it may not stand in a content with the role {role}.")
    if field in ("tool_call", "tool_response"):
        raise refusals.unplayed(f"{place}.{field}", "tools of the service that report their calls")
    if part.inline_data is not None:
        blobs.judge(part.inline_data, f"{place}.inline_data")
    if part.file_data is not None:
        raise refusals.not_permitted(f"The file '{part.file_data.file_uri}'")
    if part.function_response is not None:
        _judge_shown(part.function_response, f"{place}.function_response", model)


def _judge_shown(response: FunctionResponse, place: str, model: Model) -> None:
    if response.parts and not model.signs:
        raise refusals.bad(f"{place}.parts", f"models/{model.id} takes no media in the response of a function.")
    for index, shown in enumerate(response.parts):
        if shown.file_data is not None:
            raise refusals.not_permitted(f"The file '{shown.file_data.file_uri}'")
        if shown.inline_data is None:
            raise refusals.bad(f"{place}.parts[{index}].data", "exactly one field with data is required.")
        blobs.judge(shown.inline_data, f"{place}.parts[{index}].inline_data")
