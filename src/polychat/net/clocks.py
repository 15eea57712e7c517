"""The five clocks of one turn, all set, all separate (seconds)."""

from __future__ import annotations

import msgspec


class Clocks(msgspec.Struct, frozen=True, kw_only=True):
    """How long to wait for what. None switches a clock off; a wait without a clock never ends by itself."""

    connect_s: float | None = 10.0  # name, TCP, TLS, proxy
    first_event_s: float | None = 120.0  # from asking to the first event of the answer
    between_events_s: float | None = 60.0  # silence inside an answer
    total_s: float | None = 900.0  # the whole turn
    pool_s: float | None = 30.0  # for a free connection
