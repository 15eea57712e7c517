"""`polychat doctor`: one look at everything a question rests on."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

import click

from polychat.cli import options
from polychat.cli.terminal import say

if TYPE_CHECKING:
    from polychat.cli.finding import Finding

_BROKEN_SETUP, _BROKEN_ACCOUNT = 3, 4


@click.command()
@click.option("--online", is_flag=True, help="Try each account with its service, and compare clocks.")
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
        _print(found)
    areas = {finding.area for finding in found if finding.level == "broken"}
    context.exit(_BROKEN_SETUP if "setup" in areas else _BROKEN_ACCOUNT if areas else 0)


def _print(found: Sequence[Finding]) -> None:
    for section, findings in groupby(found, key=lambda finding: finding.section):
        say(section, bold=True)
        for finding in findings:
            for line in finding.lines:
                say(f"  {line}")
        say("")
    say(_summary(found))


def _summary(found: Sequence[Finding]) -> str:
    levels = [finding.level for finding in found]
    broken, notices = levels.count("broken"), levels.count("notice")
    if not broken:
        sound = click.style("nothing is broken", fg="green")
        return f"{sound}, {notices} to know of" if notices else sound
    return click.style(f"{broken} to mend", fg="red") + (f", {notices} to know of" if notices else "")
