"""A check says what is broken, whatever broke."""

from __future__ import annotations

import pytest

from polychat.errors import Unavailable
from polychat.testing.checks import Check, check_all, require, require_equal


def _unavailable(subject: str) -> None:
    raise Unavailable(f"{subject} is away", provider="reka")


def test_a_kept_promise_is_silent() -> None:
    """A check whose judge is content returns nothing and raises nothing."""
    Check("even", lambda number: require(number % 2 == 0, f"{number} is odd"))(2)


def test_a_broken_promise_is_told_with_its_name() -> None:
    """The sentence begins with the check's name."""
    check = Check[int]("even", lambda number: require(number % 2 == 0, f"{number} is odd"))
    with pytest.raises(AssertionError, match=r"\Aeven: 3 is odd\Z"):
        check(3)


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
    check = Check[list[int]]("empty", lambda numbers: require(numbers.append(1) or len(numbers) == 1, "used before"))
    check_all((check, check), list)
