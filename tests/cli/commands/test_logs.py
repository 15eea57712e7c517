"""`polychat logs`: the ledger as a person and a program see it."""

from __future__ import annotations

import csv
import io
import json
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from polychat.engine.ledger.record import Record, new_id
from polychat.engine.ledger.writer import Ledger

DAY_S = 86_400.0
HELP_MS = 150.0


@pytest.fixture
def place(polychat: Any) -> Path:
    """Where the program has its ledger."""
    return Path(polychat.home) / "state" / "ledger-sandbox.sqlite"


def keep(place: Path, *requests: dict[str, Any]) -> list[Record]:
    """Requests to Reka, so many seconds `ago`, with whatever else is said of each."""
    usual = {"provider": "reka", "model": "reka-core", "account": "work", "wanted": "fast"}
    records = []
    for facts in requests:
        at = time.time() - facts.pop("ago", 60)
        records.append(Record(id=new_id(at), at=at, **(usual | facts)))
    ledger = Ledger(place)
    for record in records:
        ledger.put(record)
    ledger.close()
    return records


def listed(polychat: Any, *args: str) -> list[dict[str, Any]]:
    """The list as JSON."""
    done = polychat("logs", "list", "--json", *args)
    assert (done.returncode, done.stderr) == (0, "")
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


# ---------------------------------------------------------------- list


@pytest.mark.parametrize("args", [(), ("list",), ("stats",), ("tail",)])
def test_nothing_is_recorded_yet(args: tuple[str, ...], polychat: Any, place: Path) -> None:
    """One sentence says how to begin, and looking makes no file; JSON is empty."""
    done = polychat("logs", *args)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "nothing is recorded yet: polychat chat asks something, and a line is here\n"
    assert polychat("logs", *args, "--json").stdout == ("" if args == ("tail",) else "[]\n")
    assert not place.exists()


def test_the_list_is_a_table(polychat: Any, place: Path) -> None:
    """The newest first; a pipe gets every column and no colour."""
    old, new = keep(place, {"ago": DAY_S}, {"outcome": "error", "error": "rate_limited"})
    lines = polychat("logs").stdout.splitlines()
    assert lines[0].split() == [
        "ID", "ASKED", "(UTC)", "MODEL", "ACCOUNT", "KEY", "OUTCOME", "TOKENS", "COST", "FIRST", "TOTAL",
    ]  # fmt: skip
    assert [line.split()[0] for line in lines[1:]] == [new.id[:13], old.id[:13]]
    assert "reka/reka-core" in lines[1]
    assert "rate limited" in lines[1]


def test_a_terminal_gets_what_fits_in_colour(polychat: Any, place: Path) -> None:
    """Outcomes have colours unless NO_COLOR says otherwise; no line is wider than the window."""
    keep(place, {"outcome": "error", "error": "rate_limited"})
    code, drawn = polychat.on_terminal("logs", columns=70)
    assert (code, "\x1b[31mrate limited" in drawn) == (0, True)
    code, plain = polychat.on_terminal("logs", columns=70, NO_COLOR="1")
    assert (code, "\x1b[" in plain) == (0, False)
    assert max(len(line) for line in plain.splitlines()) <= 70


def test_json_has_every_fact_and_no_words(polychat: Any, place: Path) -> None:
    """What is not known is null; the words are for `show`."""
    (one,) = keep(place, {"content": '{"messages":[]}', "stream": True, "cost_usd": 0.5})
    (found,) = listed(polychat)
    assert set(found) == {*Record.__struct_fields__} - {"content"}
    assert (found["id"], found["stream"], found["cost_usd"], found["key"]) == (one.id, True, 0.5, None)


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ((), "cba"),
        (("--limit", "1"), "c"),
        (("--since", "2d"), "cb"),
        (("--until", "2d"), "a"),
        (("--since", "2000-01-01"), "cba"),
        (("--provider", "openai"), "b"),
        (("--account", "home"), "c"),
        (("--model", "gpt-4o"), "b"),
        (("--outcome", "interrupted"), "a"),
    ],
)
def test_the_list_is_narrowed(args: tuple[str, ...], expected: str, polychat: Any, place: Path) -> None:
    """By when, by whom and by what came of it."""
    keep(
        place,
        {"ago": 3 * DAY_S, "wanted": "a", "outcome": "interrupted"},
        {"ago": DAY_S, "wanted": "b", "provider": "openai", "model": "gpt-4o"},
        {"wanted": "c", "account": "home"},
    )
    assert "".join(one["wanted"] for one in listed(polychat, *args)) == expected


