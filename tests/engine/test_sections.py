"""engine/sections.py: the tables of a config; each mistake is named by its place and its path."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from polychat.engine.sections import Budget
from polychat.engine.settings import Settings, load
from polychat.errors import ConfigError
from polychat.net.clocks import USUAL, Clocks


def loaded(home: Path, **overrides: Any) -> Settings:
    """The settings in force."""
    return load(environ={"POLYCHAT_HOME": str(home)}, overrides=overrides)


def complaint(home: Path, **overrides: Any) -> str:
    """What is said of a mistake, without the place."""
    with pytest.raises(ConfigError) as caught:
        loaded(home, **overrides)
    place, _, said = caught.value.message.partition(": ")
    assert place == "options"
    return said


# ---------------------------------------------------------------- clocks


def test_every_kind_of_request_has_its_usual_clocks(tmp_path: Path) -> None:
    """Where nothing is set."""
    settings = loaded(tmp_path)
    assert {kind: settings.clocks_of(kind) for kind in USUAL} == dict(USUAL)


def test_a_clock_is_set_for_all_kinds_and_for_one(tmp_path: Path) -> None:
    """The nearer word wins; 0 switches it off."""
    settings = loaded(tmp_path, clocks={"total_s": 50, "pool_s": 0, "drawing": {"total_s": 70, "connect_s": 0}})
    assert settings.clocks == Clocks(total_s=50, pool_s=None)
    assert settings.clocks_of("drawing") == Clocks(first_event_s=300.0, total_s=70, pool_s=None, connect_s=None)
    assert settings.clocks_of("embeddings") == Clocks(first_event_s=60.0, total_s=50, pool_s=None)


def test_questions_may_have_a_table_of_their_own(tmp_path: Path) -> None:
    """As every kind."""
    settings = loaded(tmp_path, clocks={"total_s": 50, "chat": {"total_s": 70}})
    assert (settings.clocks.total_s, settings.clocks_of("speech").total_s) == (70, 50)


@pytest.mark.parametrize(
    ("clocks", "said"),
    [
        ({"total": 3}, "clocks.total is not a setting"),
        ({"total_s": "3"}, "clocks.total_s is not a number of seconds"),
        ({"total_s": -1}, "clocks.total_s is not a number of seconds"),
        ({"total_s": True}, "clocks.total_s is not a number of seconds"),
        ({"total_s": {"chat": 3}}, "clocks.total_s is not a number of seconds"),
        ({"drawing": 3}, "clocks.drawing is not a table of clocks"),
        ({"drawing": {"total": 3}}, "clocks.drawing.total is not a setting"),
        ({"drawing": {"total_s": "3"}}, "clocks.drawing.total_s is not a number of seconds"),
        ({"drawing": {"speech": {"total_s": 3}}}, "clocks.drawing.speech is not a setting"),
        ({"painting": {"total_s": 3}}, "clocks.painting is not a setting"),
    ],
)
def test_a_wrong_clock_is_named(tmp_path: Path, clocks: dict[str, Any], said: str) -> None:
    """By its whole path."""
    assert complaint(tmp_path, clocks=clocks) == said


# ---------------------------------------------------------------- failover


def test_the_budget_has_defaults_and_no_hedging(tmp_path: Path) -> None:
    """Four attempts, two minutes."""
    assert loaded(tmp_path).failover == Budget(attempts=4, time_s=120.0, hedge_after_s=None)


def test_the_budget_may_be_set(tmp_path: Path) -> None:
    """Each by itself; 0 is no hedging."""
    assert loaded(tmp_path, failover={"attempts": 2, "hedge_after_s": 1.5}).failover == Budget(
        attempts=2, hedge_after_s=1.5
    )
    assert loaded(tmp_path, failover={"time_s": 3, "hedge_after_s": 0}).failover == Budget(time_s=3)


@pytest.mark.parametrize(
    ("failover", "said"),
    [
        ({"attempt": 3}, "failover.attempt is not a setting"),
        ({"attempts": 0}, "failover.attempts is not a number of attempts"),
        ({"attempts": 2.0}, "failover.attempts is not a number of attempts"),
        ({"attempts": True}, "failover.attempts is not a number of attempts"),
        ({"time_s": "3"}, "failover.time_s is not a number of seconds"),
        ({"hedge_after_s": -1}, "failover.hedge_after_s is not a number of seconds"),
        ({"hedge_after_s": True}, "failover.hedge_after_s is not a number of seconds"),
    ],
)
def test_a_wrong_budget_is_named(tmp_path: Path, failover: dict[str, Any], said: str) -> None:
    """By its whole path."""
    assert complaint(tmp_path, failover=failover) == said


# ---------------------------------------------------------------- routed names


def test_routed_names_and_settings_of_models_share_a_table(tmp_path: Path) -> None:
    """What has a slash is a model, the rest is routed."""
    settings = loaded(
        tmp_path, models={"reka/reka-core": {"tools": "emulate"}, "fast": "groq/x", "smart": {"targets": ["fast"]}}
    )
    assert (sorted(settings.models), sorted(settings.routed)) == (["reka/reka-core"], ["fast", "smart"])


def test_a_nearer_place_replaces_a_routed_name_as_a_whole(tmp_path: Path) -> None:
    """Its targets are not mixed, and the other names stay."""
    config = tmp_path / "config"
    config.mkdir()
    (config / "config.toml").write_text(
        '[models]\nfast = "groq/x"\n[models.smart]\nstrategy = "weighted"\ntargets = ["a/b", "c/d"]\n'
    )
    routed = loaded(tmp_path, models={"smart": "openai/gpt-4o"}).routed
    assert {name: [aim.model for aim in one.targets] for name, one in routed.items()} == {
        "fast": ["groq/x"], "smart": ["openai/gpt-4o"],
    }  # fmt: skip
    assert routed["smart"].strategy == "ordered"


@pytest.mark.parametrize(
    ("models", "said"),
    [
        ({"smart": {"targets": [{"model": "a/b", "when": "errors < 3"}]}},
         "models.smart.targets[0].when: there is no field errors"),
        ({"a": "b", "b": {"targets": ["x/y", "a"]}}, "models.b.targets[1] leads back to a: a -> b -> a"),
        ({"smart": {"targets": []}}, "models.smart.targets is not a list of models"),
        ({"reka/reka-core": {"targets": ["a/b"]}}, 'models."reka/reka-core".targets is not a setting'),
        ({"reka/reka-core": "openai/gpt-4o"}, 'models."reka/reka-core" is not a table of a model'),
    ],
)  # fmt: skip
def test_a_wrong_routed_name_is_named(tmp_path: Path, models: dict[str, Any], said: str) -> None:
    """By its whole path."""
    assert complaint(tmp_path, models=models) == said


def test_a_cycle_over_two_places_is_found_and_the_place_that_closes_it_named(tmp_path: Path) -> None:
    """Each file by itself is sound."""
    config = tmp_path / "config"
    config.mkdir()
    (config / "config.toml").write_text('[models]\na = "b"\nb = "x/y"\n')
    assert complaint(tmp_path, models={"b": "a"}) == "models.b leads back to a: a -> b -> a"


def test_a_file_is_named_with_its_path(tmp_path: Path) -> None:
    """So that it can be opened."""
    file = tmp_path / "config" / "config.toml"
    file.parent.mkdir()
    file.write_text('[models.smart]\ntargets = [{ model = "a/b", weight = 2 }]\n')
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path)
    assert caught.value.message == f'{file}: models.smart.targets[0].weight means nothing with strategy "ordered"'
