"""`polychat chat`: the question that goes out, the answer that comes, and what happens when it does not."""

from __future__ import annotations

import hashlib
import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest

PICTURE = b"\x89PNG\r\n\x1a\n and the rest of a picture"
ANSWER = "You asked: “hi” (1 word).\n"


def asked(polychat: Any) -> dict[str, Any]:
    """The last question as the service got it."""
    body: dict[str, Any] = polychat.sandbox.journal(path="/api/chat")[-1].json
    return body


# ---------------------------------------------------------------- the question


@pytest.mark.parametrize(
    ("words", "stdin", "sent"),
    [
        (["What", "is", "this?"], b"", "What is this?"),
        ([], b"only this\n", "only this"),
        (["Explain:"], b"line 1\nline 2\n", "Explain:\n\nline 1\nline 2"),
        (["Привет"], "мир".encode(), "Привет\n\nмир"),
    ],
)
def test_words_and_stdin_make_the_prompt(polychat: Any, words: list[str], stdin: bytes, sent: str) -> None:
    """Words are joined, and what is piped in stands below them."""
    done = polychat("chat", *words, stdin=stdin)
    assert (done.returncode, done.stderr) == (0, "")
    assert asked(polychat)["conversation_history"] == [{"type": "human", "text": sent}]


@pytest.mark.parametrize(
    ("args", "stdin", "complaint"),
    [
        (["chat"], b"", "there is nothing to ask"),
        (["chat", "  "], b"\n", "there is nothing to ask"),
        (["chat", "hi"], b"\xff\xfe", "stdin is not text in UTF-8"),
        (["chat", "hi", "-o", "nonsense"], b"", "--option nonsense is not NAME=VALUE"),
        (["chat", "hi", "-o", "foo=1"], b"", "reka has no option 'foo'"),
        (["chat", "hi", "-o", "use_code_interpreter=3"], b"", "use_code_interpreter is int, not bool"),
        (["chat", "hi", "-o", "temperature=0.1"], b"", "reka/reka-core does not take temperature"),
        (["chat", "hi", "--json", "--jsonl"], b"", '"code": "bad_option"'),
        (["chat", "hi", "-i", "nowhere.png"], b"", "cannot read nowhere.png"),
        (["chat", "hi", "--timeout", "0"], b"", "invalid value for '--timeout'"),
        (["chat", "hi", "-m", "reka/nope"], b"", "there is no model 'reka/nope'"),
        (["chat", "hi", "--provider", "nope"], b"", "there is no provider 'nope'"),
    ],
)
def test_what_cannot_be_asked_is_2(polychat: Any, args: list[str], stdin: bytes, complaint: str) -> None:
    """Wrong usage is told before anything is sent."""
    done = polychat(*args, stdin=stdin)
    assert (done.returncode, done.stdout, complaint in done.stderr) == (2, "", True)
    assert polychat.sandbox.journal() == []


def test_attachments_arrive_whole(polychat: Any) -> None:
    """-i and -f send a file's very bytes, and both may be repeated."""
    contents = {"a.png": PICTURE, "b.png": PICTURE + b"2", "c.pdf": b"%PDF-1.7 hello"}
    for name, data in contents.items():
        Path(polychat.home, name).write_bytes(data)
    done = polychat("chat", "look", "-i", "a.png", "-i", "b.png", "-f", "c.pdf")
    uploads = polychat.sandbox.journal(path="/api/upload-image")
    assert done.returncode == 0, done.stderr
    assert [part.sha256 for entry in uploads for part in entry.parts] == [
        hashlib.sha256(data).hexdigest() for data in contents.values()
    ]


def test_options_reach_the_service(polychat: Any) -> None:
    """--system, --web, --model, and -o with JSON values."""
    args = ["--system", "be brief", "--web", "-m", "reka-flash", "-o", "use_code_interpreter=true", "-o", "seed=7"]
    assert polychat("chat", "hi", *args).returncode == 0
    sent = asked(polychat)
    assert sent["conversation_history"][0]["text"] == "be brief\n\nhi"
    assert (sent["use_search_engine"], sent["use_code_interpreter"]) == (True, True)
    assert (sent["model_name"], sent["random_seed"]) == ("reka-flash", 7)


