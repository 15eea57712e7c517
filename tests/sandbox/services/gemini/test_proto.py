"""JSON as messages: lenient about spelling, strict about names and types."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
import pytest

from polychat.sandbox.services.gemini import proto
from polychat.sandbox.services.gemini.refusals import Refusal


class Leaf(proto.Wire, frozen=True, kw_only=True):
    """A message inside another."""

    top_p: Annotated[float, msgspec.Meta(le=1)] | None = None
    data: bytes = b""


class Root(proto.Wire, frozen=True, kw_only=True):
    """A message."""

    leaf: Leaf | None = None
    many_leaves: tuple[Leaf, ...] = ()
    by_name: dict[str, Leaf] = msgspec.field(default_factory=dict)
    free: dict[str, Any] = msgspec.field(default_factory=dict)
    anything: Any = None
    kind: Literal["GOOD", "BAD"] = "GOOD"
    count: int = 0
    truth: bool = False
    text: str = ""


def violations(value):
    """The places that are named in a refusal, each with its sentence."""
    with pytest.raises(Refusal) as caught:
        proto.read(value, Root)
    (detail,) = msgspec.json.decode(caught.value.response().body)["error"]["details"]
    return {it["field"]: it["description"] for it in detail["fieldViolations"]}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({}, Root()),
        ({"leaf": None, "count": None, "kind": None}, Root()),
        ({"leaf": {"topP": 1}}, Root(leaf=Leaf(top_p=1.0))),
        ({"leaf": {"top_p": "0.5"}}, Root(leaf=Leaf(top_p=0.5))),
        ({"leaf": {"top_p": "-1e-2"}}, Root(leaf=Leaf(top_p=-0.01))),
        ({"manyLeaves": [{}]}, Root(many_leaves=(Leaf(),))),
        ({"many_leaves": {}}, Root(many_leaves=(Leaf(),))),
        ({"by_name": {"top_p": {"topP": 0}}}, Root(by_name={"top_p": Leaf(top_p=0.0)})),
        ({"free": {"some_name": {"a": None}}}, Root(free={"some_name": {"a": None}})),
        ({"anything": [1, {"top_p": None}]}, Root(anything=[1, {"top_p": None}])),
        ({"kind": "bad"}, Root(kind="BAD")),
        ({"count": "12"}, Root(count=12)),
        ({"count": 12.0}, Root(count=12)),
        ({"truth": True, "text": ""}, Root(truth=True)),
        ({"leaf": {"data": "+/8="}}, Root(leaf=Leaf(data=b"\xfb\xff"))),
        ({"leaf": {"data": "-_8"}}, Root(leaf=Leaf(data=b"\xfb\xff"))),
    ],
)
def test_what_is_meant_is_read(value, expected):
    """Either spelling, nulls, numbers as texts, one for a list, both alphabets."""
    assert proto.read(value, Root) == expected


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ([], ""),
        ({"colour": 1}, ""),
        ({"leaf": {"topp": 1}}, "leaf"),
        ({"leaf": []}, "leaf"),
        ({"leaf": {"topP": 0, "top_p": 0}}, "leaf"),
        ({"leaf": {"topP": "warm"}}, "leaf.top_p"),
        ({"leaf": {"topP": True}}, "leaf.top_p"),
        ({"leaf": {"topP": 1.5}}, "leaf.top_p"),
        ({"leaf": {"data": "a"}}, "leaf.data"),
        ({"leaf": {"data": "ä"}}, "leaf.data"),
        ({"leaf": {"data": "aG****kA"}}, "leaf.data"),
        ({"leaf": {"data": 5}}, "leaf.data"),
        ({"many_leaves": "x"}, "many_leaves"),
        ({"many_leaves": [{}, 5]}, "many_leaves[1]"),
        ({"many_leaves": [None]}, "many_leaves[0]"),
        ({"many_leaves": [{"data": 5}]}, "many_leaves[0].data"),
        ({"manyLeaves": [{"topP": 2}]}, "many_leaves[0].top_p"),
        ({"by_name": []}, "by_name"),
        ({"by_name": {"a": {}, "b": {"c": 1}}}, "by_name[1].value"),
        ({"kind": "UGLY"}, "kind"),
        ({"kind": 1}, "kind"),
        ({"count": 1.5}, "count"),
        ({"count": "1.0"}, "count"),
        ({"count": True}, "count"),
        ({"truth": "true"}, "truth"),
        ({"truth": 1}, "truth"),
        ({"text": 5}, "text"),
    ],
)
def test_what_is_wrong_is_named_by_its_place(value, field):
    """With underscores, whichever way it was spelled."""
    assert list(violations(value)) == [field]


def test_all_that_is_wrong_is_told_at_once():
    """Names and values, in their order."""
    found = violations({"colour": 1, "leaf": {"topP": "x", "data": "y"}, "count": []})
    assert list(found) == ["", "leaf.top_p", "leaf.data", "count"]
    assert found[""] == "The JSON names “colour”, which is no field there."
    assert found["count"] == "The JSON has no value of its type at 'count': expected a whole number, got []."


def test_a_large_value_is_not_repeated_whole():
    """Only its beginning."""
    assert len(violations({"count": "x" * 1000})["count"]) < 160
