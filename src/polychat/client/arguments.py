"""The keywords of a call, checked: an unknown or mistyped one is refused by its name."""

from __future__ import annotations

import os
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, TypeVar

import msgspec

from polychat.errors import BadOption
from polychat.wire import openai_messages

T = TypeVar("T", bound=msgspec.Struct)


def named(given: Any) -> tuple[str | None, Any]:
    """A file's name and the file, of the pairs and triples in which the OpenAI SDK takes it; any other has no name."""
    if isinstance(given, tuple) and len(given) > 1 and isinstance(given[0], str):
        name, file = given[:2]
        if not isinstance(file, str | os.PathLike):
            return name, file
    return None, given


def checked(given: Mapping[str, Any], into: type[T]) -> T:
    """`given` as a record of that type; None in it means "not given". Raises: `BadOption` naming the keyword."""
    known = into.__struct_fields__
    for name in given:
        if name not in known:
            near = get_close_matches(name, known, n=2)
            hint = f"did you mean {' or '.join(near)}?" if near else f"it takes: {', '.join(known)}"
            raise BadOption(f"there is no argument {name!r}", field=name, hint=hint)
    set_ones = {name: value for name, value in given.items() if value is not None}
    record: T = openai_messages.converted(set_ones, into)
    return record