def test_the_account_may_be_chosen(polychat: Any) -> None:
    """--account asks as that account, with its service's default model."""
    assert polychat("chat", "hi", "--account", "sandbox-bob@reka").returncode == 0
    assert polychat.sandbox.journal(path="/api/chat")[-1].account == "sandbox-bob"


def test_without_any_account_the_way_to_one_is_told(polychat: Any) -> None:
    """A first start ends with the command to type."""
    done = polychat("chat", "hi", env={"POLYCHAT_SANDBOX": None, "POLYCHAT_MODEL": None})
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.startswith("error: there is no account yet\nhint: polychat login ")


def test_an_unknown_account_is_4(polychat: Any) -> None:
    """The accounts there are get named."""
    done = polychat("chat", "hi", "--account", "nobody")
    assert (done.returncode, done.stdout, "sandbox-alice@reka" in done.stderr) == (4, "", True)


# ---------------------------------------------------------------- the answer


@pytest.mark.parametrize("args", [[], ["--no-stream"], ["--raw"]])
def test_the_answer_alone_is_on_stdout(polychat: Any, args: list[str]) -> None:
    """The text, ended by one line break; nothing on stderr."""
    done = polychat("chat", "hi", *args)
    assert (done.returncode, done.stdout, done.stderr) == (0, ANSWER, "")


def test_json_is_the_whole_completion(polychat: Any) -> None:
    """--json prints one document in OpenAI's shape."""
    answer = json.loads(polychat("chat", "hi", "--json").stdout)
    assert answer["object"] == "chat.completion"
    assert answer["choices"][0]["message"]["content"] == ANSWER.strip()
    assert answer["provider"] == "reka"


def test_jsonl_is_a_chunk_a_line(polychat: Any) -> None:
    """--jsonl prints every chunk, and their texts are the answer."""
    chunks = [json.loads(line) for line in polychat("chat", "hi", "--jsonl").stdout.splitlines()]
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert "".join(chunk["choices"][0]["delta"]["content"] or "" for chunk in chunks) == ANSWER.strip()
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"


def test_verbose_tells_each_request_on_stderr(polychat: Any) -> None:
    """-v adds a line for each request, without query or secrets."""
    done = polychat("chat", "hi", "-v")
    host = polychat.sandbox.url.removeprefix("http://")
    lines = [line.split("  ")[:2] for line in done.stderr.splitlines()]
    assert done.stdout == ANSWER
    assert lines == [[f"→ GET {host}/reka/bff/auth/access_token", "200"], [f"→ POST {host}/reka/api/chat", "200"]]


def test_a_rewritten_answer_is_printed_again(polychat: Any) -> None:
    """What was printed cannot be taken back, so a pipe gets the new text at the end, and a note."""
    polychat.sandbox.knobs("reka", revision=True)
    done = polychat("chat", "hi")
    assert (done.returncode, done.stdout) == (0, f"Let me guess: nothing\n{ANSWER}")
    assert done.stderr == "note: the service rewrote its answer\n"


def test_an_answer_rewritten_back_is_printed_once(polychat: Any) -> None:
    """If the answer ends as what was printed and more, that is all there is on stdout."""
    polychat.sandbox.script("reka", chunks=["One", " two"], revisions=["Other", "One two three"])
    assert polychat("chat", "hi").stdout == "One two three\n"


# ---------------------------------------------------------------- the reasoning

THOUGHTS = (
    "Reading the question\nI read the question twice.\n\nChoosing words\nAn echo is “enough”.\nThought for 3 seconds\n"
)


@pytest.mark.parametrize("args", [[], ["--no-stream"]])
@pytest.mark.parametrize(
    ("mode", "stdout", "stderr"),
    [(None, ANSWER, ""), ("hide", ANSWER, ""), ("show", ANSWER, f"{THOUGHTS}\n"), ("only", THOUGHTS, "")],
)
def test_reasoning_is_hidden_shown_or_all_there_is(
    polychat: Any, mode: str | None, args: list[str], stdout: str, stderr: str
) -> None:
    """stdout holds the answer, or with `only` the reasoning; `show` tells it on stderr."""
    polychat.sandbox.knobs("chatgpt", thinking=True)
    done = polychat("chat", "hi", "-m", "chatgpt", *(["--reasoning", mode] if mode else []), *args)
    assert (done.returncode, done.stdout, done.stderr) == (0, stdout, stderr)


