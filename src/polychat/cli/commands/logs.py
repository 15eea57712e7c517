"""`polychat logs`: what was asked, what came of it and what it cost; all of it from the ledger on this machine."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from polychat.cli import ledger_times, options
from polychat.cli.terminal import is_terminal, note, say
from polychat.errors import BadOption

if TYPE_CHECKING:
    from polychat.engine.ledger.reader import Reader
    from polychat.engine.ledger.record import Record
    from polychat.engine.ledger.statistics import Filters

F = TypeVar("F", bound=Callable[..., Any])
_EMPTY = "nothing is recorded yet: polychat chat asks something, and a line is here"
_NONE_SUCH = "no request is like that: polychat logs list shows the last ones"
_OUTCOMES = ("ok", "error", "cancelled", "interrupted")
_SUMS = ("provider", "model", "account", "key", "day", "outcome", "error", "kind")
_LIMIT = 20
_TICK_S = 0.5


def _filtered(command: F) -> F:
    """`--since`, `--until`, `--provider`, `--account`, `--model`, `--outcome`, passed on as they are."""
    command = click.option("--outcome", type=click.Choice(_OUTCOMES), help="Only those that ended so.")(command)
    command = click.option("--model", metavar="MODEL", help="Only of this model, by the service's own id.")(command)
    command = click.option("--account", metavar="NAME", help="Only with this account.")(command)
    command = click.option(
        "--provider", metavar="NAME", help="Only of this service.", shell_complete=options.provider_names
    )(command)
    return ledger_times.since(command)


@click.group(invoke_without_command=True, subcommand_metavar="[COMMAND]")
@options.json("Print the list as JSON.")
@options.config
@click.pass_context
def logs(context: click.Context, as_json: bool) -> None:
    """What was asked, what came of it and what it cost."""
    if context.invoked_subcommand is None:
        context.invoke(list_, limit=_LIMIT, as_json=as_json)


# ---------------------------------------------------------------- looking


@logs.command("list")
@click.option("--limit", metavar="N", type=click.IntRange(min=1), default=_LIMIT, show_default=True, help="At most.")
@_filtered
@options.json("Print everything that is known of each as JSON.")
@options.config
def list_(limit: int, as_json: bool, **given: str | None) -> None:
    """List the last requests, the newest first."""
    from polychat.cli.ledger_table import listed

    with _reader() as reader:
        records = reader.recent(_filters(given), limit=limit)
        if as_json:
            _print_json([_facts(record) for record in records])
        elif records:
            _say_all(listed(records, _columns()))
        else:
            _say_why_none(reader)


@logs.command()
@click.argument("name", metavar="ID")
@options.json("Print it as JSON.")
@options.config
def show(name: str, as_json: bool) -> None:
    """Show everything that is known of one request.

    The beginning of its id will do, where no other begins so.
    """
    from polychat.cli.ledger_table import shown

    with _reader() as reader:
        record = reader.show(name)
    if as_json:
        _print_json(_facts(record, words=True))
    else:
        _say_all(shown(record, time.time()))


@logs.command()
@click.option("-f", "--follow", is_flag=True, help="Go on with new ones until Ctrl-C.")
@click.option("--limit", metavar="N", type=click.IntRange(min=0), default=10, show_default=True, help="At most.")
@options.json("Print each as a line of JSON.")
@options.config
def tail(follow: bool, limit: int, as_json: bool) -> None:
    """Show the last requests, the newest last."""
    with _reader() as reader:
        last = reader.newest()
        records = reader.recent(limit=limit)
        for record in reversed(records):
            _say_one(record, as_json=as_json)
        if not (records or follow or as_json):
            say(_EMPTY)
        told = {record.id for record in records}  # one may have been written since `last`
        while follow:
            time.sleep(_TICK_S)
            for record in reader.after(last):
                if record.id not in told:
                    _say_one(record, as_json=as_json)
                last = record.id


@logs.command()
@click.option("--by", type=click.Choice(_SUMS), default="provider", show_default=True, help="A line for each of these.")
@_filtered
@options.json("Print the sums as JSON.")
@options.config
def stats(by: Any, as_json: bool, **given: str | None) -> None:
    """Sum up: how many, errors, tokens, cost, and how long they took.

    P50 and P95: half of them, and 95 of 100, took no longer than that. Days are in UTC.
    """
    from polychat.cli.ledger_table import summed

    with _reader() as reader:
        lines = reader.stats(by, _filters(given))
        if as_json:
            import msgspec

            _print_json([msgspec.to_builtins(line) for line in lines])
        elif lines:
            _say_all(summed(by, lines, _columns()))
        else:
            _say_why_none(reader)


# ---------------------------------------------------------------- taking away


@logs.command()
@click.option("--format", "form", type=click.Choice(("jsonl", "csv")), default="jsonl", show_default=True)
@click.option("-O", "--output", metavar="FILE|-", default="-", help="Write there; - and nothing is stdout.")
@click.option("--force", is_flag=True, help="Overwrite a file that is there.")
@_filtered
@options.json("Print what was exported as JSON.")
@options.config
def export(form: Any, output: str, force: bool, as_json: bool, **given: str | None) -> None:
    """Write requests for another program, the oldest first."""
    from polychat.cli import files
    from polychat.engine.ledger.export import export as lines

    if output != files.STDOUT:
        files.check(output, force=force, as_json=as_json)
    elif as_json and form != "jsonl":
        raise BadOption("--json and --format csv exclude each other", field="json", hint="name a file: -O FILE")
    with _reader() as reader:
        filters = _filters(given)
        if output == files.STDOUT:
            for line in lines(reader, form, filters):
                sys.stdout.write(line)
            return
        with files.writing(Path(output)):
            _save(Path(output), lines(reader, form, filters))
        written = reader.count(filters)
    if as_json:
        _print_json({"file": output, "requests": written})
    else:
        say(f"{_count(written)} in {output}")


def _save(path: Path, lines: Iterator[str]) -> None:
    """For its owner's eyes only: there may be words in it."""
    import os

    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
        file.writelines(lines)


