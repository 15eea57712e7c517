"""How long a call waits: the client's clocks, then the call's headers, then what the call itself says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from polychat.errors import BadOption
from polychat.net import clocks
from polychat.net.clocks import Waits


def waits(usual: Waits, *, timeout: Any = None, given: Mapping[str, Any] | None = None, headers: Any = None) -> Waits:
    """The clocks of one call; None in `timeout` and left out of `given` is what was not said. Seconds; 0 is off.

    Raises: `BadOption` naming what is no clock or no number of seconds, and a header that is meant for a service.
    """
    if timeout is None and given is None and headers is None:
        return usual
    own = clocks.waits(_mapping(given, "clocks")) if given is not None else {}
    told = _told(_mapping(headers, "extra_headers")) if headers is not None else {}
    if timeout is None:
        return {**usual, **told, **own}
    if not clocks.is_wait(timeout):
        raise BadOption("timeout is not a number of seconds", field="timeout", hint="0 waits as long as it takes")
    return {**usual, **told, **own, "total_s": timeout or None}


def _mapping(given: Any, field: str) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise BadOption(f"{field} is not a table of names and values", field=field)
    return given


def _told(headers: Mapping[str, Any]) -> Waits:
    for name in headers:
        if not str(name).lower().startswith(clocks.HEADER):
            raise BadOption(
                f"the header {name} is not sent on to a service",
                field=f"extra_headers.{name}",
                hint=f"headers that begin with {clocks.HEADER} set clocks, as {clocks.HEADER}total-s",
            )
        if clocks.of_header(str(name)) is None:
            raise BadOption(f"the header {name} sets no clock", field=f"extra_headers.{name}", hint=clocks.THERE_ARE)
    return clocks.from_headers({str(name): str(value) for name, value in headers.items()})
