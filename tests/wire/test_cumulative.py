"""wire/cumulative.py: whole texts in, exact deltas out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polychat.fold import fold
from polychat.types import Event, Revised, TextDelta
from polychat.wire.cumulative import CumulativeText


def decoded(texts: list[str]) -> list[Event]:
    """All events of a stream of whole texts."""
    decoder = CumulativeText()
    return [event for text in texts for event in decoder.feed(text)] + decoder.close()


def deltas(texts: list[str]) -> list[str]:
    """What a reader that only joins deltas sees."""
    return [event.text for event in decoded(texts) if isinstance(event, TextDelta)]


def test_repeated_words_are_not_lost() -> None:
    """The comparison is by prefix: "ha" after "ha" is another "ha"."""
    assert deltas(["ha", "haha", "hahaha!"]) == ["ha", "ha", "ha!"]


def test_the_same_event_twice_says_nothing_new() -> None:
    """A duplicate frame adds no text."""
    assert deltas(["Hel", "Hel", "Hello"]) == ["Hel", "lo"]


def test_a_separator_that_grows_and_goes_is_never_shown() -> None:
    """The service's partial `<sep` tail does not reach the reader, whether it is taken back or stays."""
    assert deltas(["Hi", "Hi\n", "Hi\n <", "Hi\n <s", "Hi\n <se", "Hi"]) == ["Hi"]
    assert deltas(["Hi", "Hi\n <sep"]) == ["Hi"]


def test_a_tail_that_only_looked_like_a_separator_is_shown() -> None:
    """Held text goes out as soon as a later event proves it real."""
    assert deltas(["a", "a <", "a <b", "a <b>"]) == ["a", " <b", ">"]


def test_an_answer_that_ends_in_a_space_keeps_it() -> None:
    """Held white space is text when the answer ends there."""
    assert fold(decoded(["Hi", "Hi "])).text == "Hi "


def test_a_revision_is_told_once_and_the_end_is_exact() -> None:
    """Nothing goes out as a delta while the text contradicts what was said; the reply is the last text."""
    events = decoded(["The sun is", "The moon is", "The moon is up", "The moon is up."])
    assert events == [TextDelta(text="The sun is"), Revised(text="The moon is"), Revised(text="The moon is up.")]


def test_a_revision_that_is_taken_back_lets_deltas_go_on() -> None:
    """When the text extends what was sent again, both kinds of reader agree again."""
    texts = ["abc", "abX", "abcd"]
    assert "".join(deltas(texts)) == "abcd"
    assert fold(decoded(texts)).text == "abcd"


@given(st.lists(st.text("ab <sep\n", max_size=8), max_size=8))
def test_the_reply_is_always_the_last_text(texts: list[str]) -> None:
    """Whatever came before, the fold equals the last text, less a separator piece at its very end."""
    import re

    last = texts[-1] if texts else ""
    assert fold(decoded(texts)).text == re.sub(r"\n? ?<(?:s(?:ep?)?)?\Z", "", last)


@given(st.text("abc ", min_size=1), st.data())
def test_growing_texts_give_deltas_that_join_to_the_whole(text: str, data: st.DataObject) -> None:
    """Without revisions the deltas alone are the answer."""
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    texts = [text[:cut] for cut in cuts] + [text]
    assert "".join(deltas(texts)) == text
    assert not any(isinstance(event, Revised) for event in decoded(texts))


@pytest.mark.parametrize("texts", [[], [""], ["", ""]])
def test_silence_is_no_event(texts: list[str]) -> None:
    """An empty text says nothing."""
    assert decoded(texts) == []
