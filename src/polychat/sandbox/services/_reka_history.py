"""The body of Reka's chat request, and what is wrong with it.

The rules are those of the official API v0, which the web body grew from: not empty, `human` first, strictly
alternating, known keys only, all values strings; and the last turn is `human`. Unlike there, any turn may bring media.
Problems have the FastAPI form the house uses: `{"loc": [...], "msg": "...", "type": "..."}`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal, TypeVar

import msgspec

Problem = dict[str, Any]
AskedT = TypeVar("AskedT", bound="Asked")


class Unprocessable(ValueError):
    """The request is refused; `problems` says why."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(f"{len(problems)} problems")
        self.problems = problems


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of `conversation_history`, from a client that is not particular."""

    type: str = "human"
    text: Any = ""
    image_url: str | None = None
    media_type: str | None = None


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A body from a client that is not particular."""

    conversation_history: tuple[Turn, ...]
    model_name: str = "reka-core"
    stream: bool = False
    use_search_engine: bool = False


class StrictTurn(Turn, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry of `conversation_history` as it should be."""

    type: Literal["human", "model"]
    text: str
    media_type: Literal["image", "video", "pdf"] | None = None


class StrictAsked(Asked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A body as it should be."""

    conversation_history: tuple[StrictTurn, ...]
    model_name: Literal["reka-core", "reka-flash", "reka-edge"]
    use_code_interpreter: bool = False
    random_seed: int | None = None


def read_leniently(body: bytes) -> Asked:
    """Whatever makes sense of `body`. Raises: Unprocessable."""
    return _decoded(body, Asked)


def read_strictly(body: bytes) -> Asked:
    """`body`, if all of it is as it should be. Raises: Unprocessable."""
    asked = _decoded(body, StrictAsked)
    if problems := list(_history_problems(asked.conversation_history)):
        raise Unprocessable(problems)
    return asked


def problem(loc: list[str | int], message: str, kind: str = "value_error") -> Problem:
    """One thing that is wrong, and where."""
    return {"loc": loc, "msg": message, "type": kind}


def _decoded(body: bytes, kind: type[AskedT]) -> AskedT:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as mistake:
        raise Unprocessable([_located(mistake)]) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Unprocessable([problem(["body"], "the body is not JSON", "json_invalid")]) from None


def _history_problems(turns: tuple[StrictTurn, ...]) -> Iterator[Problem]:
    place: list[str | int] = ["body", "conversation_history"]
    if not turns:
        yield problem(place, "the history is empty")
        return
    for index, turn in enumerate(turns):
        expected = "model" if index % 2 else "human"
        if turn.type != expected:
            yield problem([*place, index, "type"], f"turns alternate, human first; expected {expected} here")
            return
        if (turn.image_url is None) != (turn.media_type is None):
            yield problem([*place, index], "image_url and media_type go together")
    if turns[-1].type != "human":
        yield problem([*place, len(turns) - 1, "type"], "the last turn must be human")


def _located(mistake: msgspec.ValidationError) -> Problem:
    """The mistake with its place as a list: "... - at `$.a[0].b`" gives ["body", "a", 0, "b"]."""
    message, _at, place = str(mistake).partition(" - at ")
    steps = re.findall(r"\.(\w+)|\[(\d+)\]", place)
    return problem(["body", *(name or int(index) for name, index in steps)], message)
