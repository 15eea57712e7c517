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
