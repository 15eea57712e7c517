"""YAML of others: read safely, or refused with its line and without its words."""

from __future__ import annotations

import pytest

from polychat.engine.importing.document import _is_general, path, read
from polychat.errors import ConfigError

CANARY = "sk-canary-77f0"


def test_every_value_has_its_line() -> None:
    """A path leads to the line of its name; what is not there itself, to what it is part of."""
    document = read("a:\n  - x: 1\n    y: 2\nb: 3\n", name="c.yaml")
    assert document.value == {"a": [{"x": 1, "y": 2}], "b": 3}
    assert [document.line(where) for where in ("a", "a[0].y", "a[0].z.deep", "b", "c")] == [1, 3, 2, 4, None]


def test_merged_mappings_are_read_as_they_are_meant() -> None:
    """<<: *anchor brings entries in; what is said again on the spot counts, and is not doubled."""
    document = read("x: &x {a: 1, b: 2}\ny: {<<: *x, b: 3}\n", name="c.yaml")
    assert (document.value["y"], document.doubled) == ({"a": 1, "b": 3}, ())


def test_a_name_that_is_given_twice_is_told() -> None:
    """YAML forgets the first of them without a word."""
    assert read("a:\n  b: 1\n  b: 2\n", name="c.yaml").doubled == ("a.b",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "c.yaml is empty"),
        ("# only words\n", "c.yaml is empty"),
        ("- a\n- b\n", "c.yaml is no mapping of settings"),
        ("a: 1\nb: [1,\n", "c.yaml, line 3: this is not YAML: "),
        ("a: 1\n\tb: 2\n", "c.yaml, line 2: this is not YAML: "),
        ("a: 1\n---\nb: 2\n", "c.yaml, line 2: an anchor is missing or doubled, or there is a second document"),
        (f"a: *{CANARY}\n", "c.yaml, line 1: an anchor is missing or doubled"),
        (f"a: 1\nb: !{CANARY} x\n", "c.yaml, line 2: there is a tag (!...), which makes more than plain values"),
        (f"a: !{CANARY}!x y\n", "c.yaml, line 1: there is a tag (!...)"),
        (f"a: @{CANARY}\n", "c.yaml, line 1: this is not YAML: found character '@'"),
        ("a: '\x01'\n", "c.yaml is not YAML: it has characters that are no text"),
        ('a: 1\nb: "\\ud800"\n', "c.yaml, line 2: there is half a character"),
        ('a: 1\n"\\ud800": 2\n', "c.yaml, line 2: there is half a character"),
        ("a: 2026-99-99\n", "c.yaml has a value that YAML cannot read"),
        ("a: " + "[" * 5_000, "c.yaml is nested without end"),
        ("a: &a [*a]\n", "c.yaml is nested without end"),
        ("a: " + "x" * 1_000_001, "c.yaml has more than 1,000,000 characters"),
    ],
    ids=range(17),
)
def test_what_cannot_be_read_is_one_sentence_and_a_way_to_mend_it(text: str, said: str) -> None:
    """The file, the line where there is one, and nothing of the file's own words."""
    with pytest.raises(ConfigError) as refused:
        read(text, name="c.yaml")
    assert refused.value.message.startswith(said)
    assert (CANARY in str(refused.value), bool(refused.value.hint)) == (False, True)


@pytest.mark.parametrize("merge", ["", "<<: "], ids=["lists", "merges"])
def test_anchors_that_unfold_without_measure_are_refused(merge: str) -> None:
    """A few lines that stand for a billion values cost neither time nor memory."""
    rows = ["l0: &l0 {k: 1}"]
    rows += [
        f"l{n}: &l{n} {{{merge}[{', '.join([f'*l{n - 1}'] * 9)}]}}"
        if merge
        else f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]"
        for n in range(1, 30)
    ]
    with pytest.raises(ConfigError, match="unfolds into more than 50,000 values"):
        read("\n".join(rows), name="c.yaml")


def test_no_object_is_made() -> None:
    """A tag that would run a program is refused before anything is built."""
    with pytest.raises(ConfigError, match="there is a tag"):
        read("a: !!python/object/apply:os.abort []\n", name="c.yaml")


def test_of_yamls_own_words_those_of_the_file_are_not_repeated() -> None:
    """Single characters and the names of its parts are; anything longer could be a key."""
    said = ("found character '@' that", "expected <block end>, but found '<scalar>'", f"found '{CANARY}'", "")
    assert [_is_general(one) for one in said] == [True, True, False, False]


def test_paths_are_written_as_people_write_them() -> None:
    """Names by dots, places in a list in brackets."""
    assert [path("", "a"), path("a", "b"), path("a.b", 0)] == ["a", "a.b", "a.b[0]"]
