"""The delta codec, judged by a second, slow reading of the same rules kept here."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polychat.errors import FormatChanged
from polychat.wire.delta import Applied, Document, Op

Json = Any
ABSENT = object()
TEXT = "/message/content/parts/0"


class Impossible(Exception):
    """The operation cannot be done."""


class Malformed(Exception):
    """The record is none."""


class Reading:
    """The rules on whole values: each operation makes a new document from the old one, or none at all."""

    def __init__(self) -> None:
        self.root: Json = None
        self.skipped = 0
        self._p, self._o = "", "add"

    def apply(self, record: Json) -> Applied:
        """One record."""
        p, o, v = fields(record, self._p, self._o)
        starts_a_message = record.get("p", "") == "" and isinstance(v, dict) and "message" in v
        sets_all = (p, o) in (("", "add"), ("", "replace")) and isinstance(v, dict)
        if starts_a_message or sets_all:
            self.root, self._p, self._o = deepcopy(v), "", "add"
            return Applied(True, (), record.get("c"))
        self._p, self._o = p, o
        done = tuple(op for op in flat("", p, o, v) if self._tried(op))
        return Applied(False, done, record.get("c"))

    def _tried(self, op: Op) -> bool:
        try:
            self.root = changed(deepcopy(self.root), tokens(op.path), op.kind, deepcopy(op.value))
        except Impossible:
            self.skipped += 1
            return False
        return True


def fields(record: Json, p: str, o: str) -> tuple[str, str, Json]:
    if not isinstance(record, dict):
        raise Malformed
    p, o, v = record.get("p", p), record.get("o", o), record.get("v", ABSENT)
    if not isinstance(p, str) or not isinstance(o, str):
        raise Malformed
    if v is ABSENT and o in ("add", "replace", "append", "truncate", "patch"):
        raise Malformed
    return p, o, None if v is ABSENT else v


def flat(outer: str, p: str, o: str, v: Json) -> list[Op]:
    path = p if p and p[0] != "/" else outer + p
    if o == "remove":
        return [Op(path, o, None)]
    if o != "patch" or not isinstance(v, list):
        return [Op(path, o, v)]
    found = []
    p, o = "", "add"
    for record in v:
        p, o, value = fields(record, p, o)
        found.extend(flat(path, p, o, value))
    return found


def tokens(pointer: str) -> list[str]:
    if not pointer:
        return []
    if pointer[0] != "/":
        raise Impossible
    return [unescaped(token) for token in pointer[1:].split("/")]


def unescaped(token: str) -> str:
    out, rest = "", token
    while rest:
        if rest[0] != "~":
            out, rest = out + rest[0], rest[1:]
        elif rest[:2] in ("~0", "~1"):
            out, rest = out + {"~0": "~", "~1": "/"}[rest[:2]], rest[2:]
        else:
            raise Impossible
    return out


def changed(node: Json, path: list[str], kind: str, value: Json) -> Json:
    """`node` with the operation done somewhere below it."""
    if not path:  # only the root is met here
        if kind == "append" and isinstance(node, dict) and isinstance(value, dict):
            return {**node, **value}
        raise Impossible
    head, *rest = path
    if isinstance(node, dict):
        if rest:
            return {**node, head: changed(child(node.get(head, ABSENT)), rest, kind, value)}
        result = leaf(node.get(head, ABSENT), kind, value)
        return {k: v for k, v in {**node, head: result}.items() if v is not ABSENT}
    if isinstance(node, list):
        at = position(head, len(node))
        before, here, after = node[:at], node[at : at + 1], node[at + 1 :]
        if rest:
            return [*before, changed(child(here[0] if here else ABSENT), rest, kind, value), *after]
        if kind == "add":
            return [*before, value, *here, *after]
        result = leaf(here[0] if here else ABSENT, kind, value)
        return [*before, *([] if result is ABSENT else [result]), *after]
    raise Impossible


def child(node: Json) -> Json:
    if node is ABSENT:
        raise Impossible
    return node


def position(token: str, size: int) -> int:
    if token == "-":
        return size
    if not token.isascii() or not token.isdigit() or (token != "0" and token[0] == "0"):
        raise Impossible
    return min(int(token), size)


def leaf(present: Json, kind: str, value: Json) -> Json:
    """What stands where `present` stood; ABSENT for nothing."""
    match kind:
        case "add" | "replace":
            return value
        case "remove" if present is not ABSENT:
            return ABSENT
        case "truncate" if type(value) is int and value >= 0 and isinstance(present, str | list):
            return present[:value]
        case "append":
            return joined(present, value)
    raise Impossible


def joined(present: Json, value: Json) -> Json:
    match present, value:
        case str(), str():
            return present + value
        case list(), list():
            return [*present, *value]
        case list(), _:
            return [*present, value]
        case dict(), dict():
            return {**present, **value}
    if present is None or present is ABSENT:
        return value
    raise Impossible


def encoded(record: Json) -> bytes:
    return json.dumps(record).encode()


def started(message: Json) -> Document:
    """A document whose message has just begun."""
    document = Document()
    document.apply(encoded({"p": "", "o": "add", "v": {"message": message}}))
    return document


# ---------------------------------------------------------------- random streams

strings = st.sampled_from(["", "a", "bc", "ж", "🙂", '"\\\n'])
values = st.recursive(
    st.sampled_from([None, True, 0, 1, 2, -1, 1.5, "", "a", "ж🙂"]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "x~y", "message"]), inner, max_size=2)
    ),
    max_leaves=4,
)
PLACES = """
content/parts content/parts/0 content/parts/- content/parts/1 list list/0 list/0/a list/9 list/01 list/x list/٣ list/-/a
a~1b x~0y ~01 ~2 ~ gone gone/on null number number/0
"""
aims = st.sampled_from(
    ["", "/", "/message", "/message/", "message", "/error", *(f"/message/{at}" for at in PLACES.split())]
)
tails = st.sampled_from(["", "/0", "/1", "/-", "/a", "/content/parts/0", "/list", "/x~0y", "no", "/~"])
kinds = st.sampled_from(["append", "append", "add", "replace", "remove", "truncate", "patch", "frobnicate"])
messages = st.fixed_dictionaries(
    {
        "content": st.fixed_dictionaries({"parts": st.lists(strings, min_size=1, max_size=2)}),
        "list": st.lists(values, max_size=3),
        "a/b": values,
        "x~y": values,
        "~1": strings,
        "null": st.none(),
        "number": st.integers(0, 3),
        "": values,
    }
)
roots = st.fixed_dictionaries(
    {"v": st.fixed_dictionaries({"message": messages})},
    optional={"p": st.just(""), "o": st.just("add"), "c": st.integers(0, 3)},
)


def records(value: st.SearchStrategy[Json], pointer: st.SearchStrategy[str]) -> st.SearchStrategy[Json]:
    return st.fixed_dictionaries({"v": value}, optional={"p": pointer, "o": kinds})


subs = st.lists(records(values | st.integers(0, 2), tails | aims), max_size=3)
patches = st.fixed_dictionaries(
    {"v": subs | st.lists(st.fixed_dictionaries({"o": st.just("patch"), "p": tails, "v": subs}), max_size=2)},
    optional={"p": aims, "o": st.just("patch")},
)
broken = st.sampled_from([{}, {"p": TEXT}, {"v": "a", "p": 1}, {"v": "a", "o": None}, {"o": "patch", "v": [1]}, []])
spots = st.just(TEXT) | st.just("/message/~01") | aims
texts = st.fixed_dictionaries({"v": strings})
aimed_texts = st.fixed_dictionaries({"p": spots, "o": st.just("append"), "v": strings})
pointed_texts = st.fixed_dictionaries({"p": spots, "v": strings})
turned_texts = st.fixed_dictionaries({"v": strings, "o": kinds})
rarely_broken = st.integers(0, 40).flatmap(lambda n: broken if n == 40 else texts)
some_texts = [texts, texts, aimed_texts, aimed_texts, pointed_texts, turned_texts]
steps = st.one_of(
    *some_texts,
    records(values, aims),
    records(values, spots),
    patches,
    patches,
    roots,
    st.just({"o": "remove"}),
    rarely_broken,
)
streams = st.lists(steps, min_size=6, max_size=16)


@settings(max_examples=1000, deadline=None)
@given(roots, streams)
def test_both_readings_agree(root: Json, stream: list[Json]) -> None:
    """On any stream the codec does, skips and refuses what the slow reading does, and ends at the same document."""
    document, reading = Document(), Reading()
    applied, wanted = [], []
    for record in [root, *stream]:
        before = deepcopy(reading.root)
        try:
            expected = reading.apply(record)
        except Malformed:
            with pytest.raises(FormatChanged):
                document.apply(encoded(record))
            assert document.root == before
            break
        applied.append(document.apply(encoded(record)))
        wanted.append(expected)
        assert (document.root, document.skipped) == (reading.root, reading.skipped)
    assert applied == wanted


@settings(deadline=None)
@given(streams)
def test_a_stream_without_a_root_never_crashes(stream: list[Json]) -> None:
    """Records before the first root are applied, skipped or refused as the slow reading has it."""
    document, reading = Document(), Reading()
    for record in stream:
        try:
            expected = reading.apply(record)
        except Malformed:
            return
        assert document.apply(deepcopy(record)) == expected
        assert (document.root, document.skipped) == (reading.root, reading.skipped)


@given(st.binary(max_size=12) | st.text('{}[]":pov,1', max_size=12).map(str.encode))
def test_any_bytes_are_a_record_or_refused(data: bytes) -> None:
    """Nothing but `FormatChanged` comes of rubbish."""
    document = Document()
    try:
        document.apply(data)
    except FormatChanged:
        assert document.root is None


# ---------------------------------------------------------------- examples

ASSISTANT: Json = {
    "id": "A",
    "author": {"role": "assistant", "name": None, "metadata": {}},
    "content": {"content_type": "text", "parts": [""]},
    "status": "in_progress",
    "end_turn": None,
    "metadata": {"message_type": "next", "model_slug": "gpt-4o", "parent_id": "U"},
    "recipient": "all",
    "channel": "final",
}
CLOSING: Json = [
    {"p": TEXT, "o": "append", "v": "!"},
    {"p": "/message/status", "o": "replace", "v": "finished_successfully"},
    {"p": "/message/end_turn", "o": "replace", "v": True},
    {"p": "/message/metadata", "o": "append", "v": {"is_complete": True, "finish_details": {"type": "stop"}}},
]


def test_a_whole_answer() -> None:
    """Echo, answer, sticky text and closing patch make "Hello!", finished, with what the root's metadata said kept."""
    document = Document()
    echo = {"message": {"id": "U", "content": {"parts": ["hi"]}}, "conversation_id": "C", "error": None}
    answer = {"message": ASSISTANT, "conversation_id": "C", "error": None}
    assert document.apply(encoded({"p": "", "o": "add", "v": echo, "c": 0})) == Applied(True, (), 0)
    assert document.root == echo
    assert document.apply(encoded({"p": "", "o": "add", "v": answer, "c": 1})) == Applied(True, (), 1)
    hel = document.apply(encoded({"p": TEXT, "o": "append", "v": "Hel"}))
    lo = document.apply(b'{"v":"lo"}')
    closing = document.apply(encoded({"p": "", "o": "patch", "v": CLOSING}))
    assert hel == Applied(False, (Op(TEXT, "append", "Hel"),), None)
    assert lo == Applied(False, (Op(TEXT, "append", "lo"),), None)
    assert closing == Applied(False, tuple(Op(sub["p"], sub["o"], sub["v"]) for sub in CLOSING), None)
    assert document.root is not None
    message = document.root["message"]
    assert message["content"]["parts"] == ["Hello!"]
    assert (message["status"], message["end_turn"]) == ("finished_successfully", True)
    assert message["metadata"] == {**ASSISTANT["metadata"], "is_complete": True, "finish_details": {"type": "stop"}}
    assert document.skipped == 0


