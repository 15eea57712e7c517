"""The single calls of ChatGPT's web chat, each a step of `providers/chatgpt.py`: one request, one answer, no order of
their own.

Bearer and cookies go to the account's own origin; the hosts that take uploads and give downloads are strangers and
get the signed address alone. Tokens of the gate are those the person's own session was given; none is computed.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from typing import Any

import msgspec

from polychat import media
from polychat.credentials import BearerToken, Secret, SessionCookies, token_expiry
from polychat.errors import (
    AuthExpired,
    BadOption,
    ChallengeRequired,
    FormatChanged,
    PolychatError,
    UnsupportedFeature,
)
from polychat.net.session import Session
from polychat.types import Attachment, Image, Thread, Utterance
from polychat.wire.chatgpt_messages import Pointer
from polychat.wire.chatgpt_request import Uploaded

SIGN_IN_HINT = "log in at https://chatgpt.com in your browser, then: polychat login chatgpt --cookies FILE"
CHALLENGE_HINT = (
    "send a message at https://chatgpt.com in your browser, which passes its check, then sign in from that session"
)
_GATE = "/backend-api/sentinel/chat-requirements"
_UPLOAD_REUSE_S = 3600.0
_STOP_S = 1.0  # how long a reader who leaves waits for the service to be told
_POLL_EVERY_S = 2.0
_PICTURE_BYTES = 64 * 1024 * 1024
_BLOB_HEADERS = {"x-ms-blob-type": "BlockBlob", "x-ms-version": "2020-04-08"}


# ---------------------------------------------------------------- sign-in


class _AuthSession(msgspec.Struct):
    access_token: str | None = msgspec.field(name="accessToken", default=None)


async def fetch_token(session: Session) -> BearerToken:
    """The session's access token, by cookie."""
    if not isinstance(session.credential, SessionCookies):
        raise AuthExpired("chatgpt needs a browser session (cookies) or an access token")
    try:
        answer = await session.json(
            "GET", "/api/auth/session", into=_AuthSession, headers={"referer": session.url("/")}
        )
    except FormatChanged as error:
        raise AuthExpired("chatgpt shows a page instead of this browser session's token", hint=SIGN_IN_HINT) from error
    if not answer.access_token:
        raise AuthExpired("the chatgpt browser session has ended", hint=SIGN_IN_HINT)
    token = Secret(answer.access_token)
    return BearerToken(token=token, expires_at=token_expiry(token))


def proofs(session: Session) -> dict[str, Any]:
    """What every call to the backend carries."""
    headers = {"referer": session.url("/")}
    if (device := session.cookies.get("oai-did")) is not None:
        headers["oai-device-id"] = device.reveal()
    return {"bearer": lambda: fetch_token(session), "headers": headers}


async def visit(session: Session) -> None:
    """Open the page once, as a browser does: it sets the cookies that the backend expects."""
    if session.notes.setdefault("visited", "no") == "no":
        async with session.open("GET", "/", redirects=3) as response:
            await response.read(_PICTURE_BYTES)
        session.notes["visited"] = "yes"


# ---------------------------------------------------------------- the gate


class _Demand(msgspec.Struct):
    required: bool = False


class _Requirements(msgspec.Struct):
    token: str | None = None
    prepare_token: str | None = None  # of the two-step gate
    persona: str | None = None
    force_login: bool = False
    proofofwork: _Demand = msgspec.field(default_factory=_Demand)
    turnstile: _Demand = msgspec.field(default_factory=_Demand)
    arkose: _Demand = msgspec.field(default_factory=_Demand)


async def gate(session: Session) -> dict[str, str]:
    """Ask what the turn needs; the headers that satisfy it. Raises `ChallengeRequired` for what was not given.

    The one-step gate is asked first; where it is gone, the two-step one.
    """
    given = session.credential.gate_tokens if isinstance(session.credential, SessionCookies) else {}
    asked = given.get("requirements")
    question = {"p": asked.reveal() if asked else None}
    try:
        demands = await _asked(session, _GATE, question)
    except PolychatError as error:
        if error.upstream_status != 404:
            raise
        demands = await _asked(session, f"{_GATE}/prepare", question)
    if demands.force_login or (demands.persona or "").endswith("noauth"):
        raise AuthExpired("chatgpt does not take this session for signed in", hint=SIGN_IN_HINT)
    carried = _carried(demands, given)
    if demands.prepare_token is not None:
        answers = {"proofofwork": carried.get("proof"), "turnstile": carried.get("turnstile")}
        held = {name: token for name, token in answers.items() if token}
        demands = await _asked(session, f"{_GATE}/finalize", {"prepare_token": demands.prepare_token, **held})
    if demands.token is None:
        raise FormatChanged("chatgpt's gate gave no token for the turn")
    headers = {f"openai-sentinel-{name}-token": token for name, token in carried.items()}
    return headers | {"openai-sentinel-chat-requirements-token": demands.token}


