"""net/body.py: what is sent as JSON, and what has no form there."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from polychat.credentials import Secret
from polychat.errors import BadOption
from polychat.net.body import encoded


class Wire(msgspec.Struct):
    """A shape of a service."""

    text: str


def endless() -> list[Any]:
    """A list that holds itself."""
    found: list[Any] = []
    found.append(found)
    return found


def test_data_is_written_as_it_is() -> None:
    """Plain values, structs, bytes as base64, and a secret that was revealed for it."""
    body = {"a": [1, None, "мир"], "b": Wire(text="x"), "c": b"\0\1", "key": Secret("sandbox-alice").reveal()}
    assert encoded(body) == '{"a":[1,null,"мир"],"b":{"text":"x"},"c":"AAE=","key":"sandbox-alice"}'.encode()


@pytest.mark.parametrize(
    ("value", "what"),
    [
        (object(), "a value of type object"),
        ({"deep": [lambda: 0]}, "a value of type function"),
        ("\ud83d", "half of a character, a surrogate without its pair"),
        (endless(), "a value that holds itself"),
    ],
    ids=["object", "function", "surrogate", "endless"],
)
def test_what_json_cannot_hold_is_named(value: Any, what: str) -> None:
    """It came from the caller, who is told what may be given."""
    with pytest.raises(BadOption) as caught:
        encoded({"options": value})
    assert caught.value.message == f"the question holds what JSON cannot: {what}"
    assert caught.value.hint == "give text, numbers, lists and dicts"


def test_a_secret_is_not_sent_unless_it_was_revealed() -> None:
    """That would be a mistake of ours, and it does not show the secret."""
    with pytest.raises(TypeError, match="a Secret is not sent as JSON") as caught:
        encoded({"key": Secret("canary")})
    assert "canary" not in str(caught.value)
