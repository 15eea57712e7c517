"""What the service remembers of its accounts: spent requests and tokens, revoked keys, beginnings of prompts.

What the service hands out and wants back unchanged bears its seal, which needs no memory.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from polychat.sandbox.call import Call
from polychat.sandbox.services.anthropic.knobs import Knobs
from polychat.sandbox.services.anthropic.models import Model

if TYPE_CHECKING:
    from polychat.sandbox.world import World

_KEPT = 1000  # beginnings of prompts; the oldest go first


class Window(msgspec.Struct, kw_only=True):
    """What an account used since the window opened."""

    ends_at: float
    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0


class State:
    """The service's memory."""

    def __init__(self, world: World, *, models: Sequence[Model]) -> None:
        self._world = world
        self.models: Mapping[str, Model] = {model.id: model for model in models}
        self._aliases = {model.alias: model for model in models if model.alias}
        self.revoked: set[str] = set()
        self.requests: dict[str, int] = {}  # by account, since the last reset
        self._windows: dict[str, Window] = {}
        self._prompts: dict[str, float] = {}  # digest of a beginning -> forgotten at

    def model(self, name: str) -> Model | None:
        """The model of that name or alias."""
        return self.models.get(name) or self._aliases.get(name)

    def person(self, key: str) -> str | None:
        """Whose key it is, if it is still good."""
        return None if key in self.revoked else self._world.person(key)

    def expire(self, key: str) -> None:
        """Revoke a key."""
        self.revoked.add(key)

    def window(self, account: str, length_s: float) -> Window:
        """The account's window of now."""
        now = self._world.clock.now()
        window = self._windows.get(account)
        if window is None or window.ends_at <= now:
            window = self._windows[account] = Window(ends_at=now + length_s)
        return window

    def cached(self, digest: str) -> bool:
        """Whether a beginning of a prompt is still known."""
        return self._prompts.get(digest, 0) > self._world.clock.now()

    def cache(self, digest: str, ttl_s: float) -> None:
        """Know a beginning from now on, and never shorter than before."""
        until = self._world.clock.now() + ttl_s
        self._prompts[digest] = max(until, self._prompts.pop(digest, 0))
        while len(self._prompts) > _KEPT:
            del self._prompts[next(iter(self._prompts))]


def seal(account: str, text: str) -> str:
    """What ties `text` to an account: the same for the same, and nobody's guess."""
    return base64.b64encode(hashlib.sha256(f"sandbox\0{account}\0{text}".encode()).digest()).decode()


ApiCall = Call[State, Knobs]


def account(call: ApiCall) -> str:
    """Who asks; the gate has let nobody in without a name."""
    return call.entry.account or ""
