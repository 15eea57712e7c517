"""`polychat providers`."""

from __future__ import annotations

import json
from typing import Any


def test_the_table_has_a_header_and_a_line_a_service(polychat: Any) -> None:
    """Name, label, sign-in, accounts, capabilities."""
    done = polychat("providers")
    header, *lines = done.stdout.splitlines()
    assert (done.returncode, header.split()) == (0, ["NAME", "LABEL", "SIGN-IN", "ACCOUNTS", "CAPABILITIES"])
    (reka,) = [line for line in lines if line.startswith("reka ")]
    assert "browser cookies or access token" in reka
    assert "sandbox-alice@reka, sandbox-bob@reka" in reka


def test_without_accounts_the_table_says_so(polychat: Any) -> None:
    """Real accounts are looked for where no sandbox is set."""
    rows = json.loads(polychat("providers", "--json", env={"POLYCHAT_SANDBOX": None}).stdout)
    assert {row["name"]: row["accounts"] for row in rows}["reka"] == []


def test_show_tells_everything_about_one(polychat: Any) -> None:
    """Hosts, models, options, where to log in and what to type."""
    shown = polychat("providers", "show", "reka")
    facts = json.loads(polychat("providers", "show", "reka", "--json").stdout)
    assert "polychat login reka --browser" in shown.stdout
    assert (facts["default_model"], facts["options"]) == ("reka-core", {"use_code_interpreter": "bool"})


def test_show_tells_what_each_model_can_do(polychat: Any) -> None:
    """With all words for a program, with few for a person."""
    facts = json.loads(polychat("providers", "show", "reka", "--json").stdout)
    assert [model["id"] for model in facts["models"]] == ["reka-core", "reka-flash", "reka-edge"]
    assert facts["models"][0]["capabilities"] == facts["capabilities"]
    lines = polychat("providers", "show", "reka").stdout.splitlines()
    assert lines[lines.index("models") + 1 :] == [
        "reka-core   -  can all of it",
        "reka-flash  -  can all of it",
        "reka-edge   -  can all of it",
    ]


def test_an_unknown_service_is_2(polychat: Any) -> None:
    """Those that exist get named."""
    done = polychat("providers", "show", "nope")
    assert (done.returncode, done.stdout, "hint: there are: " in done.stderr) == (2, "", True)
