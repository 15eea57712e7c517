"""The checkup of the machine: Python, the browser of a sign-in, the clock."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from importlib.util import find_spec

from polychat.cli.finding import Finding
from polychat.errors import ConfigError

_OLDEST_PYTHON = (3, 11)
_WRITTEN_IN = 2025  # a clock that shows an earlier year is wrong
_SKEW_NOTICED_S, _SKEW_BROKEN_S = 60.0, 300.0
_SET_THE_CLOCK = "set the clock, best by NTP"
_OTHERWISE = "or sign in without a window: --from-browser firefox, --har, --cookies, --curl"


def python(version: tuple[int, ...]) -> Iterator[Finding]:
    """Whether Python is new enough."""
    shown, oldest = ".".join(map(str, version)), ".".join(map(str, _OLDEST_PYTHON))
    if version < _OLDEST_PYTHON:
        yield Finding("broken", f"Python {shown} is too old", f"install Python {oldest} or newer")
    else:
        yield Finding("good", f"Python {shown}")


def browser(environ: Mapping[str, str], *, platform: str = sys.platform) -> Iterator[Finding]:
    """What `polychat login --browser` needs; nothing else does, so what is missing is no fault."""
    from polychat.signin.browser import find_browser

    try:
        found = find_browser(environ)
    except ConfigError as error:
        yield Finding("notice", error.message, error.hint)
    else:
        missing = "there is no Chrome, Chromium or Edge for polychat login --browser"
        yield Finding("good", f"browser {found}") if found else Finding("notice", missing, f"install one, {_OTHERWISE}")
    if find_spec("playwright"):
        yield Finding("good", "Playwright is installed")
    else:
        missing = "Playwright, which polychat login --browser needs, is not installed"
        yield Finding("notice", missing, 'pip install "polychat[browser]"')
    if platform == "linux" and not (environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY")):
        yield Finding("notice", "there is no display for the window of polychat login --browser", _OTHERWISE[3:])


def clock(now: float) -> Iterator[Finding]:
    """Whether the clock can be right; certificates and tokens are judged by it. `now` is in Unix seconds."""
    year = time.gmtime(now).tm_year
    if year < _WRITTEN_IN:
        yield Finding("broken", f"the clock says that it is {year}", _SET_THE_CLOCK)
    else:
        yield Finding("good", f"the clock shows {time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime(now))}, a likely year")


def skew(label: str, ahead_s: float) -> Finding:
    """Whether this clock agrees with another's; `ahead_s` is how far it goes before."""
    from polychat.cli.phrases import span

    said = f"the clock is {span(abs(ahead_s))} {'ahead of' if ahead_s > 0 else 'behind'} that of {label}"
    if abs(ahead_s) > _SKEW_BROKEN_S:
        return Finding("broken", said, _SET_THE_CLOCK)
    if abs(ahead_s) > _SKEW_NOTICED_S:
        return Finding("notice", said, _SET_THE_CLOCK)
    return Finding("good", f"the clock agrees with that of {label}")
