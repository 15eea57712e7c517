"""What the service remembers, and the seals that need no memory."""

from __future__ import annotations

from polychat.sandbox.services.anthropic import State
from polychat.sandbox.services.anthropic.state import seal
from polychat.sandbox.world import World


def test_a_seal_ties_a_text_to_an_account():
    """To nothing else, and always the same."""
    seals = [seal(*it) for it in (("alice", "words"), ("bob", "words"), ("alice", "other"), ("alicewords", ""))]
    assert len(set(seals)) == 4
    assert seal("alice", "words") == seals[0]


def test_the_oldest_beginnings_are_forgotten():
    """A thousand are kept."""
    state = State(World())
    for number in range(1001):
        state.cache(str(number), 60)
    assert [state.cached(name) for name in ("0", "1", "1000")] == [False, True, True]


def test_a_beginning_is_never_known_for_shorter_than_before():
    """Five minutes do not end an hour."""
    world = World()
    state = State(world)
    state.cache("it", 3600)
    state.cache("it", 300)
    world.clock.advance(3000)
    assert state.cached("it")


def test_a_model_is_found_by_its_alias():
    """Or its name, or not at all."""
    state = State(World())
    assert state.model("claude-haiku-4-5") is state.model("claude-haiku-4-5-20251001")
    assert state.model("haiku") is None
