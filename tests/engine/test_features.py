"""engine/features.py: asked for and not there is refused before anything is sent."""

from __future__ import annotations

from typing import Any

import pytest

from polychat.credentials import SignIn
from polychat.engine.features import check
from polychat.errors import BadOption, UnsupportedFeature
from polychat.providers.base import Capability, Info, Model
from polychat.types import Audio, File, Image, Message, Request, ResponseFormat, Text, Thread, Tool

ASKED: list[tuple[Capability, dict[str, Any]]] = [
    ("tools", {"tools": (Tool(name="f"),)}),
    ("schema", {"response_format": ResponseFormat(type="json_object")}),
    ("reasoning", {"reasoning_effort": "high"}),
    ("web_search", {"web_search": True}),
    ("sampling", {"temperature": 0.0}),
    ("sampling", {"top_p": 1.0}),
    ("max_tokens", {"max_tokens": 1}),
    ("seed", {"seed": 0}),
    ("stop", {"stop": ("x",)}),
    ("image_out", {"modalities": ("text", "image")}),
    ("audio_out", {"modalities": ("audio",)}),
    ("threads", {"thread": Thread(provider="p", id="c1")}),
    ("image_in", {"messages": (Message(role="user", parts=(Image(url="https://x.example/a"),)),)}),
    ("audio_in", {"messages": (Message(role="user", parts=(Audio(data=b"OggS\0"),)),)}),
    ("video_in", {"messages": (Message(role="user", parts=(File(data=b"\x1aE\xdf\xa3"),)),)}),
    ("file_in", {"messages": (Message(role="user", parts=(File(data=b"%PDF-1"),)),)}),
]


def offers(*capabilities: Capability) -> Info:
    """A service that answers, and can do this."""
    return Info(
        name="p", label="P", hosts={"web": "https://x.example"}, accepts=(), models=(Model(id="m"),), default_model="m",
        capabilities=frozenset(("text", *capabilities)), sign_in=SignIn(url=""), options={"code": bool},
    )  # fmt: skip


def request(**asked: Any) -> Request:
    """A question that asks for this."""
    return Request(**{"model": "m", "messages": (Message(role="user", parts=(Text(text="?"),)),), **asked})


@pytest.mark.parametrize(("capability", "asked"), ASKED, ids=lambda value: str(value)[:30])
def test_what_is_not_there_is_refused_and_what_is_there_passes(capability: Capability, asked: dict[str, Any]) -> None:
    """Each wish needs its capability, and only that one."""
    with pytest.raises(UnsupportedFeature):
        check(offers(), Model(id="m"), request(**asked))
    check(offers(capability), Model(id="m"), request(**asked))


def test_tools_and_formats_by_words_need_neither() -> None:
    """Nor does that open any other door; unasked, the hint says that there is this way."""
    asked = request(tools=(Tool(name="f"),), response_format=ResponseFormat(type="json_object"), tool_mode="emulate")
    check(offers(), Model(id="m"), asked)
    with pytest.raises(UnsupportedFeature, match="seed"):
        check(offers(), Model(id="m"), request(seed=1, tool_mode="emulate"))
    for wish, told in (({"tools": (Tool(name="f"),)}, True), ({"seed": 1}, False)):
        with pytest.raises(UnsupportedFeature) as caught:
            check(offers(), Model(id="m"), request(**wish))
        assert ('tool_mode="emulate"' in str(caught.value)) == told


def test_a_model_may_differ_from_its_service() -> None:
    """What the model says wins over what the service says."""
    deaf = Model(id="m", capabilities=frozenset({"text"}))
    with pytest.raises(UnsupportedFeature):
        check(offers("seed"), deaf, request(seed=1))


def test_a_model_that_holds_no_talk_is_asked_no_question() -> None:
    """A model of sounds, pictures or vectors alone is refused for chat before anything is sent."""
    with pytest.raises(UnsupportedFeature, match="p/m does not take questions"):
        check(offers(), Model(id="m", capabilities=frozenset({"speech"})), request())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"coed": True}, "did you mean code?"),
        ({"zzz": 1}, "it takes: code"),
        ({"code": 1}, "not bool"),
        ({"response_fromat": {}}, "did you mean response_format?"),
        ({"response_format": {}}, "response_format is an argument of create, and cannot be given with -o or options"),
        ({"seed": 1}, "seed is an argument of create, and cannot be given with -o or options"),
        ({"options": {}}, "it takes: code"),
    ],
)
def test_an_option_that_is_unknown_or_mistyped_is_named(options: dict[str, Any], said: str) -> None:
    """The field is in the error, and the nearest name in the hint."""
    with pytest.raises(BadOption) as caught:
        check(offers(), Model(id="m"), request(options=options))
    assert caught.value.field == next(iter(options))
    assert said in str(caught.value)
