"""How a service of this dialect behaves: every setting, with what it is by default.

A service whose habits differ has a subclass with other defaults.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

Count = Annotated[int, msgspec.Meta(ge=0)]


class Knobs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings."""

    # limits, each per account
    rate_limit: Count = 1_000_000  # requests in a window
    token_limit: Count = 1_000_000_000  # tokens in a window
    rate_window_s: float = 60.0
    quota: Count | None = None  # requests until the credit is spent; None: without end
    upload_limit_bytes: int = 25 * 1024 * 1024
    context_tokens: int | None = None  # of every model, instead of its own
    # chat
    only_max_completion_tokens: bool = False  # every model refuses `max_tokens`, as those that reason do
    usage: Literal["asked", "with_finish", "off"] = (
        "asked"  # in streams; with_finish: unasked, beside the finish reason
    )
    obfuscation: bool = True  # chunks are padded to hide their length
    reasoning_field: Literal["none", "reasoning_content", "reasoning"] = "none"  # where the thinking is shown
    refusal: bool = False  # the model declines to answer
    cache_ttl_s: float = 300.0  # how long the beginning of a prompt is remembered
