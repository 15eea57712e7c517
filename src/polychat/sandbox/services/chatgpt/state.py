"""What ChatGPT keeps in its databases."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

import msgspec

from polychat.sandbox.services.chatgpt.tree import Conversation

if TYPE_CHECKING:
    from polychat.sandbox.services.chatgpt.production import Production
    from polychat.sandbox.world import World

ANONYMOUS = "anonymous"  # whoever uses the logged-out routes
_SIGNATURE = "sandbox"


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """Something given to an account for a while: a session, a gate token, a ticket for a socket."""

    owner: str
    expires_at: float


class Upload(msgspec.Struct, kw_only=True):
    """A file, a person's or the service's own picture."""

    id: str
    owner: str
    name: str
    size_bytes: int
    use_case: str
    signature: str
    data: bytes | None = None
    media_type: str = "application/octet-stream"
    complete: bool = False
    conversation_id: str | None = None  # for pictures that were made in one


class Task(msgspec.Struct, kw_only=True):
    """A picture that is being made beside the turn."""

    id: str
    owner: str
    conversation_id: str
    message_id: str
    ready_at: float
    final_parts: list[Any]


class State:
    """Everything, in memory."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.sessions: dict[str, Grant] = {}
        self.revoked: set[str] = set()  # bearers
        self.gate: dict[str, Grant] = {}  # requirements tokens
        self.prepared: dict[str, Grant] = {}  # prepare tokens of the gate
        self.conduits: dict[str, Grant] = {}
        self.tickets: dict[str, Grant] = {}  # of sockets
        self.conversations: dict[str, Conversation] = {}
        self.uploads: dict[str, Upload] = {}
        self.relayed: dict[str, Production] = {}  # classic turns that go over a socket, by its ticket
        self.tasks: list[Task] = []
        self.refused = 0  # turns that were told no, by knob
        self.spent: dict[tuple[str, str], list[float]] = {}  # account and feature -> when each was used

    def uuid(self) -> str:
        """A new identifier in the usual form."""
        digits = self.world.ids.hex(32)
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"

    def grant(self, kind: dict[str, Grant], name: str, owner: str, ttl_s: float) -> Grant:
        """Remember that `name` is good for `owner`."""
        kind[name] = Grant(owner=owner, expires_at=self.world.clock.now() + ttl_s)
        return kind[name]

    def holds(self, kind: dict[str, Grant], name: str | None, owner: str) -> bool:
        """True when `name` was granted to `owner` and still is."""
        grant = kind.get(name or "")
        return grant is not None and grant.owner == owner and grant.expires_at > self.world.clock.now()

    def session_of(self, cookie: str, ttl_s: float) -> Grant | None:
        """The session of a cookie. A person's own name is a session that begins when first seen."""
        if cookie not in self.sessions and (person := self.world.person(cookie)):
            self.grant(self.sessions, cookie, person, ttl_s)
        grant = self.sessions.get(cookie)
        if grant is None or grant.expires_at <= self.world.clock.now() or not self.world.person(grant.owner):
            return None
        return grant

    def access_token(self, owner: str, ttl_s: float) -> str:
        """A new JWT; nobody checks the signature, but clients want three parts that are not empty."""
        now = self.world.clock.now()
        claims = {
            "sub": owner, "iat": int(now), "exp": int(now + ttl_s), "jti": self.world.ids.hex(),
            "https://api.openai.com/profile": {"email": email(owner), "email_verified": True},
        }  # fmt: skip
        return f"{_base64url({'alg': 'none', 'typ': 'JWT'})}.{_base64url(claims)}.{_SIGNATURE}"

    def expire(self, bearer: str) -> None:
        """Forget an access token."""
        self.revoked.add(bearer)


def email(owner: str) -> str:
    """The address of a person."""
    return f"{owner.replace('-', '.')}@example.org"


def claims_of(token: str) -> dict[str, Any] | None:
    """What an unsigned JWT says, or None if it is none."""
    _head, _dot, rest = token.partition(".")
    payload, dot, _signature = rest.partition(".")
    try:
        claims = msgspec.json.decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (binascii.Error, ValueError):
        return None
    return claims if dot and isinstance(claims, dict) else None


def _base64url(value: Any) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(value)).rstrip(b"=").decode()
