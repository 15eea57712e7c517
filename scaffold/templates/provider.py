"""Newservice, by API key (api.new-service.example).

    1. the whole talk is posted, with the key as a bearer;
    2. the answer comes as an event stream, each event a piece of JSON.

The service keeps no conversation: the talk goes along every time.

Source: invented, so that all of this works before the facts are in. Say here where yours come from, and of which month.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing
from typing import ClassVar

import msgspec

from polychat.credentials import ApiKey, Revealed, SignIn
from polychat.errors import FormatChanged, Unavailable
from polychat.net.session import Session
from polychat.providers import Info, Model, batches
from polychat.types import Event, Finish, FinishReason, Request, TextDelta, Usage
from polychat.wire import json_pieces

_REASONS: dict[str, FinishReason] = {"stop": "stop", "length": "length"}  # the service's words -> ours


class NewService:
    """The provider; see the module's text for its steps."""

    info: ClassVar[Info] = Info(
        name="newservice",
        label="Newservice",
        hosts={"api": "https://api.new-service.example"},  # the first is where the key belongs
        accepts=("api_key",),  # also "bearer", "cookies"
        models=(Model(id="newservice-1"),),
        default_model="newservice-1",
        capabilities=frozenset({"text", "stream", "system"}),  # all else is refused before anything is sent
        sign_in=SignIn(url="https://new-service.example/keys", domains=("new-service.example",)),
        env_keys=("NEWSERVICE_API_KEY",),
        source="invented",  # with the month
        verified="against the sandbox; never live",
    )

    async def chat(self, session: Session, request: Request) -> AsyncIterator[Sequence[Event]]:
        """One turn: post the talk, decode the answer."""
        talk = [{"role": message.role, "text": message.text} for message in request.messages]
        body = {"model": request.model, "messages": talk}
        decoder = json_pieces.Decoder(self.info.name, _read, _events)
        async with session.open("POST", "/v1/chat", json=body, headers=_proofs(session)) as response:
            if "text/html" in response.headers.get("content-type", ""):  # a login page, a notice of maintenance
                raise FormatChanged("newservice answered the question with a web page instead of data")
            async with aclosing(batches(response, decoder)) as answer:
                async for events in answer:
                    yield events


def _proofs(session: Session) -> dict[str, str]:
    """The key as a bearer. `Revealed` keeps it out of tracebacks; never hold it as plain text."""
    credential = session.credential
    if not isinstance(credential, ApiKey):
        return {}
    return {"authorization": Revealed(f"Bearer {credential.key.reveal()}")}


# ---------------------------------------------------------------- the answer, as data
# A format that is more than this, with its own memory, is a codec in polychat/wire/ with a test of its own.


class _Tokens(msgspec.Struct):
    asked: int
    answered: int


class _Error(msgspec.Struct):
    message: str


class _Piece(msgspec.Struct):
    """One event. Fields we do not name are passed over; an event without any that we know is a changed format."""

    text: str | None = None
    end: str | None = None
    tokens: _Tokens | None = None  # beside `end`
    error: _Error | None = None

    def __post_init__(self) -> None:
        if self.text is None and self.end is None and self.error is None:
            raise ValueError("it has no text, no end and no error")


_read = msgspec.json.Decoder(_Piece).decode


def _events(piece: _Piece) -> Iterator[Event]:
    """What a piece means. `Finish` comes last, and nothing after it."""
    if piece.error is not None:
        raise Unavailable(f"newservice broke its answer off: {' '.join(piece.error.message.split())[:200]}")
    if piece.text:
        yield TextDelta(text=piece.text)
    if piece.tokens is not None:
        yield Usage(input_tokens=piece.tokens.asked, output_tokens=piece.tokens.answered)
    if piece.end is not None:
        yield Finish(reason=_REASONS.get(piece.end, "stop"), raw=piece.end)
