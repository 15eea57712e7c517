"""The turn: judged, answered, told as a stream; stopped, resumed, gone on with."""

from __future__ import annotations

from collections.abc import Iterator

from starlette.responses import Response

from polychat.sandbox import brain
from polychat.sandbox.call import EventStream, json
from polychat.sandbox.services.chatgpt import bodies, drawing, gate, models, quota, refusals, scenes, topics
from polychat.sandbox.services.chatgpt.encodings import Classic, Delta, Encoding, Tell
from polychat.sandbox.services.chatgpt.identity import ChatCall, signed_in
from polychat.sandbox.services.chatgpt.knobs import addressing
from polychat.sandbox.services.chatgpt.production import Production, frames
from polychat.sandbox.services.chatgpt.tree import Conversation, Message, is_answer, text_of
from polychat.sandbox.services.chatgpt.turns import Turn, asked_message


async def converse(call: ChatCall) -> Response:
    """One turn. Everything wrong with it is said before the stream begins."""
    owner = signed_in(call)
    _refuse(call)
    gate.check(call, owner)
    body = bodies.read_turn(call.body)
    _check(call, owner, body)
    conversation = find(call, owner, body.conversation_id) if body.conversation_id else None
    _check_place(body, conversation)
    features = (quota.MESSAGES, quota.PICTURES) if drawing.wanted(call.knobs, body) else (quota.MESSAGES,)
    quota.spend(call.state, call.knobs, owner, features)
    production = _produce(call, owner, body, conversation or _begun(call, owner, body), new=conversation is None)
    if call.knobs.classic_socket and "v1" not in body.supported_encodings:
        url = topics.classic_url(call, owner, production)
        return json({"wss_url": url, "conversation_id": production.conversation_id, "response_id": production.id})
    if call.knobs.handoff is None:
        return EventStream(frames(production))
    production.hand_off(call.knobs.handoff, _handoff(production))
    return EventStream(frames(production, stop=production.handed_at))


def find(call: ChatCall, owner: str, conversation_id: str) -> Conversation:
    """A conversation of this account that can be gone on with. Raises: Refusal (404)."""
    conversation = call.state.conversations.get(conversation_id)
    if conversation is None or conversation.owner != owner or not conversation.visible:
        raise refusals.conversation_not_found()
    if conversation.temporary:
        raise refusals.coded(404, "history_disabled_conversation_not_found", "Conversation not found")
    conversation.settle()
    return conversation


async def stop(call: ChatCall) -> Response:
    """Say no more."""
    owner = signed_in(call)
    conversation = call.state.conversations.get(bodies.read(call.body, bodies.Stop).conversation_id)
    if conversation is None or conversation.owner != owner:
        raise refusals.conversation_not_found()
    if conversation.production is not None:
        conversation.production.stop()
        conversation.production.finish()
    return json({"status": "success"})


async def resume(call: ChatCall) -> Response:
    """The stream of the newest turn from an offset on, for whoever holds its token."""
    owner = signed_in(call)
    asked = bodies.read(call.body, bodies.Resume)
    conversation = call.state.conversations.get(asked.conversation_id)
    if conversation is None or conversation.owner != owner:
        raise refusals.conversation_not_found()
    production = conversation.production
    if production is None or call.headers.get("x-conduit-token") != production.resume_token:
        raise refusals.coded(404, "stream_not_found", "There is no such stream")
    return EventStream(frames(production, asked.offset))


def _refuse(call: ChatCall) -> None:
    """What the knob `refuse` wants. Raises: Refusal."""
    times = call.knobs.refuse_times
    if call.knobs.refuse != "none" and (times is None or call.state.refused < times):
        call.state.refused += 1
        raise refusals.told(call.knobs.refuse)


def _handoff(production: Production) -> Tell:
    """The event that says where the stream goes on."""
    option = {"type": "subscribe_ws_topic", "topic_id": f"{topics.TURN}{production.id}"}
    event = {"type": "stream_handoff", "turn_exchange_id": production.id, "options": [option]}
    return Tell({**event, "conversation_id": production.conversation_id})


def _check(call: ChatCall, owner: str, body: bodies.Turn) -> None:
    """Model, size and files. Raises: Refusal."""
    if body.model not in models.SLUGS:
        raise refusals.coded(404, "model_not_found", f"The model {body.model} does not exist")
    if body.characters > call.knobs.message_limit:
        raise refusals.too_long()
    if problems := list(_file_problems(call, owner, body)):
        raise refusals.unprocessable(*problems)


def _file_problems(call: ChatCall, owner: str, body: bodies.Turn) -> Iterator[refusals.Problem]:
    for index, message in enumerate(body.messages):
        for position, part in enumerate(message.content.parts):
            if isinstance(part, bodies.Pointer):
                place: list[str | int] = ["messages", index, "content", "parts", position, "asset_pointer"]
                yield from _file_problem(call, owner, part.file_id, part.size_bytes, place)
        for position, attachment in enumerate(message.metadata.attachments if message.metadata else ()):
            place = ["messages", index, "metadata", "attachments", position, "id"]
            yield from _file_problem(call, owner, attachment.id, attachment.size, place)


