"""Kite, over the session of the person's own browser: a service that another package brings to polychat.

    1. the `kite_session` cookie is exchanged for an access token;
    2. each picture is uploaded and gets an id;
    3. the whole talk is posted, and the answer comes as an event stream.

There is no such service. Source: invented; verified against the emulation beside this file.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any, ClassVar

import msgspec

from polychat.credentials import BearerToken, Secret, SignIn
from polychat.errors import FormatChanged, PolychatError, QuotaSpent, Unavailable
from polychat.net.session import Session
from polychat.net.transport import FilePart
from polychat.providers import Info, Model, batches
from polychat.types import Attachment, Event, Finish, Message, Request, TextDelta, Usage
from polychat.wire import json_pieces

_UPLOAD_REUSE_S = 600.0  # how long an uploaded picture's id is used again


class _Token(msgspec.Struct):
    token: str
    expires_in: float  # seconds


class _Uploaded(msgspec.Struct):
    id: str


class _Problem(msgspec.Struct):
    code: str
    message: str = ""


class _Tokens(msgspec.Struct):
    asked: int
    answered: int


class _Piece(msgspec.Struct, tag_field="kind", tag="piece"):
    text: str


class _End(msgspec.Struct, tag_field="kind", tag="end"):
    tokens: _Tokens


class _Trouble(msgspec.Struct, tag_field="kind", tag="problem"):
    message: str


_read_problem = msgspec.json.Decoder(_Problem).decode
_Said = _Piece | _End | _Trouble
_read: Callable[[bytes], _Said] = msgspec.json.Decoder(_Said).decode


class Kite:
    """The provider; see the module's text for its steps."""

    info: ClassVar[Info] = Info(
        name="kite",
        label="Kite",
        hosts={"web": "https://kite.example"},
        accepts=("cookies", "bearer"),
        models=(Model(id="kite-large"), Model(id="kite-small", capabilities=frozenset({"text", "stream", "system"}))),
        default_model="kite-large",
        capabilities=frozenset({"text", "stream", "system", "image_in"}),
        sign_in=SignIn(
            url="https://kite.example/login", cookies=("kite_session",), domains=("kite.example",), key_kind="bearer"
        ),
        concurrency=2,
        source="invented",
        verified="against the sandbox; never live",
    )

    async def chat(self, session: Session, request: Request) -> AsyncIterator[Sequence[Event]]:
        """One turn: upload what is shown, post the talk, decode the answer."""
        turns = [await self._turn(session, message) for message in request.messages]
        body = {"model": request.model, "turns": turns}
        decoder = json_pieces.Decoder(self.info.name, _read, _events)
        async with session.open("POST", "/chat", json=body, **self._proofs(session)) as response:
            if "text/html" in response.headers.get("content-type", ""):
                raise FormatChanged("kite answered the question with a web page instead of data")
            async with aclosing(batches(response, decoder)) as answer:
                async for events in answer:
                    yield events

    async def access_token(self, session: Session) -> Secret:
        """The account's access token, fetched when it is not at hand."""
        return await session.token(partial(self._fetch_token, session))

    def explain(self, status: int, headers: Mapping[str, str], body: bytes) -> PolychatError | None:
        """The service says 429 for two things; its code tells which."""
        try:
            problem = _read_problem(body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None
        return QuotaSpent("kite's allowance of this month is used up") if problem.code == "month_spent" else None

    # ------------------------------------------------------------ steps

    def _proofs(self, session: Session) -> dict[str, Any]:
        return {"bearer": partial(self._fetch_token, session)}

    async def _fetch_token(self, session: Session) -> BearerToken:
        answer = await session.json("GET", "/session/token", into=_Token)
        return BearerToken(token=Secret(answer.token), expires_at=session.now() + answer.expires_in)

    async def _turn(self, session: Session, message: Message) -> dict[str, Any]:
        shown = [await self._file_id(session, picture) for picture in message.attachments]
        return {"role": message.role, "text": message.text, "files": shown}

    async def _file_id(self, session: Session, picture: Attachment) -> str:
        data = picture.data or b""
        sha256 = hashlib.sha256(data).hexdigest()
        if (known := session.uploaded(sha256, max_age_s=_UPLOAD_REUSE_S)) is not None:
            return known
        part = FilePart(name="file", data=data, filename="picture", media_type=picture.media_type or "")
        uploaded = await session.upload("/files", part, into=_Uploaded, **self._proofs(session))
        session.remember_upload(sha256, uploaded.id)
        return uploaded.id


def _events(piece: _Said) -> Iterator[Event]:
    """What a piece means."""
    match piece:
        case _Piece():
            yield TextDelta(text=piece.text)
        case _End():
            yield Usage(input_tokens=piece.tokens.asked, output_tokens=piece.tokens.answered)
            yield Finish(reason="stop")
        case _Trouble():
            raise Unavailable(f"kite broke its answer off: {piece.message[:200]}")
