"""client/batches/lines.py: what a line of a batch has to be, and the index of all lines."""

from __future__ import annotations

import io
import json
import os
import threading
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from polychat.client.batches.lines import Lines
from polychat.errors import BadOption, ConfigError

CHAT = "/v1/chat/completions"
GOOD = {"custom_id": "1", "method": "POST", "url": CHAT, "body": {"messages": [{"role": "user", "content": "Hi"}]}}
VECTORS = {"custom_id": "2", "method": "POST", "url": "/v1/embeddings", "body": {"input": "Hi"}}


def written(folder: Path, *lines: Any) -> Path:
    """A file of lines; dictionaries become JSON, bytes stay as they are."""
    path = folder / "in.jsonl"
    path.write_bytes(b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines))
    return path


def names(lines: Lines) -> list[str]:
    """Who is to be asked, as it can be read again."""
    return [lines.read(row).custom_id for row in lines.index.rows(0)]


@pytest.mark.parametrize(
    ("line", "field", "sentence"),
    [
        (b"{", None, "the line is not JSON"),
        (b"[1]", None, "the line is not a JSON object"),
        (b'{"custom_id": "\xff"}', None, "the line is not JSON"),
        (b'{"body": ' + b"[" * 100_000, None, "the line is not JSON: it is nested too deeply"),
        (GOOD | {"custom_id": None}, "custom_id", "custom_id is missing"),
        (GOOD | {"custom_id": ""}, "custom_id", "custom_id is empty"),
        (GOOD | {"custom_id": 7}, "custom_id", "custom_id is a int, not a text"),
        (GOOD | {"method": "GET"}, "method", "method is 'GET', not POST"),
        (GOOD | {"method": None}, "method", "method is missing"),
        (GOOD | {"url": "/v1/responses"}, "url", "url is '/v1/responses', not one that can be asked"),
        (GOOD | {"url": None}, "url", "url is missing"),
        (GOOD | {"body": None}, "body", "body is missing"),
        (GOOD | {"body": "Hi"}, "body", "body is 'Hi', not a JSON object"),
        (GOOD | {"body": {}}, "body.messages", "body.messages is missing or empty"),
        (VECTORS | {"body": {"input": []}}, "body.input", "body.input is missing or empty"),
        (GOOD | {"custom_id": "a"}, "custom_id", "custom_id is 'a', which line 1 has too"),
    ],
)
def test_a_wrong_line_is_named_with_its_field(tmp_path: Path, line: Any, field: str | None, sentence: str) -> None:
    """FILE:LINE, what is wrong there, and how to mend it."""
    path = written(tmp_path, GOOD | {"custom_id": "a"}, b"", line)
    with pytest.raises(BadOption) as caught:
        Lines(path)
    assert caught.value.message.startswith(f"{path}:3: {sentence}")
    assert (caught.value.field, bool(caught.value.hint)) == (field, True)


def test_what_may_stand_around_lines(tmp_path: Path) -> None:
    """A byte order mark, blank lines, CR LF, no line end at the end of the file, fields that nobody knows."""
    path = written(tmp_path, b"\xef\xbb\xbf" + json.dumps(GOOD).encode() + b"\r", b"  ", VECTORS | {"extra": 1})
    lines = Lines(path)
    assert (names(lines), len(lines.index), lines.name) == (["1", "2"], 2, str(path))
    lines.close()


def test_streams_are_counted(tmp_path: Path) -> None:
    """Somebody may wonder why none came."""
    lines = Lines(written(tmp_path, GOOD | {"body": GOOD["body"] | {"stream": True}}, VECTORS))  # type: ignore[operator]  # a dictionary
    assert lines.streams == 1
    lines.close()


def test_stdin_and_pipes_are_read_once_only(tmp_path: Path) -> None:
    """And can be read again afterwards."""
    data = json.dumps(GOOD).encode()
    lines = Lines("-", io.BytesIO(data))
    assert (names(lines), lines.name) == (["1"], "stdin")
    lines.close()
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writing = threading.Thread(target=pipe.write_bytes, args=(data,))
    writing.start()
    lines = Lines(pipe)
    writing.join()
    assert names(lines) == ["1"]
    lines.close()


@pytest.mark.parametrize("what", ["missing", "folder"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, what: str) -> None:
    """As what it is."""
    path = tmp_path / "in" if what == "missing" else tmp_path
    with pytest.raises(ConfigError, match=f"{path} cannot be read"):
        Lines(path)


def test_a_file_that_changes_meanwhile_is_not_asked(tmp_path: Path) -> None:
    """A question in the place of another would be answered under its name."""
    path = written(tmp_path, GOOD, VECTORS)
    lines = Lines(path)
    rows = list(lines.index.rows(0))
    path.write_bytes(path.read_bytes().replace(b'"2"', b'"3"'))
    assert lines.read(rows[0]).custom_id == "1"
    with pytest.raises(ConfigError, match="line 2 is another one now"):
        lines.read(rows[1])
    lines.close()


def test_rounds_and_limits(tmp_path: Path) -> None:
    """What is finished is not asked, the limit counts what is left, and again means a later round."""
    lines = Lines(written(tmp_path, *(GOOD | {"custom_id": str(number)} for number in range(1200))))
    index = lines.index
    assert [index.finished(name) for name in ("0", "2", "nobody")] == [True, True, False]
    index.limit(3)
    rows = list(index.rows(0))
    assert [row.id for row in rows] == ["1", "3", "4"]
    assert (len(index), index.to_do()) == (5, 3)
    index.again(rows[1]._replace(tries=1), 1)
    assert [(row.id, row.tries) for row in index.rows(1)] == [("3", 1)]
    lines.close()


def test_pages_of_the_index_join(tmp_path: Path) -> None:
    """Each line once, in order, while others are put into the next round."""
    lines = Lines(written(tmp_path, *(GOOD | {"custom_id": str(number)} for number in range(1200))))
    seen = []
    for row in lines.index.rows(0):
        seen.append(int(row.id))
        lines.index.again(row, 1)
    assert seen == list(range(1200))
    lines.close()


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    """30 MB of questions take less than 3 MB of Python's memory."""
    long = GOOD | {"body": {"messages": "x" * 10_000}}
    path = written(tmp_path, *(long | {"custom_id": str(number)} for number in range(3_000)))
    tracemalloc.start()
    lines = Lines(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    lines.close()
    assert peak < 3_000_000
