"""Reka's web chat as last known: session cookie, access token, uploads, chat with a cumulative stream.

    GET  /bff/auth/login             a login page; POST sets `appSession` and leads to /chat
    GET  /bff/auth/me                whose session it is
    GET  /bff/auth/firebase_token    renews the session: a new `appSession`
    GET  /bff/auth/access_token      session -> {"accessToken": a JWT of one hour, by the sandbox clock}
    POST /api/upload-image           multipart, one part `image` -> {"media_url", "image_url"}
    GET  /media/USER/vlm/NAME?sig=   the bytes, to whoever holds the signed link, for one hour
    POST /api/chat                   the turn; server-sent events, or one JSON document

Source: the web chat's protocol as read from public clients of 2024-2026; nothing was tried against the live service.
Where that leaves a shape open (`me`, the body of `firebase_token`, error bodies) this file chooses: errors are
`{"detail": ...}`, as in the official API of the same house. Sources of a web search have no known shape, so the answer
only says that it searched. `[DONE]` is never sent.

History is judged as the official API v0 does it: begins and ends with `human`, strictly alternating, known keys only.
A picture must be an upload of the same person. The knob `history=lenient` is for clients that send every turn as
`human`: it accepts any turns and any model, and does not see pictures it cannot open.
"""

from __future__ import annotations

import base64
import re
from collections.abc import AsyncIterator, Iterator
from html import escape
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

import msgspec
from starlette.responses import RedirectResponse, Response

from polychat.sandbox import brain
from polychat.sandbox.call import Call, EventStream, get, html, json, login_form, nobody, post
from polychat.sandbox.services import Service
from polychat.sandbox.services._reka_history import (
    Asked,
    Problem,
    Unprocessable,
    problem,
    read_leniently,
    read_strictly,
)

if TYPE_CHECKING:
    from polychat.sandbox.world import World

COOKIE = "appSession"
_DAY_S = 86_400.0
_MAGIC = (
    (0, b"\x89PNG", "png", "image/png"),
    (0, b"\xff\xd8\xff", "jpg", "image/jpeg"),
    (0, b"GIF8", "gif", "image/gif"),
    (8, b"WEBP", "webp", "image/webp"),
    (0, b"%PDF-", "pdf", "application/pdf"),
    (4, b"ftyp", "mp4", "video/mp4"),
    (0, b"\x1aE\xdf\xa3", "webm", "video/webm"),
)


class Knobs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How this Reka behaves."""

    history: Literal["strict", "lenient"] = "strict"
    expired_session: Literal["redirect", "html", "unauthorized"] = "redirect"  # what the auth paths show then
    session_ttl_s: float = 3 * _DAY_S
    token_ttl_s: float = 3600.0
    link_ttl_s: float = 3600.0
    upload_limit_bytes: int = 20 * 1024 * 1024
    separator_tail: Literal["off", "trimmed", "kept"] = "off"  # a growing prefix of `<sep` at the end of the stream
    revision: bool = False  # the stream begins with a text that is then replaced
    repeated: bool = False  # the answer is `hahaha!`, told as ha, haha, hahaha!
    bare_json: bool = False  # one JSON document although a stream was asked for
    finish: bool = True  # the last event carries finish_reason


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """A stored file."""

    owner: str
    data: bytes
    media_type: str
    signature: str
    link_expires_at: float


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """A session or an access token: whose, and until when."""

    owner: str
    expires_at: float


class State:
    """What Reka remembers."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.sessions: dict[str, Grant] = {}
        self.tokens: dict[str, Grant] = {}
        self.uploads: dict[str, Upload] = {}  # by path below the service

    def session_of(self, cookie: str, ttl_s: float) -> str | None:
        """Whose session the cookie is. A person's own name is a session that begins when first seen."""
        if cookie not in self.sessions and (person := self._world.person(cookie)):
            self.sessions[cookie] = Grant(owner=person, expires_at=self._world.clock.now() + ttl_s)
        return self._valid(self.sessions.get(cookie))

    def token_of(self, bearer: str) -> str | None:
        """Whose access token it is. A person's own name is a token without end."""
        return self._world.person(bearer) or self._valid(self.tokens.get(bearer))

    def open_session(self, owner: str, ttl_s: float) -> str:
        """A new session cookie."""
        cookie = f"enc.{self._world.ids.hex(48)}"
        self.sessions[cookie] = Grant(owner=owner, expires_at=self._world.clock.now() + ttl_s)
        return cookie

    def grant_token(self, owner: str, ttl_s: float) -> str:
        """A new access token: an unsigned JWT (RFC 7519, section 6.1)."""
        now = self._world.clock.now()
        claims = {"sub": owner, "iat": int(now), "exp": int(now + ttl_s), "jti": self._world.ids.hex()}
        token = f"{_base64url({'alg': 'none', 'typ': 'JWT'})}.{_base64url(claims)}."
        self.tokens[token] = Grant(owner=owner, expires_at=now + ttl_s)
        return token

    def store(self, owner: str, data: bytes, link_ttl_s: float) -> tuple[str, Upload]:
        """Keep bytes; the path and the record."""
        ending, media_type = _kind(data)
        upload = Upload(
            owner=owner, data=data, media_type=media_type, signature=self._world.ids.hex(32),
            link_expires_at=self._world.clock.now() + link_ttl_s,
        )  # fmt: skip
        path = f"/media/{owner}/vlm/{self._world.ids.hex()}.{ending}"
        self.uploads[path] = upload
        return path, upload

    def _valid(self, grant: Grant | None) -> str | None:
        if grant is None or grant.expires_at <= self._world.clock.now():
            return None
        return self._world.person(grant.owner)


