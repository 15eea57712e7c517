"""The patch operations of the delta encoding, carried out on the service's own copy of a message."""

from __future__ import annotations

from typing import Any, NamedTuple


class Patch(NamedTuple):
    """One operation at one place, a JSON pointer from the root `{message, conversation_id, error}`."""

    path: str
    op: str  # append, add, replace
    value: Any

    def told(self) -> dict[str, Any]:
        """As it goes over the wire."""
        return {"p": self.path, "o": self.op, "v": self.value}


def apply(root: dict[str, Any], patch: Patch) -> None:
    """Change `root` in place."""
    *way, last = [step.replace("~1", "/").replace("~0", "~") for step in patch.path.split("/")[1:]]
    holder: Any = root
    for step in way:
        holder = holder[_key(holder, step)]
    key = _key(holder, last)
    if patch.op == "append":
        holder[key] = _appended(_held(holder, key), patch.value)
    elif isinstance(holder, list) and (patch.op == "add" or key >= len(holder)):
        holder.insert(key, patch.value)
    else:
        holder[key] = patch.value


def _key(holder: Any, step: str) -> Any:
    if isinstance(holder, list):
        return len(holder) if step == "-" else int(step)
    return step


def _held(holder: Any, key: Any) -> Any:
    if isinstance(holder, dict):
        return holder.get(key)
    return holder[key]


def _appended(held: Any, value: Any) -> Any:
    if held is None:
        return value
    if isinstance(held, dict):
        return held | value
    if isinstance(held, list):
        return [*held, *value] if isinstance(value, list) else [*held, value]
    return held + value