def test_no_reasoning_is_told_where_only_that_was_wanted(polychat: Any) -> None:
    """An empty stdout has its reason on stderr."""
    done = polychat("chat", "hi", "--reasoning", "only")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "note: the answer came without reasoning\n")


@pytest.mark.parametrize("args", [[], ["--raw"]])
def test_reasoning_stands_dimmed_above_the_answer_on_a_terminal(polychat: Any, args: list[str]) -> None:
    """And the answer is drawn below it as ever."""
    polychat.sandbox.knobs("chatgpt", thinking=True)
    code, drawn = polychat.on_terminal("chat", "hi", "-m", "chatgpt", "--reasoning", "show", *args)
    assert (code, "\x1b[2mReading the question" in drawn) == (0, True)
    assert drawn.index("Thought for 3 seconds") < drawn.rindex("You asked: “hi” (1 word).")


# ---------------------------------------------------------------- a conversation in a file

TURN = "/backend-api/f/conversation"


@pytest.mark.parametrize("args", [[], ["--json"], ["--jsonl"], ["--no-stream"]])
def test_a_conversation_goes_on_from_its_file(polychat: Any, args: list[str]) -> None:
    """A file that is not there begins one, for its owner's eyes only; each answer moves it on."""
    path = Path(polychat.home, "talk.json")
    assert polychat("chat", "one", "-m", "chatgpt", "-c", "talk.json", *args).returncode == 0
    first = json.loads(path.read_bytes())
    assert polychat("chat", "two", "-c", "talk.json", *args).returncode == 0
    second = json.loads(path.read_bytes())
    asked_first, asked_second = (entry.json for entry in polychat.sandbox.journal(path=TURN))
    assert "conversation_id" not in asked_first
    assert (asked_second["conversation_id"], asked_second["parent_message_id"]) == (first["id"], first["parent_id"])
    assert (second["id"], second["parent_id"] != first["parent_id"]) == (first["id"], True)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [name.name for name in Path(polychat.home).iterdir() if name.is_file()] == ["talk.json"]


def test_a_conversation_with_a_service_that_keeps_none_is_all_in_its_file(polychat: Any) -> None:
    """The talk goes along with the next question."""
    polychat("chat", "one", "--conversation", "talk.json")
    polychat("chat", "two", "--conversation", "talk.json")
    turns = asked(polychat)["conversation_history"]
    assert [turn["text"] for turn in turns] == ["one", "You asked: “one” (1 word).", "two"]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b'{"provider": "chatgpt", "id', "the conversation file talk.json is damaged and was left as it is"),
        (b"", "the conversation file talk.json is damaged and was left as it is"),
        (b"[1]", "the conversation file talk.json is damaged and was left as it is"),
        (b"\xff\xfe", "the conversation file talk.json is damaged and was left as it is"),
        (b'{"provider": "nope"}', "there is no provider 'nope'"),
    ],
)
def test_a_damaged_conversation_is_refused_and_kept(polychat: Any, content: bytes, complaint: str) -> None:
    """One sentence, nothing sent, not a byte changed."""
    path = Path(polychat.home, "talk.json")
    path.write_bytes(content)
    done = polychat("chat", "hi", "-c", "talk.json")
    assert (done.returncode, done.stdout, complaint in done.stderr) == (2, "", True)
    assert done.stderr.count("error:") == 1
    assert (polychat.sandbox.journal(), path.read_bytes()) == ([], content)


@pytest.mark.parametrize(("place", "complaint"), [("no/talk.json", "cannot be written"), (".", "cannot be read")])
def test_a_conversation_that_could_not_be_kept_is_not_begun(polychat: Any, place: str, complaint: str) -> None:
    """That is told before the question goes out, not after the answer."""
    done = polychat("chat", "hi", "-c", place)
    assert (done.returncode, complaint in done.stderr, polychat.sandbox.journal()) == (2, True, [])


def test_a_broken_answer_leaves_the_conversation_where_it_was(polychat: Any) -> None:
    """The next try goes on from the last whole answer."""
    path = Path(polychat.home, "talk.json")
    polychat("chat", "one", "-c", "talk.json")
    before = path.read_bytes()
    polychat.sandbox.fault("reka", "cut_frame", after=3, path="/api/chat")
    assert polychat("chat", "two", "-c", "talk.json").returncode == 7
    assert path.read_bytes() == before


