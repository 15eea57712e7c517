"""The marker filter, judged by one regular expression over the whole text."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polychat.wire.markers import Clean, Marker, MarkerFilter, Ref, strip_utm

LIMIT_CHARS = 12
OPENS, CLOSES, SEPARATES = "\ue200", "\ue201", "\ue202"
texts = st.text("\ue200\ue201\ue202\ue203\ue206\ue20f\ue210\ue1ffab1ж🙂 ", max_size=40)
marked = st.lists(
    texts
    | st.sampled_from([f"{OPENS}cite{SEPARATES}turn0search3{CLOSES}", f"{OPENS}cite", f"{OPENS}{'x' * 12}{CLOSES}"])
).map("".join)


def mark(*fields: str) -> str:
    """A whole marker."""
    return OPENS + SEPARATES.join(fields) + CLOSES


def clean(*fragments: str, limit_chars: int = 4096) -> Clean:
    """All that a filter gives for the fragments, as one."""
    marker_filter = MarkerFilter(limit_chars=limit_chars)
    given_out = [*map(marker_filter.feed, fragments), marker_filter.close()]
    return Clean("".join(part.text for part in given_out), tuple(m for part in given_out for m in part.markers))


def reading(text: str) -> tuple[str, list[tuple[str, int]]]:
    """Clean text, and body and place of each marker."""
    shown, found = "", []
    for i, piece in enumerate(re.split(f"\ue200([^\ue200\ue201]{{0,{LIMIT_CHARS}}})\ue201", text)):
        if i % 2:
            found.append((piece, len(shown)))
        else:
            shown += re.sub("[\ue200-\ue20f]", "", piece)
    return shown, found


@given(marked)
def test_the_whole_text_is_read_as_the_expression_reads_it(text: str) -> None:
    """What goes out, and where each marker stood."""
    result = clean(text, limit_chars=LIMIT_CHARS)
    shown, found = reading(text)
    bodies = [re.sub("[\ue203-\ue20f]", "", body).split(SEPARATES) for body, _ in found]
    assert result.text == shown
    assert [(marker.kind, *marker.fields) for marker in result.markers] == [tuple(body) for body in bodies]
    assert [marker.at for marker in result.markers] == [at for _, at in found]


@given(marked, st.lists(st.integers(0, 200)))
def test_cuts_change_nothing(text: str, cuts: list[int]) -> None:
    """However the text is cut, the same comes out, and so one character at a time."""
    whole = clean(text, limit_chars=LIMIT_CHARS)
    edges = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    fragments = [text[begin:end] for begin, end in pairwise(edges)]
    assert clean(*fragments, limit_chars=LIMIT_CHARS) == whole
    assert clean(*text, limit_chars=LIMIT_CHARS) == whole


@given(st.lists(marked))
def test_no_private_character_gets_out(fragments: list[str]) -> None:
    """Neither in the text nor in a marker."""
    assert not re.search("[\ue200-\ue20f]", str(clean(*fragments, limit_chars=LIMIT_CHARS)))


def test_a_citation() -> None:
    """The marker is out of the text and says which sources it meant, and where."""
    fields = ("turn0search3", "turn12news1")
    assert clean(f"It rains. {mark('cite', *fields)} Take a coat.") == Clean(
        "It rains.  Take a coat.", (Marker("cite", fields, (Ref(0, "search", 3), Ref(12, "news", 1)), 10),)
    )


@pytest.mark.parametrize(
    ("fields", "refs"),
    [
        (("navlist", "Latest news", "turn0news1,turn0news2"), [(0, "news", 1), (0, "news", 2)]),
        (("i", "turn0image0", "turn0image4"), [(0, "image", 0), (0, "image", 4)]),
        (("video", "A turn for the better", "turn0view2"), [(0, "view", 2)]),
        (("forecast", "turn1forecast0"), [(1, "forecast", 0)]),
        (("products", '{"selections":[["turn0product1","Boots"]],"tags":["warm"]}'), [(0, "product", 1)]),
        (("product_entity", '["turn0product7","Boots"]'), [(0, "product", 7)]),
        (("entity", '["city","Paris"]'), []),
        (("genui", '{"a":{"b":[1]}}'), []),
        (("cite", "return0search1", "turn0search", "turnsearch1", "Turn0search1", "turn0search1st"), []),
        (("something new", "x", ""), []),
        (("",), []),
    ],
)
def test_every_kind_keeps_its_fields_and_leaves_no_words(
    fields: tuple[str, ...], refs: list[tuple[int, str, int]]
) -> None:
    """Titles and JSON are in the fields as they came; references are found wherever they stand in them."""
    kind, *rest = fields
    expected = Marker(kind, tuple(rest), tuple(Ref(*ref) for ref in refs), 1)
    assert clean(f"a{mark(*fields)}b") == Clean("ab", (expected,))


def test_text_before_a_marker_does_not_wait() -> None:
    """Only what may be a marker is held back, and goes on as soon as that is known."""
    marker_filter = MarkerFilter()
    assert marker_filter.feed(f"See {OPENS}ci") == Clean("See ")
    assert marker_filter.feed(f"te{SEPARATES}turn0view1") == Clean()
    assert marker_filter.feed(f"{CLOSES}.") == Clean(".", (Marker("cite", ("turn0view1",), (Ref(0, "view", 1),), 4),))
    assert marker_filter.feed(f" Bye{mark('i')}") == Clean(" Bye", (Marker("i", (), (), 9),))


def test_what_was_no_marker_goes_out_at_the_end() -> None:
    """An unclosed marker is text, and the filter holds nothing afterwards."""
    marker_filter = MarkerFilter()
    assert marker_filter.feed(f"a{OPENS}b{SEPARATES}c") == Clean("a")
    assert marker_filter.close() == Clean("bc")
    assert marker_filter.close() == Clean()


def test_stray_marks_are_deleted() -> None:
    """Outside and inside of a marker; characters next to the range stay."""
    assert clean("a\ue203b\ue204c\ue206d\ue201e\ue202f\ue210\ue1ff").text == "abcdef\ue210\ue1ff"
    assert clean(mark("ci\ue203te", "x\ue206")).markers == (Marker("cite", ("x",), (), 0),)


def test_a_second_opening_begins_anew() -> None:
    """What the first held back is text; the second is a marker like any other."""
    assert clean(f"a{OPENS}bc{mark('cite', 'd')}e") == Clean("abce", (Marker("cite", ("d",), (), 3),))


def test_a_marker_may_be_as_long_as_the_limit() -> None:
    """One character more, and it goes out as text at once, whether or not it is closed later."""
    assert clean(mark("x" * 4096)) == Clean("", (Marker("x" * 4096, (), (), 0),))
    marker_filter = MarkerFilter()
    assert marker_filter.feed(OPENS + "x" * 4096) == Clean()
    assert marker_filter.feed("y") == Clean("x" * 4096 + "y")
    assert marker_filter.feed(f"z{CLOSES}") == Clean("z")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.test/?utm_source=chatgpt.com", "https://a.test/"),
        ("https://a.test/p?utm_source=chatgpt.com#frag", "https://a.test/p#frag"),
        ("https://a.test/p?x=1&utm_source=chatgpt.com", "https://a.test/p?x=1"),
        ("https://a.test/p?utm_source=a&x=%7e+1&&y&utm%5Fsource=b&utm_source", "https://a.test/p?x=%7e+1&&y"),
    ],
)
def test_the_mark_of_the_service_is_taken_off_a_url(url: str, expected: str) -> None:
    """Every `utm_source`, however it is spelled, and the question mark if nothing else is asked."""
    assert strip_utm(url) == expected


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://a.test",
        "https://a.test/?",
        "HTTPS://A.test:443/ж?q=%zz&my_utm_source=1&utm_medium=x;utm_source=y",
        "https://a.test/utm_source=1?#?utm_source=2",
        "https://a.test/?q=utm_source=3&\tb=#",
    ],
)
def test_any_other_url_stays_byte_for_byte(url: str) -> None:
    """Spelling, order and emptiness are kept."""
    assert strip_utm(url) == url
