"""client/arguments.py: keywords and files, or one sentence why not."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import msgspec
import pytest

from polychat.client.arguments import checked, named
from polychat.errors import BadOption


class Given(msgspec.Struct):
    """What a call takes."""

    language: str = "en"
    speed: float | None = None


def test_what_is_set_is_taken_and_none_is_not_given() -> None:
    """A default stays."""
    assert checked({"language": None, "speed": 2}, Given) == Given(language="en", speed=2.0)
    assert checked({}, Given) == Given()


@pytest.mark.parametrize(
    ("given", "field", "message", "hint"),
    [
        ({"langage": "de"}, "langage", "there is no argument 'langage'", "did you mean language?"),
        ({"xyz": None}, "xyz", "there is no argument 'xyz'", "it takes: language, speed"),
        ({"speed": "fast"}, "speed", "speed: expected `float | null`, got `str`", None),
    ],
)
def test_a_slip_is_named(given: Any, field: str, message: str, hint: str | None) -> None:
    """With what comes near."""
    with pytest.raises(BadOption) as caught:
        checked(given, Given)
    assert (caught.value.field, caught.value.message, caught.value.hint) == (field, message, hint)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (("a.wav", b"1"), ("a.wav", b"1")),
        (("a.wav", b"1", "audio/wav"), ("a.wav", b"1")),
        (b"1", (None, b"1")),
        ("a.wav", (None, "a.wav")),
        (("a.png", "b.png"), (None, ("a.png", "b.png"))),
        (("a.png", Path("b.png")), (None, ("a.png", Path("b.png")))),
        ((b"1", b"2"), (None, (b"1", b"2"))),
        (("a.wav",), (None, ("a.wav",))),
    ],
)
def test_a_file_may_have_a_name(given: Any, expected: Any) -> None:
    """As the OpenAI SDK takes it; two paths are two files."""
    assert named(given) == expected


def test_an_open_file_may_have_a_name_too() -> None:
    """Whatever it is called where it lies."""
    file = io.BytesIO(b"1")
    assert named(("a.wav", file)) == ("a.wav", file)