def test_where_no_request_is_like_that(polychat: Any, place: Path) -> None:
    """That is not the same as an empty ledger."""
    keep(place, {})
    for command in ("list", "stats"):
        done = polychat("logs", command, "--account", "nobody")
        assert (done.returncode, done.stdout) == (
            0,
            "no request is like that: polychat logs list shows the last ones\n",
        )


# ---------------------------------------------------------------- show, tail, stats


def test_one_request_is_shown_by_the_beginning_of_its_id(polychat: Any, place: Path) -> None:
    """The id as the list shows it will do; with the words, where they are kept."""
    words = {"messages": [{"role": "user", "parts": [{"type": "text", "text": "Hello"}]}], "reply": {"parts": []}}
    words["reply"] = {"role": "assistant", "parts": []}
    one, _ = keep(place, {"ago": DAY_S, "content": json.dumps(words)}, {})
    done = polychat("logs", "show", one.id[:13])
    assert (done.returncode, done.stderr) == (0, "")
    assert f"id       {one.id}" in done.stdout
    assert "user:\nHello\n" in done.stdout
    assert json.loads(polychat("logs", "show", one.id, "--json").stdout)["content"] == words


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        (("show", "ffff"), "error: there is no request 'ffff'\nhint: polychat logs list shows the last ones\n"),
        (("show", "1"), "error: more than one request begins with '1'\nhint: write more of the id\n"),
        (("list", "--since", "soon"), "error: --since soon is not a moment\nhint: write it like --since 12h"),
        (("stats", "--until", "1x"), "error: --until 1x is not a moment\nhint: write it like --until 12h"),
        (("prune", "--before", "x"), "error: --before x is not a moment\nhint: write it like --before 12h"),
        (("list", "--limit", "0"), "error: invalid value for '--limit'"),
        (("stats", "--by", "mood"), "error: invalid value for '--by'"),
    ],
)
def test_a_mistake_is_told_in_a_sentence(args: tuple[str, ...], complaint: str, polychat: Any, place: Path) -> None:
    """With what to do about it; the exit code is that of a wrong command line."""
    keep(place, {"ago": DAY_S}, {})
    done = polychat("logs", *args)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(complaint)


def test_the_tail_ends_with_the_newest(polychat: Any, place: Path) -> None:
    """A line each, as many as are wanted; with --json a line of JSON each."""
    old, new = keep(place, {"ago": DAY_S}, {"cost_usd": 0.25, "account": "home"})
    lines = polychat("logs", "tail").stdout.splitlines()
    assert [line.split("  ")[2] for line in lines] == ["work", "home"]
    assert polychat("logs", "tail", "--limit", "1").stdout.splitlines() == lines[1:]
    found = [json.loads(line)["id"] for line in polychat("logs", "tail", "--json").stdout.splitlines()]
    assert found == [old.id, new.id]


def test_the_tail_follows_until_it_is_interrupted(polychat: Any, place: Path) -> None:
    """New requests appear as they are written, also where there was no file yet."""
    process = polychat.start("logs", "tail", "--follow", "--json")
    first = keep(place, {})
    assert json.loads(process.stdout.readline())["id"] == first[0].id
    second = keep(place, {}, {})
    assert [json.loads(process.stdout.readline())["id"] for _ in second] == [one.id for one in second]
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, b"")


def test_sums(polychat: Any, place: Path) -> None:
    """By service unless something else is asked for, as a table or as JSON."""
    keep(place, {"cost_usd": 0.5, "total_s": 2.0}, {"outcome": "error"}, {"provider": "openai", "ago": 3 * DAY_S})
    lines = polychat("logs", "stats").stdout.splitlines()
    assert [line.split()[:3] for line in lines[:3]] == [
        ["PROVIDER", "REQUESTS", "ERRORS"], ["reka", "2", "1"], ["openai", "1", "0"],
    ]  # fmt: skip
    found = json.loads(polychat("logs", "stats", "--by", "outcome", "--since", "1d", "--json").stdout)
    assert {line["name"]: (line["requests"], line["cost_usd"]) for line in found} == {
        "ok": (1, 0.5),
        "error": (1, None),
    }


# ---------------------------------------------------------------- export, prune


