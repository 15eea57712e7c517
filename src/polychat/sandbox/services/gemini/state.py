"""What the service remembers of its accounts: spent requests and tokens, revoked keys, prompts, signatures."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from polychat.sandbox import brain
from polychat.sandbox.call import Call
from polychat.sandbox.services.gemini.catalogue import MODELS
from polychat.sandbox.services.gemini.knobs import Knobs

if TYPE_CHECKING:
    from polychat.sandbox.world import World

_CACHE_LEAST = 1024  # tokens
_KEPT = 10_000  # prompts and signatures; the oldest go first


class Window(msgspec.Struct, kw_only=True):
    """What was used since the window opened."""

    ends_at: float
    requests: int = 0
    tokens: int = 0


class Signed(msgspec.Struct, frozen=True, kw_only=True):
    """What a signature was given for: a call, or (without a name) a text."""

    name: str = ""
    args: dict[str, Any] = {}


class State:
    """The service's memory."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.models = {model.id: model for model in MODELS}
        self.revoked: set[str] = set()
        self.signatures: dict[bytes, Signed] = {}
        self._windows: dict[tuple[str, ...], Window] = {}
        self._prompts: dict[str, float] = {}  # digest of a beginning -> forgotten at

    def person(self, key: str) -> str | None:
        """Whose key it is, if it is still good."""
        return None if key in self.revoked else self._world.person(key)

    def expire(self, key: str) -> None:
        """Revoke a key."""
        self.revoked.add(key)

    def window(self, length_s: float, *name: str) -> Window:
        """The window of that name now; a new one begins where the last has ended."""
        now = self._world.clock.now()
        window = self._windows.get(name)
        if window is None or window.ends_at <= now:
            window = self._windows[name] = Window(ends_at=now + length_s)
        return window

    def sign(self, signed: Signed, turns: Sequence[brain.Turn]) -> bytes:
        """The signature of what follows these turns, the same every time; from now on it is known."""
        signature = hashlib.sha256(msgspec.msgpack.encode((self._world.ids.seed, signed, turns))).digest()
        self.signatures[signature] = signed
        _trim(self.signatures)
        return signature

    def cached_tokens(self, account: str, model: str, turns: Sequence[brain.Turn], ttl_s: float) -> int:
        """How many tokens of the beginning were seen before, from 1024 on; remembers these turns."""
        now = self._world.clock.now()
        digest = hashlib.sha256(f"{account}\0{model}".encode())
        size = cached = 0
        for turn in turns:
            digest.update(msgspec.msgpack.encode(turn))
            size += brain.size(brain.Question(turns=(turn,)))
            if size < _CACHE_LEAST:
                continue
            name = digest.hexdigest()
            cached = size if self._prompts.get(name, 0) > now else cached
            self._prompts[name] = now + ttl_s
        _trim(self._prompts)
        return cached


def _trim(kept: dict[Any, Any]) -> None:
    while len(kept) > _KEPT:
        del kept[next(iter(kept))]


ApiCall = Call[State, Knobs]


def account(call: ApiCall) -> str:
    """Who asks; the gate has let nobody in without a name."""
    return call.entry.account or ""
