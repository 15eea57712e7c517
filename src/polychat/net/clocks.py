"""The five clocks of one request, all set, all separate (seconds).

Each kind of request has usual ones; the config, the client, a call and its headers may set others, in this order.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from polychat.errors import BadOption

Kind = Literal["chat", "drawing", "speech", "transcription", "embeddings"]
Waits = Mapping[str, float | None]  # clock -> seconds; None switches it off

HEADER = "x-polychat-"  # x-polychat-first-event-s: 20


class Clocks(msgspec.Struct, frozen=True, kw_only=True):
    """How long to wait for what. None switches a clock off; a wait without a clock never ends by itself."""

    connect_s: float | None = 10.0  # name, TCP, TLS, proxy
    first_event_s: float | None = 120.0  # from asking to the first event of the answer
    between_events_s: float | None = 60.0  # silence inside an answer
    total_s: float | None = 900.0  # the whole request, whoever answers in the end
    pool_s: float | None = 30.0  # for a free connection, and for a free place at an account

    def but(self, waits: Waits) -> Clocks:
        """The same with other `waits`, which are sound."""
        return msgspec.structs.replace(self, **waits) if waits else self


USUAL: Mapping[Kind, Clocks] = {
    "chat": Clocks(),
    "drawing": Clocks(first_event_s=300.0, total_s=600.0),  # a picture comes whole, after minutes
    "speech": Clocks(first_event_s=60.0, total_s=600.0),
    "transcription": Clocks(first_event_s=600.0),  # an hour of sound is heard before the first word comes back
    "embeddings": Clocks(first_event_s=60.0, total_s=120.0),
}


def waits(given: Mapping[str, Any], *, field: str = "clocks") -> dict[str, float | None]:
    """`given` as it is to be used: 0 or None switches a clock off. Raises: `BadOption` naming the clock."""
    for name, seconds in given.items():
        if name not in Clocks.__struct_fields__:
            raise BadOption(f"{field}.{name} is no clock", field=f"{field}.{name}", hint=THERE_ARE)
        if seconds is not None and not is_wait(seconds):
            raise BadOption(
                f"{field}.{name} is not a number of seconds", field=f"{field}.{name}", hint="0 switches a clock off"
            )
    return {name: seconds or None for name, seconds in given.items()}


def from_headers(headers: Mapping[str, str]) -> dict[str, float | None]:
    """The clocks that a request's headers set: `x-polychat-total-s: 30`. Raises: `BadOption` naming the header."""
    told = {of_header(header): (header.lower(), text) for header, text in headers.items()}
    return {name: _seconds(*told[name]) or None for name in Clocks.__struct_fields__ if name in told}


def of_header(header: str) -> str | None:
    """The clock that a header of that name sets, or None."""
    head, mark, name = header.lower().partition(HEADER)
    clock = name.replace("-", "_")
    return clock if mark and not head and clock in Clocks.__struct_fields__ else None


def is_wait(seconds: object) -> bool:
    """True for a number of seconds, not negative and not endless."""
    return not isinstance(seconds, bool) and isinstance(seconds, int | float) and 0 <= seconds <= sys.float_info.max


def _seconds(header: str, text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not is_wait(seconds):
        raise BadOption(f"the header {header} is not a number of seconds", field=header, hint="0 switches a clock off")
    return seconds


THERE_ARE = f"the clocks there are {', '.join(Clocks.__struct_fields__)}"