# ---------------------------------------------------------------- trouble


@pytest.mark.parametrize("args", [[], ["--no-stream"]])
def test_a_cut_answer_shows_what_came(polychat: Any, args: list[str]) -> None:
    """The part that came is on stdout, the error on stderr, and the exit code is 7."""
    polychat.sandbox.fault("reka", "cut_frame", after=3, path="/api/chat")
    done = polychat("chat", "hi", *args)
    assert (done.returncode, done.stdout) == (7, "You asked: “hi”\n")
    assert done.stderr.startswith("error: ")


def test_a_cut_answer_as_json_keeps_the_part_in_the_error(polychat: Any) -> None:
    """With --jsonl the chunks are out, and the error tells the text that came."""
    polychat.sandbox.fault("reka", "cut_frame", after=3, path="/api/chat")
    done = polychat("chat", "hi", "--jsonl")
    error = json.loads(done.stderr)["error"]
    assert (done.returncode, error["code"], error["partial"]) == (7, "interrupted", "You asked: “hi”")
    assert len(done.stdout.splitlines()) > 0


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"fault": "status", "code": 401}, 4),
        ({"fault": "status", "code": 402}, 5),
        ({"fault": "status", "code": 429, "retry_after": "60"}, 5),
        ({"fault": "challenge"}, 4),
        ({"fault": "status", "code": 503}, 1),
        ({"fault": "changed_field"}, 1),
        ({"fault": "close"}, 7),
    ],
    ids=lambda value: "-".join(map(str, value.values())) if isinstance(value, dict) else str(value),
)
def test_each_trouble_has_its_exit_code(polychat: Any, fault: dict[str, Any], code: int) -> None:
    """What a script can do next, it can tell by the exit code; stdout stays empty."""
    polychat.sandbox.fault("reka", path="/api/chat", **fault)
    done = polychat("chat", "hi")
    assert (done.returncode, done.stdout) == (code, "")
    assert any(line.startswith("error: ") for line in done.stderr.splitlines())
    assert "Traceback" not in done.stderr


def test_how_long_to_wait_is_told(polychat: Any) -> None:
    """A rate limit says when to come back, to people and programs."""
    polychat.sandbox.fault("reka", "status", code=429, retry_after="60", path="/api/chat")
    error = json.loads(polychat("chat", "hi", "--json").stderr)["error"]
    assert (error["code"], error["retry_after_s"], error["account"]) == ("rate_limited", 60.0, "sandbox-bob@reka")


def test_a_timeout_is_7(polychat: Any) -> None:
    """--timeout is a limit for the whole answer."""
    polychat.sandbox.fault("reka", "stall", after=0, path="/api/chat")
    done = polychat("chat", "hi", "--timeout", "0.2")
    assert (done.returncode, done.stdout) == (7, "")


def test_text_comes_at_once_and_ctrl_c_hangs_up(polychat: Any) -> None:
    """The first words are out while the answer is under way; Ctrl-C closes the call and exits with 130."""
    polychat.sandbox.fault("reka", "stall", after=2, path="/api/chat")
    process = polychat.start("chat", "hi")
    assert process.stdout is not None
    first = process.stdout.read(len("You asked:"))
    process.send_signal(signal.SIGINT)
    rest, stderr = process.communicate(timeout=30)
    assert (process.returncode, first, rest, stderr) == (130, b"You asked:", b"\n", b"")
    assert _ending(polychat) == "client left"


def _ending(polychat: Any) -> str:
    """How the last question ended, once the service has noticed."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        ended: str = polychat.sandbox.journal(path="/api/chat")[-1].ended
        if ended != "open":
            return ended
    return "open"


def test_the_exchange_is_recorded(polychat: Any, tmp_path: Path) -> None:
    """--record writes it into a folder of the person's own, without the session."""
    folder = tmp_path / "recorded"
    assert polychat("chat", "hi", "--record", str(folder)).returncode == 0
    written = sorted(folder.iterdir())
    assert {file.stat().st_mode & 0o777 for file in written} == {0o600}
    exchanges = [json.loads(file.read_text()) for file in written]
    assert [exchange["request"]["path"] for exchange in exchanges] == ["/bff/auth/access_token", "/api/chat"]
    assert not any("sandbox-alice" in file.read_text() for file in written)
