"""How the service behaves: every setting, with what it is by default."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

Count = Annotated[int, msgspec.Meta(ge=0)]
Block = Literal["SAFETY", "OTHER", "BLOCKLIST", "PROHIBITED_CONTENT", "IMAGE_SAFETY", "JAILBREAK"]
Stop = Literal[
    "SAFETY", "RECITATION", "LANGUAGE", "OTHER", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY",
    "MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "MALFORMED_RESPONSE",
]  # fmt: skip


class Knobs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings."""

    # limits, each per account and model
    rate_limit: Count = 1_000_000  # requests in a window
    token_limit: Count = 1_000_000_000  # tokens of prompts in a window
    rate_window_s: float = 60.0
    daily_limit: Count | None = None  # requests in 24 hours
    upload_limit_bytes: int = 20 * 1024 * 1024
    context_tokens: int | None = None  # of every model, instead of its own
    # answers
    block: Block | None = None  # the prompt is blocked for this reason
    stop: Stop | None = None  # the answer breaks off for this reason
    unavailable_after: Count | None = None  # so many chunks of a stream come, then an error in their place
    cache_ttl_s: float = 300.0  # how long the beginning of a prompt is remembered
