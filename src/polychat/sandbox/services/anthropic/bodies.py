"""The bodies of requests read into records: whatever is unknown, missing or wrong is refused by its place.

A place is a path with dots, `messages.0.content.1.text`.
"""

from __future__ import annotations

import re
from typing import Any, TypeVar

import msgspec

from polychat.sandbox.services.anthropic import refusals
from polychat.sandbox.services.anthropic.refusals import Refusal
from polychat.sandbox.services.anthropic.state import ApiCall

T = TypeVar("T")
_NAMED = re.compile(r"(?P<what>unknown|missing required) field `(?P<name>.+)`")
_SAID = {"unknown": "Extra inputs are not permitted", "missing required": "Field required"}


class Wire(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A shape that a client sends; what it does not name is refused."""


def read(call: ApiCall, kind: type[T]) -> T:
    """The JSON body as `kind`. Raises: Refusal."""
    declared = call.headers.get("content-type", "none").partition(";")[0]
    if declared != "application/json":
        raise refusals.wrong("content-type", f"'{declared}' is not taken here, only application/json")
    if len(call.body) > call.knobs.upload_limit_bytes:
        raise refusals.too_large(len(call.body), call.knobs.upload_limit_bytes)
    try:
        return msgspec.json.decode(call.body, type=kind)
    except msgspec.ValidationError as mistake:
        raise _located(mistake, "") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Refusal("the body of the request is not valid JSON") from None


def narrow(value: Any, kind: type[T], place: str) -> T:
    """Decoded JSON, found at `place`, as `kind`. Raises: Refusal."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as mistake:
        raise _located(mistake, place) from None


def _located(mistake: msgspec.ValidationError, inside: str) -> Refusal:
    """The mistake as the service tells it."""
    sentence, _at, path = str(mistake).partition(" - at ")
    steps = re.findall(r"[^.\[\]`$]+", path.replace("[...]", ""))
    if named := _NAMED.search(sentence):
        steps.append(named["name"])
        sentence = _SAID[named["what"]]
    place = ".".join(filter(None, (inside, *steps)))
    return refusals.wrong(place or "body", sentence.replace("`", ""))
