"""Everything the sandbox knows, in one place that `reset` can empty.

The clock runs like the wall's but can be set and advanced; sessions, tokens, links and quotas obey it alone. Ids come
from the seed, so the same requests in the same order give the same ids.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from typing import Any

import msgspec

from polychat.sandbox import replays
from polychat.sandbox.faults import Rule
from polychat.sandbox.journal import Journal
from polychat.sandbox.services import Emulation, discover

FIRST_ACCOUNTS = ("sandbox-alice", "sandbox-bob")


class Clock:
    """Unix seconds, wall time plus whatever it was moved by."""

    def __init__(self) -> None:
        self._offset_s = 0.0

    def now(self) -> float:
        """The sandbox's time."""
        return time.time() + self._offset_s

    def advance(self, seconds: float) -> None:
        """Move on (or back) by `seconds`."""
        self._offset_s += seconds

    def set(self, at: float) -> None:
        """Make it `at` now."""
        self._offset_s = at - time.time()


class Ids:
    """Identifiers that look random and are not."""

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self._count = 0

    def hex(self, length: int = 16) -> str:
        """The next identifier, at most 64 hexadecimal digits."""
        self._count += 1
        return hashlib.sha256(f"{self.seed}:{self._count}".encode()).hexdigest()[:length]


class Script(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a service answers next instead of what its brain would say."""

    service: str
    account: str | None = None  # None: whoever asks
    text: str | None = None
    chunks: list[str] | None = None  # the pieces of the stream, exactly; `text` is then their sum
    revisions: list[str] = []  # whole texts that replace the answer one after the other, at its end
    finish_reason: str | None = None  # the service's own word
    times: int = 1


class World:
    """The state of one sandbox. Touched by the server's event loop only."""

    def __init__(self, *, foreign_url: str = "", replay: str | None = None, speed: replays.Speed = "full") -> None:
        self._replay = replay  # a folder of recordings to begin with
        self._speed = speed
        self.services: Mapping[str, Emulation] = discover()
        self.foreign_url = foreign_url  # a second origin where the same services answer, if there is one
        self.reset()

    def reset(self) -> None:
        """Back to the start: two accounts, wall time, seed 0, no faults, no scripts, empty journal, empty services."""
        self.clock = Clock()
        self.ids = Ids()
        self.journal = Journal()
        self.accounts = list(FIRST_ACCOUNTS)
        self.rules: list[Rule] = []
        self.scripts: list[Script] = []
        recorded = self._replay and replays.load(self._replay, self.services, speed=self._speed)
        self.replays: dict[str, replays.Replay] = recorded or {}  # by service
        self.knobs: dict[str, msgspec.Struct] = {name: it.service.knobs() for name, it in self.services.items()}
        self.states: dict[str, Any] = {name: it.State(self) for name, it in self.services.items()}

    def person(self, credential: str | None) -> str | None:
        """The account whose cookie value, bearer token and API key `credential` is, if any."""
        return credential if credential in self.accounts else None

    def take_script(self, service: str, account: str | None) -> Script | None:
        """The next scripted answer for this service and account, used up by taking it."""
        for script in self.scripts:
            if script.service == service and script.account in (None, account):
                script.times -= 1
                if script.times <= 0:
                    self.scripts.remove(script)
                return script
        return None
