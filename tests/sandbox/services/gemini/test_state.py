"""What the service remembers, and for how long."""

from __future__ import annotations

import pytest

from polychat.sandbox.brain import Turn
from polychat.sandbox.services.gemini.state import Signed, State
from polychat.sandbox.world import World


@pytest.fixture
def state():
    """A memory as new."""
    return State(World())


def test_a_revoked_key_is_nobodys(state):
    """And the other one still is somebody's."""
    state.expire("sandbox-alice")
    assert (state.person("sandbox-alice"), state.person("sandbox-bob")) == (None, "sandbox-bob")


def test_signatures_are_known_until_there_are_too_many(state):
    """The oldest go first."""
    call = Signed(name="f", args={"a": 1})
    first = state.sign(call, ())
    assert state.signatures[first] == call
    assert state.sign(call, ()) == first
    assert state.sign(call, (Turn(role="user"),)) != first
    for number in range(10_000):
        last = state.sign(Signed(name=str(number)), ())
    assert (first in state.signatures, last in state.signatures, len(state.signatures)) == (False, True, 10_000)