RekaCall = Call[State, Knobs]

# ---------------------------------------------------------------- session and token


async def login_page(call: RekaCall) -> Response:
    """Ask who is there."""
    return login_form(call, "Reka")


async def log_in(call: RekaCall) -> Response:
    """Open a session for a known person and lead on to the chat page."""
    person = call.recognise(call.world.person(call.form().get("name")))
    if person is None:
        return nobody("Reka")
    answer = RedirectResponse(f"{call.base_url}/chat", 302)
    _set_session(call, answer, person)
    return answer


async def chat_page(call: RekaCall) -> Response:
    """The page a person sees when logged in."""
    person = _person(call)
    if person is None:
        return RedirectResponse(f"{call.base_url}/bff/auth/login", 302)
    return html("Reka (sandbox)", f"<p>You are logged in as {escape(person)}.</p>")


async def me(call: RekaCall) -> Response:
    """Whose session it is."""
    person = _person(call)
    return _signed_out(call) if person is None else json({"sub": f"sandbox|{person}", "name": person})


async def firebase_token(call: RekaCall) -> Response:
    """A fresh session cookie."""
    person = _person(call)
    if person is None:
        return _signed_out(call)
    answer = json({})
    _set_session(call, answer, person)
    return answer


async def access_token(call: RekaCall) -> Response:
    """A bearer for the session."""
    person = _person(call)
    if person is None:
        return _signed_out(call)
    return json({"accessToken": call.state.grant_token(person, call.knobs.token_ttl_s)})


def _person(call: RekaCall) -> str | None:
    """Whoever the session cookie belongs to; one that was split into `appSession.0`, `.1`, ... is put together."""
    split = sorted((name for name in call.cookies if re.fullmatch(rf"{COOKIE}\.\d+", name)), key=_number)
    cookie = call.cookies.get(COOKIE) or "".join(call.cookies[name] for name in split)
    return call.recognise(call.state.session_of(cookie, call.knobs.session_ttl_s))


def _number(name: str) -> int:
    return int(name.rpartition(".")[2])


def _set_session(call: RekaCall, answer: Response, person: str) -> None:
    ttl_s = call.knobs.session_ttl_s
    cookie = call.state.open_session(person, ttl_s)
    path = urlsplit(call.base_url).path or "/"
    answer.set_cookie(COOKIE, cookie, max_age=int(ttl_s), path=path, httponly=True, samesite="lax")


def _signed_out(call: RekaCall) -> Response:
    """What an expired or unknown session is shown."""
    login = f"{call.base_url}/bff/auth/login"
    if call.knobs.expired_session == "unauthorized":
        return json(error(401, "The session has expired."), 401)
    if call.knobs.expired_session == "html":
        return html("Log in", f'<p>Your session has expired. <a href="{login}">Log in</a></p>')
    return RedirectResponse(login, 302)


def _base64url(value: Any) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(value)).rstrip(b"=").decode()


# ---------------------------------------------------------------- uploads


async def upload_image(call: RekaCall) -> Response:
    """Store the one part `image` and link to it."""
    owner = _bearer(call)
    if owner is None:
        return _unauthorized(call)
    limit_bytes = call.knobs.upload_limit_bytes
    try:
        parts = call.parts()
    except ValueError as mistake:
        return _unprocessable([problem(["body"], str(mistake))])
    if [part.name for part in parts] != ["image"]:
        return _unprocessable([problem(["body", "image"], "send exactly one part, named image")])
    if not parts[0].data:
        return _unprocessable([problem(["body", "image"], "the file is empty")])
    if len(parts[0].data) > limit_bytes:
        return json(error(413, f"The file is larger than {limit_bytes} bytes."), 413)
    path, upload = call.state.store(owner, parts[0].data, call.knobs.link_ttl_s)
    link = f"{call.base_url}{path}?sig={upload.signature}&expires={int(upload.link_expires_at)}"
    return json({"media_url": link, "image_url": link})


async def media(call: RekaCall) -> Response:
    """The bytes behind a signed link; like any object store, this does not ask who is there."""
    upload = call.state.uploads.get(f"/media/{call.path['owner']}/vlm/{call.path['name']}")
    if upload is None or call.query.get("sig") != upload.signature or upload.link_expires_at <= call.now:
        denied = '<?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessDenied</Code></Error>'
        return Response(denied, 403, media_type="application/xml")
    return Response(upload.data, media_type=upload.media_type)