@logs.command()
@click.option("--before", metavar="WHEN", required=True, help="All asked before then: 30d, 2026-11-01 (UTC).")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@options.json("Print how many were removed as JSON.")
@options.config
def prune(before: str, yes: bool, as_json: bool) -> None:
    """Remove old requests for good, their words too."""
    from polychat.engine.ledger import storage
    from polychat.engine.ledger.statistics import Filters

    until = ledger_times.moment(before, time.time(), field="before")
    with _reader() as reader:
        there = reader.count(Filters(until=until))
    if there and not (yes or _agreed(there, before)):
        note("nothing was removed")
        return
    gone = storage.prune(_place(), until) if there else 0
    if as_json:
        _print_json({"removed": gone, "before": until})
    else:
        say(f"{_count(gone)} removed" if gone else f"no request is older than {before}")


def _agreed(there: int, before: str) -> bool:
    if not (is_terminal(sys.stdin) and is_terminal(sys.stderr)):
        raise BadOption(
            f"{_count(there)} would be removed only if you are sure, and nobody can be asked here",
            field="yes",
            hint=f"polychat logs prune --before {before} --yes",
        )
    return click.confirm(f"remove {_count(there)} for good?", err=True)


# ---------------------------------------------------------------- what they share


def _place() -> Path:
    from polychat.engine.ledger.opening import place

    return place(options.settings())


def _reader() -> Reader:
    from polychat.engine.ledger.reader import Reader

    return Reader(_place())


def _filters(given: dict[str, str | None]) -> Filters:
    import msgspec

    from polychat.engine.ledger.statistics import Filters

    now = time.time()
    moments = {
        name: ledger_times.moment(written, now, field=name) if (written := given.pop(name, None)) else None
        for name in ("since", "until")
    }
    return msgspec.convert(given | moments, Filters)


def _facts(record: Record, *, words: bool = False) -> dict[str, Any]:
    """Everything, for a program; the words as what they are, where they are wanted."""
    import json

    import msgspec

    facts: dict[str, Any] = msgspec.to_builtins(record)
    content = facts.pop("content")
    return facts | ({"content": content and json.loads(content)} if words else {})


def _say_one(record: Record, *, as_json: bool) -> None:
    from polychat.cli.ledger_table import followed

    if as_json:
        _print_json(_facts(record))
    else:
        say(followed(record))
    sys.stdout.flush()


def _say_why_none(reader: Reader) -> None:
    say(_NONE_SUCH if reader.newest() else _EMPTY)


def _say_all(lines: Iterator[str]) -> None:
    for line in lines:
        say(line)


def _columns() -> int | None:
    import shutil

    return shutil.get_terminal_size().columns if is_terminal(sys.stdout) else None


def _count(number: int) -> str:
    return f"{number:,} request{'' if number == 1 else 's'}"


def _print_json(value: Any) -> None:
    import json

    say(json.dumps(value, ensure_ascii=False))
