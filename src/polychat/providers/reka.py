"""Reka's web chat (space.reka.ai) over the session of the person's own browser.

    1. the `appSession` cookie is exchanged for an access token (kept until a minute before it ends);
    2. each attachment is uploaded as multipart/form-data and gets a URL;
    3. the whole talk is posted, and the answer comes as cumulative text over an event stream.

A bearer token given directly replaces step 1; no cookies are sent then. The service keeps no conversation.

Source: shared protocol notes of 2026-11 (an undocumented web API; last known shape 2025-07). Never confirmed live;
verified against the sandbox. The official API at api.reka.ai is another service and comes first where a key is at
hand.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any, ClassVar

import msgspec

from polychat import media
from polychat.credentials import BearerToken, Secret, SessionCookies, SignIn, token_expiry
from polychat.errors import AuthExpired, FormatChanged, NoAccount
from polychat.net.session import Session
from polychat.net.transport import FilePart
from polychat.providers import _reading
from polychat.providers.base import Capability, Info, Model
from polychat.types import Event, Request
from polychat.wire import reka_history, reka_web

_SESSION_COOKIE = "appSession"
_UPLOAD_REUSE_S = 600.0  # how long an uploaded file's URL is used again; its real life is unknown
_ALL: tuple[Capability, ...] = ("text", "stream", "system", "image_in", "video_in", "file_in", "web_search", "seed")


class _AccessToken(msgspec.Struct):
    access_token: str = msgspec.field(name="accessToken")


class _Uploaded(msgspec.Struct):
    media_url: str | None = None
    image_url: str | None = None


class Reka:
    """The provider; see the module's text for its steps."""

    info: ClassVar[Info] = Info(
        name="reka",
        label="Reka",
        hosts={"web": "https://space.reka.ai"},
        accepts=("cookies", "bearer"),
        models=(Model(id="reka-core"), Model(id="reka-flash"), Model(id="reka-edge")),
        default_model="reka-core",
        capabilities=frozenset(_ALL),
        sign_in=SignIn(
            url="https://space.reka.ai/chat",
            cookies=(_SESSION_COOKIE,),
            domains=("space.reka.ai", "chat.reka.ai", "reka.ai"),
            key_kind="bearer",
            token_paths={"/bff/auth/access_token": "accessToken"},
        ),
        options={"use_code_interpreter": bool},
        concurrency=3,
        terms_url="https://reka.ai/terms-of-service",
        source="protocol notes, 2026-11",
        verified="against the sandbox; never live",
    )

    async def chat(self, session: Session, request: Request) -> AsyncIterator[Sequence[Event]]:
        """One turn: upload what is attached, post the talk, decode the answer."""
        turns = [await self._turn(session, draft) for draft in reka_history.drafts(request.messages)]
        body = {
            "conversation_history": turns,
            "stream": True,  # also when nobody reads along: a cut answer then keeps what came
            "use_search_engine": request.web_search,
            "use_code_interpreter": request.options.get("use_code_interpreter", False),
            "model_name": request.model,
            "random_seed": int(session.now() * 1000) if request.seed is None else request.seed,
        }
        decoder = reka_web.Decoder()
        async with session.open("POST", "/api/chat", json=body, **self._proofs(session)) as response:
            if "text/html" in response.headers.get("content-type", ""):
                raise _signed_out("answered the question with a web page instead of data")
            async with aclosing(_reading.batches(response, decoder)) as batches:
                async for events in batches:
                    yield events

    async def upload_image(self, session: Session, data: bytes, *, media_type: str, name: str) -> str:
        """Store a picture, video or PDF; the URL to name it by in this account's questions."""
        part = FilePart(name="image", data=data, filename=name, media_type=media_type)
        uploaded = await session.upload("/api/upload-image", part, into=_Uploaded, **self._proofs(session))
        url = uploaded.media_url or uploaded.image_url
        if url is None:
            raise FormatChanged("reka took the upload and named no URL for it (media_url, image_url)")
        return url

    async def access_token(self, session: Session) -> Secret:
        """The account's access token, fetched from the session when it is not at hand."""
        return await session.token(partial(self._fetch_token, session))

    async def prolong(self, session: Session) -> None:
        """A fresh session cookie in place of one that is about to end."""
        async with session.open("GET", "/bff/auth/firebase_token"):
            pass

    # ------------------------------------------------------------ steps

    def _proofs(self, session: Session) -> dict[str, Any]:
        return {
            "bearer": partial(self._fetch_token, session),
            "headers": {"origin": session.url(""), "referer": session.url("/chat")},
        }

    async def _fetch_token(self, session: Session) -> BearerToken:
        credential = session.credential
        if not isinstance(credential, SessionCookies):
            raise NoAccount("reka needs a browser session (cookies) or an access token")
        if not any(name.split(".")[0] == _SESSION_COOKIE for name in session.cookies.names()):
            raise AuthExpired(f"the reka cookies hold no {_SESSION_COOKIE}")
        try:
            answer = await session.json(
                "GET", "/bff/auth/access_token", into=_AccessToken, headers={"referer": session.url("/chat")}
            )
        except FormatChanged as error:  # a login page or a redirect to it, instead of the token
            raise _signed_out("no longer gives this browser session an access token") from error
        token = Secret(answer.access_token)
        return BearerToken(token=token, expires_at=token_expiry(token))

    async def _turn(self, session: Session, draft: reka_history.Draft) -> reka_history.Turn:
        if draft.attachment is None:
            return draft.turn(None)
        data = draft.attachment.data or b""
        media_type = draft.attachment.media_type or media.OCTETS
        key = hashlib.sha256(data).hexdigest()
        url = session.uploaded(key, max_age_s=_UPLOAD_REUSE_S)
        if url is None:
            name = f"{reka_history.media_kind(draft.attachment)}.{media.extension(media_type)}"
            url = await self.upload_image(session, data, media_type=media_type, name=name)
            session.remember_upload(key, url)
        return draft.turn(url)


def _signed_out(what: str) -> AuthExpired:
    return AuthExpired(
        f"reka {what}; it has ended",
        hint="log in at https://space.reka.ai/chat in your browser, export its cookies, then: "
        "polychat login reka --cookies FILE",
    )
