"""A promise with a name, and the sentence that is said when it is not kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

import msgspec

from polychat.errors import PolychatError

T = TypeVar("T")


class Check(msgspec.Struct, Generic[T], frozen=True):
    """One promise about a `T`. Calling it raises `AssertionError` when the promise is broken."""

    name: str  # lower-case words, for a test's id
    judge: Callable[[T], None]

    def __call__(self, subject: T) -> None:
        try:
            self.judge(subject)
        except AssertionError as error:
            raise AssertionError(f"{self}: {error}") from error
        except PolychatError as error:
            raise AssertionError(f"{self}: {type(error).__name__} was raised: {error}") from error

    def __str__(self) -> str:
        return self.name


def require(kept: bool, sentence: str) -> None:
    """Raise `AssertionError` saying `sentence` unless `kept`; also under `python -O`."""
    if not kept:
        raise AssertionError(sentence)


def require_equal(expected: object, actual: object, what: str) -> None:
    """Raise `AssertionError` unless both are equal."""
    require(expected == actual, f"{what} is {actual!r} instead of {expected!r}")


def check_all(checks: Iterable[Check[T]], subject: Callable[[], T]) -> None:
    """Run every check on a `subject` of its own, until one is broken."""
    for check in checks:
        check(subject())
