"""ChatGPT accounts (chatgpt.com) over the session of the person's own browser, as the web app talks (last known
2026-11).

    1. the page is opened once, and the session cookie exchanged for an access token (kept until just before it ends);
    2. attachments are uploaded side by side: announce, put to a stranger's host, confirm;
    3. the gate is asked what the turn needs, the turn is announced, and the question is posted;
    4. the answer streams; a stream that breaks or is handed off is resumed, one cut by its length is continued;
    5. pictures are downloaded as they are finished, and waited for when they are made elsewhere.

Anti-bot tokens are carried when the person's session supplied them, and never computed: what is asked for and absent is
`ChallengeRequired`. Leaving early tells the service to stop.

Source: protocol notes of 2026-11 (an undocumented web API). Never confirmed live; verified against the sandbox. The
official API is another service and comes first where a key is at hand.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, ClassVar

import msgspec

from polychat.credentials import Secret, SignIn
from polychat.errors import (
    AuthExpired,
    ChallengeRequired,
    ContextTooLong,
    ConversationNotFound,
    FormatChanged,
    Interrupted,
    PolychatError,
    RateLimited,
    Refused,
    TransportProblem,
    Unavailable,
)
from polychat.fold import Fold
from polychat.net.session import Session
from polychat.net.statuses import looks_like_html, quote
from polychat.providers import _chatgpt_calls as calls
from polychat.providers.base import Capability, Info, Model
from polychat.types import (
    Attachment,
    Event,
    Finish,
    FinishReason,
    Image,
    Media,
    Message,
    Request,
    Text,
    Thread,
    ThreadMoved,
    Utterance,
)
from polychat.wire import chatgpt_request
from polychat.wire.chatgpt_messages import Pointer
from polychat.wire.chatgpt_request import Place, Uploaded
from polychat.wire.chatgpt_turn import Decoder

_TURN = "/backend-api/f/conversation"
_RESUME = "/backend-api/f/conversation/resume"
_MOST_PARTS = 8  # an answer cut by its length is continued so often
_RESUMPTIONS = 4
_RESUME_DELAY_S = 0.3  # before the first; half as long again before each next
_REASONS: dict[str | None, FinishReason] = {"max_tokens": "length", "interrupted": "length"}
_ALL: tuple[Capability, ...] = (
    "text", "stream", "system", "image_in", "file_in", "image_out", "reasoning", "web_search", "threads",
    "speech",
)  # fmt: skip
_MODELS = (
    Model(id="auto"),
    Model(id="gpt-5-2", aliases=("gpt-5.2",)),
    Model(id="gpt-5-1", aliases=("gpt-5.1",)),
    Model(id="gpt-5"),
    Model(id="gpt-4-5", aliases=("gpt-4.5",)),
    Model(id="gpt-4o"),
    Model(id="gpt-4o-mini"),
    Model(id="gpt-4"),
    Model(id="gpt-3.5-turbo"),
    Model(id="o1"),
    Model(id="o3-mini"),
    Model(id="o3-mini-high"),
    Model(id="o4-mini"),
    Model(id="o4-mini-high"),
    Model(id="gpt-image", aliases=("dall-e-3",)),
)


class ChatGPT:
    """The provider; see the module's text for its steps."""

    info: ClassVar[Info] = Info(
        name="chatgpt",
        label="ChatGPT",
        hosts={"web": "https://chatgpt.com"},
        accepts=("cookies", "bearer"),
        models=_MODELS,
        default_model="auto",
        concurrency=3,
        capabilities=frozenset(_ALL),
        sign_in=SignIn(
            url="https://chatgpt.com",
            cookies=("__Secure-next-auth.session-token",),
            domains=("chatgpt.com", "openai.com"),
            key_kind="bearer",
            headers=("user-agent", "accept-language", "oai-device-id", "oai-language", "oai-client-version"),
            gate_headers={
                "openai-sentinel-proof-token": "proof",
                "openai-sentinel-turnstile-token": "turnstile",
                "openai-sentinel-arkose-token": "arkose",
            },
            token_paths={"/api/auth/session": "accessToken", "/": "accessToken"},
        ),
        options={
            "temporary": bool,  # a chat that the service forgets
            "gpt": str,  # a custom GPT, by its id g-...
            "regenerate": bool,  # with conversation=: answer the last question again
            "edit": bool,  # with conversation=: ask this in the last question's stead
            "auto_continue": bool,  # go on when an answer is cut by its length (the default)
        },
        terms_url="https://openai.com/policies/terms-of-use",
        source="protocol notes, 2026-11",
        verified="against the sandbox; never live",
    )

    async def chat(self, session: Session, request: Request) -> AsyncIterator[Sequence[Event]]:
        """One turn, in as many parts as the service makes of it."""
        chatgpt_request.check(request.messages)
        where = chatgpt_request.place(request)
        await calls.visit(session)
        uploads = await calls.uploaded(session, request.messages[-1].attachments)
        decoder, place = Decoder(), where
        try:
            for _ in range(_MOST_PARTS):
                async with aclosing(self._part(session, request, place, uploads, decoder)) as batches:
                    async for batch in batches:
                        yield batch
                if decoder.finish_type != "max_tokens" or request.options.get("auto_continue") is False:
                    break
                place, uploads = _onward(decoder), ()
                decoder.begin_part()
        except (GeneratorExit, asyncio.CancelledError):
            if decoder.conversation_id is not None and not decoder.over:
                await calls.stop(session, decoder.conversation_id)
            raise
        yield _ending(session, request, where, decoder)

    async def access_token(self, session: Session) -> Secret:
        """The account's access token, fetched from the session when it is not at hand."""
        return await session.token(lambda: calls.fetch_token(session))

    async def upload(self, session: Session, attached: tuple[Attachment, ...]) -> tuple[Uploaded, ...]:
        """Files for the next question, sent side by side; any failure is raised."""
        return await calls.uploaded(session, attached)

    async def download(self, session: Session, pointer: Pointer, conversation_id: str | None) -> Image:
        """A picture the service made in a conversation: bytes and signed address."""
        return await calls.download(session, pointer, conversation_id)

    async def who(self, session: Session) -> str:
        """The account's name, or its id."""
        me = await session.json("GET", "/backend-api/me", into=_Me, **calls.proofs(session))
        return me.name or me.email or me.id

    async def list_models(self, session: Session) -> tuple[Model, ...]:
        """The models this account may ask, as the service lists them now."""
        listed = await session.json("GET", "/backend-api/models", into=_Models, **calls.proofs(session))
        known = {model.id: model for model in _MODELS}
        listed_models = [known.get(one.slug) or Model(id=one.slug) for one in listed.models]
        pictures = [model for model in _MODELS if model.id in chatgpt_request.PICTURE_MODELS]  # a hint, not a slug
        return tuple(dict.fromkeys([*listed_models, *pictures]))

    async def speak(self, session: Session, utterance: Utterance) -> AsyncGenerator[bytes]:
        """The read-aloud of a conversation's last answer. A text is first said by the service in a chat of its own."""
        calls.check_utterance(utterance)
        thread = utterance.thread or await self._said(session, utterance.text or "")
        params = calls.sound(thread, utterance)
        async with session.open("GET", "/backend-api/synthesize", params=params, **calls.proofs(session)) as response:
            async for chunk in response.chunks():
                yield chunk

    def explain(self, status: int, headers: Mapping[str, str], body: bytes) -> PolychatError | None:
        """The service's own codes and pages; see the error table of the notes."""
        if status == 403:
            return _challenge(body)
        detail = _detail(body)
        kind = _CODES.get(detail.code or "") or (_CODES["429"] if status == 429 else None)
        if kind is None:
            return (
                ContextTooLong(f"chatgpt says that the message is too long: {quote(body)}") if status == 413 else None
            )
        return kind(
            f"chatgpt says: {detail.message or detail.code or 'too many requests'} (HTTP {status})",
            hint=f"try again in {detail.clears_in:.0f} s" if detail.clears_in else None,
            retry_after_s=detail.clears_in,
        )

    # ------------------------------------------------------------ steps

    async def _part(
        self, session: Session, request: Request, place: Place, uploads: tuple[Uploaded, ...], decoder: Decoder
    ) -> AsyncGenerator[Sequence[Event]]:
        """Gate, announcement, question, answer; then whatever of it comes another way."""
        headers = await calls.gate(session)
        headers |= await calls.prepare(session, chatgpt_request.shared(request, place))
        body = chatgpt_request.turn(request, place, uploads, session.now())
        async with aclosing(self._answer(session, body, headers, decoder)) as batches:
            async for batch in batches:
                yield [*batch, *await _pictures(session, decoder)]
        if not decoder.over:
            yield decoder.salvage()
            raise Interrupted("chatgpt ended the stream before the answer was complete")
        if decoder.awaited_task is not None:
            async with aclosing(self._awaited(session, decoder)) as batches:
                async for batch in batches:
                    yield [*batch, *await _pictures(session, decoder)]

    async def _answer(
        self, session: Session, body: dict[str, Any], headers: dict[str, str], decoder: Decoder
    ) -> AsyncGenerator[Sequence[Event]]:
        """The stream of one question, resumed where it breaks or is handed off."""
        path, delay_s = _TURN, _RESUME_DELAY_S
        for attempt in range(_RESUMPTIONS + 1):
            try:
                async with aclosing(self._stream(session, path, body, headers, decoder)) as batches:
                    async for batch in batches:
                        yield batch
            except TransportProblem:
                if attempt == _RESUMPTIONS or decoder.resume_token is None:
                    yield decoder.salvage()
                    raise
                await asyncio.sleep(delay_s)
            if decoder.over or (decoder.resume_token is None and decoder.handoff_topic is None):
                return
            if decoder.resume_token is None or decoder.conversation_id is None:
                break
            delay_s *= 1.5
            path, body = _RESUME, {"conversation_id": decoder.conversation_id, "offset": decoder.seen}
            headers = {"x-conduit-token": decoder.resume_token.reveal()}
            decoder.reconnected()
        if decoder.handoff_topic is not None and not decoder.over:
            async with aclosing(calls.pushed(session, decoder.handoff_topic)) as records:
                async for record in records:
                    if item := calls.stream_item(record):
                        yield decoder.feed(item.encode())
                    if decoder.over:
                        return

    async def _stream(
        self, session: Session, path: str, body: dict[str, Any], headers: dict[str, str], decoder: Decoder
    ) -> AsyncGenerator[Sequence[Event]]:
        """The events of one HTTP answer."""
        proofs = calls.proofs(session)
        sent = {**proofs.pop("headers"), **headers, "accept": "text/event-stream"}
        async with session.open("POST", path, json=body, headers=sent, **proofs) as response:
            if "text/event-stream" not in response.headers.get("content-type", ""):
                raise _not_a_stream(await response.read(64 * 1024))
            try:
                async for chunk in response.chunks():
                    if (events := decoder.feed(chunk)) or decoder.pictures:
                        yield events
                    if decoder.done:
                        return
                yield decoder.close()
            except TransportProblem:  # the stream may be resumed
                raise
            except PolychatError:
                yield decoder.salvage()
                raise

    async def _awaited(self, session: Session, decoder: Decoder) -> AsyncGenerator[Sequence[Event]]:
        """A picture that is made elsewhere, as soon as it is told of; an empty batch says that it still is."""
        async with aclosing(calls.arriving(session, decoder.conversation_id)) as messages:
            async for message in messages:
                if message is None or "image_gen_task_id" in (message.get("metadata") or {}):
                    yield decoder.see(message) if message else []
                if decoder.awaited_task is None:
                    return

    async def _said(self, session: Session, text: str) -> Thread:
        """A conversation whose last answer is exactly `text`. Raises `Refused` when the service says something else."""
        question = f"Repeat the following text exactly, word for word, and say nothing else:\n\n{text}"
        request = Request(model="auto", messages=(Message(role="user", parts=(Text(text=question),)),))
        said = Fold()
        async with aclosing(self.chat(session, request)) as batches:  # type: ignore[type-var]  # an async generator
            async for batch in batches:
                said.add(batch)
        reply = said.reply()
        if reply.text.split() != text.split() or reply.thread is None:
            raise Refused(f"chatgpt did not repeat the text to read aloud; it said: {reply.text[:200]}")
        return reply.thread


