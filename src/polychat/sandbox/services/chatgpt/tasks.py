"""Pictures that are made beside the turn: ready when their time has come, by the sandbox clock."""

from __future__ import annotations

from polychat.sandbox.services.chatgpt.state import State, Task
from polychat.sandbox.services.chatgpt.tree import Conversation, Message


def advance(state: State, conversation: Conversation) -> None:
    """Finish the tasks of `conversation` that are ready."""
    for task in state.tasks:
        if task.conversation_id == conversation.id and is_ready(state, task):
            message(state, task)


def is_ready(state: State, task: Task) -> bool:
    """True when the picture is there."""
    return task.ready_at <= state.world.clock.now()


def message(state: State, task: Task) -> Message:
    """The task's message as it stands: a note, or the picture."""
    node = state.conversations[task.conversation_id].nodes[task.message_id]
    assert node.message is not None
    if is_ready(state, task) and node.message["status"] != "finished_successfully":
        node.message |= {
            "content": {"content_type": "multimodal_text", "parts": task.final_parts},
            "status": "finished_successfully", "end_turn": True, "update_time": state.world.clock.now(),
        }  # fmt: skip
    return node.message
