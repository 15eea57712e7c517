"""An answer on a terminal, drawn by the real program on a real pseudo-terminal."""

from __future__ import annotations

import re
from typing import Any

import pytest

MARKDOWN = "# Title\n\nSome **bold** words.\n\n1. one\n\n2. two\n\n```\na\n\nb\n```\n\nLast *words*."
_COMMAND = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def plain(drawn: str) -> str:
    """What was drawn, without colours and movements."""
    return _COMMAND.sub("", drawn)


def left(drawn: str) -> list[str]:
    """The lines that stand in the terminal afterwards; of its movements those that occur here."""
    lines, row = [""], 0
    for piece in re.findall(r"\x1b\[1A|\x1b\[2K|\x1b\[[0-9;?]*[A-Za-z]|\n|\r|[^\x1b\n\r]+", drawn):
        if piece == "\n":
            row += 1
            lines += [""] * (row == len(lines))
        elif piece == "\x1b[1A":
            row -= 1
        elif piece == "\x1b[2K":
            lines[row] = ""
        elif piece[0] not in "\x1b\r":
            lines[row] += piece
    return [line.rstrip() for line in lines]


def pieces(text: str) -> list[str]:
    """`text` as a service might stream it."""
    return [text[start : start + 3] for start in range(0, len(text), 3)]


@pytest.mark.parametrize("columns", [80, 20])
@pytest.mark.parametrize("args", [[], ["--no-stream"]])
def test_markdown_is_drawn(polychat: Any, columns: int, args: list[str]) -> None:
    """Marks become looks, in a narrow terminal too, and the cursor is back at the end."""
    polychat.sandbox.script("reka", chunks=pieces(MARKDOWN))
    code, drawn = polychat.on_terminal("chat", "hi", *args, columns=columns)
    assert (code, "**" in plain(drawn), "```" in plain(drawn)) == (0, False, False)
    assert "\x1b[1mbold" in drawn
    assert drawn.rfind("\x1b[?25h") >= drawn.rfind("\x1b[?25l")


@pytest.mark.parametrize("args", [[], ["--no-stream"]])
def test_the_whole_answer_stands_there_at_the_end(polychat: Any, args: list[str]) -> None:
    """Every block once and in order, one blank line between them, nothing of the drawing left over."""
    polychat.sandbox.script("reka", chunks=pieces(MARKDOWN))
    _, drawn = polychat.on_terminal("chat", "hi", *args, columns=30)
    first, *rest = left(drawn)
    assert first.strip() == "Title"
    assert rest == [
        "", "Some bold words.", "", " 1 one", " 2 two", "", " a", "", " b", "", "Last words.", "",
    ]  # fmt: skip


def test_raw_leaves_the_text_alone(polychat: Any) -> None:
    """--raw writes the marks as they came."""
    polychat.sandbox.script("reka", chunks=pieces(MARKDOWN))
    assert polychat.on_terminal("chat", "hi", "--raw") == (0, f"{MARKDOWN}\n")


def test_a_dumb_terminal_gets_the_text(polychat: Any) -> None:
    """A terminal that cannot move its cursor is written to like a pipe."""
    polychat.sandbox.script("reka", chunks=pieces(MARKDOWN))
    assert polychat.on_terminal("chat", "hi", TERM="dumb") == (0, f"{MARKDOWN}\n")


def test_no_color_leaves_no_colour(polychat: Any) -> None:
    """NO_COLOR is obeyed in answers too; bold is no colour."""
    polychat.sandbox.script("reka", chunks=pieces("`code` and **bold**\n\n```python\ndef f(): pass\n```"))
    _, drawn = polychat.on_terminal("chat", "hi", NO_COLOR="1")
    assert re.findall(r"\x1b\[[0-9;]*(?:3[0-7]|4[0-7]|9[0-7])m", drawn) == []


@pytest.mark.parametrize("args", [[], ["--raw"]])
def test_an_answer_does_not_command_the_terminal(polychat: Any, args: list[str]) -> None:
    """Control characters of an answer are not written to a terminal."""
    polychat.sandbox.script("reka", chunks=["safe \x1b]0;owned\x07 text\x9b2J"])
    _, drawn = polychat.on_terminal("chat", "hi", *args)
    assert ("]0;owned" in drawn, "\x1b]0;" in drawn, "\x07" in drawn, "\x9b" in drawn) == (True, False, False, False)


def test_a_rewritten_answer_replaces_what_is_still_drawn(polychat: Any) -> None:
    """Only the newest text stands at the end, when nothing of the old one was printed for good."""
    polychat.sandbox.knobs("reka", revision=True)
    _, drawn = polychat.on_terminal("chat", "hi")
    assert left(drawn) == ["You asked: “hi” (1 word).", ""]


def test_a_rewritten_answer_begins_again_below_what_was_printed(polychat: Any) -> None:
    """A block that was printed for good stays, and a line tells that the answer begins anew."""
    polychat.sandbox.script(
        "reka", chunks=["First.\n\n", "Second.\n\n", "Third."], revisions=["New first.\n\nNew second."]
    )
    _, drawn = polychat.on_terminal("chat", "hi")
    first, rule, *rest = left(drawn)
    assert first == "First."
    assert "the service rewrote its answer" in rule
    assert rest == ["New first.", "", "New second.", ""]


def test_ctrl_c_gives_the_cursor_back(polychat: Any) -> None:
    """An interrupted answer stays as far as it came, and the terminal is as before."""
    polychat.sandbox.fault("reka", "stall", after=2, path="/api/chat")
    code, drawn = polychat.on_terminal("chat", "hi", replies={"You asked:": "\x03"})
    assert (code, "Traceback" in drawn) == (130, False)
    assert drawn.rfind("\x1b[?25h") > drawn.rfind("\x1b[?25l")
    assert left(drawn) == ["You asked:", ""]