class _Me(msgspec.Struct):
    id: str
    name: str | None = None
    email: str | None = None


class _Slug(msgspec.Struct):
    slug: str


class _Models(msgspec.Struct):
    models: list[_Slug]


class _Detail(msgspec.Struct):
    message: str | None = None
    code: str | None = None
    clears_in: float | None = None


class _Envelope(msgspec.Struct):
    detail: _Detail | str | list[Any] | None = None


_CODES: dict[str, type[PolychatError]] = {
    "token_expired": AuthExpired,
    "invalid_jwt": AuthExpired,
    "message_length_exceeds_limit": ContextTooLong,
    "conversation_too_large": ContextTooLong,
    "conversation_not_found": ConversationNotFound,
    "history_disabled_conversation_not_found": ConversationNotFound,
    "model_cap_exceeded": RateLimited,
    "429": RateLimited,
}


def _detail(body: bytes) -> _Detail:
    try:
        detail = msgspec.json.decode(body, type=_Envelope).detail
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _Detail()
    return detail if isinstance(detail, _Detail) else _Detail(message=detail if isinstance(detail, str) else None)


def _challenge(body: bytes) -> ChallengeRequired:
    """The three kinds of 403: an edge's check, a bot page, a session that looks unusual."""
    what = "refuses this session"
    if looks_like_html(body):
        what = "shows a bot page" if b"challenge-error-text" in body else "shows its edge's check"
    return ChallengeRequired(
        f"chatgpt {what} (HTTP 403): {quote(body)}",
        hint=calls.CHALLENGE_HINT,
    )


