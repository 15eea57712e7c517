"""Command lines as bash and Windows take them apart."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polychat.signin import shells

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"))
LINES = st.text(st.characters(exclude_categories=["Cs", "Cc"]))


def ansi(value: str) -> str:
    """As browsers write what is not plain: in 16 bits, those below 256 in 8 where it suits them."""
    units = value.encode("utf-16-be")
    codes = [int.from_bytes(units[at : at + 2]) for at in range(0, len(units), 2)]
    plain = [chr(code) if chr(code).isascii() and chr(code).isalnum() else None for code in codes]
    return "".join(
        char or (f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}") for char, code in zip(plain, codes, strict=True)
    )


def carets(line: str) -> str:
    """A Windows command line as it is typed to cmd, by the careful: ^ before all that may mean something."""
    return re.sub(r"[^a-zA-Z0-9\s_\-:=+~'/.',?;()*`]", r"^\g<0>", line)


@given(st.lists(TEXTS))
def test_what_is_quoted_for_bash_comes_back(words: list[str]) -> None:
    """In single quotes, in browsers' $'...', and both with lines that go on."""
    quoted = [shlex.quote(word) for word in words]
    assert shells.bash("x " + " ".join(quoted)) == [["x", *words]]
    assert shells.bash("x \\\n  " + " \\\r\n  ".join(f"$'{ansi(word)}'" for word in words) + "\n") == [["x", *words]]


@given(st.lists(LINES))
def test_what_is_quoted_for_windows_comes_back(words: list[str]) -> None:
    """By Windows' own rules as Python knows them, with carets and with lines that go on."""
    quoted = [carets(subprocess.list2cmdline([word])) for word in words]
    assert shells.cmd("x " + " ".join(quoted)) == [["x", *words]]
    assert shells.cmd("x ^\r\n  " + " ^\r\n  ".join(quoted)) == [["x", *words]]


@given(st.lists(LINES))
def test_quotes_of_cmd_may_stand_without_carets(words: list[str]) -> None:
    """As another browser writes it: a quote is doubled, and nothing else means anything between quotes."""
    kept = [word.replace("\\", "") for word in words]
    line = " ".join('"' + word.replace('"', '""') + '"' for word in kept)
    assert shells.cmd(f"x {line}") == [["x", *kept]]


TRICKY = [
    r"""a"b"'c'd""",
    r'"\$x \` \" \\ \n"',
    r"""$'\n\t\\\'\"\x41\101\u0042\q\e'""",
    "a\\ b a\\\\b",
    "'a\nb'",
    '"a\\\nb"',
    "''",
    "a\\\nb",
    "$",
    '$"a b"',
    "a=b%c",
    "--x='1 2'",
]


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
@pytest.mark.parametrize("words", TRICKY)
def test_bash_itself_agrees(words: str) -> None:
    """Each is what the real shell hands on; nothing of it has a variable or a pattern."""
    done = subprocess.run(
        ["bash", "-c", f"printf '%s\\0' x {words}"], capture_output=True, check=True, env={"LC_ALL": "C.UTF-8"}
    )
    assert shells.bash(f"x {words}") == [done.stdout.decode().split("\0")[:-1]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a b ;\nc d", [["a", "b"], ["c", "d"]]),
        ("a 'b;c' & d | e\r\nf", [["a", "b;c"], ["d"], ["e"], ["f"]]),
        ("\n\n", []),
    ],
)
def test_commands_of_bash_are_apart(text: str, expected: list[list[str]]) -> None:
    """At ; & | and line ends, outside quotes."""
    assert shells.bash(text) == expected


@pytest.mark.parametrize("text", ["a 'b", 'a "b', "a $'b", "a \\"])
def test_an_open_quote_is_none(text: str) -> None:
    """It was not copied whole."""
    assert shells.bash(text) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('a ^"b c^" ^\r\n  -d ^"x^\r\n\r\ny^"', [["a", "b c", "-d", "x\ny"]]),
        ('a ^"1^" &\r\nb "2&3"', [["a", "1"], ["b", "2&3"]]),
        (r'a ^"50^%^A ^\^"q^\^"^"', [["a", '50%A "q"']]),
        (r'a "50"%"A"', [["a", "50%A"]]),
        (r'a \\\\"b c" "d\\" e\f', [["a", "\\\\b c", "d\\", "e\\f"]]),
        ("a b^", [["a", "b"]]),
    ],
)
def test_what_cmd_makes_of_it(text: str, expected: list[list[str]]) -> None:
    """Carets, line ends that are meant, percent signs, commands apart, and backslashes before a quote."""
    assert shells.cmd(text) == expected


@pytest.mark.parametrize(
    ("inner", "expected"), [(r"\ud83d\ude00", "\U0001f600"), (r"\ud83d!", "\ufffd!"), (r"\Uffffffff", "\U0010ffff")]
)
def test_a_character_in_two_halves_is_one(inner: str, expected: str) -> None:
    """Half of one, or one beyond all, is none that could be sent."""
    assert shells.bash(f"$'{inner}'") == [[expected]]
