"""LiteLLM's config becomes routed names, services, clocks and a budget."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polychat.engine.importing.litellm import convert
from polychat.engine.importing.mapped import Converted, toml
from polychat.engine.settings import Settings, load
from polychat.errors import ConfigError

SAMPLE = (Path(__file__).parent / "samples" / "litellm.yaml").read_text("utf-8")
CANARY = "canary-4c1d77"


def made(**sections: Any) -> Converted:
    """What a file with those sections becomes; JSON is YAML too."""
    return convert(json.dumps(sections), name="c")


def told(converted: Converted) -> list[tuple[str, str]]:
    return [(remark.kind, remark.path) for remark in converted.remarks]


def test_a_real_file_is_taken_over(loads: Callable[[Converted], Settings]) -> None:
    """Names, shares, fallbacks, services, clocks and the budget."""
    converted = convert(SAMPLE, name="config.yaml")
    assert converted.table == {
        "model": "smart",
        "clocks": {"total_s": 45, "first_event_s": 15},
        "failover": {"attempts": 4},
        "concurrency": {"llm-example": 4},
        "services": {
            "llm-example": {
                "base_url": "https://llm.example.com/v1",
                "keys": ["TEAM_LLM_KEY"],
                "models": ["team-large", "team-small"],
            },
            "openrouter": {"keys": ["ROUTER_KEY"]},
        },
        "models": {
            "smart-pool": {
                "strategy": "weighted",
                "targets": [
                    {"model": "openai/gpt-4o", "weight": 3},
                    {"model": "openrouter/openai/gpt-4o", "weight": 1},
                ],
            },
            "smart": {"strategy": "ordered", "targets": ["smart-pool", "anthropic/claude-sonnet-4-5"]},
            "spare": {"strategy": "ordered", "targets": ["anthropic/claude-sonnet-4-5", "smart-pool"]},
            "team": {"strategy": "ordered", "targets": ["llm-example/team-large", "llm-example/team-small"]},
            "desk": "ollama/llama3.3",
            "gpt-4": "smart",
            "hidden-name": "spare",
        },
    }
    loaded = loads(converted)
    assert (loaded.model, loaded.clocks.total_s, loaded.failover.attempts) == ("smart", 45, 4)
    assert set(loaded.services) == {"llm-example", "openrouter"}


def test_what_has_no_place_is_told_with_its_line() -> None:
    """Nothing is dropped without a word, and the order is the file's."""
    assert [(remark.kind, remark.path, remark.line) for remark in convert(SAMPLE, name="c").remarks] == [
        ("left_out", "x-defaults", 2),
        ("differs", "model_list[3].litellm_params.api_base", 4),  # where the anchor is
        ("left_out", "model_list[0].litellm_params.temperature", 12),
        ("to_do", "model_list[2].litellm_params.api_key", 21),
        ("left_out", "model_list[6].litellm_params.model", 40),
        ("differs", "model_list[7]", 43),
        ("differs", "router_settings.num_retries", 49),
        ("left_out", "router_settings.redis_password", 52),
        ("left_out", "litellm_settings.drop_params", 62),
        ("left_out", "litellm_settings.success_callback", 63),
        ("left_out", "litellm_settings.context_window_fallbacks", 64),
        ("left_out", "general_settings.master_key", 67),
        ("to_do", "environment_variables.LANGFUSE_SECRET_KEY", 71),
    ]


def test_no_secret_of_the_file_comes_out() -> None:
    """Neither in the settings nor in what is said about them."""
    converted = convert(SAMPLE, name="c")
    assert "canary" in SAMPLE
    assert "canary" not in toml(converted, source="c") + msgspec.json.encode(converted).decode()


@pytest.mark.parametrize(
    "params",
    [
        {"model": "openai/x", "api_key": CANARY},
        {"model": "openai/x", "api_key": f"os.environ/{CANARY} {CANARY}"},
        {"model": "openai/x", "api_key": {"a": CANARY}},
        {"model": "openai/x", "api_key": [CANARY]},
        {"model": "openai/x", "api_base": f"https://me:{CANARY}@llm.example.com/v1"},
        {"model": "openai/x", "api_base": f"https://llm.example.com/v1?key={CANARY}"},
        {"model": "openai/x", "extra_headers": {"Authorization": CANARY}},
        {"model": "openai/x", "aws_secret_access_key": CANARY},
        {"model": "openai/x", "rpm": CANARY, "weight": CANARY, "order": CANARY},
        {"model": "azure/x", "api_key": CANARY},
    ],
)
def test_a_secret_is_copied_from_nowhere(params: dict[str, Any]) -> None:
    """Wherever a person has put it."""
    converted = made(model_list=[{"model_name": "m", "litellm_params": params}])
    assert CANARY not in toml(converted, source="c") + msgspec.json.encode(converted).decode()


