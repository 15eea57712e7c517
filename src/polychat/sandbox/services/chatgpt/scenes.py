"""What happens in a turn, step by step: echoes, a title, the scenes that were asked for, limits, the end."""

from __future__ import annotations

from collections.abc import Iterator

from polychat.sandbox.services.chatgpt import drawing, quota, reasoning, searching
from polychat.sandbox.services.chatgpt.encodings import Begin, Fail, Step, say
from polychat.sandbox.services.chatgpt.tree import Message
from polychat.sandbox.services.chatgpt.turns import Turn, closing, finished, speech, text


def play(turn: Turn) -> Iterator[Step]:
    """All steps of `turn`."""
    yield from _opening(turn)
    if turn.knobs.failure != "none":
        yield from _failure(turn)
        return
    if turn.knobs.title == "before":
        yield from _title(turn)
    yield from _answer(turn)
    yield from _limits(turn)
    if turn.knobs.title == "after":
        yield from _title(turn)
    yield from _moderation(turn)
    yield turn.event("message_stream_complete")


def interrupted(turn: Turn, message: Message) -> Iterator[Step]:
    """The end of a turn that was stopped."""
    if message["status"] == "in_progress":
        yield closing(turn.knobs, "interrupted")
    yield turn.event("message_stream_complete")


def _opening(turn: Turn) -> Iterator[Step]:
    newest = turn.newest_dialect and turn.knobs.compat == "none"
    if newest:
        token = f"resume-{turn.id}"
        yield turn.event("resume_conversation_token", kind="topic", token=token)
    if turn.body.action == "variant":
        yield turn.event("num_variants_in_stream", num_variants_in_stream=1, display_treatment="skippable")
    if turn.knobs.echo:
        yield from (Begin(message, message["metadata"]["parent_id"]) for message in turn.echoed)
    if newest and turn.echoed:
        yield turn.event("input_message", input_message=turn.echoed[-1])
    if newest:
        about = {"model_slug": turn.body.model, "turn_use_case": "text", "plan_type": "free", "tool_invoked": False}
        yield turn.event("server_ste_metadata", metadata=about)
        yield turn.event("perf_stats", stats={"queued_ms": 0})


def _answer(turn: Turn) -> Iterator[Step]:
    hints = turn.body.hints
    if drawing.wanted(turn.knobs, turn.body):
        yield from drawing.scene(turn)
        return
    if turn.knobs.thinking or "reason" in hints:
        yield from reasoning.scene(turn)
    if turn.knobs.tool:
        yield from _tool(turn)
    if turn.knobs.search or "search" in hints:
        yield from searching.scene(turn)
    else:
        yield from spoken(turn)


def spoken(turn: Turn) -> Iterator[Step]:
    """The answer of the brain, or as much of it as `max_tokens` lets through."""
    limit = turn.knobs.max_tokens
    pieces = turn.answer.pieces
    if limit is None or len(pieces) <= limit:
        finish = {"length": "max_tokens"}.get(turn.answer.finish_reason, turn.answer.finish_reason)
        yield from speech(turn, pieces, finish)
        return
    yield from speech(turn, pieces[:limit], "max_tokens")
    turn.conversation.unsaid[turn.tail] = pieces[limit:]


def _tool(turn: Turn) -> Iterator[Step]:
    """A word of progress, a call of the interpreter, what it printed."""
    code = "print(len(question.split()))"
    if turn.newest_dialect:
        yield turn.begin("assistant", text("I will count the words."), channel="commentary", end_turn=False)
    content = {"content_type": "code", "language": "unknown", "response_format_name": None, "text": ""}
    yield turn.begin("assistant", content, recipient="python", channel="commentary", status="in_progress")
    for piece in (code[:6], code[6:]):
        yield say(piece, "/message/content/text")
    yield finished()
    printed = str(len(turn.prompt.split()))
    result = {"status": "success", "code": code, "final_expression_output": printed}
    output = {"content_type": "execution_output", "text": printed}
    yield turn.begin("tool", output, name="python", channel="commentary", aggregate_result=result)


def _failure(turn: Turn) -> Iterator[Step]:
    """Some words, then an error instead of the rest."""
    yield turn.begin("assistant", text(""), channel="final", status="in_progress")
    for piece in turn.answer.pieces[:2]:
        yield say(piece)
    yield Fail("Something went wrong. (sandbox)", turn.knobs.failure == "root")


def _title(turn: Turn) -> Iterator[Step]:
    if turn.new and not turn.conversation.temporary:
        turn.conversation.title = " ".join(turn.prompt.split()[:4]) or "New chat"
        yield turn.event("title_generation", title=turn.conversation.title)


def _limits(turn: Turn) -> Iterator[Step]:
    progress = quota.progress(turn.state, turn.knobs, turn.owner)
    yield turn.event(
        "conversation_detail_metadata", banner_info=None, blocked_features=[], model_limits=[],
        limits_progress=progress, default_model_slug="auto",
    )  # fmt: skip


def _moderation(turn: Turn) -> Iterator[Step]:
    if turn.knobs.blocked or turn.knobs.dialect == "2025-03":
        verdict = {"flagged": turn.knobs.blocked, "blocked": turn.knobs.blocked, "moderation_id": f"modr-{turn.id[:8]}"}
        yield turn.event("moderation", message_id=turn.tail, is_completion=True, moderation_response=verdict)
