"""`polychat drift`: recordings held against the decoders and the sandbox."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from polychat.cli import options
from polychat.cli.terminal import note, say

if TYPE_CHECKING:
    from polychat.engine.drift import Finding, Report

_DRIFTED = 1


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@options.json("Print everything that was found as one JSON document.")
@options.config
def drift(folder: Path, as_json: bool) -> None:
    """Tell what has changed since exchanges were recorded, and on which side.

    Every recording in FOLDER (polychat chat --record FOLDER) is held against the decoder that reads such answers and
    against the sandbox, which is asked the same once more, on a port of its own. Nothing leaves this machine.

    The exit code is 0 where nothing drifted, 1 where something did, 2 for a folder without recordings.
    """
    import asyncio

    report = asyncio.run(_look(folder))
    for sentence in report.skipped:
        note(f"note: {sentence}")
    _print_json(report) if as_json else _print(report)
    if report.findings:
        raise click.exceptions.Exit(_DRIFTED)


async def _look(folder: Path) -> Report:
    from polychat.engine import drift as drifts
    from polychat.errors import BadOption, ConfigError
    from polychat.net.aiohttp import AiohttpTransport
    from polychat.net.traffic import recorded
    from polychat.sandbox import Sandbox

    try:
        recorded.read(folder)
    except ConfigError as error:
        raise BadOption(error.message, field="folder", hint=error.hint) from error
    transport = AiohttpTransport()
    with Sandbox() as sandbox:
        try:
            return await drifts.look(folder, sandbox.url, transport)
        finally:
            await transport.aclose()


def _print_json(report: Report) -> None:
    import msgspec

    say(msgspec.json.format(msgspec.json.encode(report), indent=2).decode())


def _print(report: Report) -> None:
    from polychat.cli.phrases import table

    findings = report.findings
    if findings:
        rows = [("FILE", "SIDE", "PATH", "WHAT"), *map(_row, findings)]
        for line in table(rows):
            say(line)
    counts = f"{report.recordings} recordings: {report.decoded} decoded, {report.compared} compared with the sandbox"
    note(f"{counts}, {len(findings)} differences" if findings else f"{counts}, no drift")


def _row(finding: Finding) -> tuple[str, ...]:
    return finding.file, finding.side, finding.path or "-", finding.sentence