async def _asked(session: Session, path: str, question: dict[str, Any]) -> _Requirements:
    return await session.json("POST", path, json=question, into=_Requirements, **proofs(session))


def _carried(demands: _Requirements, given: Mapping[str, Secret]) -> dict[str, str]:
    """The tokens the session was given, by name; one that is demanded has to be among them."""
    wanted = {"proof": demands.proofofwork, "turnstile": demands.turnstile, "arkose": demands.arkose}
    for name, demand in wanted.items():
        if demand.required and name not in given:
            raise ChallengeRequired(
                f"chatgpt asks for a {name} token, which this session was not given; polychat does not compute one",
                hint=CHALLENGE_HINT,
            )
    return {name: given[name].reveal() for name in wanted if name in given}


class _Prepared(msgspec.Struct):
    conduit_token: str | None = None


async def prepare(session: Session, body: dict[str, Any]) -> dict[str, str]:
    """Announce the turn; the header that ties it to the announcement."""
    prepared = await session.json(
        "POST", "/backend-api/f/conversation/prepare", json=body, into=_Prepared, **proofs(session)
    )
    return {"x-conduit-token": prepared.conduit_token} if prepared.conduit_token else {}


# ---------------------------------------------------------------- files


class _Slot(msgspec.Struct):
    file_id: str
    upload_url: str


class _Link(msgspec.Struct):
    download_url: str


class _Status(msgspec.Struct):
    status: str = "success"


async def uploaded(session: Session, attached: tuple[Attachment, ...]) -> tuple[Uploaded, ...]:
    """All files of a message, sent side by side, in their order; any failure stops the turn."""
    return tuple(await asyncio.gather(*(_upload(session, one) for one in attached)))


async def _upload(session: Session, attached: Attachment) -> Uploaded:
    data, media_type = attached.data or b"", attached.media_type or media.OCTETS
    key = hashlib.sha256(data).hexdigest()
    if kept := session.uploaded(key, max_age_s=_UPLOAD_REUSE_S):
        return msgspec.json.decode(kept, type=Uploaded)
    name = attached.name or f"{type(attached).__name__.lower()}.{media.extension(media_type)}"
    width, height = _size(data) if isinstance(attached, Image) else (None, None)
    announced = {
        "file_name": name,
        "file_size": len(data),
        "use_case": "multimodal" if isinstance(attached, Image) else "my_files",
    }
    slot = await session.json("POST", "/backend-api/files", json=announced, into=_Slot, **proofs(session))
    headers = _BLOB_HEADERS | {"content-type": media_type}
    async with session.open("PUT", slot.upload_url, body=data, headers=headers):
        pass
    await session.json("POST", f"/backend-api/files/{slot.file_id}/uploaded", json={}, into=_Status, **proofs(session))
    done = Uploaded(id=slot.file_id, name=name, size_bytes=len(data), media_type=media_type, width=width, height=height)
    session.remember_upload(key, msgspec.json.encode(done).decode())
    return done


def _size(data: bytes) -> tuple[int, int]:
    from PIL import Image as Picture
    from PIL import UnidentifiedImageError

    try:
        return Picture.open(io.BytesIO(data)).size
    except (UnidentifiedImageError, OSError) as error:
        raise BadOption("the picture is damaged: its width and height cannot be read", field="image") from error


async def download(session: Session, pointer: Pointer, conversation_id: str | None) -> Image:
    """A picture the service made: its bytes, and the signed address they were read from."""
    path = f"/backend-api/files/{pointer.id}/download"
    if pointer.address.startswith("sediment:") and conversation_id:
        path = f"/backend-api/conversation/{conversation_id}/attachment/{pointer.id}/download"
    link = (await session.json("GET", path, into=_Link, **proofs(session))).download_url
    proof = proofs(session) if session.owns(link) else {}
    async with session.open("GET", link, redirects=3, **proof) as response:
        return Image(data=await response.read(_PICTURE_BYTES), url=link, prompt=pointer.prompt)


# ---------------------------------------------------------------- reading aloud


def check_utterance(utterance: Utterance) -> None:
    """Raises: `UnsupportedFeature` for a way of saying it that cannot be chosen."""
    for name in ("speed", "instructions"):
        if getattr(utterance, name) is not None:
            raise UnsupportedFeature(f"chatgpt does not let the {name} of a voice be chosen", hint=f"leave {name} out")


