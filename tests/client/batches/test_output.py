"""client/batches/output.py and answers.py: whole lines, one writer, and going on after a kill."""

from __future__ import annotations

import json
import multiprocessing
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from polychat.client.batches.answers import answered, failed
from polychat.client.batches.output import Output, refuse_taken
from polychat.client.shapes import ModelList
from polychat.errors import BadOption, ConfigError, Interrupted, PolychatError, RateLimited, Unavailable, UnknownModel
from polychat.types import Reply

BODY = ModelList(data=[])


def lines_of(path: Path) -> list[dict[str, Any]]:
    """What is written."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def written(path: Path, *answers: Any, tail: bytes = b"") -> list[bytes]:
    """A file of answers: names of answered lines, or errors. Its lines."""
    output = Output(path)
    for number, answer in enumerate(answers):
        line = failed(f"failed-{number}", answer) if isinstance(answer, PolychatError) else answered(answer, BODY)
        output.write(line)
    output.close()
    with path.open("ab") as file:
        file.write(tail)
    return path.read_bytes().splitlines(keepends=True)


def resumed(path: Path) -> list[str]:
    """Who is answered, of a file that is then ready for more."""
    found: list[str] = []
    output = Output(path)
    output.resume(found.append)
    output.write(answered("more", BODY))
    output.close()
    return found


def test_an_answer_is_openais_line(tmp_path: Path) -> None:
    """With an id, the line's name, the status and the body."""
    written(tmp_path / "out", "a")
    (line,) = lines_of(tmp_path / "out")
    assert (list(line), line["custom_id"], line["error"]) == (["id", "custom_id", "response", "error"], "a", None)
    assert (line["response"]["status_code"], line["response"]["body"]["object"]) == (200, "list")
    assert line["id"].startswith("batch_req_")
    assert line["response"]["request_id"]


@pytest.mark.parametrize(
    ("error", "status", "kind", "param"),
    [
        (UnknownModel("no such model"), 404, "invalid_request_error", None),
        (BadOption("n is 2", field="n"), 400, "invalid_request_error", "n"),
        (RateLimited("slow down", request_id="r"), 429, "rate_limit_error", None),
        (Unavailable("down"), 503, "server_error", None),
    ],
)
def test_a_failure_is_openais_error(
    tmp_path: Path, error: PolychatError, status: int, kind: str, param: str | None
) -> None:
    """Its HTTP status, the body of an error, and code and message once more."""
    written(tmp_path / "out", error)
    (line,) = lines_of(tmp_path / "out")
    facts = line["response"]["body"]["error"]
    assert (line["response"]["status_code"], facts["type"], facts["param"]) == (status, kind, param)
    assert line["error"] == {"code": error.code, "message": error.message}
    assert (facts["code"], facts["message"], facts.get("hint")) == (error.code, error.message, error.hint)
    if error.request_id:
        assert line["response"]["request_id"] == error.request_id


def test_what_came_of_a_broken_answer_is_kept(tmp_path: Path) -> None:
    """Beside OpenAI's fields."""
    written(tmp_path / "out", Interrupted("cut", partial=Reply(text="Half of")))
    assert lines_of(tmp_path / "out")[0]["response"]["body"]["error"]["partial"] == "Half of"


def test_to_go_on_only_answers_stay(tmp_path: Path) -> None:
    """Failed lines are taken out, so that each question has one line in the end; the rest stays byte for byte."""
    path = tmp_path / "out"
    before = written(path, "a", Unavailable("down"), "b")
    path.chmod(0o640)
    assert resumed(path) == ["a", "b"]
    after = path.read_bytes().splitlines(keepends=True)
    assert (after[:2], [line["custom_id"] for line in lines_of(path)]) == ([before[0], before[2]], ["a", "b", "more"])
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert [one.name for one in tmp_path.iterdir()] == ["out"]


def test_a_torn_line_is_cut_off_wherever_it_was_torn(tmp_path: Path) -> None:
    """A kill leaves any part of the last line; only one that lacks nothing but its end counts."""
    whole = written(tmp_path / "whole", "a", "b")
    for cut in range(1, len(whole[1])):
        path = tmp_path / "out"
        path.write_bytes(whole[0] + whole[1][:cut])
        complete = cut == len(whole[1]) - 1
        assert resumed(path) == (["a", "b"] if complete else ["a"])
        assert [line["custom_id"] for line in lines_of(path)] == (["a", "b", "more"] if complete else ["a", "more"])


def test_a_whole_file_is_not_written_anew(tmp_path: Path) -> None:
    """The same file, with one line more."""
    path = tmp_path / "out"
    written(path, "a", "b")
    inode = path.stat().st_ino
    assert (resumed(path), path.stat().st_ino) == (["a", "b"], inode)


@pytest.mark.parametrize(
    "data", [b"# Notes\n", b'{"id": 1}\n', b"Dear diary", b'{"custom_id": "1", "url": "/v1/embeddings"}', b"\xff\n"]
)
def test_a_file_of_something_else_is_left_alone(tmp_path: Path, data: bytes) -> None:
    """A slip of the hand costs nothing."""
    path = tmp_path / "out"
    path.write_bytes(data)
    output = Output(path)
    with pytest.raises(BadOption, match=f"{path}:1 is no line of a batch's output"):
        output.resume(lambda _: None)
    output.close()
    assert path.read_bytes() == data


@pytest.mark.parametrize("what", ["full", "folder", "pipe", "empty", "nothing"])
def test_a_place_that_is_taken_is_refused(tmp_path: Path, what: str) -> None:
    """Anything but a file with nothing in it."""
    path = tmp_path / "out"
    match what:
        case "full":
            path.write_bytes(b"x")
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "empty":
            path.touch()
    if what in ("empty", "nothing"):
        refuse_taken(path)
        return
    with pytest.raises(BadOption, match=str(path)):
        refuse_taken(path)


def _second(path: str, found: Any) -> None:
    try:
        Output(Path(path)).close()
        found.put("opened")
    except BadOption as error:
        found.put(error.message)


def test_there_is_one_writer(tmp_path: Path) -> None:
    """Another process is refused, also after the file was replaced to go on; afterwards it may."""
    path = tmp_path / "out"
    written(path, "a", Unavailable("down"))
    first = Output(path)
    first.resume(lambda _: None)
    context = multiprocessing.get_context("spawn")
    found = context.Queue()
    for release in (False, True):
        if release:
            first.close()
        second = context.Process(target=_second, args=(str(path), found))
        second.start()
        assert found.get() == ("opened" if release else f"{path} is being written by another run")
        second.join()


def test_a_full_disk_leaves_whole_lines(tmp_path: Path) -> None:
    """What could not be written is not begun, and the sentence says how to go on."""
    import resource
    import signal

    path = tmp_path / "out"
    (whole,) = written(path, "a")
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    output = Output(path)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(whole) + 20, usual[1]))
        with pytest.raises(ConfigError, match="cannot be written") as caught:
            output.write(answered("b", BODY))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
        signal.signal(signal.SIGXFSZ, before)
        output.close()
    assert ("--resume" in str(caught.value.hint), path.read_bytes()) == (True, whole)
