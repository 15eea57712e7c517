"""How this ChatGPT behaves: every setting of the emulation, with what it is by default."""

from __future__ import annotations

from typing import Literal

import msgspec

Refusals = Literal[
    "none", "token_expired", "unauthorized", "cloudflare", "bot_page", "unusual_activity", "too_long",
    "conversation_not_found", "conversation_too_large", "model_cap", "too_many_requests", "detail_in_ok", "edge",
]  # fmt: skip


class Knobs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings. Those that name a scene also act as `X-Sandbox-Scenario: thinking`."""

    # the stream
    dialect: Literal["2026", "2025-03"] = "2026"  # which control events and forms of reasoning there are
    compat: Literal["none", "g4f"] = "none"  # g4f: only what the clients of 2025 and 2026 of that name can read
    addressing: Literal["auto", "sticky", "text", "explicit"] = "auto"  # where `p` and `o` are left out
    text: Literal["stream", "root", "closing"] = "stream"  # in deltas; begun in the root; all in the last patch
    title: Literal["before", "after", "none"] = "after"  # of a new conversation, relative to the answer
    echo: bool = True  # the system's and the user's messages come first
    done: bool = True  # `[DONE]` is sent
    # what happens in a turn
    thinking: bool = False
    search: bool = False
    tool: bool = False
    picture: bool = False
    picture_form: Literal["auto", "dalle", "sediment", "task"] = "auto"
    picture_delay_s: float = 0.05  # until the picture of a task is ready, by the sandbox clock
    max_tokens: int | None = None  # the answer stops there; `continue` goes on
    partial: bool = False  # then with the status `finished_partial_completion` and `end_turn` false
    blocked: bool = False  # moderation takes the answer back
    handoff: int | None = None  # after so many records the stream goes on elsewhere
    failure: Literal["none", "record", "root"] = "none"  # the turn fails in its stream
    websocket: Literal["simple", "topics", "silent"] = "simple"
    classic_socket: bool = False  # the classic turn answers with a `wss_url`, as early in 2024
    # the gate
    proof_of_work: bool = False
    turnstile: bool = False
    arkose: bool = False
    force_login: bool = False
    gate_ttl_s: float = 540.0
    # accounts
    session_ttl_s: float = 30 * 86_400.0
    token_ttl_s: float = 3600.0
    # limits
    message_limit: int = 200_000  # characters of one turn
    upload_limit_bytes: int = 20 * 1024 * 1024
    message_cap: int | None = None  # turns in a window
    message_window_s: float = 3 * 3600.0
    picture_cap: int = 50
    picture_window_s: float = 86_400.0
    # files
    links: Literal["auto", "foreign", "estuary"] = "auto"  # where downloads are: by default as old as the pointer
    link_ttl_s: float = 300.0
    # refusals
    refuse: Refusals = "none"  # what turns are told instead of an answer
    refuse_times: int | None = None  # so many turns since the last reset, then all is well; None: always


def addressing(knobs: Knobs) -> str:
    """Where `p` and `o` are left out: nowhere, between pieces of text, or wherever nothing changed."""
    if knobs.compat == "g4f":
        return "text"
    if knobs.addressing != "auto":
        return knobs.addressing
    return "sticky" if knobs.dialect == "2026" else "text"
