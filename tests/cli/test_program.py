"""Which command a command line means, and how the program starts and ends."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import click
import pytest

from polychat.cli.program import COMMANDS, program

HEAVY = {"aiohttp", "rich", "PIL", "starlette", "uvicorn", "asyncio", "polychat.net"}


def test_the_list_of_commands_says_what_each_command_says_of_itself() -> None:
    """The table that spares the imports cannot drift from the commands."""
    context = click.Context(program)
    commands = {name: program.get_command(context, name) for name in program.list_commands(context)}
    said = {name: (command.help or "").split("\n")[0].rstrip(".") for name, command in commands.items() if command}
    assert said == COMMANDS


def test_help_lists_every_command(polychat: Any) -> None:
    """`--help` is data: it goes to stdout, and stderr stays empty."""
    done = polychat("--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert [name for name in COMMANDS if f"  {name} " not in done.stdout] == []


@pytest.mark.parametrize("args", [["--help"], ["version"], ["models", "--help"]])
def test_what_must_start_fast_imports_nothing_slow(args: list[str]) -> None:
    """Help and version load neither the network nor the drawing."""
    code = (
        f"import sys; from polychat.cli.program import run; assert run({args!r}) == 0; "
        f"sys.stderr.write(' '.join({sorted(HEAVY)!r}[i] for i, m in enumerate({sorted(HEAVY)!r}) if m in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("args", "asked"),
    [
        (["Hello"], "Hello"),
        (["who", "are", "you"], "who are you"),
        (["chat", "models"], "models"),
        (["--", "models"], "models"),
        (["modles", "and", "more"], "modles and more"),
        (["-m", "reka-flash", "models"], "models"),
    ],
)
def test_what_is_no_command_is_a_prompt(polychat: Any, args: list[str], asked: str) -> None:
    """An unknown first word begins a question."""
    done = polychat(*args)
    assert (done.returncode, f"“{asked}”" in done.stdout) == (0, True)


def test_a_near_miss_is_refused_where_nobody_can_be_asked(polychat: Any) -> None:
    """A mistyped command does not become a question in a script."""
    done = polychat("modles")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: there is no command 'modles'\n"
        "hint: did you mean `models`? To ask it as a question: polychat chat modles\n"
    )


@pytest.mark.parametrize(("answer", "shown"), [("y\n", "reka/reka-core"), ("n\n", "“modles”")])
def test_a_near_miss_asks_on_a_terminal(polychat: Any, answer: str, shown: str) -> None:
    """Yes runs the command, no asks the word as a question."""
    code, drawn = polychat.on_terminal("modles", replies={"[y/N]": answer})
    assert (code, "did you mean `models`? [y/N]" in drawn, shown in drawn) == (0, True, True)


def test_nothing_at_all_shows_the_help_on_a_terminal(polychat: Any) -> None:
    """`polychat` alone is a question for help."""
    code, drawn = polychat.on_terminal()
    assert (code, "Usage: polychat" in drawn) == (0, True)


@pytest.mark.parametrize(
    "args",
    [["--bogus"], ["chat", "--bogus"], ["models", "extra"], ["--config"], ["providers", "nope"], ["completion", "csh"]],
)
def test_wrong_usage_is_2_with_a_hint(polychat: Any, args: list[str]) -> None:
    """What the parser refuses reads like every other error."""
    done = polychat(*args)
    assert (done.returncode, done.stdout) == (2, "")
    error, hint = done.stderr.splitlines()
    assert error.startswith("error: ")
    assert error[7].islower()
    assert hint.startswith("hint: see polychat")


def test_an_error_is_one_line_of_json_where_json_is_wanted(polychat: Any) -> None:
    """--json turns errors into data on stderr."""
    done = polychat("-m", "reka/nope", "hi", "--json")
    error = json.loads(done.stderr)["error"]
    assert (done.returncode, done.stdout, error["code"]) == (2, "", "unknown_model")
    assert set(error) == {"code", "message", "hint", "provider", "account", "retry_after_s"}


@pytest.mark.parametrize(
    "args", [["--config", "own.toml", "hi"], ["hi", "--config", "own.toml"], ["--config=own.toml", "chat", "hi"]]
)
def test_a_config_file_counts_before_and_after_the_command(polychat: Any, args: list[str]) -> None:
    """--config is the program's and every command's."""
    (polychat.home / "own.toml").write_text('model = "reka/reka-edge"\n')
    done = polychat(*args, env={"POLYCHAT_MODEL": None})
    assert (done.returncode, _model_asked(polychat)) == (0, "reka-edge")


def test_flags_go_over_variables_and_variables_over_files(polychat: Any) -> None:
    """-m, then POLYCHAT_MODEL, then the config file."""
    (polychat.home / "own.toml").write_text('model = "reka/reka-edge"\n')
    polychat("hi", "--config", "own.toml", env={"POLYCHAT_MODEL": "reka/reka-flash"})
    assert _model_asked(polychat) == "reka-flash"
    polychat("hi", "-m", "reka-core", env={"POLYCHAT_MODEL": "reka/reka-flash"})
    assert _model_asked(polychat) == "reka-core"


@pytest.mark.parametrize("content", [None, "model = ", "modle = 'x'"])
def test_a_broken_config_is_3(polychat: Any, content: str | None) -> None:
    """A config file that is missing, no TOML or of unknown settings is named."""
    if content is not None:
        (polychat.home / "own.toml").write_text(content)
    done = polychat("hi", "--config", "own.toml")
    assert (done.returncode, done.stdout, "own.toml" in done.stderr) == (3, "", True)


def test_a_reader_that_leaves_is_no_error(polychat: Any) -> None:
    """`polychat ... | head` ends in silence."""
    polychat.sandbox.script("reka", chunks=["word " * 20_000] * 3)
    process = polychat.start("chat", "hi")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.read(10)
    process.stdout.close()
    stderr = process.stderr.read()
    process.stderr.close()
    assert (process.wait(30), stderr) == (0, b"")


def test_a_traceback_is_shown_on_request_only(polychat: Any) -> None:
    """POLYCHAT_DEBUG=1 adds the traceback and changes nothing else."""
    plain, debugged = polychat("-m", "nope/x", "hi"), polychat("-m", "nope/x", "hi", env={"POLYCHAT_DEBUG": "1"})
    assert ("Traceback" in plain.stderr, "Traceback" in debugged.stderr) == (False, True)
    assert plain.returncode == debugged.returncode == 2
    assert debugged.stderr.endswith(plain.stderr)


def test_no_color_is_obeyed(polychat: Any) -> None:
    """A terminal gets colour unless NO_COLOR is set."""
    assert "\x1b[" in polychat.on_terminal("--bogus")[1]
    assert "\x1b[" not in polychat.on_terminal("--bogus", NO_COLOR="1")[1]


def _model_asked(polychat: Any) -> str:
    model: str = polychat.sandbox.journal(path="/api/chat")[-1].json["model_name"]
    return model
