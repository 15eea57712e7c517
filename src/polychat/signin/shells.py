"""A command line taken apart as its shell does it, without running anything.

    bash    'as it is', "with \\" and \\\\", $'with \\n, \\x41 and \\u0041'; \\ before a line end goes on
    cmd     ^ stands before what is meant as it is, and before a line end that is not; then Windows' rules for " and \\

Commands are apart where the shell ends one: ; & | or a line end. Variables are text: nothing is looked up.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable

_BASH = re.compile(
    r"""
    (?P<joined> \\\r?\n )
    | (?P<gap> [ \t]+ )
    | (?P<end> [;&|\r\n]+ )
    | ' (?P<single> [^']* ) '
    | \$' (?P<ansi> (?: [^'\\] | \\. )* ) '
    | \$? " (?P<double> (?: [^"\\] | \\. )* ) "
    | \\ (?P<escaped> . )
    | (?P<plain> [^ \t\r\n'"\\;&|$]+ | \$ (?!['"]) )
    """,
    re.VERBOSE | re.DOTALL,
)
_ANSI = re.compile(
    r"\\(?:x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{1,4})|U([0-9a-fA-F]{1,8})|(?P<octal>[0-7]{1,3})|(?P<letter>.))", re.DOTALL
)
_CONTROLS = dict(zip("abefnrtvE", "\a\b\x1b\f\n\r\t\v\x1b", strict=True))
_THEMSELVES = "\\'\"?"  # after a backslash
_CMD = re.compile(
    r"""
    \^ \n? (?P<escaped> . )?
    | (?P<quoted> " [^"\n]* "? )
    | (?P<end> [&|\n]+ )
    | (?P<plain> [^^"&|\n]+ )
    """,
    re.VERBOSE | re.DOTALL,
)
_WINDOWS = re.compile(r'(?P<slashes>\\*)(?P<quote>"{1,2})|(?P<gap>[ \t]+)|(?P<plain>\\+|[^\\" \t]+)')

_Commands = list[list[str]]


def bash(text: str) -> _Commands | None:
    """The words of each command; None where a quote is left open."""
    commands: _Commands = [[]]
    word: str | None = None
    at = 0
    while at < len(text):
        if (found := _BASH.match(text, at)) is None:
            return None
        at = found.end()
        kind = str(found.lastgroup)
        if kind in _BASH_MEANINGS:
            word = (word or "") + _BASH_MEANINGS[kind](found[kind])
        elif kind != "joined":
            commands[-1] += [] if word is None else [word]
            commands += [[]] if kind == "end" else []
            word = None
    commands[-1] += [] if word is None else [word]
    return list(filter(None, commands))


def cmd(text: str) -> _Commands:
    """The words of each command."""
    lines = [""]
    for found in _CMD.finditer(text.replace("\r\n", "\n")):
        if found["end"]:
            lines.append("")
        else:
            lines[-1] += found["escaped"] or found["quoted"] or found["plain"] or ""
    return list(filter(None, map(_windows, lines)))


def _windows(line: str) -> list[str]:
    """A command line as a Windows program finds its arguments in it."""
    words: list[str] = []
    word: str | None = None
    quoted = False
    at = 0
    while at < len(line) and (found := _WINDOWS.match(line, at)):
        at = found.end()
        if found["quote"]:
            literal = len(found["slashes"]) % 2 == 1
            doubled = found["quote"] == '""' and quoted and not literal
            at -= len(found["quote"]) - 1 - doubled  # one quote at a time, unless two stand for one
            word = (word or "") + "\\" * (len(found["slashes"]) // 2) + ('"' if literal or doubled else "")
            quoted ^= not (literal or doubled)
        elif found["plain"] or quoted:
            word = (word or "") + found[0]
        elif word is not None:
            words.append(word)
            word = None
    return words if word is None else [*words, word]


def _double(inner: str) -> str:
    return re.sub(r'\\(\r?\n|[$`"\\])', lambda found: "" if found[1].endswith("\n") else found[1], inner)


def _ansi(inner: str) -> str:
    r"""What stands between $' and '. Browsers write a character as `\x` or `\u`, one beyond 16 bits as two `\u`."""
    return _ANSI.sub(_code, inner).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _code(found: re.Match[str]) -> str:
    if letter := found["letter"]:
        return _CONTROLS.get(letter, letter if letter in _THEMSELVES else found[0])
    point = int(found["octal"], 8) if found["octal"] else int(found[1] or found[2] or found[3], 16)
    return chr(min(point, sys.maxunicode))


_BASH_MEANINGS: dict[str, Callable[[str], str]] = {
    "single": str, "ansi": _ansi, "double": _double, "escaped": str, "plain": str,
}  # fmt: skip
