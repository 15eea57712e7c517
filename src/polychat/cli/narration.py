"""What happens on the wire, told on stderr while it happens."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from polychat.cli.phrases import size
from polychat.cli.terminal import draws, note

if TYPE_CHECKING:
    from polychat.net.session import Step

_MOMENT_S = 0.5  # an upload that is done sooner shows no progress
_REDRAW_S = 0.1


class Narration:
    """Takes the steps of a client, one request at a time.

    With `steps` each answered request becomes a line; what was sent is called by the word that `words` has for the end
    of its path. A long upload shows its progress on a terminal either way.
    """

    def __init__(self, *, steps: bool, words: Mapping[str, str] | None = None) -> None:
        self._steps = steps
        self._words = words or {}
        self._draws = draws(sys.stderr)
        self._asked_at = self._drawn_at = 0.0
        self._sent_bytes = 0

    def __call__(self, step: Step) -> None:
        """Tell of `step`, where there is something to tell."""
        match step.name:
            case "asked":
                self._asked_at, self._drawn_at, self._sent_bytes = time.monotonic(), 0.0, 0
            case "uploading":
                self._sent_bytes = step.sent_bytes or 0
                self._progress(self._sent_bytes, step.total_bytes or self._sent_bytes)
            case "answered":
                self._answered(step)

    def _progress(self, sent_bytes: int, total_bytes: int) -> None:
        now = time.monotonic()
        if not self._draws or now - self._asked_at < _MOMENT_S or now - self._drawn_at < _REDRAW_S:
            return
        self._drawn_at = now
        share = sent_bytes / max(total_bytes, 1)
        sys.stderr.write(f"\r\x1b[2Kuploading {size(sent_bytes)} of {size(total_bytes)} ({share:.0%})")
        sys.stderr.flush()

    def _answered(self, step: Step) -> None:
        if self._drawn_at:
            sys.stderr.write("\r\x1b[2K")
        if not self._steps:
            return
        place = urlsplit(step.url)
        sent = [size(self._sent_bytes)] if self._sent_bytes else []
        told = [word for end, word in self._words.items() if place.path.endswith(end)] + sent
        where = place.path if self._words else f"{place.netloc}{place.path}"
        elapsed_ms = 1000 * (step.elapsed_s or 0.0)
        note(f"→ {step.method} {where}  {step.status}  {elapsed_ms:.0f} ms  {', '.join(told)}".rstrip(), dim=True)
