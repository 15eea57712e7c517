"""`polychat models`."""

from __future__ import annotations

import json
from typing import Any

import pytest

MODELS = ["reka/reka-core", "reka/reka-flash", "reka/reka-edge"]


def test_the_list_begins_each_line_with_what_model_takes(polychat: Any) -> None:
    """The first column is the value for --model."""
    done = polychat("models", "--provider", "reka")
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split()[0] for line in done.stdout.splitlines()] == MODELS


def test_json_is_openais_list(polychat: Any) -> None:
    """--json has the shape of GET /v1/models."""
    listed = json.loads(polychat("models", "--provider", "reka", "--json").stdout)
    assert (listed["object"], [card["id"] for card in listed["data"]]) == ("list", MODELS)


def test_a_capability_narrows_the_list(polychat: Any) -> None:
    """--cap leaves only those that can; none is no error."""
    assert polychat("models", "--provider", "reka", "--cap", "image_in").stdout.count("\n") == len(MODELS)
    none = polychat("models", "--provider", "reka", "--cap", "audio_out")
    assert (none.returncode, none.stdout, none.stderr) == (0, "", "note: no model has audio_out\n")


def test_capabilities_add_up_and_go_by_the_words_people_use(polychat: Any) -> None:
    """Each --cap narrows the list further; vision is what the table calls image_in."""
    seeing = polychat("models", "--cap", "vision").stdout.splitlines()
    assert seeing == polychat("models", "--cap", "image_in").stdout.splitlines()
    both = polychat("models", "--cap", "vision", "--cap", "threads").stdout.splitlines()
    assert {line.partition("/")[0] for line in both} < {line.partition("/")[0] for line in seeing}
    assert all("image_in" in line and "threads" in line for line in both)


def test_live_asks_the_services(polychat: Any) -> None:
    """--live lists what the account may use; a service that does not tell keeps its known list, and a note says so."""
    live = polychat("models", "--live", "--provider", "chatgpt")
    assert (live.returncode, live.stderr, "chatgpt/gpt-5-thinking" in live.stdout) == (0, "", True)
    polychat.sandbox.fault("chatgpt", "status", code=403, path="/backend-api/models")
    troubled = polychat("models", "--live")
    known = [line for line in polychat("models").stdout.splitlines() if line.startswith("chatgpt/")]
    kept = [line for line in troubled.stdout.splitlines() if line.startswith("chatgpt/")]
    assert (troubled.returncode, [line.split() for line in kept]) == (0, [line.split() for line in known])
    assert troubled.stderr.startswith("note: chatgpt did not tell its own list: ")
    (problem,) = json.loads(polychat("models", "--live", "--json").stdout)["problems"]
    assert (problem["provider"], problem["code"]) == ("chatgpt", "challenge_required")


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        (["--cap", "image_im"], "hint: did you mean image_in"),
        (["--cap", "zzz"], "hint: there are: text, stream,"),
        (["--provider", "nope"], "error: there is no provider 'nope'"),
    ],
)
def test_unknown_names_are_2(polychat: Any, args: list[str], complaint: str) -> None:
    """A capability or service that is not there is told with what is."""
    done = polychat("models", *args)
    assert (done.returncode, done.stdout, complaint in done.stderr) == (2, "", True)


# ---------------------------------------------------------------- explain

_SMART = """
[models.smart]
targets = [
  "reka/reka-core",
  { model = "openai/gpt-4o", when = "not request.has_images and request.characters < 10" },
  "openia/gpt-4o",
]
"""


def explained(polychat: Any, *args: str) -> list[list[str]]:
    """The first three columns of every line but the head."""
    done = polychat("models", "explain", *args)
    assert (done.returncode, done.stderr) == (0, "")
    return [line.split()[:3] for line in done.stdout.splitlines()[1:]]


def test_a_routed_name_says_who_would_be_asked(polychat: Any) -> None:
    """Accounts in order, then those who are out; nothing is asked."""
    polychat.configure(_SMART)
    assert explained(polychat, "smart", "short") == [
        ["1", "reka/reka-core", "sandbox-alice@reka"],
        ["2", "reka/reka-core", "sandbox-bob@reka"],
        ["3", "openai/gpt-4o", "sandbox-alice@openai"],
        ["4", "openai/gpt-4o", "sandbox-bob@openai"],
        ["out", "openia/gpt-4o", "-"],
    ]
    assert polychat.sandbox.journal() == []


def test_the_question_decides_conditions(polychat: Any) -> None:
    """And the reason has the values that decided."""
    polychat.configure(_SMART)
    told = polychat("models", "explain", "smart", "not", "that", "short").stdout
    out = next(line for line in told.splitlines() if line.startswith("out") and "openai/gpt-4o" in line)
    assert "request.has_images is false, request.characters is 14 (models.smart.targets[1])" in out


def test_programs_get_the_same(polychat: Any) -> None:
    """--json has every candidate with its verdict."""
    polychat.configure(_SMART)
    told = polychat("models", "explain", "smart", "short", "--account", "sandbox-bob@reka", "--json").stdout
    found = json.loads(told)
    assert [(one["verdict"], one["account"]) for one in found] == [
        ("in", "sandbox-bob@reka"), ("out", None), ("out", None),
    ]  # fmt: skip


def test_a_name_that_leads_nowhere_is_told(polychat: Any) -> None:
    """As anywhere else."""
    done = polychat("models", "explain", "reka/nope")
    assert (done.returncode, done.stderr.splitlines()[0]) == (2, "error: there is no model 'reka/nope'")
