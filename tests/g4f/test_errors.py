"""The twins that are `ValueError`s too."""

from __future__ import annotations

import pickle

import pytest

from polychat import errors
from polychat.g4f.errors import value_errors

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.PolychatError)]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_an_error_of_the_kind_leaves_as_a_value_error(kind: type[errors.PolychatError]) -> None:
    """It stays the same object, with its sentence, hint and code, and survives a pickle."""
    error = kind("it is broken", hint="mend it")
    with pytest.raises(ValueError) as raised, value_errors(kind):
        raise error
    assert raised.value is error
    assert isinstance(error, kind)
    assert (str(error), error.code) == ("it is broken\nhint: mend it", kind.code)
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy)) == (type(error), str(error))


def test_other_errors_stay_as_they_are() -> None:
    """Only the kinds that are named become `ValueError`s."""
    with pytest.raises(errors.RateLimited) as raised, value_errors(errors.AuthExpired):
        raise errors.RateLimited("too many")
    assert type(raised.value) is errors.RateLimited


def test_a_provider_s_own_error_stays_as_it_is() -> None:
    """A subclass from elsewhere has no twin and keeps its class."""

    class Odd(errors.AuthExpired):
        pass

    with pytest.raises(Odd) as raised, value_errors(errors.AuthExpired):
        raise Odd("odd")
    assert type(raised.value) is Odd
