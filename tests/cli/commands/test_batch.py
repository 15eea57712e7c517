"""`polychat batch`: the real program, killed, interrupted, limited, and gone on with."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from polychat.sandbox import Sandbox

CTRL_C = "\x03"
HELP_MS = 150.0
MODEL = "openai/gpt-5-mini"
BATCH = ("batch", "in.jsonl", "-O", "out.jsonl")
WAIT_S = 30.0


def lines(names: Iterable[Any], **body: Any) -> bytes:
    """Questions, one a line."""
    asked = [{"messages": [{"role": "user", "content": f"Hello {name}"}], "model": MODEL, **body} for name in names]
    return b"".join(
        json.dumps({"custom_id": str(name), "method": "POST", "url": "/v1/chat/completions", "body": one}).encode()
        + b"\n"
        for name, one in zip(names, asked, strict=True)
    )


@pytest.fixture
def home(polychat: Any) -> Path:
    """Where the program runs."""
    return Path(polychat.home)


def statuses(home: Path) -> dict[str, int]:
    """How each line was answered; each stands there once."""
    found = [json.loads(line) for line in (home / "out.jsonl").read_text().splitlines()]
    assert len({line["custom_id"] for line in found}) == len(found)
    return {line["custom_id"]: line["response"]["status_code"] for line in found}


def seen(sandbox: Sandbox) -> list[str]:
    """The questions that reached the service, in their order."""
    return [entry.json["messages"][-1]["content"] for entry in sandbox.journal(service="openai")]


def until(true: Callable[[], bool]) -> None:
    """Wait for it."""
    deadline = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def size_of(path: Path) -> int:
    """0 where there is no file yet."""
    return path.stat().st_size if path.exists() else 0


def answered_in(home: Path) -> int:
    """How many whole lines there are."""
    out = home / "out.jsonl"
    return out.read_bytes().count(b"\n") if out.exists() else 0


# ---------------------------------------------------------------- the way it should go


def test_a_file_is_answered(polychat: Any, home: Path) -> None:
    """The answers are in the file, stdout stays empty, stderr says in one line what came of it."""
    (home / "in.jsonl").write_bytes(lines("ab"))
    done = polychat(*BATCH)
    assert (done.returncode, done.stdout, statuses(home)) == (0, "", {"a": 200, "b": 200})
    assert done.stderr.startswith("2 of 2 answered, 80 tokens, ")
    assert done.stderr.count("\n") == 1


def test_the_summary_as_json(polychat: Any, home: Path) -> None:
    """On stdout, with the failures; stderr stays empty."""
    (home / "in.jsonl").write_bytes(lines("a") + lines("b", model="nobody/b"))
    done = polychat(*BATCH, "--json")
    summary = json.loads(done.stdout)
    (failure,) = summary.pop("failures")
    assert (done.returncode, done.stderr, failure["custom_id"], failure["code"]) == (8, "", "b", "unknown_model")
    assert summary.pop("seconds") > 0
    assert summary == {
        "output": "out.jsonl", "interrupted": False, "done": 1, "failed": 1, "left": 0, "kept": 0, "input_tokens": 2,
        "output_tokens": 38, "cost_usd": None, "unpriced": 1,
    }  # fmt: skip


def test_lines_come_from_stdin(polychat: Any, home: Path) -> None:
    """From a pipe, with a dash for the file."""
    done = polychat("batch", "-", "-O", "out.jsonl", stdin=lines("ab"))
    assert (done.returncode, statuses(home)) == (0, {"a": 200, "b": 200})


def test_account_and_provider_stand_in_for_what_lines_leave_out(polychat: Any, home: Path, sandbox: Sandbox) -> None:
    """As in every command."""
    (home / "in.jsonl").write_bytes(lines("a", model=None))
    done = polychat(*BATCH, "--provider", "chatgpt", "--account", "sandbox-bob@chatgpt")
    body = json.loads((home / "out.jsonl").read_text())["response"]["body"]
    assert (done.returncode, body["provider"], body["account"]) == (0, "chatgpt", "sandbox-bob@chatgpt")
    assert body["conversation"]["id"]


def test_a_terminal_sees_a_bar(polychat: Any, home: Path, sandbox: Sandbox) -> None:
    """With how far it is, and afterwards the summary."""
    sandbox.fault("openai", "slow_first_byte", delay_s=0.3)
    (home / "in.jsonl").write_bytes(lines("abc"))
    code, drawn = polychat.on_terminal(*BATCH, columns=120)
    assert (code, "0 of 3 answered" in drawn, "━" in drawn, "3 of 3 answered, 120 tokens" in drawn) == (0,) + (
        True,
    ) * 3


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (lines("ab") + b"{\n", "in.jsonl:3: the line is not JSON"),
        (lines("aa"), "in.jsonl:2: custom_id is 'a', which line 1 has too"),
        (lines("a").replace(b"chat/completions", b"responses"), "in.jsonl:1: url is '/v1/responses'"),
    ],
)
def test_a_wrong_line_is_told_before_anything_is_sent(
    polychat: Any, home: Path, sandbox: Sandbox, data: bytes, sentence: str
) -> None:
    """By file and line, with a hint; there is no output."""
    (home / "in.jsonl").write_bytes(data)
    done = polychat(*BATCH)
    assert (done.returncode, done.stderr.startswith(f"error: {sentence}"), "\nhint: " in done.stderr) == (2, True, True)
    assert (sandbox.journal(), (home / "out.jsonl").exists()) == ([], False)


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (("--pace", "often"), "--pace often is not a number of questions in a time"),
        (("--pace", "0/min"), "--pace 0/min is not"),
        (("--concurrency", "0"), "0 is not in the range"),
        (("--limit", "0"), "0 is not in the range"),
    ],
)
def test_options_that_mean_nothing(polychat: Any, home: Path, args: tuple[str, ...], sentence: str) -> None:
    """Are usage errors."""
    (home / "in.jsonl").write_bytes(lines("a"))
    done = polychat(*BATCH, *args)
    assert (done.returncode, sentence in done.stderr) == (2, True)


def test_an_output_that_is_there_is_not_written_over(polychat: Any, home: Path) -> None:
    """What is answered may have cost something."""
    (home / "in.jsonl").write_bytes(lines("a"))
    polychat(*BATCH)
    before = (home / "out.jsonl").read_bytes()
    done = polychat(*BATCH)
    assert (done.returncode, (home / "out.jsonl").read_bytes()) == (2, before)
    assert done.stderr == (
        "error: out.jsonl is there already\nhint: --resume goes on where it ended; or name another file\n"
    )


# ---------------------------------------------------------------- what fails


def test_failures_are_told_by_name(polychat: Any, home: Path) -> None:
    """At most twenty; the others are in the file, and the way to ask them again is told."""
    (home / "in.jsonl").write_bytes(b"".join(lines([n], model=f"nobody/{n}") for n in range(22)) + lines("g"))
    done = polychat(*BATCH)
    told = done.stderr.splitlines()
    assert (done.returncode, statuses(home).pop("g"), told[0].startswith("1 of 23 answered, 22 failed")) == (
        8, 200, True,
    )  # fmt: skip
    assert len([line for line in told if line.startswith("error: ")]) == 20
    assert told[-2:] == [
        "and 2 more; see out.jsonl",
        "hint: ask those again: polychat batch in.jsonl -O out.jsonl --resume",
    ]


def test_what_fails_alike_is_told_once(polychat: Any, home: Path) -> None:
    """With how to mend it: here the program has no account at all."""
    (home / "in.jsonl").write_bytes(lines(range(50)))
    polychat.env.pop("POLYCHAT_SANDBOX")
    done = polychat(*BATCH)
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert (done.returncode, len(errors)) == (8, 1)
    assert errors[0].startswith("error: all 50 lines failed alike: ")
    assert "hint: polychat login openai" in done.stderr


def test_a_control_character_in_a_name_steers_no_terminal(polychat: Any, home: Path) -> None:
    """A file may come from a stranger."""
    (home / "in.jsonl").write_bytes(lines(["\x1b[31mred"], model="nobody/x"))
    assert "\x1b" not in polychat(*BATCH).stderr


def test_a_stream_is_remarked_on(polychat: Any, home: Path) -> None:
    """Nothing is ignored silently."""
    (home / "in.jsonl").write_bytes(lines("ab", stream=True))
    done = polychat(*BATCH)
    assert (done.returncode, statuses(home)) == (0, {"a": 200, "b": 200})
    assert done.stderr.startswith("note: 2 lines asked for a stream; here each answer is written whole\n")


def test_a_limit_is_waited_for(polychat: Any, home: Path, sandbox: Sandbox) -> None:
    """429 with Retry-After, from every account: the lines are answered in the end."""
    sandbox.fault("openai", "status", code=429, retry_after_ms=200, times=6)
    (home / "in.jsonl").write_bytes(lines("abc"))
    done = polychat(*BATCH, "--concurrency", "1", "--pace", "1200/min")
    assert (done.returncode, statuses(home)) == (0, dict.fromkeys("abc", 200))


# ---------------------------------------------------------------- what is cut short


def test_a_killed_batch_goes_on_where_it_was(polychat: Any, home: Path, sandbox: Sandbox) -> None:
    """Killed in its middle: no line that was finished is asked twice, and a torn one is cut off."""
    (home / "in.jsonl").write_bytes(lines(range(60)))
    sandbox.fault("openai", "slow_first_byte", delay_s=0.03)
    running = polychat.start(*BATCH)
    until(lambda: answered_in(home) >= 20)
    running.kill()
    running.communicate()
    finished = list(statuses(home))
    with (home / "out.jsonl").open("ab") as out:
        out.write(b'{"id":"batch_req_torn","custom_id":"59","resp')
    sandbox.clear_faults()
    done = polychat(*BATCH, "--resume")
    assert (done.returncode, statuses(home)) == (0, {str(number): 200 for number in range(60)})
    assert f"{len(finished)} were answered before" in done.stderr
    asked = seen(sandbox)
    assert [name for name in finished if asked.count(f"Hello {name}") != 1] == []
    assert len(asked) <= 60 + 4


def test_killed_again_and_again_it_ends(polychat: Any, home: Path, sandbox: Sandbox) -> None:
    """Each time it goes on, and each line has one answer."""
    (home / "in.jsonl").write_bytes(lines(range(40)))
    sandbox.fault("openai", "slow_first_byte", delay_s=0.02)
    for goal in (10, 20, 30):
        running = polychat.start(*BATCH, "--resume")
        until(lambda goal=goal: answered_in(home) >= goal)  # type: ignore[misc]
        running.send_signal(signal.SIGKILL)
        running.communicate()
    assert polychat(*BATCH, "--resume").returncode == 0
    assert statuses(home) == {str(number): 200 for number in range(40)}
    assert polychat(*BATCH, "--resume").stderr == "nothing to ask: 40 lines are answered already\n"


def test_an_interrupt_keeps_what_is_complete(polychat: Any, home: Path, sandbox: Sandbox) -> None:
    """Ctrl-C: 130, what is written is whole, and the way on is told."""
    sandbox.fault("openai", "slow_first_byte", delay_s=30, skip=3)
    (home / "in.jsonl").write_bytes(lines(range(9)))
    running = polychat.start(*BATCH)
    until(lambda: answered_in(home) >= 3)
    running.send_signal(signal.SIGINT)
    _, told = running.communicate(timeout=WAIT_S)
    assert (running.returncode, statuses(home)) == (130, dict.fromkeys("012", 200))
    first, second = told.decode().splitlines()
    assert first.startswith("interrupted: 3 of 9 answered")
    assert second == "hint: go on: polychat batch in.jsonl -O out.jsonl --resume"
    sandbox.clear_faults()
    assert (polychat(*BATCH, "--resume").returncode, len(statuses(home))) == (0, 9)


def test_two_runs_do_not_write_one_file(polychat: Any, home: Path, sandbox: Sandbox) -> None:
    """The second is refused before it asks anything."""
    sandbox.fault("openai", "slow_first_byte", delay_s=30, skip=1)
    (home / "in.jsonl").write_bytes(lines(range(5)))
    running = polychat.start(*BATCH)
    until(lambda: answered_in(home) >= 1)
    second = polychat(*BATCH, "--resume")
    assert (second.returncode, "error: out.jsonl is being written by another run" in second.stderr) == (2, True)
    assert len(seen(sandbox)) == len(set(seen(sandbox)))
    running.kill()
    running.communicate()


def test_a_limit_does_the_next_ones_only(polychat: Any, home: Path, sandbox: Sandbox) -> None:
    """Piece by piece to the end."""
    (home / "in.jsonl").write_bytes(lines(range(5)))
    done = [polychat(*BATCH, "--resume", "--limit", "2") for _ in range(3)]
    assert [one.stderr.split(",")[0] for one in done] == ["2 of 2 answered", "2 of 2 answered", "1 of 1 answered"]
    assert sorted(seen(sandbox)) == [f"Hello {number}" for number in range(5)]


# ---------------------------------------------------------------- what it costs


def test_two_thousand_lines_take_little_memory(polychat: Any, home: Path) -> None:
    """Less than 100 MB in all, also where the questions are as many megabytes."""
    (home / "in.jsonl").write_bytes(lines(range(2000), user="x" * 50_000))
    code = (
        "import re, sys; from polychat.cli.program import run; code = run(sys.argv[1:]); "
        "print(code, re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *BATCH], env=polychat.env, cwd=home, capture_output=True, timeout=WAIT_S, text=True
    )
    status, kilobytes = map(int, done.stdout.split())
    assert (status, kilobytes < 100_000, len(statuses(home))) == (0, True, 2000), kilobytes


def test_help_is_quick() -> None:
    """Nothing slow is imported for it; the best of five counts."""
    spans = []
    for _ in range(5):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-m", "polychat.cli", "batch", "--help"], capture_output=True, check=True)
        spans.append((time.perf_counter() - began) * 1000)
    code = "import sys; from polychat.cli.program import run; run(['batch', '--help']); print('asyncio' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)
    assert (done.stdout.splitlines()[-1], min(spans) < HELP_MS) == ("False", True)


# ---------------------------------------------------------------- the guide


def test_the_guide_does_what_it_says(polychat: Any, home: Path, sandbox: Sandbox) -> None:
    """Its file is asked by its commands and by its program."""
    page = (Path(__file__).parents[3] / "docs" / "guides" / "batch.md").read_text("utf-8")
    questions, failed = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    (commands,) = re.findall(r"```bash\n(.*?)```", page, re.DOTALL)
    (snippet,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (home / "questions.jsonl").write_text(questions)
    first, second = (polychat(*command.split()[1:]) for command in commands.splitlines())
    assert (first.returncode, second.returncode) == (0, 0)
    assert second.stderr == "nothing to ask: 3 lines are answered already\n"
    done = subprocess.run([sys.executable, "-c", snippet], cwd=home, env=polychat.env, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("3 answered, 0 failed, 0 tokens\n", "")
    assert list(json.loads(failed)) == list(json.loads((home / "answers.jsonl").read_text().splitlines()[0]))


def test_the_guide_names_every_option(polychat: Any) -> None:
    """And none that is not there."""
    page = (Path(__file__).parents[3] / "docs" / "guides" / "batch.md").read_text("utf-8")
    told = set(re.findall(r"`(--[a-z]+)", page))
    there = set(re.findall(r"(--[a-z]+)", polychat("batch", "--help").stdout))
    assert told <= there
    assert there - told <= {"--output", "--config", "--vault", "--help"}