@pytest.mark.parametrize(
    ("params", "target"),
    [
        ({"model": "openai/gpt-4o"}, "openai/gpt-4o"),
        ({"model": "gpt-4o"}, "openai/gpt-4o"),
        ({"model": "claude-sonnet-4-5"}, "anthropic/claude-sonnet-4-5"),
        ({"model": "together_ai/meta-llama/Llama-3"}, "together/meta-llama/Llama-3"),
        ({"model": "fireworks_ai/accounts/f/models/x"}, "fireworks/accounts/f/models/x"),
        ({"model": "deepinfra/meta/x"}, "deepinfra/meta/x"),
        ({"model": "ollama_chat/llama3", "api_base": "http://127.0.0.1:11434/"}, "ollama/llama3"),
        ({"model": "openai/x", "api_base": "https://api.groq.com/openai/v1"}, "groq/x"),
        ({"model": "openai/x", "base_url": "https://API.openai.com/v1/"}, "openai/x"),
        ({"model": "openai/x", "api_base": "http://localhost:9000/v1"}, "local-9000/x"),
        ({"model": "openai/a/b", "api_base": "https://api.example.com/v1/chat/completions"}, "example/a/b"),
        ({"model": "my/x", "custom_llm_provider": "openai", "api_base": "https://10.0.0.5/v1"}, "10-0-0-5/my/x"),
        ({"model": "openai/x", "api_base": "https://mistral.example/v1"}, "mistral-2/x"),
        ({"model": "hosted_vllm/x"}, "vllm/x"),
        ({"model": "gemini/gemini-2.5-pro"}, "gemini/gemini-2.5-pro"),
    ],
)
def test_a_deployment_finds_its_service(
    params: dict[str, Any], target: str, loads: Callable[[Converted], Settings]
) -> None:
    """By its prefix, by the name of its model, by its address."""
    converted = made(model_list=[{"model_name": "m", "litellm_params": params}])
    assert converted.table["models"] == {"m": target}
    assert loads(converted).routed["m"].targets[0].model == target


@pytest.mark.parametrize(
    ("params", "where", "reason"),
    [
        ({"model": "azure/x"}, "model", "polychat has no service for azure"),
        ({"model": "bedrock/x"}, "model", "polychat has no service for bedrock"),
        ({"model": "my-model"}, "model", "polychat has no service for my-model"),
        ({"model": "openai_like/x"}, "model", "openai_like needs an api_base"),
        ({"model": "openai/x", "api_base": "os.environ/BASE"}, "api_base", "an address cannot come from a variable"),
        ({"model": "openai/x", "api_base": "http://vllm:8000"}, "api_base", "it is plain http to vllm, "),
        ({"model": "openai/x", "api_base": "llm:443"}, "api_base", "it is not a URL "),
        ({"model": "openai/x", "api_base": "https://a@b/v1"}, "api_base", "it has more than an address in it"),
        (
            {"model": "anthropic/x", "api_base": "https://anthropic.example/v1"},
            "api_base",
            "polychat asks anthropic at its own address only",
        ),
    ],
)
def test_a_deployment_without_a_place_is_told(params: dict[str, Any], where: str, reason: str) -> None:
    """With what is in the way; nothing is made of it."""
    converted = made(model_list=[{"model_name": "m", "litellm_params": params}])
    (remark,) = converted.remarks
    assert (converted.table, remark.path) == ({}, f"model_list[0].litellm_params.{where}")
    assert remark.reason.startswith(reason)