@pytest.mark.parametrize(
    ("before", "operation", "value", "after"),
    [
        ("ab", "append", "c", "abc"),
        ("", "append", "ж", "ж"),
        ([1], "append", [2, [3]], [1, 2, [3]]),
        ([1], "append", "ab", [1, "ab"]),
        ([], "append", {"k": 1}, [{"k": 1}]),
        ({"a": {"x": 1}, "b": 2}, "append", {"a": {"y": 1}}, {"a": {"y": 1}, "b": 2}),
        (None, "append", "a", "a"),
        ("a", "add", [1], [1]),
        ("a", "replace", None, None),
        ("abc", "truncate", 2, "ab"),
        ("abc", "truncate", 9, "abc"),
        ([1, 2], "truncate", 0, []),
    ],
)
def test_an_operation_on_a_field(before: Json, operation: str, value: Json, after: Json) -> None:
    """What each operation makes of each kind of value."""
    document = started({"field": before})
    applied = document.apply(encoded({"p": "/message/field", "o": operation, "v": value}))
    assert applied == Applied(False, (Op("/message/field", operation, value),), None)
    assert document.root == {"message": {"field": after}}


@pytest.mark.parametrize(
    ("at", "operation", "after"),
    [
        ("0", "add", ["x", "a", "b"]),
        ("1", "add", ["a", "x", "b"]),
        ("2", "add", ["a", "b", "x"]),
        ("7", "add", ["a", "b", "x"]),
        ("-", "add", ["a", "b", "x"]),
        ("1", "replace", ["a", "x"]),
        ("2", "replace", ["a", "b", "x"]),
        ("-", "replace", ["a", "b", "x"]),
        ("1", "append", ["a", "bx"]),
        ("2", "append", ["a", "b", "x"]),
        ("-", "append", ["a", "b", "x"]),
        ("0", "remove", ["b"]),
    ],
)
def test_an_operation_on_an_item(at: str, operation: str, after: list[str]) -> None:
    """`add` inserts; past the end and "-" are the place after the last."""
    document = started(["a", "b"])
    document.apply(encoded({"p": f"/message/{at}", "o": operation, "v": "x"}))
    assert document.root == {"message": after}


