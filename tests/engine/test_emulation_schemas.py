"""engine/emulation/schemas.py: what is a schema, and what obeys it."""

from __future__ import annotations

import json
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest

from polychat.engine.emulation.schemas import checked
from polychat.errors import BadOption

DRAFT_7 = "http://json-schema.org/draft-07/schema#"
FIELD = "tools[0].function.parameters"


def refused(schema: Any) -> str:
    """What is said of something that is no schema, after the field."""
    with pytest.raises(BadOption) as caught:
        checked(schema, FIELD)
    assert caught.value.field == FIELD
    start = f"{FIELD} is not a JSON Schema: "
    assert caught.value.message.startswith(start)
    return caught.value.message.removeprefix(start)


def nested(depth: int) -> dict[str, Any]:
    """A list of lists of lists."""
    schema: dict[str, Any] = {}
    for _ in range(depth):
        schema = {"items": schema}
    return schema


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": "strin"}, "type: 'strin' is not valid under any of the given schemas"),
        ({"properties": {"a b": {"minimum": "1"}}}, "properties['a b'].minimum: '1' is not of type 'number'"),
        ({"pattern": "("}, "pattern: '(' is not a 'regex'"),
        ({"required": "a"}, "required: 'a' is not of type 'array'"),
        ({"$ref": 5}, "['$ref']: 5 is not of type 'string'"),
        ({"$ref": "#/$defs/x"}, "#/$defs/x is not a place in it"),
        ({"$ref": "#here"}, "#here is not a place in it"),
        ({"$dynamicRef": "#here"}, "#here is not a place in it"),
        ({"items": {"$ref": "other.json"}}, "other.json is not a place in it"),
        ({"x": {"$ref": "other.json"}, "$ref": "#/x"}, "other.json is not a place in it"),
        ({"x": 5, "$ref": "#/x"}, "it: 5 is not of type 'object', 'boolean'"),
        ({"x": {"type": "strin"}, "$ref": "#/x"}, "type: 'strin' is not valid under any of the given schemas"),
        ({"$ref": "#"}, "it nests or leads to itself without end"),
        ({"$schema": 7}, "$schema is not the name of a dialect"),
        ({"type": object}, "Encoding objects of type type is unsupported"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_no_schema_is_refused_by_its_place(schema: Any, said: str) -> None:
    """Also where it is only found by following a reference."""
    assert refused(schema) == said


def test_what_nests_without_end_is_refused() -> None:
    """Not a crash."""
    assert refused(nested(5000)) == "it nests or leads to itself without end"


@pytest.mark.parametrize(
    ("schema", "value", "said"),
    [
        ({}, [1], None),
        ({"type": "integer"}, "x", ": 'x' is not of type 'integer'"),
        ({"properties": {"a": {"items": {"enum": [1]}}}}, {"a": [1, 2]}, ".a[1]: 2 is not one of [1]"),
        ({"prefixItems": [{"type": "null"}]}, [0], "[0]: 0 is not of type 'null'"),
        (
            {"properties": {"a": True}, "additionalProperties": False},
            {"a": 1, "b": 1},
            ": Additional properties are not allowed ('b' was unexpected)",
        ),
        ({"$schema": DRAFT_7, "items": [{"type": "null"}]}, [0], "[0]: 0 is not of type 'null'"),
        ({"$schema": "https://x.example/own", "type": "null"}, 0, ": 0 is not of type 'null'"),
        ({"$defs": {"a": {"type": "null"}}, "$ref": "#/$defs/a"}, 0, ": 0 is not of type 'null'"),
        ({"$defs": {"a": {"$anchor": "b", "type": "null"}}, "$ref": "#b"}, 0, ": 0 is not of type 'null'"),
        (
            {"$id": "https://x.example/r", "$defs": {"a": {"$id": "y", "type": "null"}}, "$ref": "y"},
            0,
            ": 0 is not of type 'null'",
        ),
        ({"properties": {"$ref": {"type": "null"}}}, {"$ref": 0}, "['$ref']: 0 is not of type 'null'"),
        ({"const": {"$ref": "x"}}, {"$ref": "x"}, None),
        ({"properties": {"a": {"$ref": "#"}}, "maxProperties": 1}, {"a": {"a": {"a": 1, "b": 2}}}, ".a.a: too many"),
        ({"properties": {"a": {"$ref": "#/properties/a"}}}, {"a": 1}, ": it nests too deep"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_value_is_held_against_its_schema(schema: Any, value: Any, said: str | None) -> None:
    """The place and what is wrong with it; None when it obeys. Every draft is known, one that is not is the newest."""
    complaint = checked(schema, FIELD).complaint(value)
    if said == ".a.a: too many":
        assert complaint is not None
        assert complaint.startswith(".a.a: ")
    else:
        assert complaint == said


def test_a_complaint_stays_short() -> None:
    """It goes to the model and to the caller, and may quote a value of any size."""
    complaint = checked({"type": "integer"}, FIELD).complaint("x" * 10_000) or ""
    assert (len(complaint) < 250, complaint[-1]) == (True, "…")


def test_nothing_is_ever_fetched() -> None:
    """A reference to a server on this machine, which would answer, is refused without a request."""
    asked: list[str] = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        running = Thread(target=server.serve_forever)
        running.start()
        url = f"http://127.0.0.1:{server.server_port}/s.json"
        try:
            assert refused({"properties": {"a": {"$ref": url}}}) == f"{url} is not a place in it"
            assert refused({"x": {"$ref": f"{url}#/a"}, "$ref": "#/x"}) == f"{url}#/a is not a place in it"
            assert checked({"$schema": url, "const": 1}, FIELD).complaint(1) is None
        finally:
            server.shutdown()
            running.join()
    assert asked == []


def test_the_text_is_the_schema_as_json() -> None:
    """As the model is to read it."""
    schema = {"type": "object", "properties": {"ü": {"type": "string"}}}
    assert json.loads(checked(schema, FIELD).text) == schema


def test_the_library_is_loaded_when_it_is_needed() -> None:
    """Not with the engine: most questions have no schema."""
    program = "import sys, polychat.engine.engine; print('jsonschema' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