@pytest.mark.parametrize(
    ("service", "key", "keys", "kinds"),
    [
        ("openai", "os.environ/OPENAI_API_KEY", None, []),
        ("openai", "os.environ/WORK_KEY", ["WORK_KEY"], []),
        ("anthropic", "os.environ/ANTHROPIC_API_KEY", None, []),
        ("anthropic", "os.environ/WORK_KEY", None, ["to_do"]),
        ("openai", "sk-1", None, ["to_do"]),
        ("openai", "a_key_that_looks_like_a_name", None, ["to_do"]),
        ("openai", "os.environ/not a name", None, ["to_do"]),
        ("ollama", "none", None, []),
    ],
)
def test_keys_are_named_and_never_copied(service: str, key: str, keys: list[str] | None, kinds: list[str]) -> None:
    """A variable is named where polychat would not look by itself; a key goes into the vault by hand."""
    converted = made(model_list=[{"model_name": "m", "litellm_params": {"model": f"{service}/x", "api_key": key}}])
    assert converted.table.get("services", {}).get(service, {}).get("keys") == keys
    assert [remark.kind for remark in converted.remarks] == kinds
    assert all(f"polychat login {service} --key -" in (remark.hint or "") for remark in converted.remarks)


def test_two_keys_of_one_service_are_two_accounts() -> None:
    """The model is named once; both variables are looked at, the usual one too."""
    keys = ("OPENAI_API_KEY", "SECOND_KEY")
    entries = [
        {"model_name": "m", "litellm_params": {"model": "openai/x", "api_key": f"os.environ/{key}"}} for key in keys
    ]
    table = made(model_list=entries).table
    assert table == {"services": {"openai": {"keys": list(keys)}}, "models": {"m": "openai/x"}}


def test_what_describes_a_model_is_told_where_it_mattered() -> None:
    """A price and a limit decided who was asked; a mode or an id does not."""
    info = {"mode": "chat", "id": "d1", "input_cost_per_token": 1e-6, "max_input_tokens": 8000}
    converted = made(model_list=[{"model_name": "m", "litellm_params": {"model": "openai/x"}, "model_info": info}])
    assert told(converted) == [
        ("left_out", "model_list[0].model_info.input_cost_per_token"),
        ("left_out", "model_list[0].model_info.max_input_tokens"),
    ]


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        ("models: []", "c is no config of LiteLLM", "of gpt4free? polychat config import g4f FILE"),
        ("port: 1", "c is no config of LiteLLM: it has none of model_list, ", "name the file that litellm --config"),
    ],
)
def test_another_programs_file_is_refused(text: str, said: str, hint: str) -> None:
    """With what it may be, or how theirs is found."""
    with pytest.raises(ConfigError) as refused:
        convert(text, name="c")
    assert refused.value.message.startswith(said)
    assert (refused.value.hint or "").startswith(hint)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_whatever_is_in_it_the_result_loads(data: st.DataObject) -> None:
    """An import gives settings that are sound, or says why not."""
    import tempfile

    names = st.sampled_from(["a", "b", "c", "a/b", "*", "a?b", "openai", ""])
    odd = st.none() | st.booleans() | st.integers(-3, 9) | st.floats() | st.text(max_size=4) | st.just([]) | names
    models = st.sampled_from(["openai/x", "groq/y", "azure/z", "gpt-4", "openai/a", "ollama/l?", "openai/", "a/b"])
    bases = st.sampled_from(
        ["https://x.example/v1", "http://localhost:1/v1", "http://h/v1", "https://[", "", "https://ü.de"]
    )
    params = st.fixed_dictionaries(
        {"model": models | odd},
        optional={"api_base": bases, "weight": odd, "order": odd, "rpm": odd, "tpm": odd, "api_key": odd, "x": odd},
    )
    entry = st.fixed_dictionaries({"model_name": names | odd, "litellm_params": params | odd})
    spares = st.lists(st.dictionaries(names, st.lists(names | odd, max_size=3) | odd, max_size=2) | odd, max_size=3)
    router = st.fixed_dictionaries(
        {},
        optional={
            "routing_strategy": st.sampled_from(["least-busy", "cost-based-routing", "x"]),
            "fallbacks": spares | odd,
            "default_fallbacks": st.lists(names | odd, max_size=2) | odd,
            "model_group_alias": st.dictionaries(names, names | odd, max_size=3) | odd,
            "num_retries": odd, "timeout": odd,
        },
    )  # fmt: skip
    sections = {
        "model_list": data.draw(st.lists(entry | odd, max_size=6) | odd),
        "router_settings": data.draw(router | odd),
        "general_settings": {"completion_model": data.draw(names | odd)},
    }
    try:
        converted = made(**sections)
    except ConfigError:
        return
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "made.toml"
        file.write_text(toml(converted, source="c"), encoding="utf-8")
        load(environ={"POLYCHAT_HOME": folder}, config_file=file)