def test_the_place_after_the_last_moves_on() -> None:
    """Bare text at "-" is one item each; at an index that has come to be it joins."""
    document = started([])
    document.apply(encoded({"p": "/message/-", "o": "append", "v": "a"}))
    document.apply(encoded({"v": "b"}))
    document.apply(encoded({"p": "/message/2", "v": "c"}))
    document.apply(encoded({"v": "d"}))
    assert document.root == {"message": ["a", "b", "cd"]}


def test_bare_text_finds_its_place_again_after_another_operation() -> None:
    """A text that was replaced or moved in between is looked up anew, though the pointer stayed the same."""
    document = started({"a": [""]})
    for record in [
        {"p": "/message/a/0", "o": "append", "v": "x"},
        {"v": "y"},
        {"o": "patch", "p": "", "v": [{"p": "/message/a/0", "o": "add", "v": "new"}]},
        {"p": "/message/a/0", "o": "append", "v": "!"},
        {"v": "?"},
    ]:
        document.apply(encoded(record))
    assert document.root == {"message": {"a": ["new!?", "xy"]}}


@pytest.mark.parametrize(
    ("pointer", "key"),
    [
        ("/message/a~1b", "a/b"),
        ("/message/a~0b", "a~b"),
        ("/message/~01", "~1"),
        ("/message/", ""),
        ("/message/ж", "ж"),
    ],
)
def test_escapes_of_pointers(pointer: str, key: str) -> None:
    """`~1` is a slash and `~0` a tilde, and `~01` is not a slash."""
    document = started({key: "old"})
    document.apply(encoded({"p": pointer, "o": "replace", "v": "new"}))
    assert document.root == {"message": {key: "new"}}


