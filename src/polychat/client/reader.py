"""One side of a stream for a thread without a loop: its items one by one, as they come out of the portal."""

from __future__ import annotations

from collections import deque
from typing import Generic, Self, TypeVar

from polychat.engine.portal import Feed

T = TypeVar("T")


class Reader(Generic[T]):
    """The items of one stream. Iterate it, best inside `with`; leaving early hangs up. Not for several threads."""

    def __init__(self, feed: Feed[T]) -> None:
        self._feed = feed
        self._waiting: deque[T] = deque()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        if not self._waiting:
            self._waiting.extend(self._arrived())
        return self._waiting.popleft()

    def _arrived(self) -> list[T]:
        try:
            arrived = self._feed.take()
        except BaseException:  # Ctrl-C included: nobody will read on
            self.close()
            raise
        if arrived is None:
            raise StopIteration
        return arrived

    def close(self) -> None:
        """Hang up; what has come and was not taken is gone."""
        self._waiting.clear()
        self._feed.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()
