"""The patch operations of the delta encoding, carried out on the service's own copy of a message."""

from __future__ import annotations

from typing import Any, NamedTuple


class Patch(NamedTuple):
    """One operation at one place, a JSON pointer from the root `{message, conversation_id, error}`."""

    path: str
    op: str  # append, replace
    value: Any

    def told(self) -> dict[str, Any]:
        """As it goes over the wire."""
        return {"p": self.path, "o": self.op, "v": self.value}


def apply(root: dict[str, Any], patch: Patch) -> None:
    """Change `root` in place."""
    *way, last = patch.path.split("/")[1:]
    holder: Any = root
    for step in way:
        holder = holder[int(step) if isinstance(holder, list) else step]
    key = int(last) if isinstance(holder, list) else last
    holder[key] = _appended(_held(holder, key), patch.value) if patch.op == "append" else patch.value


def _held(holder: Any, key: Any) -> Any:
    return holder.get(key) if isinstance(holder, dict) else holder[key]


def _appended(held: Any, value: Any) -> Any:
    if held is None:
        return value
    return held | value if isinstance(held, dict) else held + value