IMPOSSIBLE = """\
{"p": "/message/gone/deeper", "o": "add", "v": 1}
{"p": "/message/text/0", "o": "add", "v": 1}
{"p": "/message/list/5/x", "o": "add", "v": 1}
{"p": "/message/list/-/x", "o": "add", "v": 1}
{"p": "/message/list/x", "o": "add", "v": 1}
{"p": "/message/list/-1", "o": "replace", "v": 1}
{"p": "/message/list/00", "o": "replace", "v": 1}
{"p": "/message/list/1", "o": "remove"}
{"p": "/message/list/-", "o": "remove"}
{"p": "/message/gone", "o": "remove"}
{"p": "", "o": "remove"}
{"p": "", "o": "add", "v": "text"}
{"p": "", "o": "append", "v": "text"}
{"p": "", "o": "truncate", "v": 0}
{"p": "message/text", "o": "append", "v": "x"}
{"p": "/message/te~xt", "o": "add", "v": "x"}
{"p": "/message/text", "o": "append", "v": 1}
{"p": "/message/text", "o": "append", "v": null}
{"p": "/message/number", "o": "append", "v": 1}
{"p": "/message/object", "o": "append", "v": "x"}
{"p": "/message/text", "o": "truncate", "v": -1}
{"p": "/message/text", "o": "truncate", "v": true}
{"p": "/message/text", "o": "truncate", "v": "1"}
{"p": "/message/gone", "o": "truncate", "v": 1}
{"p": "/message/text", "o": "frobnicate", "v": "x"}
{"p": "/message/text", "o": "frobnicate"}
{"p": "/message/text", "o": "patch", "v": "text"}
{"p": "", "o": "patch", "v": [{"p": "", "o": "add", "v": {"message": {}}}]}
{"p": "/message", "o": "patch", "v": [{"p": "text", "o": "append", "v": "x"}]}"""
ENDLESS = {"p": "/message/list/" + "9" * 5000, "o": "replace", "v": 1}


