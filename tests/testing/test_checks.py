"""A check says what is broken, whatever broke."""

from __future__ import annotations

import pytest

from polychat.errors import Unavailable
from polychat.testing.checks import Check, check_all, require, require_equal


def _even(number: int) -> None:
    require(number % 2 == 0, f"{number} is odd")


def _unavailable(subject: str) -> None:
    raise Unavailable(f"{subject} is away", provider="reka")


def _untouched(numbers: list[int]) -> None:
    require(not numbers, "used before")
    numbers.append(1)


def test_a_kept_promise_is_silent() -> None:
    """A check whose judge is content raises nothing."""
    Check("even", _even)(2)


def test_a_broken_promise_is_told_with_its_name() -> None:
    """The sentence begins with the check's name."""
    with pytest.raises(AssertionError, match=r"\Aeven: 3 is odd\Z"):
        Check("even", _even)(3)


def test_an_error_is_a_broken_promise() -> None:
    """An error of ours that nobody expected becomes an AssertionError that names its class."""
    with pytest.raises(AssertionError, match=r"\Aawake: Unavailable was raised: reka is away"):
        Check("awake", _unavailable)("reka")


def test_unequal_things_are_told_in_full() -> None:
    """`require_equal` shows what was expected and what there was."""
    with pytest.raises(AssertionError, match=r"\Athe sum is 5 instead of 4\Z"):
        require_equal(4, 5, "the sum")


def test_check_all_gives_each_check_a_subject_of_its_own() -> None:
    """No check sees what another one did to its subject."""
    check_all([Check("untouched", _untouched)] * 2, list)
