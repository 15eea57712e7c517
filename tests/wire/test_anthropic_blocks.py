"""wire/anthropic_blocks.py: turns and blocks of the Messages API, and what has none."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from polychat.errors import BadOption, UnsupportedFeature
from polychat.types import (
    Audio,
    File,
    Image,
    Message,
    Part,
    Role,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from polychat.wire.anthropic_blocks import Talk, talk

GIF = b"GIF89a\x01\0\x01\0\x80\0\0\xff\x80\0\0\0\xff!\xf9\x04\0\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;"
PICTURES = {
    "image/gif": GIF,
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/jpeg": b"\xff\xd8\xff",
    "image/webp": b"RIFF\0\0\0\0WEBP",
}
BMP = b"BM\0\0"
PDF = b"%PDF-1.7\n%%EOF\n"
WAV = b"RIFF\x24\0\0\0WAVEfmt "
LINK = "https://example.com/a"


def said(role: Role, *parts: Part | str, **more: Any) -> Message:
    """A message; words alone are a part."""
    return Message(role=role, parts=tuple(Text(text=part) if isinstance(part, str) else part for part in parts), **more)


def words(text: str) -> dict[str, str]:
    """A block of words."""
    return {"type": "text", "text": text}


def told(*messages: Message, system_turns: bool = True) -> Talk:
    """Where everything went."""
    return talk(messages, system_turns=system_turns)


def turns(*messages: Message, system_turns: bool = True) -> list[tuple[str, list[Any]]]:
    """The turns, without the top; words as they are."""
    found = told(*messages, system_turns=system_turns).messages
    return [(turn["role"], [block.get("text", block["type"]) for block in turn["content"]]) for turn in found]


def blocks(*parts: Part | str) -> list[Any]:
    """What becomes of the parts of a user's message."""
    (turn,) = told(said("user", *parts)).messages
    return list(turn["content"])


# ---------------------------------------------------------------- turns


def test_what_one_role_says_in_a_row_is_one_turn() -> None:
    """Roles alternate in the end; a message that says nothing is none."""
    assert turns(
        said("user", "a"), said("user", "b", ""), said("assistant", "c"), said("assistant", ""), said("assistant", "d"),
        said("user"), said("user", "e"),
    ) == [("user", ["a", "b"]), ("assistant", ["c", "d"]), ("user", ["e"])]  # fmt: skip


def test_system_texts_before_the_talk_go_to_the_top() -> None:
    """In order, each a block."""
    assert told(said("system", "a", "b"), said("system", "c"), said("user", "hi")) == Talk(
        [words("a"), words("b"), words("c")], [{"role": "user", "content": [words("hi")]}]
    )


@pytest.mark.parametrize(
    ("roles", "expected"),
    [
        ("us", ["u0", "s1"]),
        ("usa", ["u0", "s1", "a2"]),
        ("usu", ["u0+u2", "s1"]),
        ("uasu", ["u0", "a1", "u3", "s2"]),
        ("uassusa", ["u0", "a1", "u4", "s2+s3+s5", "a6"]),
        ("uasausa", ["u0", "a1+a3", "u4", "s2+s5", "a6"]),
        ("su", ["u1"]),
        ("uas", ["u0", "a1"]),
        ("as", ["a0"]),
    ],
)
def test_a_system_text_inside_the_talk_is_a_turn(roles: str, expected: list[str]) -> None:
    """Behind a user's turn, never before one, never first; where no such turn follows it goes to the top."""
    names: dict[str, Role] = {"u": "user", "a": "assistant", "s": "system"}
    messages = [said(names[role], f"{role}{index}") for index, role in enumerate(roles)]
    assert [(role[0], "+".join(content)) for role, content in turns(*messages)] == [(one[0], one) for one in expected]
    top, inside = told(*messages)
    texts = [block["text"] for block in top + [block for turn in inside for block in turn["content"]]]
    assert sorted(texts) == sorted(message.text for message in messages)


def test_a_model_without_room_for_system_turns_reads_them_at_the_top() -> None:
    """None is lost."""
    messages = (said("system", "a"), said("user", "b"), said("system", "c"), said("user", "d"))
    assert told(*messages, system_turns=False) == Talk(
        [words("a"), words("c")], [{"role": "user", "content": [words("b"), words("d")]}]
    )


def test_a_system_text_waits_past_a_message_that_says_nothing() -> None:
    """An empty answer is no turn to stand before."""
    assert turns(said("user", "a"), said("system", "s"), said("assistant", ""), said("user", "b")) == [
        ("user", ["a", "b"]), ("system", ["s"])
    ]  # fmt: skip


@pytest.mark.parametrize("messages", [(said("system", "a"),), (said("user", ""),)])
def test_a_talk_without_turns_is_refused(messages: tuple[Message, ...]) -> None:
    """There is nothing to answer."""
    with pytest.raises(BadOption, match="nothing but system texts") as caught:
        told(*messages)
    assert caught.value.field == "messages"


# ---------------------------------------------------------------- tools


