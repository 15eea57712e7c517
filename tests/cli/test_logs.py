"""cli/logs.py through the real program."""

from __future__ import annotations

from typing import Any


def test_the_log_is_heard_when_asked_for(polychat: Any) -> None:
    """Events with their fields, on stderr; the answer stays alone on stdout."""
    quiet, loud = polychat("chat", "hi"), polychat("chat", "hi", env={"POLYCHAT_LOG": "debug"})
    assert quiet.stderr == ""
    assert "DEBUG polychat.engine: asking provider='reka' model='reka-core'" in loud.stderr
    assert loud.stdout == quiet.stdout


def test_a_level_there_is_not_is_named(polychat: Any) -> None:
    """With those there are."""
    done = polychat("version", env={"POLYCHAT_LOG": "loud"})
    assert done.returncode == 3
    assert (
        done.stderr
        == "error: POLYCHAT_LOG is not a level of logging\nhint: the levels are DEBUG, INFO, WARNING, ERROR\n"
    )
