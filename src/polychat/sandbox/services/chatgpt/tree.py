"""A conversation is a tree of messages; what was asked again or answered again lies beside what was there before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from polychat.sandbox.services.chatgpt.production import Production

Message = dict[str, Any]  # the envelope, as it goes over the wire


class Node(msgspec.Struct, kw_only=True):
    """A message and where it hangs; the first node has none."""

    id: str
    parent: str | None
    children: list[str] = []
    message: Message | None = None


class Conversation(msgspec.Struct, kw_only=True):
    """What the service keeps of one talk."""

    id: str
    owner: str
    created_at: float
    title: str = "New chat"
    temporary: bool = False
    visible: bool = True
    gizmo_id: str | None = None
    nodes: dict[str, Node] = {}
    current: str = ""
    updated_at: float = 0.0
    unsaid: dict[str, tuple[str, ...]] = {}  # what a message that stopped at `max_tokens` would have said next
    production: Production | None = None  # the newest turn

    def plant(self, root: str) -> None:
        """Set the node without a message that everything hangs from."""
        self.nodes[root] = Node(id=root, parent=None)
        self.current = root

    def add(self, message: Message, parent: str) -> None:
        """Hang `message` below `parent`, unless it is there already, and make it the current one."""
        self.current = message["id"]
        if message["id"] not in self.nodes:
            self.nodes[message["id"]] = Node(id=message["id"], parent=parent, message=message)
            self.nodes[parent].children.append(message["id"])

    def path(self) -> list[Message]:
        """The messages from the root down to the current one."""
        return list(self._upwards())[::-1]

    def _upwards(self) -> Iterator[Message]:
        node: str | None = self.current
        while node is not None:
            at = self.nodes[node]
            if at.message is not None:
                yield at.message
            node = at.parent

    def settle(self) -> None:
        """Let a turn that nobody listens to come to its end."""
        if self.production is not None:
            self.production.finish()

    def told(self) -> dict[str, Any]:
        """The conversation as it is read."""
        return {
            "conversation_id": self.id, "title": self.title, "create_time": self.created_at,
            "update_time": self.updated_at, "current_node": self.current, "gizmo_id": self.gizmo_id,
            "is_archived": False, "moderation_results": [],
            "mapping": {node.id: msgspec.to_builtins(node) for node in self.nodes.values()},
        }  # fmt: skip


def text_of(message: Message) -> str:
    """The words of a message."""
    return "".join(part for part in message["content"].get("parts", ()) if isinstance(part, str))


def is_answer(message: Message) -> bool:
    """True for what the assistant says to the person: no thought, no word of progress, no call of a tool."""
    return (
        message["author"]["role"] == "assistant"
        and message["recipient"] == "all"
        and message["channel"] in ("final", None)
        and message["content"]["content_type"] in ("text", "multimodal_text")
    )
