"""Messages, tools and answers in the OpenAI dialect, as the core knows them. Pure.

What comes in is plain JSON data (dicts and lists), as a person writes it or a server receives it; every refusal names
the place: `messages[2].content[0].type`.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast, get_args
from urllib.parse import unquote_to_bytes

import msgspec

from polychat.errors import BadOption
from polychat.types import Audio, File, Image, Message, Part, Role, Text, ToolCall, ToolResult

_ROLES = {**{role: role for role in get_args(Role)}, "developer": "system", "function": "tool"}
_KINDS = "a part is text, or an object whose type is text, image_url, input_audio or file"


def messages(given: object) -> tuple[Message, ...]:
    """The talk, oldest first. Raises `BadOption` naming the field that is wrong."""
    if isinstance(given, str):
        return (Message(role="user", parts=(Text(text=_sendable(given, "messages")),)),)
    if not isinstance(given, Sequence) or isinstance(given, bytes):
        raise _bad("messages", f"is {type(given).__name__}, not a list of messages")
    if not given:
        raise _bad("messages", "is empty; a question needs at least one message")
    return tuple(message(one, f"messages[{index}]") for index, one in enumerate(given))


def message(given: object, field: str) -> Message:
    """One message; `field` is what to call it when it is wrong."""
    if isinstance(given, Message):
        return given
    if not isinstance(given, Mapping):
        raise _bad(field, f"is {type(given).__name__}, not an object with role and content")
    role = _role(given, field)
    content = given.get("content")
    if role == "tool":
        return Message(role="tool", parts=(_tool_result(given, field),))
    calls = tuple(_tool_call(one, f"{field}.tool_calls[{i}]") for i, one in enumerate(_calls(given, field)))
    if content is None and not calls:
        raise _bad(f"{field}.content", "is missing")
    return Message(
        role=role,
        parts=_parts(content, f"{field}.content"),
        tool_calls=calls,
        name=_optional_text(given, "name", field),
    )


def converted(given: object, into: Any, field: str = "") -> Any:
    """Plain data as the type `into`; `field` is what to call it. Raises `BadOption` naming the place that is wrong."""
    try:
        return msgspec.convert(given, into)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `$")
        path = f"{field}{where.rstrip('`')}".lstrip(".") or field
        raise BadOption(f"{path}: {what[:1].lower()}{what[1:]}", field=path) from error


def _role(given: Mapping[str, Any], field: str) -> Role:
    role = given.get("role")
    if not isinstance(role, str) or role not in _ROLES:
        raise _bad(f"{field}.role", f"is {role!r}; it is one of {', '.join(sorted(_ROLES))}")
    return cast(Role, _ROLES[role])


def _parts(content: object, field: str) -> tuple[Part, ...]:
    if content is None:
        return ()
    if isinstance(content, str):
        return (Text(text=_sendable(content, field)),)
    if not isinstance(content, Iterable) or isinstance(content, Mapping | bytes):
        raise _bad(field, f"is {type(content).__name__}, not text or a list of parts")
    return tuple(_part(one, f"{field}[{index}]") for index, one in enumerate(content))


def _part(given: object, field: str) -> Part:
    if isinstance(given, Text | Image | Audio | File):
        return given
    if isinstance(given, str):
        return Text(text=_sendable(given, field))
    if not isinstance(given, Mapping):
        raise _bad(field, f"is {type(given).__name__}, not a content part", hint=_KINDS)
    match given.get("type"):
        case "text" | "input_text" | "output_text":
            return Text(text=_text(given, "text", field))
        case "image_url" | "input_image":
            return _image(given, field)
        case "input_audio":
            return Audio(data=_base64(_text(_object(given, "input_audio", field), "data", field), field))
        case "file" | "input_file":
            return _file(_object(given, "file", field), f"{field}.file")
        case other:
            raise _bad(f"{field}.type", "is missing" if other is None else f"is {other!r}", hint=_KINDS)


def _image(given: Mapping[str, Any], field: str) -> Image:
    inner = given.get("image_url")
    detail = inner.get("detail") if isinstance(inner, Mapping) else given.get("detail")
    url = _text(inner, "url", f"{field}.image_url") if isinstance(inner, Mapping) else inner
    if not isinstance(url, str) or not url:
        raise _bad(f"{field}.image_url", "holds no url")
    if detail not in (None, "auto", "low", "high"):
        raise _bad(f"{field}.image_url.detail", f"is {detail!r}; it is one of auto, low, high")
    if not url.startswith("data:"):
        if not url.startswith(("http://", "https://")):
            raise _bad(f"{field}.image_url.url", "is neither an http(s) URL nor a data URI")
        return Image(url=url, detail=detail)
    image = Image(data=data_uri(url, f"{field}.image_url.url"), detail=detail)
    if not str(image.media_type).startswith("image/"):
        raise _bad(f"{field}.image_url.url", f"holds {image.media_type}, not a picture")
    return image


def _file(given: Mapping[str, Any], field: str) -> File:
    data = _text(given, "file_data", field)
    body = data_uri(data, f"{field}.file_data") if data.startswith("data:") else _base64(data, f"{field}.file_data")
    return File(data=body, name=_optional_text(given, "filename", field))


def _calls(given: Mapping[str, Any], field: str) -> Sequence[object]:
    calls = given.get("tool_calls") or ()
    if not isinstance(calls, Sequence) or isinstance(calls, str | bytes):
        raise _bad(f"{field}.tool_calls", f"is {type(calls).__name__}, not a list of tool calls")
    return calls


def _tool_call(given: object, field: str) -> ToolCall:
    if not isinstance(given, Mapping):
        raise _bad(field, f"is {type(given).__name__}, not a tool call")
    function = _object(given, "function", field)
    return ToolCall(
        id=_text(given, "id", field),
        name=_text(function, "name", f"{field}.function"),
        arguments=_arguments(function, f"{field}.function"),
    )


def _arguments(function: Mapping[str, Any], field: str) -> str:
    if isinstance(function.get("arguments"), Mapping):
        raise _bad(f"{field}.arguments", "is an object, not text", hint="write it as JSON text, as the model did")
    return _text(function, "arguments", field)


def _tool_result(given: Mapping[str, Any], field: str) -> ToolResult:
    parts = _parts(given.get("content"), f"{field}.content")
    kept = tuple(part for part in parts if isinstance(part, Text | Image | Audio | File))
    return ToolResult(
        tool_call_id=_text(given, "tool_call_id", field), content=kept, name=_optional_text(given, "name", field)
    )


def data_uri(uri: str, field: str) -> bytes:
    """The bytes of an RFC 2397 data URI. Raises `BadOption` naming `field` when it is damaged or empty."""
    head, comma, body = uri.partition(",")
    if not comma:
        raise _bad(field, "is a data URI without a comma")
    data = _base64(body, field) if head.endswith(";base64") else unquote_to_bytes(body)
    if not data:
        raise _bad(field, "is empty (0 bytes)")
    return data


def _base64(text: str, field: str) -> bytes:
    try:
        return b64decode(unquote_to_bytes(text), validate=True)
    except binascii.Error as error:
        raise _bad(field, f"is damaged base64 ({error})") from error


def _text(given: Mapping[str, Any], name: str, field: str) -> str:
    value = given.get(name)
    if not isinstance(value, str):
        what = "is missing" if value is None else f"is {type(value).__name__}, not text"
        raise _bad(f"{field}.{name}", what)
    return _sendable(value, f"{field}.{name}")


def _sendable(text: str, field: str) -> str:
    """`text`, unless it holds half of a pair of surrogates, which no service could be sent."""
    try:
        text.isascii() or text.encode()
    except UnicodeEncodeError as error:
        what = f"holds half of a character, U+{ord(text[error.start]):04X} without its pair"
        raise _bad(field, what, hint="take it out, or decode the text anew") from None
    return text


def _optional_text(given: Mapping[str, Any], name: str, field: str) -> str | None:
    return None if given.get(name) is None else _text(given, name, field)


def _object(given: Mapping[str, Any], name: str, field: str) -> Mapping[str, Any]:
    value = given.get(name)
    if not isinstance(value, Mapping):
        raise _bad(f"{field}.{name}", "is missing" if value is None else f"is {type(value).__name__}, not an object")
    return value


def _bad(field: str, what: str, *, hint: str | None = None) -> BadOption:
    return BadOption(f"{field} {what}", field=field, hint=hint)
