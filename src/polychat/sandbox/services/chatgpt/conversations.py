"""What an account has talked about: listed, read as a tree, renamed, hidden."""

from __future__ import annotations

from starlette.responses import Response

from polychat.sandbox.call import json
from polychat.sandbox.services.chatgpt import bodies, chat, tasks
from polychat.sandbox.services.chatgpt.identity import ChatCall, signed_in

_PAGE = 28


async def listing(call: ChatCall) -> Response:
    """The visible conversations, the newest first."""
    owner = signed_in(call)
    offset, limit = (_number(call.query.get(name), default) for name, default in (("offset", 0), ("limit", _PAGE)))
    own = [it for it in call.state.conversations.values() if it.owner == owner and it.visible and not it.temporary]
    own.sort(key=lambda it: it.updated_at, reverse=True)
    items = [
        {"id": it.id, "title": it.title, "create_time": it.created_at, "update_time": it.updated_at}
        for it in own[offset : offset + limit]
    ]
    return json({"items": items, "total": len(own), "limit": limit, "offset": offset})


async def read(call: ChatCall) -> Response:
    """The tree of one."""
    conversation = chat.find(call, signed_in(call), call.path["id"])
    tasks.advance(call.state, conversation)
    return json(conversation.told())


async def retouch(call: ChatCall) -> Response:
    """Rename or hide."""
    owner = signed_in(call)
    asked = bodies.read(call.body, bodies.Retouch)
    conversation = chat.find(call, owner, call.path["id"])
    if asked.title is not None:
        conversation.title = asked.title
    if asked.is_visible is not None:
        conversation.visible = asked.is_visible
    return json({"success": True})


def _number(text: str | None, default: int) -> int:
    return int(text) if text and text.isdecimal() else default