def sound(thread: Thread, utterance: Utterance) -> dict[str, str]:
    """The query that asks for the last answer of `thread` in a voice. Raises: `BadOption` when it was not kept."""
    if thread.id is None or thread.parent_id is None:
        raise BadOption("chatgpt reads aloud an answer that it keeps; this chat was temporary", field="conversation")
    form = media.extension(utterance.media_type or "audio/aac")
    voice = utterance.voice or "maple"
    return {"conversation_id": thread.id, "message_id": thread.parent_id, "voice": voice, "format": form}


# ---------------------------------------------------------------- conversations


async def conversation(session: Session, conversation_id: str) -> dict[str, Any]:
    """The whole tree: {conversation_id, current_node, title, mapping: {id: {id, parent, children, message}}}."""
    tree: dict[str, Any] = await session.json(
        "GET", f"/backend-api/conversation/{conversation_id}", into=dict, **proofs(session)
    )
    return tree


async def stop(session: Session, conversation_id: str) -> None:
    """Tell the service that nobody reads on. Best effort: the reader has left already."""
    body = {"conversation_id": conversation_id, "exclude_async_types": []}
    with suppress(PolychatError, TimeoutError):
        async with (
            asyncio.timeout(_STOP_S),
            session.open("POST", "/backend-api/stop_conversation", json=body, **proofs(session)),
        ):
            pass


# ---------------------------------------------------------------- websocket


class _Socket(msgspec.Struct):
    websocket_url: str


async def pushed(session: Session, topic: str | None) -> AsyncGenerator[dict[str, Any]]:
    """Everything the account's websocket says, one record at a time; a topic is subscribed to first."""
    found = await session.json("GET", "/backend-api/celsius/ws/user", into=_Socket, **proofs(session))
    seen: set[str] = set()
    async with session.websocket(found.websocket_url) as socket:
        if topic is not None:
            commands = [
                {"id": 1, "command": {"type": "connect", "presence": {"type": "presence", "state": "foreground"}}},
                {"id": 2, "command": {"type": "subscribe", "topic_id": topic}},
            ]
            await socket.send(msgspec.json.encode(commands).decode())
        async for data in socket.messages():
            for record in _records(data):
                item = _item(record).get("stream_item_id")
                if not isinstance(item, str) or item not in seen:
                    seen.add(str(item))
                    yield record


async def arriving(session: Session, conversation_id: str | None) -> AsyncGenerator[dict[str, Any] | None]:
    """Messages that come after their turn: pushed by websocket, and the conversation's own, read every two seconds.

    None says that nothing came meanwhile. Endless; the caller's clock ends it.
    """
    records = pushed(session, None)
    waiting: asyncio.Future[dict[str, Any]] = asyncio.ensure_future(anext(records))
    try:
        while True:
            await asyncio.wait({waiting}, timeout=_POLL_EVERY_S)
            if not waiting.done():
                for message in await _messages(session, conversation_id):
                    yield message
                yield None
            elif waiting.exception() is not None:  # no websocket, or no more: only the conversation is left
                waiting = asyncio.get_running_loop().create_future()
            else:
                if told := pushed_message(waiting.result()):
                    yield told
                waiting = asyncio.ensure_future(anext(records))
    finally:
        waiting.cancel()
        await asyncio.wait({waiting})
        await records.aclose()


async def _messages(session: Session, conversation_id: str | None) -> list[dict[str, Any]]:
    if conversation_id is None:
        return []
    nodes = _mapping((await conversation(session, conversation_id)).get("mapping")).values()
    return [message for node in nodes if (message := _mapping(_mapping(node).get("message")))]


def _records(data: bytes) -> list[dict[str, Any]]:
    """The records of one message: alone, in a list, or caught up on in a reply."""
    try:
        said = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise FormatChanged(f"chatgpt's websocket sent what is not JSON ({len(data)} bytes)") from error
    records: list[dict[str, Any]] = []
    for record in said if isinstance(said, list) else [said]:
        if isinstance(record, dict):
            caught_up = _mapping(record.get("reply")).get("catchups") or []
            records += [*(one for one in caught_up if isinstance(one, dict)), record]
    return records


def _item(record: dict[str, Any]) -> dict[str, Any]:
    return _mapping(_mapping(record.get("payload")).get("payload"))


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def stream_item(record: dict[str, Any]) -> str | None:
    """The event-stream text that a websocket record carries, if it does."""
    encoded = _item(record).get("encoded_item")
    return encoded if isinstance(encoded, str) else None


def pushed_message(record: dict[str, Any]) -> dict[str, Any] | None:
    """The conversation's message that a websocket record carries, if it does."""
    return _mapping(_mapping(_mapping(record.get("payload")).get("update_content")).get("message")) or None
