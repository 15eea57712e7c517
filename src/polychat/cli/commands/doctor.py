"""`polychat doctor`: one look at everything a question rests on."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from polychat.cli import options
from polychat.cli.terminal import say

if TYPE_CHECKING:
    from polychat.cli.checkup import Finding

_MARKS = {"good": ("✓", "green"), "notice": ("!", "yellow"), "broken": ("✗", "red")}
_BROKEN_SETUP, _BROKEN_ACCOUNT = 3, 4


@click.command()
@click.option("--online", is_flag=True, help="Try each account with its service.")
@options.json("Print the findings as JSON.")
@options.config
@click.pass_context
def doctor(context: click.Context, online: bool, as_json: bool) -> None:
    """Look for what is wrong with this setup, and say how to mend it.

    Exit code 0 if nothing is broken, 3 for the setup, 4 for an account.
    """
    import asyncio

    from polychat.cli.checkup import findings

    found = asyncio.run(findings(os.environ, online=online))
    if as_json:
        import json

        say(json.dumps([finding._asdict() for finding in found], ensure_ascii=False))
    else:
        for finding in found:
            _print(finding)
    areas = {finding.area for finding in found if finding.level == "broken"}
    context.exit(_BROKEN_SETUP if "setup" in areas else _BROKEN_ACCOUNT if areas else 0)


def _print(finding: Finding) -> None:
    mark, colour = _MARKS[finding.level]
    say(f"{click.style(mark, fg=colour)} {finding.said}")
    if finding.mend:
        say(f"  {click.style('mend:', fg='cyan')} {finding.mend}")
