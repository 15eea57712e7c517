"""The bodies of requests, JSON and forms, read into records: whatever is unknown, missing or wrong is refused by name.

A refusal's `param` is the place in the body, `messages[0].content[1].text`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from polychat.sandbox.multipart import Part
from polychat.sandbox.services.openai import refusals
from polychat.sandbox.services.openai.refusals import Refusal
from polychat.sandbox.services.openai.state import ApiCall

T = TypeVar("T")
_CODES = (  # what msgspec says -> the service's code
    (r"unknown field", "unknown_parameter"),
    (r"missing required field", "missing_required_parameter"),
    (r"`int` >=", "integer_below_min_value"),
    (r"`int` <=", "integer_above_max_value"),
    (r"`float` >=", "decimal_below_min_value"),
    (r"`float` <=", "decimal_above_max_value"),
    (r"`array` of length >=", "empty_array"),
    (r"`array` of length <=", "array_above_max_length"),
    (r"`str` of length >=", "empty_string"),
    (r"`str` of length <=", "string_above_max_length"),
    (r"got `", "invalid_type"),
)


class Wire(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A shape that a client sends; what it does not name is refused."""


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """The fields and files of a multipart body; of a list `name[]`, the name alone."""

    fields: Mapping[str, Any]
    files: Mapping[str, tuple[Part, ...]]

    def file(self, name: str) -> Part:
        """The first file of that name. Raises: Refusal."""
        if not self.files.get(name):
            raise refusals.missing(name)
        return self.files[name][0]


def read(call: ApiCall, kind: type[T]) -> T:
    """The JSON body as `kind`. Raises: Refusal."""
    declared = call.headers.get("content-type", "none").partition(";")[0]
    if declared != "application/json":
        message = f"The content type '{declared}' is not taken here: send application/json."
        raise Refusal(message, code="unsupported_content_type", status=415)
    _judge_size(call)
    try:
        return msgspec.json.decode(call.body, type=kind)
    except msgspec.ValidationError as mistake:
        raise located(mistake) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Refusal("The body of the request is not JSON.") from None


def read_form(call: ApiCall, *files: str) -> Form:
    """The multipart body, with `files` as the names that may hold files. Raises: Refusal."""
    _judge_size(call)
    try:
        parts = call.parts()
    except ValueError as mistake:
        raise Refusal(f"The form cannot be read: {mistake}.") from None
    fields: dict[str, Any] = {}
    found: dict[str, tuple[Part, ...]] = {}
    for part in parts:
        name = part.name.removesuffix("[]")
        if part.filename is not None and name in files:
            found[name] = (*found.get(name, ()), part)
        elif part.name.endswith("[]"):
            fields[name] = [*fields.get(name, []), part.data.decode("utf-8", "replace")]
        else:
            fields[name] = part.data.decode("utf-8", "replace")
    return Form(fields=fields, files=found)


def convert(fields: Mapping[str, Any], kind: type[T]) -> T:
    """The fields of a form as `kind`; numbers and truth values are read from their text. Raises: Refusal."""
    try:
        return msgspec.convert(fields, kind, strict=False)
    except msgspec.ValidationError as mistake:
        raise located(mistake) from None


def narrow(value: Any, kind: type[T], param: str) -> T:
    """Decoded JSON, found at `param`, as `kind`. Raises: Refusal."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as mistake:
        raise located(mistake, param) from None


def kind(value: Mapping[str, Any], param: str, usual: str) -> str:
    """The type that `value`, found at `param`, says it has; `usual` where it says none. Raises: Refusal."""
    return narrow(value.get("type", usual), str, f"{param}.type")


def located(mistake: msgspec.ValidationError, inside: str = "") -> Refusal:
    """The mistake as the service tells it."""
    sentence, _at, place = str(mistake).partition(" - at ")
    param = (inside + place.strip("`").removeprefix("$").replace("[...]", "")).removeprefix(".")
    if named := re.search(r"(?:unknown|missing required) field `(.+)`", sentence):
        param = f"{param}.{named[1]}" if param else named[1]
    code = next((code for pattern, code in _CODES if re.search(pattern, sentence)), "invalid_value")
    message = f"{sentence.replace('`', '')} at '{param}'." if param else f"{sentence.replace('`', '')}."
    return Refusal(message, param=param or None, code=code)


def _judge_size(call: ApiCall) -> None:
    if len(call.body) > call.knobs.upload_limit_bytes:
        raise refusals.too_large(len(call.body), call.knobs.upload_limit_bytes)