def test_requests_are_exported(polychat: Any, place: Path) -> None:
    """To stdout as JSON lines, as CSV where that is wanted, the oldest first."""
    records = keep(place, {"ago": DAY_S, "wanted": "ü"}, {})
    found = [json.loads(line) for line in polychat("logs", "export").stdout.splitlines()]
    assert [(one["id"], one["wanted"]) for one in found] == [(one.id, one.wanted) for one in records]
    rows = list(csv.DictReader(io.StringIO(polychat("logs", "export", "--format", "csv", "--since", "2h").stdout)))
    assert [row["id"] for row in rows] == [records[1].id]


def test_an_export_to_a_file_is_its_owners(polychat: Any, place: Path) -> None:
    """Nothing is overwritten unasked."""
    keep(place, {}, {})
    target = Path(polychat.home) / "out.jsonl"
    done = polychat("logs", "export", "-O", "out.jsonl")
    assert (done.returncode, done.stdout, done.stderr) == (0, "2 requests in out.jsonl\n", "")
    assert (len(target.read_text().splitlines()), stat.S_IMODE(target.stat().st_mode)) == (2, 0o600)
    again = polychat("logs", "export", "-O", "out.jsonl")
    assert (again.returncode, again.stderr) == (
        2, "error: out.jsonl is there already\nhint: --force overwrites it\n",
    )  # fmt: skip
    forced = polychat("logs", "export", "-O", "out.jsonl", "--force", "--json")
    assert json.loads(forced.stdout) == {"file": "out.jsonl", "requests": 2}


def test_old_requests_are_removed_for_good(polychat: Any, place: Path) -> None:
    """Those before the moment and no others; how many is told."""
    _, new = keep(place, {"ago": 40 * DAY_S}, {})
    done = polychat("logs", "prune", "--before", "30d", "--yes")
    assert (done.returncode, done.stdout, done.stderr) == (0, "1 request removed\n", "")
    assert [one["id"] for one in listed(polychat)] == [new.id]
    again = polychat("logs", "prune", "--before", "30d")
    assert (again.returncode, again.stdout) == (0, "no request is older than 30d\n")
    assert json.loads(polychat("logs", "prune", "--before", "30d", "--json").stdout)["removed"] == 0


def test_nothing_is_removed_unless_somebody_is_sure(polychat: Any, place: Path) -> None:
    """A script says --yes; a person is asked, and may say no."""
    keep(place, {"ago": 40 * DAY_S})
    done = polychat("logs", "prune", "--before", "30d")
    assert done.returncode == 2
    assert done.stderr == (
        "error: 1 request would be removed only if you are sure, and nobody can be asked here\n"
        "hint: polychat logs prune --before 30d --yes\n"
    )
    code, drawn = polychat.on_terminal("logs", "prune", "--before", "30d", replies={"for good?": "n\n"})
    assert (code, "remove 1 request for good?" in drawn, "nothing was removed" in drawn) == (0, True, True)
    assert len(listed(polychat)) == 1
    code, drawn = polychat.on_terminal("logs", "prune", "--before", "30d", replies={"for good?": "y\n"})
    assert (code, listed(polychat)) == (0, [])


# ---------------------------------------------------------------- trouble


def test_a_damaged_ledger_is_told(polychat: Any, place: Path) -> None:
    """With the command that mends it; --json tells the same as JSON."""
    place.parent.mkdir(mode=0o700)
    place.touch(0o600)
    place.write_bytes(b"no database" * 500)
    done = polychat("logs")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == (
        f"error: the ledger {place} is damaged, or no ledger\n"
        f"hint: move it away, and a new one is begun: mv {place} {place}.damaged\n"
    )
    assert json.loads(polychat("logs", "--json").stderr)["error"]["code"] == "config_error"


@pytest.mark.parametrize("args", [("logs",), ("logs", "list"), ("logs", "stats"), ("logs", "prune")])
def test_help_is_quick(args: tuple[str, ...], polychat: Any) -> None:
    """Help loads no database; the best of five, for the machine may be busy."""
    shown = polychat(*args, "--help")
    assert (shown.returncode, shown.stderr) == (0, "")
    program = (
        "import sys, time; began = time.perf_counter(); from polychat.cli.program import run; "
        f"code = run({[*args, '--help']!r}); took = time.perf_counter() - began; "
        "print(took * 1000, 'sqlalchemy' in sys.modules, 'alembic' in sys.modules, file=sys.stderr)"
    )
    runs = [
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stderr.split()
        for _ in range(5)
    ]
    assert {tuple(run[1:]) for run in runs} == {("False", "False")}
    assert min(float(run[0]) for run in runs) < HELP_MS
