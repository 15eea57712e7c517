"""wire/reka_history.py: a talk as Reka's alternating turns."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polychat.errors import UnsupportedFeature
from polychat.types import Audio, File, Image, Message, Role, Text, ToolResult
from polychat.wire.reka_history import Draft, Turn, drafts

CAT, DOG = Image(data=b"GIF89a-cat"), Image(data=b"GIF89a-dog")
CLIP, SHEET = File(data=b"\x1aE\xdf\xa3clip"), File(data=b"%PDF-1.7")


def said(role: Role, text: str, *attached: Image | File | Audio) -> Message:
    """A message."""
    return Message(role=role, parts=(*attached, Text(text=text)))


def turns(*messages: Message) -> list[tuple[str, str]]:
    """Kinds and texts of the turns."""
    return [(draft.kind, draft.text) for draft in drafts(messages)]


def test_roles_are_kept_apart() -> None:
    """The model's own words come back as its own."""
    assert turns(said("user", "hi"), said("assistant", "hello"), said("user", "how?")) == [
        ("human", "hi"), ("model", "hello"), ("human", "how?"),
    ]  # fmt: skip


def test_system_texts_go_before_the_first_human_text() -> None:
    """Separated by a blank line, wherever in the talk they stood."""
    brief, kind = said("system", "be brief"), said("system", "be kind")
    talk = (brief, said("user", "hi"), said("assistant", "yes"), kind, said("user", "bye"))
    assert turns(*talk) == [("human", "be brief\n\nbe kind\n\nhi"), ("model", "yes"), ("human", "bye")]


def test_equal_neighbours_are_merged_with_a_blank_line() -> None:
    """The service wants strict alternation."""
    assert turns(said("user", "one"), said("user", "two")) == [("human", "one\n\ntwo")]


def test_a_leading_assistant_is_answered_to_an_empty_human() -> None:
    """The first turn is always human."""
    assert turns(said("assistant", "Welcome"), said("user", "hi")) == [
        ("human", ""),
        ("model", "Welcome"),
        ("human", "hi"),
    ]


def test_each_attachment_has_a_turn_of_its_own() -> None:
    """Two pictures of one message stay in order, the words with the last."""
    assert drafts((said("user", "which?", CAT, DOG),)) == [
        Draft(kind="human", text="", attachment=CAT),
        Draft(kind="model", text=""),
        Draft(kind="human", text="which?", attachment=DOG),
    ]


def test_a_picture_stays_on_the_turn_it_came_with() -> None:
    """An earlier picture is not moved to the last question."""
    made = drafts((said("user", "what?", CAT), said("assistant", "a cat"), said("user", "sure?")))
    assert [draft.attachment for draft in made] == [CAT, None, None]


@pytest.mark.parametrize(("attachment", "kind"), [(CAT, "image"), (CLIP, "video"), (SHEET, "pdf")])
def test_the_service_is_told_the_kind_of_file(attachment: Image | File, kind: str) -> None:
    """Picture, video and PDF are the three kinds there are."""
    (draft,) = drafts((said("user", "?", attachment),))
    assert draft.turn("https://m.example/1") == Turn(
        type="human",
        text="?",
        image_url="https://m.example/1",
        media_type=kind,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    "messages",
    [
        (said("user", "?", Audio(data=b"OggS\0")),),
        (said("user", "?", File(data=b"plain words")),),
        (said("user", "?"), said("assistant", "drawn", CAT), said("user", "?")),
        (said("system", "look", CAT), said("user", "?")),
        (Message(role="tool", parts=(ToolResult(tool_call_id="1", content=()),)), said("user", "?")),
        (said("user", "go on"), said("assistant", "Once upon")),
        (said("system", "be brief"),),
    ],
    ids=["sound", "text file", "picture of the model", "picture in system", "tool", "ends with model", "only system"],
)
def test_what_a_turn_cannot_hold_is_refused_and_not_dropped(messages: tuple[Message, ...]) -> None:
    """Nothing is left out in silence."""
    with pytest.raises(UnsupportedFeature):
        drafts(messages)


@given(st.lists(st.tuples(st.sampled_from(["user", "assistant", "system"]), st.text(max_size=4), st.integers(0, 2))))
def test_turns_always_alternate_and_lose_nothing(talk: list[tuple[Role, str, int]]) -> None:
    """Any talk that ends with a user gives human, model, human ... with every picture once and in order."""
    pictures = iter(Image(data=b"GIF89a%d" % i) for i in range(100))
    messages = tuple(
        said(role, text, *(next(pictures) for _ in range(count if role == "user" else 0))) for role, text, count in talk
    )
    messages = (*messages, said("user", "end"))
    made = drafts(messages)
    assert [draft.kind for draft in made] == ["human" if i % 2 == 0 else "model" for i in range(len(made))]
    assert made[-1].kind == "human"
    assert [d.attachment for d in made if d.attachment] == [a for m in messages for a in m.attachments]
    assert all(message.text in "\n\n".join(draft.text for draft in made) for message in messages)
