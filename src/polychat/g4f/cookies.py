"""The cookies of this process, by domain, as the pages keep them.

A quirk: they belong to the whole process, as in the original. They are in memory only, and nothing ever reads a
browser's or a HAR file's by itself; `polychat login` keeps a session for good.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping

from polychat.g4f.typing import Cookies


class _Store:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[str, Cookies] = {}

    def set(self, domain: str, cookies: Mapping[str, str] | None = None) -> None:
        """Use `cookies` for `domain` from now on, in place of what was there; none or an empty mapping forgets it."""
        with self._lock:
            self._kept.pop(_bare(domain), None)
            if cookies:
                self._kept[_bare(domain)] = dict(cookies)

    def get(self, domain: str) -> Cookies:
        """A copy of what was set for exactly `domain` (a leading dot does not matter); empty for none."""
        with self._lock:
            return dict(self._kept.get(_bare(domain), {}))


def _bare(domain: str) -> str:
    return domain.lower().lstrip(".")


_store = _Store()
set_cookies = _store.set
get_cookies = _store.get
