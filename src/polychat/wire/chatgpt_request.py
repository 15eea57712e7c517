"""What is asked of ChatGPT's web chat: the bodies of prepare and turn, as the web app words them (last known 2026-11).

A new chat is sent whole, roles and all; a continued one only what came after the last answer. Attachments belong to
the last message: pictures stand in its content, and every file is named in its metadata.
"""

from __future__ import annotations

import uuid
from typing import Any, Literal

import msgspec

from polychat.errors import BadOption, UnsupportedFeature
from polychat.types import Message, Request, Text, Thinking

Action = Literal["next", "continue", "variant"]
PICTURE_MODELS = frozenset({"gpt-image", "dall-e-3"})


class Uploaded(msgspec.Struct, frozen=True, kw_only=True):
    """A file the service holds for this account."""

    id: str
    name: str
    size_bytes: int
    media_type: str
    width: int | None = None  # pixels, of a picture
    height: int | None = None


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where in a conversation the question goes."""

    action: Action
    conversation_id: str | None
    parent_id: str  # the message that is answered to
    question_id: str  # ours, or the one that is asked again


def place(request: Request) -> Place:
    """Where the request goes: a new chat, on from the last answer, the same question again, or another in its stead.

    Raises: `BadOption` when it regenerates or edits without a conversation.
    """
    thread, fresh = request.thread, str(uuid.uuid4())
    again, edited = bool(request.options.get("regenerate")), bool(request.options.get("edit"))
    if thread is None or thread.id is None:
        if again or edited:
            raise BadOption("regenerate and edit need conversation=, to know what to ask again", field="conversation")
        return Place(action="next", conversation_id=None, parent_id=str(uuid.uuid4()), question_id=fresh)
    asked_id, asked_after = thread.state.get("question_id"), thread.state.get("question_parent_id")
    if (again or edited) and asked_id and asked_after:
        return Place(
            action="variant" if again else "next",
            conversation_id=thread.id,
            parent_id=asked_after,
            question_id=asked_id if again else fresh,
        )
    return Place(
        action="next", conversation_id=thread.id, parent_id=thread.parent_id or str(uuid.uuid4()), question_id=fresh
    )


def hints(request: Request) -> list[str]:
    """What the turn is to be: a search, a picture, reasoning."""
    wanted = {
        "search": request.web_search,
        "picture_v2": "image" in request.modalities or request.model in PICTURE_MODELS,
        "reason": request.reasoning_effort not in {None, "none"},
    }
    return [name for name, asked in wanted.items() if asked]


def temporary(request: Request) -> bool:
    """True for a chat that the service is to forget, also when it goes on."""
    return bool(request.options.get("temporary")) or (request.thread is not None and request.thread.temporary)


def shared(request: Request, where: Place) -> dict[str, Any]:
    """The fields that prepare and turn have in common."""
    gpt = request.options.get("gpt")
    fields: dict[str, Any] = {
        "action": where.action,
        "parent_message_id": where.parent_id,
        "model": "auto" if request.model in PICTURE_MODELS else request.model,
        "timezone_offset_min": 0,
        "timezone": "UTC",
        "conversation_mode": {"kind": "gizmo_interaction", "gizmo_id": gpt} if gpt else {"kind": "primary_assistant"},
        "system_hints": hints(request),
        "supports_buffering": True,
        "supported_encodings": ["v1"],
    }
    if where.conversation_id is not None:
        fields["conversation_id"] = where.conversation_id
    if temporary(request):
        fields["history_and_training_disabled"] = True
    return fields


def turn(request: Request, where: Place, uploads: tuple[Uploaded, ...], now: float) -> dict[str, Any]:
    """The body of a turn."""
    body = shared(request, where) | {"enable_message_followups": True, "paragen_cot_summary_display_override": "allow"}
    if where.action != "continue":
        body["messages"] = _messages(request, where, uploads, now)
    return body


def _messages(request: Request, where: Place, uploads: tuple[Uploaded, ...], now: float) -> list[dict[str, Any]]:
    fresh = _after_last_answer(request.messages) if where.conversation_id else request.messages
    sent = [_message(message, str(uuid.uuid4()), now) for message in fresh]
    sent[-1]["id"] = where.question_id
    if wanted := hints(request):
        sent[-1]["metadata"]["system_hints"] = wanted
    if uploads:
        _attach(sent[-1], uploads)
    return sent


def _after_last_answer(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    last = max((index for index, message in enumerate(messages) if message.role == "assistant"), default=-1)
    return messages[last + 1 :] or messages[-1:]


def _message(message: Message, id: str, now: float) -> dict[str, Any]:  # noqa: A002 - the wire's word
    return {
        "id": id,
        "author": {"role": message.role},
        "create_time": now,
        "content": {"content_type": "text", "parts": [message.text]},
        "metadata": {},
    }


def _attach(message: dict[str, Any], uploads: tuple[Uploaded, ...]) -> None:
    pictures = [_pointer(one) for one in uploads if one.width is not None]
    if pictures:
        message["content"] = {"content_type": "multimodal_text", "parts": [*pictures, *message["content"]["parts"]]}
    message["metadata"]["attachments"] = [_attachment(one) for one in uploads]


def _pointer(upload: Uploaded) -> dict[str, Any]:
    return {
        "content_type": "image_asset_pointer",
        "asset_pointer": f"file-service://{upload.id}",
        "size_bytes": upload.size_bytes,
        "width": upload.width,
        "height": upload.height,
    }


def _attachment(upload: Uploaded) -> dict[str, Any]:
    fields = {"id": upload.id, "name": upload.name, "size": upload.size_bytes, "mimeType": upload.media_type}
    return fields if upload.width is None else fields | {"width": upload.width, "height": upload.height}


def check(messages: tuple[Message, ...]) -> None:
    """Raises `UnsupportedFeature` for what a web chat cannot be sent: nothing is dropped in silence."""
    last = messages[-1]
    if last.role == "assistant":
        raise UnsupportedFeature("chatgpt answers a user's message; the last one is an assistant's", provider="chatgpt")
    for message in messages:
        for part in message.parts:
            if not isinstance(part, Text | Thinking) and message is not last:
                raise UnsupportedFeature(
                    f"chatgpt takes a {type(part).__name__} with the last message only", provider="chatgpt"
                )
