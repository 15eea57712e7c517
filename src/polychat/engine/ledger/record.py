"""One request as the ledger remembers it, and the names that things have there.

A record holds no secret: accounts and keys by their names, errors by their codes. Words of the question and the answer
are in `content` alone, which is empty unless the person wants them kept.
"""

from __future__ import annotations

from random import getrandbits
from typing import Literal

import msgspec

from polychat.errors import ConfigError
from polychat.net.clocks import Kind

Outcome = Literal["ok", "error", "cancelled", "interrupted"]
Store = Literal["none", "facts", "full"]

FAILED: tuple[Outcome, ...] = ("error", "interrupted")
ID_DIGITS = 20
_RANDOM_BITS = 36


class Record(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One request, whatever became of it. What nobody knows is None, never 0."""

    id: str  # of `new_id`: later ones sort later
    at: float  # when it was asked, Unix seconds
    kind: Kind = "chat"
    key: str | None = None  # the name of the gateway's key that asked
    account: str | None = None  # None: refused before an account was chosen
    provider: str | None = None
    model: str | None = None  # the service's own id
    wanted: str  # the model in the caller's words
    stream: bool = False
    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_input_tokens: int | None = None  # part of input_tokens
    reasoning_tokens: int | None = None  # part of output_tokens
    estimated: bool = False  # the tokens are ours, not the service's
    cost_usd: float | None = None  # None: no price is known
    wait_s: float | None = None  # for a free place at the account
    first_event_s: float | None = None  # from asking to the first batch
    total_s: float | None = None
    attempts: int = 1
    outcome: Outcome = "ok"
    error: str | None = None  # the error's stable code
    upstream_status: int | None = None
    request_id: str | None = None  # the service's own
    finish: str | None = None
    content: str | None = None  # JSON: {"messages": [...], "reply": {...}}


class Sighting(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What an account had left of one allowance when its service last said so."""

    account: str
    provider: str
    feature: str
    remaining: float | None = None
    limit: float | None = None
    resets_at: float | None = None  # Unix seconds
    seen_at: float  # Unix seconds


class InUse(ConfigError):
    """Another process is writing, and took longer than one waits; a later try may do."""


def new_id(at: float) -> str:
    """A name for what happened at `at` (Unix seconds): 20 hexadecimal digits that sort by time, to the millisecond."""
    return f"{int(at * 1000):011x}{getrandbits(_RANDOM_BITS):09x}"