@pytest.mark.parametrize(
    "record",
    [*map(json.loads, IMPOSSIBLE.splitlines()), ENDLESS],
    ids=lambda record: f"{record['p'][:24]} {record['o']}",
)
def test_what_cannot_be_done_is_skipped_and_counted(record: Json) -> None:
    """The document stays as it was, and the stream goes on."""
    message = {"text": "abc", "list": [0], "number": 1, "object": {}}
    document = started(message)
    assert document.apply(encoded(record)) == Applied(False, (), None)
    assert (document.root, document.skipped) == ({"message": message}, 1)
    document.apply(encoded({"p": "/message/text", "o": "append", "v": "d"}))
    assert document.root == {"message": {**message, "text": "abcd"}}


REFUSED = b"""
{
[DONE]
"v1"
[]
null
{}
{"p":"/a"}
{"p":1,"v":1}
{"p":null,"v":1}
{"o":1,"v":1}
{"o":null,"v":1}
{"c":"0","v":1}
{"o":"truncate"}
{"o":"patch"}
{"o":"patch","v":["a"]}
{"o":"patch","v":[{"p":"/a"}]}
{"o":"patch","v":[{"p":2,"v":1}]}"""


@pytest.mark.parametrize(
    "data",
    [*REFUSED.split(b"\n"), b'{"v":"\xff"}', b"[" * 100_000, b'{"o":"patch","v":[' * 100_000],
    ids=lambda data: data[:30].decode(errors="replace"),
)
def test_what_is_no_record_is_refused(data: bytes) -> None:
    """`FormatChanged`, and the document stays as it was."""
    document = started({"a": 1})
    with pytest.raises(FormatChanged, match="chatgpt sent a delta"):
        document.apply(data)
    assert document.root == {"message": {"a": 1}}


def test_a_patch_is_read_to_its_end_before_anything_is_done() -> None:
    """A malformed operation refuses those before it too."""
    document = started({"a": "x"})
    patch = [{"p": "/message/a", "o": "append", "v": "y"}, {"p": "/message/a", "o": "append"}]
    with pytest.raises(FormatChanged):
        document.apply(encoded({"p": "", "o": "patch", "v": patch}))
    assert document.root == {"message": {"a": "x"}}


def test_a_patch_does_what_it_can() -> None:
    """An operation that cannot be done leaves those around it alone."""
    document = started({"a": "x"})
    subs = [("/message/a", "y"), ("/message/a/0", "no"), ("/message/a", "z")]
    applied = document.apply(encoded({"p": "", "o": "patch", "v": [{"p": p, "o": "append", "v": v} for p, v in subs]}))
    assert applied.ops == (Op("/message/a", "append", "y"), Op("/message/a", "append", "z"))
    assert (document.root, document.skipped) == ({"message": {"a": "xyz"}}, 1)


def test_a_patch_sticks_inside_and_not_outside() -> None:
    """The outer pointer is a prefix; `p` and `o` stick within the list, and the next record patches again."""
    document = started({"content": {"parts": ["", ""]}})
    inner = {"p": "/parts", "o": "patch", "v": [{"p": "/1", "o": "append", "v": "b"}]}
    document.apply(
        encoded(
            {
                "p": "/message/content",
                "o": "patch",
                "v": [{"p": "/parts/0", "o": "append", "v": "a"}, {"v": "a"}, inner],
            }
        )
    )
    assert document.root == {"message": {"content": {"parts": ["aa", "b"]}}}
    applied = document.apply(encoded({"v": [{"p": "/parts/0", "o": "append", "v": "!"}]}))
    assert applied.ops == (Op("/message/content/parts/0", "append", "!"),)


