"""Streams whose every event repeats the whole answer so far, turned into exact deltas.

The rule is a prefix comparison, never a search: "ha", "haha", "hahaha!" is "ha" + "ha" + "ha!". A text that no longer
begins with what went out is a revision: one `Revised` says so, deltas pause until the text extends what went out
again, and the end of the answer is exact either way.

Some services let the last events end in a piece of their separator token (newline, space, then a growing "<sep"),
which a later event takes back. A tail of that form is held until it is known to be text.
"""

from __future__ import annotations

import re

from polychat.types import Event, Revised, TextDelta

_HELD_TAIL = re.compile(r"\n? ?(?:<(?:s(?:ep?)?)?)?\Z")
_SEPARATOR = re.compile(r"\n? ?<(?:s(?:ep?)?)?\Z")
_LONGEST_TAIL = len("\n <sep")
_TAIL_ENDS = frozenset("\n <sep")


def _without(tail: re.Pattern[str], text: str) -> str:
    """`text` less a tail of that form; looks at its last characters only, for texts are long and come often."""
    if text[-1:] not in _TAIL_ENDS:
        return text
    end = text[-_LONGEST_TAIL:]
    return text[: len(text) - len(end)] + tail.sub("", end)


class CumulativeText:
    """The answer of one turn in the making."""

    def __init__(self) -> None:
        self._last = ""  # the newest text, as it came
        self._sent = ""  # all deltas so far, joined
        self._shown = ""  # what a reader that obeys `Revised` sees; differs from `_sent` after a revision

    def feed(self, text: str) -> list[Event]:
        """The events that the next whole text means."""
        self._last = text
        return self._advance(_without(_HELD_TAIL, text))

    def _advance(self, text: str) -> list[Event]:
        revised = self._shown != self._sent
        if text.startswith(self._sent):
            events: list[Event] = [Revised(text=self._sent)] if revised else []
            if len(text) > len(self._sent):
                events.append(TextDelta(text=text[len(self._sent) :]))
            self._sent = self._shown = text
            return events
        if revised or self._sent.startswith(text):
            return []
        self._shown = text
        return [Revised(text=text)]

    def close(self) -> list[Event]:
        """What is still to be said for the answer to equal the last text that came."""
        final = _without(_SEPARATOR, self._last)
        if self._shown == self._sent and final.startswith(self._sent):
            return self._advance(final)
        if final == self._shown:
            return []
        self._shown = final
        return [Revised(text=final)]