def _file_problem(
    call: ChatCall, owner: str, file_id: str, size_bytes: int | None, place: list[str | int]
) -> Iterator[refusals.Problem]:
    upload = call.state.uploads.get(file_id)
    if upload is None or upload.owner != owner or not upload.complete:
        yield refusals.problem(place, "not a finished upload of this account")
    elif size_bytes not in (None, upload.size_bytes):
        yield refusals.problem(place, "the size is not that of the upload")


def _check_place(body: bodies.Turn, conversation: Conversation | None) -> None:
    """Where in the tree the turn hangs. Raises: Refusal."""
    if conversation is None:
        return
    if body.parent_message_id not in conversation.nodes:
        raise refusals.message_not_found()
    if body.action == "variant" and body.messages[-1].id not in conversation.nodes:
        raise refusals.message_not_found()
    if body.action == "continue" and body.parent_message_id not in conversation.unsaid:
        raise refusals.coded(400, "nothing_to_continue", "This message did not stop in the middle")


def _begun(call: ChatCall, owner: str, body: bodies.Turn) -> Conversation:
    """A new conversation with a root and a hidden system message."""
    conversation = Conversation(
        id=call.state.uuid(), owner=owner, created_at=call.now, temporary=body.history_and_training_disabled,
        gizmo_id=body.conversation_mode.gizmo_id,
    )  # fmt: skip
    call.state.conversations[conversation.id] = conversation
    conversation.plant(body.parent_message_id)
    return conversation


def _produce(call: ChatCall, owner: str, body: bodies.Turn, conversation: Conversation, *, new: bool) -> Production:
    conversation.updated_at = call.now
    conversation.current = body.parent_message_id
    echoed = _hung(call, body, conversation, new=new)
    turn = Turn(
        state=call.state, knobs=call.knobs, owner=owner, body=body, conversation=conversation,
        answer=_answer(call, owner, body, conversation), new=new,
    )  # fmt: skip
    turn.echoed = echoed
    encoding: Encoding = Classic(conversation.id)
    if "v1" in body.supported_encodings:
        encoding = Delta(conversation.id, addressing(call.knobs), listed=call.knobs.compat == "g4f")
    production = Production(
        id=turn.id, resume_token=f"resume-{turn.id}", conversation=conversation, steps=scenes.play(turn),
        encoding=encoding, interrupted=lambda message: scenes.interrupted(turn, message), done=call.knobs.done,
    )  # fmt: skip
    conversation.production = production
    return production


def _hung(call: ChatCall, body: bodies.Turn, conversation: Conversation, *, new: bool) -> list[Message]:
    """Hang what was sent into the tree; what of it is echoed."""
    echoed: list[Message] = []
    if new:
        echoed.append(_system_message(call, body))
    for asked in body.messages:
        parent = echoed[-1]["id"] if echoed else body.parent_message_id
        echoed.append(asked_message(asked, parent, call.now))
    if body.action == "variant":
        conversation.current = body.messages[-1].id
        return []
    for message in echoed:
        conversation.add(message, message["metadata"]["parent_id"])
    return echoed


def _system_message(call: ChatCall, body: bodies.Turn) -> Message:
    return {
        "id": call.state.uuid(), "author": {"role": "system", "name": None, "metadata": {}}, "create_time": None,
        "update_time": None, "content": {"content_type": "text", "parts": [""]}, "status": "finished_successfully",
        "end_turn": True, "weight": 0.0, "recipient": "all", "channel": None,
        "metadata": {"is_visually_hidden_from_conversation": True, "parent_id": body.parent_message_id},
    }  # fmt: skip


def _answer(call: ChatCall, owner: str, body: bodies.Turn, conversation: Conversation) -> brain.Answer:
    if body.action == "continue":
        return brain.Answer(pieces=conversation.unsaid.pop(body.parent_message_id))
    path = [message for message in conversation.path() if _is_talk(message)]
    turns = tuple(_brain_turn(call, message) for message in path)
    return call.answer(brain.Question(turns=turns, remarks=tuple(_remarks(body))))


def _is_talk(message: Message) -> bool:
    if message["metadata"].get("is_visually_hidden_from_conversation"):
        return False
    return message["author"]["role"] in ("system", "user") or is_answer(message)


def _brain_turn(call: ChatCall, message: Message) -> brain.Turn:
    pointers = [part["asset_pointer"] for part in message["content"]["parts"] if not isinstance(part, str)]
    files = [pointer.partition("://")[2] for pointer in pointers]
    files += [file["id"] for file in message["metadata"].get("attachments", ()) if file["id"] not in files]
    data = tuple(call.state.uploads[file].data or b"" for file in files if file in call.state.uploads)
    return brain.Turn(role=message["author"]["role"], text=text_of(message), attachments=data)


def _remarks(body: bodies.Turn) -> Iterator[str]:
    if body.conversation_mode.gizmo_id:
        yield f"I am the GPT {body.conversation_mode.gizmo_id}."
    if body.history_and_training_disabled:
        yield "This is a temporary chat."
    if body.hints:
        yield f"Hints: {', '.join(sorted(body.hints))}."
