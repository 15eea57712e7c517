"""What the service remembers of its accounts: spent requests and tokens, revoked keys, prompts, pictures, responses."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from polychat.sandbox import brain
from polychat.sandbox.call import Call
from polychat.sandbox.services.openai.knobs import Knobs
from polychat.sandbox.services.openai.models import Model

if TYPE_CHECKING:
    from polychat.sandbox.world import World

_CACHE_LEAST = 1024  # tokens
_CACHE_STEP = 128
_KEPT = 1000  # pictures and responses; the oldest go first


class Window(msgspec.Struct, kw_only=True):
    """What an account used since the window opened."""

    ends_at: float
    requests: int = 0
    tokens: int = 0


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """A response that was kept, with the turns that led to it and its own."""

    owner: str
    body: dict[str, Any]
    turns: tuple[brain.Turn, ...]
    waiting: frozenset[str] = frozenset()  # calls that are to be answered


class State:
    """The service's memory."""

    def __init__(self, world: World, *, models: Sequence[Model]) -> None:
        self._world = world
        self.models: Mapping[str, Model] = {model.id: model for model in models}
        self.revoked: set[str] = set()
        self.requests: dict[str, int] = {}  # by account, since the last reset
        self.pictures: dict[str, tuple[bytes, str]] = {}  # by name: bytes and media type
        self.responses: dict[str, Stored] = {}
        self._windows: dict[str, Window] = {}
        self._prompts: dict[str, float] = {}  # digest of a beginning -> forgotten at

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

    def keep_picture(self, name: str, data: bytes, media_type: str) -> None:
        """Let `data` be fetched by `name`."""
        self.pictures[name] = (data, media_type)
        _trim(self.pictures)

    def keep_response(self, response: Stored) -> None:
        """Let a response be continued and read."""
        self.responses[response.body["id"]] = response
        _trim(self.responses)

    def kept_item(self, owner: str, name: str) -> dict[str, Any] | None:
        """The item called `name` of a response that was kept for `owner`."""
        kept = (item for one in self.responses.values() if one.owner == owner for item in one.body["output"])
        return next((item for item in kept if item["id"] == name), None)

    def cached_tokens(self, account: str, model: str, turns: Sequence[brain.Turn], ttl_s: float) -> int:
        """How many tokens of the beginning were seen before, in steps of 128 from 1024 on; remembers these turns."""
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
        return cached // _CACHE_STEP * _CACHE_STEP


def _trim(kept: dict[str, Any]) -> None:
    while len(kept) > _KEPT:
        del kept[next(iter(kept))]


ApiCall = Call[State, Knobs]


def account(call: ApiCall) -> str:
    """Who asks; the gate has let nobody in without a name."""
    return call.entry.account or ""
