"""Thinking aloud before the answer: `thoughts` and a recap, or the tool message of spring 2025."""

from __future__ import annotations

from collections.abc import Iterator

from polychat.sandbox.services.chatgpt.encodings import Change, Step, say
from polychat.sandbox.services.chatgpt.patches import Patch
from polychat.sandbox.services.chatgpt.turns import Turn, finished, text

_SECONDS = 3
THOUGHTS = (
    ("Reading the question", ("I read ", "the question ", "twice.")),
    ("Choosing words", ("An echo ", "is “enough”.")),
)
RECAP = f"Thought for {_SECONDS} seconds"


def scene(turn: Turn) -> Iterator[Step]:
    """The thoughts, in the form of the dialect."""
    if turn.newest_dialect and turn.knobs.compat == "none":
        yield from _thoughts(turn)
    else:
        yield from _tool_form(turn)


def _thoughts(turn: Turn) -> Iterator[Step]:
    content = {"content_type": "thoughts", "thoughts": [], "source_analysis_msg_id": turn.id}
    yield turn.begin("assistant", content, channel="analysis", status="in_progress")
    yield turn.event("message_marker", message_id=turn.tail, marker="cot_token", event="first")
    for index, (summary, pieces) in enumerate(THOUGHTS):
        place = f"/message/content/thoughts/{index}"
        yield Change((Patch("/message/content/thoughts", "append", [{"summary": "", "content": ""}]),))
        yield say(summary, f"{place}/summary")
        for piece in pieces:
            yield say(piece, f"{place}/content")
    yield finished(reasoning_status="is_reasoning")
    recap = {"content_type": "reasoning_recap", "content": RECAP}
    yield turn.begin(
        "assistant", recap, end_turn=False, finished_duration_sec=_SECONDS, reasoning_status="reasoning_ended"
    )


def _tool_form(turn: Turn) -> Iterator[Step]:
    yield turn.begin(
        "tool", text(""), name="a8km123", status="in_progress",
        initial_text="Reasoning", finished_text=None, reasoning_status="is_reasoning",
    )  # fmt: skip
    for summary, pieces in THOUGHTS:
        yield say(f"**{summary}**\n\n")
        for piece in (*pieces, "\n\n"):
            yield say(piece)
    yield Change(
        (
            Patch("/message/status", "replace", "finished_successfully"),
            Patch("/message/metadata/finished_text", "replace", RECAP),
            Patch("/message/metadata/finished_duration_sec", "replace", _SECONDS),
            Patch("/message/metadata/reasoning_status", "replace", "reasoning_ended"),
        )
    )
