"""ChatGPT's "v1" delta encoding: records that change one document, a message in the making.

    {"p":"","o":"add","v":{"message":{...},"conversation_id":"C","error":null},"c":1}      a new root: a message begins
    {"p":"/message/content/parts/0","o":"append","v":"Hel"}
    {"v":"lo"}
    {"p":"","o":"patch","v":[{"p":"/message/status","o":"replace","v":"finished_successfully"}, ...]}

`p` is a JSON pointer (RFC 6901), `o` an operation, and one that is left out is the previous record's; a stream starts
at `""` and `add`. `c` numbers the roots. Shape as last known 2026-08, from independent clients and their captures.

- An object set at `""` is a new root, and so is any object that holds `message` in a record without a pointer of its
  own, whatever was sticky. A root leaves `""` and `add` behind, so text without a pointer cannot land in it.
- `append` joins strings, extends or pushes to lists, merges objects one level deep, and fills what is null or missing.
  `add` and `replace` set; in a list `add` inserts. `-` and an index past the end mean the place after the last, for
  these three. `remove` and `truncate` want something to be there; `truncate` counts characters of a string, or items.
- `patch` is a list of operations, each below the outer pointer. Within the list `p` and `o` stick from one to the next,
  from `""` and `add` on; outside they change nothing. A patch changes a message, it cannot begin one.
- What cannot be done (an unknown operation, a pointer to nowhere, a value of the wrong type) is skipped whole and
  counted. What is not a record at all is `FormatChanged`, before anything of it has been done.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from polychat.errors import FormatChanged

_BAD_ESCAPE = re.compile(r"~(?![01])")
_INDEX = re.compile(r"0|[1-9][0-9]{0,8}")

_Place = tuple[Any, Any]  # a dict and a key, or a list and an index
_copied = msgspec.to_builtins


class Op(msgspec.Struct, frozen=True, gc=False):
    """One operation. `value` is as it came and shares nothing with the document."""

    path: str  # from the root on
    kind: str  # append, add, replace, remove or truncate
    value: Any  # None of a remove


class Applied(msgspec.Struct, frozen=True, gc=False):
    """What one record did."""

    new_root: bool  # read the document afresh; there are no operations then
    ops: tuple[Op, ...]  # in order, patches taken apart, without those that were skipped
    index: int | None  # `c`


class _Record(msgspec.Struct, gc=False):
    v: Any = UNSET
    p: str | UnsetType = UNSET
    o: str | UnsetType = UNSET
    c: int | None = None


_decode = msgspec.json.Decoder(_Record).decode


class Document:
    """The message that the records so far make. `root` is to be read only; of no use after it raised."""

    def __init__(self) -> None:
        self.root: dict[str, Any] | None = None
        self.skipped = 0  # operations that could not be done
        self._path, self._kind = "", "add"
        self._tip: _Place | None = None  # of the string that the last record appended to

    def apply(self, data: bytes | dict[str, Any]) -> Applied:
        """One record, as JSON or decoded.

        Raises: `FormatChanged` for what is not JSON, not an object, has no `v` where one is needed, or a `p`, `o` or
        `c` of the wrong type.
        """
        try:
            record = _decode(data) if isinstance(data, bytes) else msgspec.convert(data, _Record)
            if self._tip is not None and type(record.v) is str and record.p is UNSET and record.o is UNSET:
                return self._extended(self._tip, record.v, record.c)
            return self._changed(record)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise FormatChanged(f"chatgpt sent a delta that is not one ({error})") from error

    def _extended(self, tip: _Place, text: str, index: int | None) -> Applied:
        """Appends at the tip. CPython extends a string in place if a local name alone refers to it."""
        container, key = tip
        whole = container[key]
        container[key] = ""
        whole += text
        container[key] = whole
        return Applied(False, (Op(self._path, "append", text),), index)

    def _changed(self, record: _Record) -> Applied:
        self._tip = None
        if not isinstance(record.p, UnsetType):
            self._path = record.p
        if not isinstance(record.o, UnsetType):
            self._kind = record.o
        if self._is_root(record):
            self.root = _copied(record.v)
            self._path, self._kind = "", "add"
            return Applied(True, (), record.c)
        wanted = _operations(self._path, self._kind, _value(record, self._kind))
        done = tuple(op for op in wanted if self._does(op))
        self.skipped += len(wanted) - len(done)
        if done and self._kind == "append":
            self._remember(done[0])
        return Applied(False, done, record.c)

    def _is_root(self, record: _Record) -> bool:
        if not isinstance(record.v, dict):
            return False
        if "message" in record.v and not record.p:
            return True
        return not self._path and self._kind in ("add", "replace")

    def _does(self, op: Op) -> bool:
        if not op.path:
            return op.kind == "append" and _merge(self.root, op.value)
        place, operation = _place(self.root, op.path), _OPERATIONS.get(op.kind)
        return place is not None and operation is not None and operation(*place, op.value)

    def _remember(self, op: Op) -> None:
        """Keeps the place of a string, if its pointer will mean the same place again."""
        place = _place(self.root, op.path)
        if place is not None and type(_present(*place)) is str:
            self._tip = place


def _value(record: _Record, kind: str) -> Any:
    if record.v is not UNSET:
        return record.v
    if kind == "remove" or (kind != "patch" and kind not in _OPERATIONS):
        return None
    raise FormatChanged(f"chatgpt sent a delta without a value for {kind}")


def _operations(path: str, kind: str, value: Any) -> list[Op]:
    """The one operation, or those of a patch, with whole pointers."""
    if kind != "patch" or not isinstance(value, list):
        return [Op(path, kind, None if kind == "remove" else value)]
    operations = []
    below, kind = "", "add"
    for record in msgspec.convert(value, list[_Record]):
        below = below if isinstance(record.p, UnsetType) else record.p
        kind = kind if isinstance(record.o, UnsetType) else record.o
        operations += _operations(_joined(path, below), kind, _value(record, kind))
    return operations


def _joined(path: str, below: str) -> str:
    """Both pointers as one; one that is no pointer stays none."""
    return path + below if not below or below.startswith("/") else below


def _place(root: Any, path: str) -> _Place | None:
    """Where the pointer points: the container exists, what is in it may not. None for nowhere."""
    if not path.startswith("/") or _BAD_ESCAPE.search(path):
        return None
    container: Any = {"": root}
    key: Any = ""
    for step in path.split("/")[1:]:
        container = _present(container, key)
        key = _key(container, step)
        if key is None:
            return None
    return container, key


def _key(container: Any, step: str) -> str | int | None:
    if isinstance(container, dict):
        return step.replace("~1", "/").replace("~0", "~")
    if not isinstance(container, list):
        return None
    if step == "-":
        return len(container)
    return int(step) if _INDEX.fullmatch(step) else None


def _is_there(container: Any, key: Any) -> bool:
    return key in container if isinstance(container, dict) else key < len(container)


def _present(container: Any, key: Any) -> Any:
    return container[key] if _is_there(container, key) else None


def _append(container: Any, key: Any, value: Any) -> bool:
    present = _present(container, key)
    if present is None:
        return _replace(container, key, value)
    if isinstance(present, list):
        present.extend(_copied(value if isinstance(value, list) else [value]))
        return True
    if isinstance(present, str) and isinstance(value, str):
        container[key] = present + value
        return True
    return _merge(present, value)


def _merge(present: Any, value: Any) -> bool:
    if not isinstance(present, dict) or not isinstance(value, dict):
        return False
    present.update(_copied(value))
    return True


def _add(container: Any, key: Any, value: Any) -> bool:
    if not isinstance(container, list):
        return _replace(container, key, value)
    container.insert(key, _copied(value))
    return True


def _replace(container: Any, key: Any, value: Any) -> bool:
    if isinstance(container, list):
        container[key : key + 1] = [_copied(value)]
    else:
        container[key] = _copied(value)
    return True


def _remove(container: Any, key: Any, value: Any) -> bool:
    if not _is_there(container, key):
        return False
    del container[key]
    return True


def _truncate(container: Any, key: Any, length: Any) -> bool:
    present = _present(container, key)
    if not isinstance(present, str | list) or type(length) is not int or length < 0:
        return False
    container[key] = present[:length]
    return True


_OPERATIONS: dict[str, Callable[[Any, Any, Any], bool]] = {
    "append": _append,
    "add": _add,
    "replace": _replace,
    "remove": _remove,
    "truncate": _truncate,
}
