"""One answer of a batch, as OpenAI writes it.

    {"id": "batch_req_...", "custom_id": "1", "response": {"status_code": 200, "request_id": ..., "body": {...}},
     "error": null}

A line that failed has the status and the body that OpenAI answers errors with, and its code and message once more as
`error`. Wire facts: OpenAI's Batch API reference, "The request output object", 2026-11.
"""

from __future__ import annotations

import secrets

import msgspec

from polychat.client.shapes import Shape
from polychat.errors import BadOption, PolychatError

OK = 200
_TYPES = {401: "authentication_error", 402: "insufficient_quota", 403: "permission_error", 429: "rate_limit_error"}


class ErrorFacts(msgspec.Struct, kw_only=True, omit_defaults=True):
    """OpenAI's error, with what only we know after its four fields."""

    message: str
    type: str
    param: str | None
    code: str | None
    hint: str | None = None
    provider: str | None = None
    account: str | None = None
    partial: str | None = None  # the words that had come of the answer


class ErrorBody(Shape, kw_only=True):
    """The body of an answer that is an error."""

    error: ErrorFacts


class Response(msgspec.Struct, kw_only=True):
    """How a question was answered."""

    status_code: int
    request_id: str
    body: Shape


class Failure(msgspec.Struct, kw_only=True):
    """What went wrong, in two words."""

    code: str
    message: str


class Answer(msgspec.Struct, kw_only=True):
    """One line."""

    id: str
    custom_id: str
    response: Response
    error: Failure | None


def answered(custom_id: str, body: Shape) -> Answer:
    """The line of a question that was answered."""
    response = Response(status_code=OK, request_id=secrets.token_hex(16), body=body)
    return Answer(id=_new_id(), custom_id=custom_id, response=response, error=None)


def failed(custom_id: str, error: PolychatError) -> Answer:
    """The line of a question that came to nothing."""
    facts = ErrorFacts(
        message=error.message,
        type=_TYPES.get(error.status, "invalid_request_error" if error.status < 500 else "server_error"),
        param=error.field if isinstance(error, BadOption) else None,
        code=error.code,
        hint=error.hint,
        provider=error.provider,
        account=error.account,
        partial=error.partial.text if error.partial is not None and error.after_content else None,
    )
    request_id = error.request_id or secrets.token_hex(16)
    return Answer(
        id=_new_id(),
        custom_id=custom_id,
        response=Response(status_code=error.status, request_id=request_id, body=ErrorBody(error=facts)),
        error=Failure(code=error.code, message=error.message),
    )


def _new_id() -> str:
    return f"batch_req_{secrets.token_hex(12)}"
