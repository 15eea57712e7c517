"""The bodies of requests: JSON of a bounded size, read into messages."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from polychat.sandbox.services.gemini import proto
from polychat.sandbox.services.gemini.refusals import Refusal
from polychat.sandbox.services.gemini.state import ApiCall

T = TypeVar("T")


def read(call: ApiCall, kind: type[T]) -> T:
    """The JSON body as `kind`. Raises: Refusal."""
    declared = call.headers.get("content-type", "application/json").partition(";")[0].strip()
    if declared != "application/json":
        raise Refusal(f"The content type '{declared}' is not taken here: send application/json.")
    if len(call.body) > call.knobs.upload_limit_bytes:
        limit = call.knobs.upload_limit_bytes
        raise Refusal(f"The request has {len(call.body)} bytes, which is more than the limit of {limit} bytes.")
    return proto.read(_decoded(call.body), kind)


def _decoded(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body or b"{}")
    except (msgspec.DecodeError, UnicodeDecodeError) as mistake:
        raise Refusal(f"The body of the request is not JSON: {mistake}.") from None
