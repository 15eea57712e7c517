"""What is sent as JSON, and what a caller put into it that JSON has no form for.

A `Revealed` secret goes out as the text it is. A `Secret` that nobody revealed is a mistake of ours, a `TypeError`;
whatever else is no data came from the caller, and is `BadOption`.
"""

from __future__ import annotations

from typing import Any

import msgspec

from polychat.credentials import Revealed, Secret
from polychat.errors import BadOption


def encoded(json: Any) -> bytes:
    """The body. Raises: `BadOption` saying what cannot be written."""
    try:
        return msgspec.json.encode(json, enc_hook=_written)
    except UnicodeEncodeError:
        raise _no_json("half of a character, a surrogate without its pair") from None
    except RecursionError:
        raise _no_json("a value that holds itself") from None


def _written(value: Any) -> str:
    if isinstance(value, Revealed):
        return str(value)
    if isinstance(value, Secret):
        raise TypeError("a Secret is not sent as JSON")
    raise _no_json(f"a value of type {type(value).__name__}")


def _no_json(what: str) -> BadOption:
    return BadOption(f"the question holds what JSON cannot: {what}", hint="give text, numbers, lists and dicts")
