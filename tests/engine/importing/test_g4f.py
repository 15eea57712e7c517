"""gpt4free's routes become routed names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polychat.engine.importing.g4f import convert
from polychat.engine.importing.mapped import Converted
from polychat.engine.settings import Settings
from polychat.errors import ConfigError

SAMPLE = (Path(__file__).parent / "samples" / "g4f.yaml").read_text("utf-8")


def route(condition: str, provider: str = "Groq") -> str:
    return f"models:\n- name: m\n  providers:\n  - {{provider: {provider}, model: x, condition: {condition!r}}}\n"


def told(converted: Converted) -> list[tuple[str, str]]:
    return [(remark.kind, remark.path) for remark in converted.remarks]


def test_a_real_file_is_taken_over(loads: Callable[[Converted], Settings]) -> None:
    """Every route that leads somewhere, in its order, with its conditions."""
    converted = convert(SAMPLE, name="config.yaml")
    assert converted.table == {
        "services": {
            "deepinfra": {
                "base_url": "https://api.deepinfra.com/v1/openai",
                "keys": ["DEEPINFRA_API_KEY"],
                "models": ["meta-llama/Llama-3.3-70B-Instruct"],
            }
        },
        "models": {
            "everyday": {
                "targets": [
                    {"model": "chatgpt/gpt-5", "when": "errors_1h < 3"},
                    {"model": "groq/llama-3.3-70b-versatile", "when": "quota.remaining > 0 or errors_1h == 0"},
                ]
            },
            "credits": {
                "targets": [
                    {
                        "model": "openrouter/deepseek/deepseek-chat",
                        "when": "quota.remaining > 100 and (not errors_1h >= 5)",
                    },
                    "deepinfra/meta-llama/Llama-3.3-70B-Instruct",
                ]
            },
            "reka-flash": {"targets": ["reka/reka-flash"]},
        },
    }
    assert set(loads(converted).routed) == {"everyday", "credits", "reka-flash"}


def test_what_has_no_place_is_told_with_its_line() -> None:
    """Nothing is dropped without a word, and the order is the file's."""
    assert [(remark.kind, remark.path, remark.line) for remark in convert(SAMPLE, name="c").remarks] == [
        ("differs", "models[0].providers[1].condition", 10),
        ("left_out", "models[0].providers[2].provider", 11),
        ("differs", "models[1].providers[0].condition", 18),
        ("left_out", "models[1].providers[1].condition", 21),
        ("left_out", "models[3]", 27),
        ("left_out", "models[3].providers[0].provider", 29),
        ("left_out", "models[3].providers[1].provider", 31),
    ]


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("error_count < 3", "errors_1h < 3"),
        ("balance > 0", "quota.remaining > 0"),
        ("quota.balance > 0 and error_count < 3", "quota.remaining > 0 and errors_1h < 3"),
        ("quota.credits.remaining >= 1.5", "quota.remaining >= 1.5"),
        ("not (balance == 0)", "not quota.remaining == 0"),
    ],
)
def test_conditions_are_said_in_our_fields(theirs: str, ours: str) -> None:
    """What their language can say, ours can."""
    assert convert(route(theirs), name="c").table["models"]["m"]["targets"] == [{"model": "groq/x", "when": ours}]


@pytest.mark.parametrize(
    "theirs",
    [
        "quota.buckets > 1",
        "health",
        "running > 1",
        "balance",
        "error_count <",
        "os.system(1)",
        "error_count < 'a'",
        "(",
    ],
)
def test_a_condition_that_cannot_be_said_is_told(theirs: str) -> None:
    """The provider stays without it; a name that means something else with us is not taken for ours."""
    converted = convert(route(theirs), name="c")
    assert converted.table["models"]["m"]["targets"] == ["groq/x"]
    assert told(converted) == [("left_out", "models[0].providers[0].condition")]
    assert "without a condition" in converted.remarks[0].reason


def test_a_foreign_provider_is_told_with_those_there_are() -> None:
    """Their web session of Gemini is not our API of Gemini."""
    (remark, whole) = convert(route("error_count < 3", "Gemini"), name="c").remarks
    assert {remark.reason, whole.reason} == {
        "polychat has no service for Gemini",
        "no provider of it has a place in polychat",
    }
    assert "GeminiPro" in (remark.hint or whole.hint or "")


def test_names_that_would_be_a_services_are_changed() -> None:
    """A name with a slash is a service and its model; the first of two routes of one name is taken."""
    text = "models:\n" + "- {name: a/b, providers: [{provider: Reka}]}\n" * 2
    converted = convert(text, name="c")
    assert converted.table["models"] == {"a-b": {"targets": ["reka/a/b"]}}
    assert told(converted) == [("differs", "models[0]"), ("left_out", "models[1]")]


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        ("model_list: []", "c is a config of LiteLLM", "polychat config import litellm FILE"),
        ("port: 1", "c is no config of gpt4free: it has no models", "models:"),
    ],
)
def test_another_programs_file_is_refused(text: str, said: str, hint: str) -> None:
    """With what it is, or how theirs begins."""
    with pytest.raises(ConfigError) as refused:
        convert(text, name="c")
    assert (refused.value.message, hint in (refused.value.hint or "")) == (said, True)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("models: 3", "models"),
        ("models: [3]", "models[0]"),
        ("models: [{providers: []}]", "models[0]"),
        ("models: [{name: [a], providers: []}]", "models[0].name"),
        ("models: [{name: a, providers: {}}]", "models[0].providers"),
        ("models: [{name: a, providers: [{model: b}]}]", "models[0].providers[0]"),
        ("models: [{name: a, providers: [{provider: Reka, extra: 1}]}]", "models[0].providers[0].extra"),
        ("models: []\nmore: 1", "more"),
    ],
)
def test_a_wrong_form_is_told_where_it_is(text: str, where: str) -> None:
    """And the rest is taken over."""
    assert ("left_out", where) in told(convert(text, name="c"))


WORDS = st.sampled_from(["models", "name", "providers", "provider", "model", "condition", "Reka", "Groq", "a/b", ""])
VALUES = st.recursive(
    WORDS | st.text(max_size=8) | st.none() | st.booleans() | st.integers() | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(WORDS, VALUES, max_size=3))
def test_whatever_is_in_it_the_result_loads(value: dict[str, Any]) -> None:
    """An import gives settings that are sound, or says why not."""
    import tempfile

    import yaml

    from polychat.engine.importing.mapped import toml
    from polychat.engine.settings import load

    try:
        converted = convert(yaml.safe_dump({"models": [], **value}), name="c")
    except ConfigError:
        return
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "made.toml"
        file.write_text(toml(converted, source="c"), encoding="utf-8")
        load(environ={"POLYCHAT_HOME": folder}, config_file=file)
