"""What comes of an import: settings as TOML, remarks in order, and nothing untaken without a word."""

from __future__ import annotations

import tomllib

import pytest

from polychat.engine.importing.document import read
from polychat.engine.importing.mapped import Converted, Part, Remark, Remarks, toml


def part(text: str) -> tuple[Part, Remarks]:
    document = read(text, name="c")
    remarks = Remarks(document)
    return Part(document.value, "", remarks), remarks


def reasons(remarks: Remarks) -> dict[str, str]:
    return {remark.path: remark.reason for remark in remarks.all()}


def test_what_has_another_type_is_told_and_gives_nothing() -> None:
    """Each taking says what it wants."""
    top, remarks = part("a: 1\nb: x\nc: [1]\nd: {}\ne: [x, 2]\nf: .nan\ng: true\n")
    assert (top.text("a"), top.number("b"), top.part("c"), top.entries("d")) == (None, None, None, [])
    assert (top.texts("e"), top.number("f"), top.number("g")) == ([("e[0]", "x")], None, None)
    assert reasons(remarks) == {
        "a": "it is not a text",
        "b": "it is not a number of 0 or more",
        "c": "it is not a mapping",
        "d": "it is not a list",
        "e[1]": "it is not a name",
        "f": "it is not a number of 0 or more",
        "g": "it is not a number of 0 or more",
    }


def test_what_is_left_is_told() -> None:
    """With the reason of its name, or that there is no such setting; what is null was not set."""
    top, remarks = part("a: 1\nb: 2\nc: 3\nd: null\n")
    assert top.number("a") == 1
    top.leave({"b": "it is not needed"})
    top.leave()
    assert reasons(remarks) == {"b": "it is not needed", "c": "polychat has no such setting"}


def test_a_name_that_is_given_twice_is_a_remark() -> None:
    """YAML takes the last one."""
    _, remarks = part("a: 1\na: 2\n")
    assert remarks.all() == (Remark(kind="differs", path="a", reason="it is given twice; the last one counts", line=2),)


@pytest.mark.parametrize("source", ["their.yaml", "two\nlines = 1", "\x1b[31mred", "end\r\n[models]"])
def test_the_head_says_where_it_comes_from_and_stays_a_comment(source: str) -> None:
    """Whatever the file is called."""
    converted = Converted(program="LiteLLM", table={"model": "a"}, remarks=())
    text = toml(converted, source=source)
    assert tomllib.loads(text) == {"model": "a"}
    assert text.splitlines()[0].startswith("# Made from ")
    assert "nothing was left out" in text.splitlines()[0]
