"""ChatGPT's web backend as last known, for browsers, for today's clients and for those of 2025 and 2024.

    GET  /, /auth/login, /api/auth/session       `pages`, `identity`: sign-in by form, session, access token
    POST .../sentinel/chat-requirements, ...     `gate`: what a turn must show
    POST .../conversation, .../f/conversation    `chat`: the turn as a stream, v1 (`supported_encodings`) or classic;
         .../f/conversation/resume, .../stop_conversation
    GET, PATCH /backend-api/conversation(s)      `conversations`: the tree
    POST /backend-api/files, PUT blob, GET ...   `files`: uploads and signed downloads, at a foreign origin
    GET  /backend-api/synthesize                 `voice`
    GET  /backend-api/celsius/ws/user, /ws/...   `topics`: websockets
    GET  .../models, /backend-api/me, accounts   `models`, `identity`

A turn is a chain of steps (`scenes`, `reasoning`, `searching`, `drawing`) that `production` takes one by one, writes
into the conversation's `tree` by its own `patches`, and has written down by one of the `encodings`. `knobs` lists every
setting; an image model and `system_hints` of `search`, `reason` and `picture_v2` choose scenes as well.

Source: the web chat's protocol as read from public clients and captures of 2024-2026; nothing was tried against the
live service. Where that leaves a shape open (most error bodies, the offset of `resume`, what follows a handoff) this
package chooses: an offset counts records, and a handoff is a record; nothing follows it on that connection. The routes
under `/backend-anon` are the same for nobody in particular.
"""

from __future__ import annotations

from polychat.sandbox.call import get, patch, post, put
from polychat.sandbox.services import Service
from polychat.sandbox.services.chatgpt import chat, conversations, files, gate, identity, models, pages, topics, voice
from polychat.sandbox.services.chatgpt.knobs import Knobs
from polychat.sandbox.services.chatgpt.refusals import error, guarded
from polychat.sandbox.services.chatgpt.state import State
from polychat.sandbox.sockets import websocket

__all__ = ["State", "routes", "service"]

_API = "/backend-api"
_PAGES = (
    (get, "/", pages.chat_page),
    (get, "/c/{id}", pages.chat_page),
    (get, "/auth/login", pages.login_page),
    (post, "/auth/login", pages.log_in),
    (get, "/api/auth/session", identity.auth_session),
    (put, "/blob/{id}", files.put_blob),
    (get, "/content/{id}", files.content),
)
_SIGNED_IN = (
    (get, "/me", identity.me),
    (get, "/accounts/check/{version}", identity.accounts_check),
    (get, "/conversations", conversations.listing),
    (get, "/conversation/{id}", conversations.read),
    (patch, "/conversation/{id}", conversations.retouch),
    (get, "/conversation/{conversation}/attachment/{id}/download", files.attachment),
    (post, "/files", files.announce),
    (post, "/files/{id}/uploaded", files.confirm),
    (get, "/files/{id}/download", files.download),
    (get, "/files/download/{id}", files.newer_download),
    (get, "/estuary/content", files.estuary),
    (get, "/synthesize", voice.synthesize),
    (get, "/celsius/ws/user", topics.user_socket),
    (post, "/register-websocket", topics.register),
)
_EITHER = (  # signed in or, under /backend-anon, not
    (get, "/models", models.listing),
    (post, "/sentinel/chat-requirements", gate.requirements),
    (post, "/sentinel/chat-requirements/prepare", gate.prepare),
    (post, "/sentinel/chat-requirements/finalize", gate.finalize),
    (post, "/conversation", chat.converse),
    (post, "/f/conversation", chat.converse),
    (post, "/f/conversation/prepare", gate.conduit),
    (post, "/f/conversation/resume", chat.resume),
    (post, "/stop_conversation", chat.stop),
)

routes = (
    *(method(path, guarded(handler)) for method, path, handler in _PAGES),
    *(method(f"{_API}{path}", guarded(handler)) for method, path, handler in (*_EITHER, *_SIGNED_IN)),
    *(method(f"/backend-anon{path}", guarded(handler)) for method, path, handler in _EITHER),
    websocket("/ws/user/{uid}", topics.user),
    websocket("/ws/classic", topics.classic),
)
service = Service(label="ChatGPT, the web chat (chatgpt.com)", error=error, knobs=Knobs, expire=State.expire)