@pytest.mark.parametrize("named", [{}, {"p": "", "o": "add"}, {"p": ""}, {"o": "append"}])
def test_a_new_root_takes_nothing_over(named: Json) -> None:
    """Bare text after a root goes nowhere until a pointer comes, though text was sticky before."""
    document = started({"text": ""})
    document.apply(encoded({"p": "/message/text", "o": "append", "v": "old"}))
    document.apply(encoded({"v": "er"}))
    first = document.root
    assert document.apply(encoded({**named, "v": {"message": {"text": ""}}})) == Applied(True, (), None)
    assert document.apply(encoded({"v": "lost"})) == Applied(False, (), None)
    assert (document.root, document.skipped) == ({"message": {"text": ""}}, 1)
    document.apply(encoded({"p": "/message/text", "o": "append", "v": "new"}))
    assert (document.root, first) == ({"message": {"text": "new"}}, {"message": {"text": "older"}})


def test_an_object_with_a_message_below_a_pointer_is_no_root() -> None:
    """Metadata may hold a field of that name."""
    document = started({"metadata": {}})
    applied = document.apply(encoded({"p": "/message/metadata", "o": "append", "v": {"message": "hint"}}))
    assert not applied.new_root
    assert document.root == {"message": {"metadata": {"message": "hint"}}}


def test_a_root_may_be_an_error_alone() -> None:
    """An object at the empty pointer is a root without `message` too."""
    document = started({"a": 1})
    assert document.apply(encoded({"p": "", "o": "add", "v": {"error": "boom"}})).new_root
    assert document.root == {"error": "boom"}


@pytest.mark.parametrize(
    ("pointer", "operation", "value", "inside"),
    [
        ("", "add", {"message": {"new": {"k": ""}}}, "/message/new/k"),
        ("/message/new", "add", {"k": ""}, "/message/new/k"),
        ("/message/list", "append", [{"k": ""}], "/message/list/1/k"),
        ("/message/list", "append", {"k": ""}, "/message/list/1/k"),
        ("/message/list/0", "append", {"k": [""]}, "/message/list/0/k/0"),
        ("/message/list/0", "add", {"k": ""}, "/message/list/0/k"),
        ("/message/list/0", "replace", {"k": ""}, "/message/list/0/k"),
    ],
)
def test_values_are_not_shared(pointer: str, operation: str, value: Json, inside: str) -> None:
    """Neither an operation handed out nor the caller's record changes when the document does."""
    document = started({"list": [{}]})
    given_value = deepcopy(value)
    first = document.apply({"p": pointer, "o": operation, "v": given_value})
    second = document.apply({"p": inside, "o": "append", "v": "hm"})
    assert [op.path for op in second.ops] == [inside]
    assert given_value == value
    assert [op.value for op in first.ops] == [value][: len(first.ops)]


@pytest.mark.parametrize(
    ("record", "after"),
    [
        ({"p": "/message/b", "v": "y"}, {"a": "x", "b": "y"}),
        ({"o": "replace", "v": "y"}, {"a": "y", "b": ""}),
        ({"p": "/message/b", "o": "replace", "v": "y"}, {"a": "x", "b": "y"}),
        ({"v": "y"}, {"a": "xy", "b": ""}),
    ],
)
def test_what_a_record_leaves_out_is_the_previous_one_s(record: Json, after: Json) -> None:
    """Pointer and operation stick each for itself."""
    document = started({"a": "", "b": ""})
    document.apply(encoded({"p": "/message/a", "o": "append", "v": "x"}))
    document.apply(encoded(record))
    assert document.root == {"message": after}


@pytest.mark.parametrize("form", [encoded, deepcopy])
def test_two_documents_do_not_mix(form: Callable[[Json], Any]) -> None:
    """State is the document's own."""
    left, right = Document(), Document()
    root = {"v": {"message": {"text": ""}}}
    for document, text in [(left, "l"), (right, "r")]:
        document.apply(form(root))
        document.apply(form({"p": "/message/text", "o": "append", "v": text}))
    left.apply(form({"v": "!"}))
    assert (left.root, right.root) == ({"message": {"text": "l!"}}, {"message": {"text": "r"}})
