"""`polychat batch`: many questions from a file, their answers into another."""

from __future__ import annotations

import re
import shlex
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from polychat.cli import options
from polychat.cli.failures import INTERRUPTED
from polychat.cli.terminal import harmless, note, say
from polychat.errors import BadOption

if TYPE_CHECKING:
    from polychat.client.batches import Batch
    from polychat.client.batches.tally import Tally

FAILURES = 8
_PACE = re.compile(r"([0-9]+)(?:/(s|sec|min|h))?")
_SPANS_S = {"s": 1.0, "sec": 1.0, "min": 60.0, "h": 3600.0}


class Asked(NamedTuple):
    """The options of one call."""

    source: str
    output: str
    concurrency: int
    retry: int
    resume: bool
    limit: int | None
    pace: str | None
    account: str | None
    provider: str | None
    as_json: bool


@click.command()
@click.argument("source", metavar="IN.jsonl|-")
@click.option("-O", "--output", metavar="OUT.jsonl", required=True, help="Write the answers there, as they come.")
@click.option(
    "--concurrency", metavar="N", type=click.IntRange(1, 1000), default=4, show_default=True, help="Questions at once."
)
@click.option(
    "--retry",
    metavar="N",
    type=click.IntRange(0, 100),
    default=2,
    show_default=True,
    help="Ask a line so often again where the trouble may pass.",
)
@click.option("--resume", is_flag=True, help="Go on with OUT.jsonl: ask what is not answered there, or failed.")
@click.option("--limit", metavar="N", type=click.IntRange(1), help="Only the first N lines that are still to do.")
@click.option("--pace", metavar="N/min", help="At most so many questions to each service: 30/min, 1/s, 500/h.")
@options.account
@options.json("Print the summary as JSON.")
@options.config
def batch(**given: Any) -> None:
    """Ask everything that a file holds, and go on where it stopped.

    Each line of IN.jsonl is a question as OpenAI's Batch API has them, each of OUT.jsonl an answer; - reads stdin. The
    whole file is checked before anything is sent. A line that fails does not end the batch: its error is written, and
    the exit code is 8.
    """
    import asyncio

    from polychat.client.batches import Batch

    asked = Asked(**given)
    pace_s = _pace_s(asked.pace)
    stdin = sys.stdin.buffer if asked.source == "-" else None
    interrupted = False
    with Batch(asked.source, asked.output, resume=asked.resume, limit=asked.limit, stdin=stdin) as work:
        _remark(work, asked)
        try:
            asyncio.run(_run(work, asked, pace_s))
        except KeyboardInterrupt:
            interrupted = True
    _tell(work.tally, asked, interrupted=interrupted)
    if interrupted or work.tally.failed:
        click.get_current_context().exit(INTERRUPTED if interrupted else FAILURES)


async def _run(work: Batch, asked: Asked, pace_s: float) -> None:
    from polychat.cli import batch_progress

    client = options.client(provider=asked.provider, account=asked.account)
    if options.ask() is not None:
        client.engine.vault.open()  # a passphrase is asked for once, not for each line
    async with client, batch_progress.shown(work.tally):
        await work.run(client, concurrency=asked.concurrency, retries=asked.retry, pace_s=pace_s)


def _pace_s(written: str | None) -> float:
    """The seconds between two questions. Raises: `BadOption`."""
    if written is None:
        return 0.0
    found = _PACE.fullmatch(written.replace(" ", ""))
    if found is None or not int(found[1]):
        raise BadOption(f"--pace {written} is not a number of questions in a time", field="pace", hint="write 30/min")
    return _SPANS_S[found[2] or "min"] / int(found[1])


# ---------------------------------------------------------------- what is told


def _remark(work: Batch, asked: Asked) -> None:
    if work.lines.streams:
        options.remark(f"{_count(work.lines.streams, 'line')} asked for a stream; here each answer is written whole")
    if work.strangers:
        which = f"{_count(work.strangers, 'answer')} to lines that {work.lines.name} has not"
        options.remark(f"{asked.output} holds {which}; they stay")


def _tell(tally: Tally, asked: Asked, *, interrupted: bool) -> None:
    if asked.as_json:
        _tell_json(tally, asked, interrupted=interrupted)
        return
    from polychat.cli.batch_progress import line

    note(f"{'interrupted: ' if interrupted else ''}{line(tally, ended=True)}")
    _tell_failures(tally, asked)
    if interrupted or tally.failed:
        what = "go on" if interrupted else "ask those again"
        note(f"{click.style('hint:', fg='cyan')} {what}: {_again(asked)}")


def _tell_failures(tally: Tally, asked: Asked) -> None:
    mark = click.style("error:", fg="red", bold=True)
    if tally.failed > 1 and tally.alike:
        error = tally.failures[0].error
        lines = f"all {tally.failed:,} lines" if tally.failed == tally.total else f"{tally.failed:,} lines"
        note(f"{mark} {lines} failed alike: {harmless(error.message)}")
        if error.hint:
            note(f"{click.style('hint:', fg='cyan')} {harmless(error.hint)}")
        return
    for failure in tally.failures:
        note(f"{mark} {harmless(failure.custom_id)}: {harmless(failure.error.message)}")
    if more := tally.failed - len(tally.failures):
        note(f"and {more:,} more; see {asked.output}")


def _again(asked: Asked) -> str:
    words = ["polychat", "batch", asked.source, "-O", asked.output, "--resume"]
    return f"{shlex.join(words)}{' with the same lines on stdin' if asked.source == '-' else ''}"


def _tell_json(tally: Tally, asked: Asked, *, interrupted: bool) -> None:
    from json import dumps

    summary = {
        "output": asked.output,
        "interrupted": interrupted,
        "done": tally.done,
        "failed": tally.failed,
        "left": tally.left,
        "kept": tally.kept,
        "input_tokens": tally.input_tokens,
        "output_tokens": tally.output_tokens,
        "cost_usd": tally.cost_usd,
        "unpriced": tally.unpriced,
        "seconds": round(tally.seconds, 3),
        "failures": [
            {"custom_id": name, "code": error.code, "message": error.message, "hint": error.hint}
            for name, error in tally.failures
        ],
    }
    say(dumps(summary, ensure_ascii=False))


def _count(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