def test_a_talk_with_tools_goes_back_as_it_was() -> None:
    """Reasoning with its signature first, then words, then calls; results in one turn, before what the user says."""
    talked = told(
        said("user", "?"),
        said(
            "assistant",
            "let me see", Thinking(text="hm", signature="s1"), Thinking(redacted="xyz"), Thinking(signature="s2"),
            Thinking(text="unsigned"),
            tool_calls=(
                ToolCall(id="a", name="f", arguments='{"x": [1, 2.5]}'), ToolCall(id="b", name="g", arguments="")
            ),
        ),
        said("user", "quick"),
        said("tool", ToolResult(tool_call_id="a", content=(Text(text="42"), Image(url=LINK), File(data=PDF)))),
        said("tool", ToolResult(tool_call_id="b", content=(Text(text=""),), is_error=True)),
        said("user", "please"),
    )  # fmt: skip
    assert talked.messages[1:] == [
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "hm", "signature": "s1"},
                {"type": "redacted_thinking", "data": "xyz"},
                {"type": "thinking", "thinking": "", "signature": "s2"},
                words("let me see"),
                {"type": "tool_use", "id": "a", "name": "f", "input": {"x": [1, 2.5]}},
                {"type": "tool_use", "id": "b", "name": "g", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "a",
                    "content": [
                        words("42"),
                        {"type": "image", "source": {"type": "url", "url": LINK}},
                        {"type": "document", "source": {**_pdf()}},
                    ],
                },
                {"type": "tool_result", "tool_use_id": "b", "is_error": True},
                words("quick"),
                words("please"),
            ],
        },
    ]


@pytest.mark.parametrize("arguments", ["{", "[1]", "null", '"x"', "{} {}"])
def test_arguments_that_are_no_object_are_refused(arguments: str) -> None:
    """By the place where they stand."""
    call = ToolCall(id="a", name="f", arguments="{}")
    wrong = ToolCall(id="b", name="g", arguments=arguments)
    with pytest.raises(BadOption, match="is no JSON object") as caught:
        told(said("user", "?"), said("assistant", tool_calls=(call, wrong)))
    assert caught.value.field == "messages[1].tool_calls[1].function.arguments"


# ---------------------------------------------------------------- attachments


@pytest.mark.parametrize(("media_type", "data"), PICTURES.items())
@pytest.mark.parametrize("kind", [Image, File])
def test_a_picture_of_a_known_form_goes_as_it_is(kind: type[Image | File], media_type: str, data: bytes) -> None:
    """Under its real type, also where it was called a file."""
    source = {"type": "base64", "media_type": media_type, "data": base64.b64encode(data).decode()}
    assert blocks("see", kind(data=data)) == [words("see"), {"type": "image", "source": source}]


def test_a_link_goes_as_it_is() -> None:
    """To a picture, to a PDF, and to what nobody knows the type of, which is taken for a PDF."""
    image, pdf, unknown = blocks(
        File(url=LINK, media_type="image/png"), File(url=LINK, media_type="application/pdf"), File(url=LINK, name="n")
    )
    assert image == {"type": "image", "source": {"type": "url", "url": LINK}}
    assert pdf == {"type": "document", "source": {"type": "url", "url": LINK}}
    assert unknown == pdf | {"title": "n"}


def test_documents_are_a_pdf_or_words() -> None:
    """With the name that the person gave them."""
    assert blocks(File(data=PDF, name="a.pdf"), File(data="Łódź".encode())) == [
        {"type": "document", "source": _pdf(), "title": "a.pdf"},
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "Łódź"}},
    ]


def _pdf() -> dict[str, str]:
    return {"type": "base64", "media_type": "application/pdf", "data": base64.b64encode(PDF).decode()}


@pytest.mark.parametrize(
    ("part", "sentence"),
    [
        (Image(data=BMP), "messages[1]: a picture is JPEG, PNG, GIF or WebP here, not image/bmp"),
        (File(data=b"PK\x03\x04"), "messages[1]: a file of type application/zip cannot be sent here"),
        (File(url=LINK, media_type="text/plain"), "messages[1]: a link to a file of type text/plain cannot be sent"),
        (File(data=b"a" * 2000 + b"\xff"), "messages[1]: a text file is UTF-8 here; this one is not"),
        (Audio(data=WAV), "messages[1]: sound cannot be sent here"),
        (
            ToolResult(tool_call_id="a", content=(Audio(data=WAV),)),
            "messages[1]: sound cannot be sent here",
        ),
    ],
)
def test_what_has_no_block_is_refused(part: Part, sentence: str) -> None:
    """With its type and place, before anything is sent."""
    with pytest.raises(UnsupportedFeature) as caught:
        told(said("user", "hi"), said("user", part))
    assert sentence in caught.value.message


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        (said("system", Image(data=GIF)), "messages[0]: system texts are words alone, without a picture"),
        (said("system", File(data=PDF)), "messages[0]: system texts are words alone, without a file"),
        (said("system", Thinking(text="hm")), "messages[0]: system texts are words alone, without a Thinking"),
        (said("assistant", Image(url=LINK)), "messages[0]: a picture cannot be part of an assistant's message"),
        (said("assistant", Audio(data=WAV)), "messages[0]: sound cannot be part of an assistant's message"),
    ],
)
def test_what_a_role_cannot_say_is_refused(message: Message, sentence: str) -> None:
    """Nothing is dropped silently."""
    with pytest.raises(UnsupportedFeature) as caught:
        told(message, said("user", "hi"))
    assert caught.value.message == sentence
