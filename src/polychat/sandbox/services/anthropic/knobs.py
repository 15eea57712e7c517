"""How this service behaves: every setting, with what it is by default."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

Count = Annotated[int, msgspec.Meta(ge=0)]


class Knobs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings."""

    # limits, each per account
    rate_limit: Count = 1_000_000  # requests in a window
    input_token_limit: Count = 1_000_000_000  # tokens in a window; what is read from the cache does not count
    output_token_limit: Count = 1_000_000_000
    rate_window_s: float = 60.0
    quota: Count | None = None  # requests until the credit is spent; None: without end
    upload_limit_bytes: int = 32 * 1024 * 1024
    picture_limit_bytes: int = 10 * 1024 * 1024  # one picture, in base64
    context_tokens: int | None = None  # of every model, instead of its own
    cache_least_tokens: int | None = None  # the shortest beginning that is cached, instead of the model's own
    # answers
    thinking_tokens: Count | None = None  # of a model that is to think; None: by its effort
    redacted_thinking: bool = False  # thoughts come encrypted
    preface: bool = False  # a sentence before calls of tools
    refusal: bool = False  # the model declines to answer
    search_error: Literal["none", "unavailable", "too_many_requests", "query_too_long"] = "none"
    error_after: Count | None = None  # events of a stream, then an `error` event ends it
    error_kind: Literal["overloaded_error", "api_error", "rate_limit_error"] = "overloaded_error"
