"""What a service sent that we do not know, kept for a report: its shape, and none of its words.

Every text becomes its length, but for the few fields whose values are the format itself; numbers, keys and nesting
stay. A capture may be shown to anyone. At most twenty are kept, in the state folder, for their owner's eyes.
"""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import Any

import msgspec

from polychat.errors import FormatChanged

KEPT = 20
_LIMIT_BYTES = 256 * 1024  # of the evidence; more of it says nothing more
_FORMAT_FIELDS = frozenset(
    {"type", "p", "o", "object", "role", "status", "content_type", "finish_reason", "event", "channel", "encoding"}
)
_WORD = re.compile(r"[A-Za-z0-9_/.~-]{1,64}\Z")


def keep(error: FormatChanged, folder: Path) -> Path | None:
    """Write the error's evidence, redacted, into `folder`; where it lies, or None without evidence or a place."""
    if error.evidence is None:
        return None
    path = folder / f"{error.provider or 'unknown'}-{time.time_ns()}.json"
    text = msgspec.json.format(msgspec.json.encode(_report(error, error.evidence.data)), indent=1)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(text + b"\n")
        for old in sorted(folder.glob("*.json"), key=lambda one: one.stat().st_mtime_ns)[:-KEPT]:
            old.unlink(missing_ok=True)
    except OSError:  # a report is a help, not a reason to fail otherwise
        return None
    return path


def _report(error: FormatChanged, evidence: bytes) -> dict[str, Any]:
    from polychat import __version__

    return {
        "polychat": __version__,
        "provider": error.provider,
        "what": type(error).__name__,
        "size_bytes": len(evidence),
        "shape": shape(evidence[:_LIMIT_BYTES]),
    }


def shape(evidence: bytes) -> Any:
    """`evidence` without its words: JSON as JSON, anything else as the kinds of its lines."""
    try:
        return _redacted(msgspec.json.decode(evidence))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        lines = evidence.decode("utf-8", "replace").splitlines()
        return [re.sub(r"\w+", "w", line)[:200] for line in lines[:100]]


def _redacted(data: Any, field: str = "") -> Any:
    match data:
        case dict():
            return {_name(name): _redacted(value, name) for name, value in data.items()}
        case list():
            return [_redacted(value) for value in data]
        case str() if field in _FORMAT_FIELDS and _WORD.match(data):
            return data
        case str():
            return f"<{len(data)} characters>"
    return data


def _name(name: str) -> str:
    """A key of the format is a short word; a longer or stranger one may be content."""
    return name if _WORD.match(name) and not re.search(r"\d{4}|-.*-", name) else f"<key of {len(name)}>"
