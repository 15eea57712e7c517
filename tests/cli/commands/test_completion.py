"""`polychat completion`: the scripts, and what they are answered."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_a_script(polychat: Any, shell: str) -> None:
    """The script asks the program itself, and --json wraps it."""
    done = polychat("completion", shell)
    assert (done.returncode, done.stderr, "_POLYCHAT_COMPLETE" in done.stdout) == (0, "", True)
    assert json.loads(polychat("completion", shell, "--json").stdout)["script"].rstrip() == done.stdout.rstrip()


def test_bash_takes_the_script(polychat: Any) -> None:
    """The script is valid for the shell that is here."""
    script = polychat("completion", "bash").stdout
    subprocess.run(["bash", "-n"], input=script.encode(), check=True)


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("polychat mo", {"models"}),
        ("polychat chat --mod", {"--model"}),
        ("polychat --model reka/reka-f", {"reka/reka-flash"}),
        ("polychat login rek", {"reka", "reka-api"}),
        ("polychat providers sh", {"show"}),
    ],
)
def test_what_is_offered(polychat: Any, words: str, offered: set[str]) -> None:
    """Commands, options, models and services complete."""
    env = {"_POLYCHAT_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)}
    done = polychat(env=env)
    assert {line.partition(",")[2] for line in done.stdout.split()} == offered
