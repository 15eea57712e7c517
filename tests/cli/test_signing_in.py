"""The ways of a sign-in as a table, and how what was found is told."""

from __future__ import annotations

from typing import Any

import pytest

from polychat.cli.commands.login import login
from polychat.cli.signing_in import WAYS, chosen, told
from polychat.credentials import ApiKey, CredentialKind, Secret, SignIn
from polychat.errors import BadOption
from polychat.providers.base import Info, Model
from polychat.signin.found import Field, Found

NOTHING: dict[str, Any] = {way.option.replace("-", "_"): None for way in WAYS} | {"browser": False}


def info(*accepts: CredentialKind, key_kind: CredentialKind = "api_key") -> Info:
    """A service that takes these."""
    return Info(
        name="x", label="X", hosts={"web": "https://x.example"}, accepts=accepts, models=(Model(id="x-1"),),
        default_model="x-1", capabilities=frozenset({"text"}),
        sign_in=SignIn(url="https://x.example/login", key_kind=key_kind),
    )  # fmt: skip


def found(*fields: Field, others: int = 0) -> Found:
    return Found(credential=ApiKey(key=Secret("k")), where="it", fields=fields, others=others)


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        (info("api_key"), ["key"]),
        (info("cookies"), ["browser", "from-browser", "har", "curl", "cookies"]),
        (info("bearer", key_kind="bearer"), ["har", "curl", "key"]),
        (info("cookies", "bearer"), ["browser", "from-browser", "har", "curl", "cookies"]),
    ],
)
def test_a_service_is_offered_what_it_takes(service: Info, expected: list[str]) -> None:
    """By the kinds of credential that a way can bring; a key is what the recipe says it is."""
    assert [way.option for way in WAYS if way.suits(service)] == expected
    with pytest.raises(BadOption) as caught:
        chosen(service, NOTHING)
    assert [line.split()[3].removeprefix("--") for line in str(caught.value.hint).splitlines()[1:]] == expected


def test_one_way_is_chosen() -> None:
    """The one that was given, with its value; one that does not suit names those that do."""
    way, value = chosen(info("cookies"), NOTHING | {"from_browser": "firefox"})
    assert (way.option, value) == ("from-browser", "firefox")
    with pytest.raises(BadOption, match=r"^X takes nothing that --key brings\nhint: log in at https://x.example/login"):
        chosen(info("cookies"), NOTHING | {"key": "-"})
    with pytest.raises(BadOption, match=r"^say how to sign in to X: --har, --key exclude one another\n"):
        chosen(info("cookies", "api_key"), NOTHING | {"key": "-", "har": "x.har"})


def test_each_way_is_an_option() -> None:
    """In the order of the table, each with a line of help."""
    options = [parameter for parameter in login.params if parameter.name in NOTHING]
    assert [f"--{way.option}" for way in WAYS] == [parameter.opts[0] for parameter in options]
    assert all(way.help.endswith(".") for way in WAYS)


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        (found(Field(name="key", kind="key")), ["found key in it"]),
        (
            found(
                Field(name="sid", kind="cookie", expires_at=7200), Field(name="access token", kind="token"), others=1
            ),
            ["found sid (good for another 2 hours), access token, 1 other cookie in it"],
        ),
        (
            found(
                Field(name="sid", kind="cookie", place="entry 1"),
                Field(name="access token", kind="token", place="entry 2"),
                others=2,
            ),
            ["found sid, 2 other cookies in entry 1", "found access token in entry 2"],
        ),
        (
            found(Field(name="access token", kind="token", place="entry 2"), others=1),
            ["found access token in entry 2", "found 1 cookie in it"],
        ),
    ],
)
def test_what_was_found_is_told_by_place(what: Found, expected: list[str]) -> None:
    """A line for each place; the other cookies belong to those that are named."""
    assert told(what, 0) == expected