def _not_a_stream(body: bytes) -> PolychatError:
    """What a 200 means that is no event stream."""
    if looks_like_html(body):
        return AuthExpired("chatgpt answered the question with a web page", hint=calls.SIGN_IN_HINT)
    kind = _CODES.get(_detail(body).code or "", Unavailable)
    return kind(f"chatgpt answered 200 with an error inside: {quote(body)}", retry_after_s=_detail(body).clears_in)


async def _pictures(session: Session, decoder: Decoder) -> list[Event]:
    """The pictures finished since last asked, downloaded."""
    found, decoder.pictures = decoder.pictures, []
    return [
        Media(part=await calls.download(session, pointer, decoder.conversation_id), id=pointer.id) for pointer in found
    ]


def _onward(decoder: Decoder) -> Place:
    """The rest of an answer that was cut by its length."""
    if decoder.answer_id is None:
        raise FormatChanged("chatgpt cut an answer by its length and named no message to go on from")
    return Place(
        action="continue",
        conversation_id=decoder.conversation_id,
        parent_id=decoder.answer_id,
        question_id=decoder.answer_id,
    )


def _ending(session: Session, request: Request, where: Place, decoder: Decoder) -> list[Event]:
    """Where the conversation stands now, and why the answer ended."""
    temporary = chatgpt_request.temporary(request)
    thread = Thread(
        provider="chatgpt",
        account=session.account.name if session.account else None,
        id=None if temporary else decoder.conversation_id,
        parent_id=decoder.answer_id,
        temporary=temporary,
        state={"question_id": decoder.question_id or where.question_id, "question_parent_id": where.parent_id},
    )
    reason = _REASONS.get(decoder.finish_type, "stop")
    return [ThreadMoved(thread=thread), Finish(reason=reason, raw=decoder.finish_type)]
