"""The command line: stdout carries the answer or the data, stderr everything else.

`program` finds the command, `commands/` holds one file per command (the file's name is the command's), `failures` turns
every error into a sentence and an exit code. Nothing slow is imported before a command runs.
"""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command of `sys.argv`; the exit code."""
    from polychat.cli.program import run

    return run(sys.argv[1:])
