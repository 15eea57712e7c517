"""The ledger as text for other programs: a JSON object a line, or CSV with a line of headings."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import msgspec

from polychat.engine.ledger.reader import Reader
from polychat.engine.ledger.record import Record
from polychat.engine.ledger.statistics import ALL, Filters

Format = Literal["jsonl", "csv"]

_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would calculate


def export(reader: Reader, format: Format, filters: Filters = ALL) -> Iterator[str]:  # noqa: A002 - as people call it
    """The lines, each with its end, in the order of writing; made while they are taken.

    In CSV a text that a spreadsheet would take for a formula has an apostrophe before it; JSON has it as it is.
    """
    if format == "csv":
        yield _csv([Record.__struct_fields__])
    for page in reader.pages(filters):
        if format == "csv":
            yield _csv([[_cell(value) for value in msgspec.structs.astuple(record)] for record in page])
        else:
            yield from (f"{msgspec.json.encode(record).decode()}\n" for record in page)


def _csv(rows: Sequence[Sequence[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _cell(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