def _kind(data: bytes) -> tuple[str, str]:
    """File name ending and media type."""
    for start, magic, ending, media_type in _MAGIC:
        if data[start : start + len(magic)] == magic:
            return ending, media_type
    return "bin", "application/octet-stream"


# ---------------------------------------------------------------- chat


async def chat(call: RekaCall) -> Response:
    """One turn: judge the history, open the pictures, answer."""
    owner = _bearer(call)
    if owner is None:
        return _unauthorized(call)
    try:
        asked = read_strictly(call.body) if call.knobs.history == "strict" else read_leniently(call.body)
    except Unprocessable as refusal:
        return _unprocessable(refusal.problems)
    foreign = [
        problem(["body", "conversation_history", index, "image_url"], "not an upload of this account")
        for index, turn in enumerate(asked.conversation_history)
        if turn.image_url is not None and _uploaded(call, turn.image_url, owner) is None
    ]
    if foreign and call.knobs.history == "strict":
        return _unprocessable(foreign)
    answer = call.answer(_question(call, asked, owner))
    if call.knobs.repeated:
        answer = msgspec.structs.replace(answer, pieces=("ha", "ha", "ha!"), revisions=())
    if asked.stream and not call.knobs.bare_json:
        return EventStream(_frames(call.knobs, answer))
    return json(_event(answer, answer.text, answer.output_tokens, finished=call.knobs.finish))


def _uploaded(call: RekaCall, url: str, owner: str) -> bytes | None:
    """The bytes of an upload of `owner`, by its signed link."""
    link = urlsplit(url)
    upload = call.state.uploads.get(link.path.removeprefix(urlsplit(call.base_url).path))
    if upload is None or upload.owner != owner or f"sig={upload.signature}" not in link.query.split("&"):
        return None
    return upload.data


def _question(call: RekaCall, asked: Asked, owner: str) -> brain.Question:
    turns = []
    for turn in asked.conversation_history:
        data = _uploaded(call, turn.image_url, owner) if turn.image_url else None
        text = turn.text if isinstance(turn.text, str) else msgspec.json.encode(turn.text).decode()
        role: brain.Role = "assistant" if turn.type == "model" else "user"
        turns.append(brain.Turn(role=role, text=text, attachments=() if data is None else (data,)))
    return brain.Question(turns=tuple(turns), searched=asked.use_search_engine)


async def _frames(knobs: Knobs, answer: brain.Answer) -> AsyncIterator[bytes]:
    said = list(_said(knobs, answer))
    for index, (text, tokens) in enumerate(said, 1):
        event = _event(answer, text, tokens, finished=index == len(said) and knobs.finish)
        yield b"event: message\ndata: " + msgspec.json.encode(event) + b"\n\n"


def _said(knobs: Knobs, answer: brain.Answer) -> Iterator[tuple[str, int]]:
    """The whole text so far and its tokens, event by event."""
    if knobs.revision:
        yield "Let me guess: nothing", 3
    text, tokens = "", 0
    for tokens, piece in enumerate(answer.pieces or ("",), 1):
        text += piece
        yield text, tokens
    for text in answer.revisions:
        yield text, tokens
    if knobs.separator_tail != "off":
        for tail in ("\n <", "\n <s", "\n <se", "\n <sep"):
            yield text + tail, tokens
    if knobs.separator_tail == "trimmed":
        yield text, tokens


def _event(answer: brain.Answer, text: str, tokens: int, *, finished: bool) -> dict[str, Any]:
    counts = {"input_tokens": answer.input_tokens, "generated_tokens": tokens}
    event: dict[str, Any] = {"type": "model", "text": text, "metadata": counts}
    return {**event, "finish_reason": answer.finish_reason} if finished else event


# ---------------------------------------------------------------- who is there, and what went wrong


def _bearer(call: RekaCall) -> str | None:
    return call.recognise(call.state.token_of(call.bearer)) if call.bearer else None


def _unauthorized(call: RekaCall) -> Response:
    sentence = "The access token is missing." if call.bearer is None else "The access token is unknown or has expired."
    return json(error(401, sentence), 401)


def _unprocessable(problems: list[Problem]) -> Response:
    return json({"detail": problems}, 422)


def error(status: int, message: str) -> dict[str, Any]:
    """The body of an error."""
    return {"detail": message}


def _expire(state: State, bearer: str) -> None:
    state.tokens.pop(bearer, None)


routes = (
    get("/bff/auth/login", login_page),
    post("/bff/auth/login", log_in),
    get("/bff/auth/me", me),
    get("/bff/auth/firebase_token", firebase_token),
    get("/bff/auth/access_token", access_token),
    get("/chat", chat_page),
    post("/api/upload-image", upload_image),
    post("/api/chat", chat),
    get("/media/{owner}/vlm/{name}", media),
)
service = Service(label="Reka, the web chat (space.reka.ai)", error=error, knobs=Knobs, expire=_expire)
