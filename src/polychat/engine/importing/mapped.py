"""What comes of an import: settings, and remarks on all that is not the same any more.

A `Part` is one mapping of the other program's config. What is understood is taken out of it; what is then still there
is remarked on, so that nothing gets lost without a word.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

from polychat.engine.importing.document import Document, path

Kind = Literal["left_out", "differs", "to_do"]
UNKNOWN = "polychat has no such setting"


class Remark(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is not as it was."""

    kind: Kind
    path: str  # in the other program's file
    reason: str
    hint: str | None = None
    line: int | None = None


class Converted(msgspec.Struct, frozen=True, kw_only=True):
    """What an import gives."""

    program: str  # whose config it was
    table: dict[str, Any]  # of the shape of config.toml
    remarks: tuple[Remark, ...]  # in the order of the file


class Remarks:
    """The remarks of one import while it is under way."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._found: dict[Remark, None] = {}  # in the order in which they came
        for where in document.doubled:
            self.differs(where, "it is given twice; the last one counts")

    def left_out(self, where: str, reason: str, hint: str | None = None) -> None:
        """That has no place in polychat."""
        self._add("left_out", where, reason, hint)

    def differs(self, where: str, reason: str, hint: str | None = None) -> None:
        """That was mapped, and works another way now."""
        self._add("differs", where, reason, hint)

    def to_do(self, where: str, reason: str, hint: str | None = None) -> None:
        """That a person has to see to."""
        self._add("to_do", where, reason, hint)

    def all(self) -> tuple[Remark, ...]:
        """All of them, in the order of the file."""
        return tuple(sorted(self._found, key=lambda remark: remark.line or 0))

    def _add(self, kind: Kind, where: str, reason: str, hint: str | None) -> None:
        remark = Remark(kind=kind, path=where, reason=reason, hint=hint, line=self._document.line(where))
        self._found[remark] = None


class Part:
    """One mapping of the file; taking an entry out of it notes a wrong type and gives None then."""

    def __init__(self, value: Mapping[Any, Any], at: str, remarks: Remarks) -> None:
        self.at = at
        self.remarks = remarks
        self._left = {str(name): entry for name, entry in value.items() if entry is not None}

    def __contains__(self, name: str) -> bool:
        return name in self._left

    def where(self, name: str) -> str:
        """The path of an entry."""
        return path(self.at, name)

    def text(self, name: str) -> str | None:
        """A text that is not empty."""
        given = self._left.pop(name, None)
        if given is None or (isinstance(given, str) and given.strip()):
            return given.strip() if given else None
        self.remarks.left_out(self.where(name), "it is not a text")
        return None

    def number(self, name: str, *, least: float = 0.0) -> float | None:
        """A number, `least` or more; whole ones stay whole."""
        given = self._left.pop(name, None)
        if given is None:
            return None
        if isinstance(given, int | float) and not isinstance(given, bool) and least <= given < 1e9:
            return int(given) if given == int(given) else given
        self.remarks.left_out(self.where(name), f"it is not a number of {least:g} or more")
        return None

    def part(self, name: str) -> Part | None:
        """A mapping."""
        given = self._left.pop(name, None)
        if isinstance(given, dict):
            return Part(given, self.where(name), self.remarks)
        if given is not None:
            self.remarks.left_out(self.where(name), "it is not a mapping")
        return None

    def parts(self, name: str) -> list[Part]:
        """The mappings of a list."""
        found = []
        for where, entry in self.entries(name):
            if isinstance(entry, dict):
                found.append(Part(entry, where, self.remarks))
            else:
                self.remarks.left_out(where, "it is not a mapping")
        return found

    def texts(self, name: str) -> list[tuple[str, str]]:
        """The texts of a list, each after its path."""
        found = []
        for where, entry in self.entries(name):
            if isinstance(entry, str) and entry.strip():
                found.append((where, entry.strip()))
            else:
                self.remarks.left_out(where, "it is not a name")
        return found

    def entries(self, name: str) -> list[tuple[str, Any]]:
        """The entries of a list, each after its path."""
        given = self._left.pop(name, None)
        if isinstance(given, list):
            return [(path(self.where(name), index), entry) for index, entry in enumerate(given)]
        if given is not None:
            self.remarks.left_out(self.where(name), "it is not a list")
        return []

    def raw(self, name: str) -> Any:
        """Whatever it is."""
        return self._left.pop(name, None)

    def names(self) -> Iterator[str]:
        """What was not taken yet."""
        return iter(tuple(self._left))

    def leave(self, reasons: Mapping[str, str] | None = None, otherwise: str = UNKNOWN) -> None:
        """Remark on all that was not taken: the reason of its name, or `otherwise`."""
        for name in self.names():
            del self._left[name]
            self.remarks.left_out(self.where(name), (reasons or {}).get(name, otherwise))


def toml(converted: Converted, *, source: str) -> str:
    """The config file: where it comes from, then the settings. `source` is the name of the file it was made of."""
    import tomli_w

    plain = "".join(letter for letter in source if letter.isprintable())
    count = len(converted.remarks)
    told = f"{count} remark{'' if count == 1 else 's'} on what is not the same" if count else "nothing was left out"
    head = f"# Made from {plain}, a config of {converted.program}, by `polychat config import`; {told}.\n"
    return f"{head}\n{tomli_w.dumps(converted.table)}"
