"""Writes docs/reference/faults.md: what a caller sees when a service misbehaves, how long it takes, who else is asked,
and what is kept.

    python docs/fault_matrix.py                 examine every case anew, then write the findings and the page
    python docs/fault_matrix.py --page FILE     write the page to FILE from the findings there are

The findings lie in tests/faults/matrix.json; `tests/faults/test_matrix.py` examines every case and holds them true.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from polychat import providers
from polychat.sandbox import Sandbox
from polychat.testing.bench import Bench, Subject
from polychat.testing.laboratory import CLOCKS, TROUBLES, Finding, Trouble, examine

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reference" / "faults.md"
FINDINGS = ROOT / "tests" / "faults" / "matrix.json"
SERVICES = ("anthropic", "chatgpt", "gemini", "openai", "raycast", "reka")  # each with a decoder of its own
_WAYS = {True: "stream", False: "whole"}

Matrix = dict[str, Finding]


def name(service: str, trouble: Trouble, *, stream: bool) -> str:
    """What a case is called."""
    return f"{service}, {trouble.name}, {_WAYS[stream]}"


def examined() -> Matrix:
    """Every case, asked now."""
    found: Matrix = {}
    with Sandbox() as sandbox:
        for service in SERVICES:
            for stream in (True, False):
                subject = Subject(service, sandbox)
                sandbox.reset()
                path = asyncio.run(Bench(subject).paths(stream=stream)).answer
                for trouble in TROUBLES:
                    sandbox.reset()
                    finding = asyncio.run(examine(subject, trouble, stream=stream, path=path))
                    rounded = msgspec.structs.replace(finding, seconds=round(finding.seconds, 1))
                    found[name(service, trouble, stream=stream)] = rounded
    return found


def kept() -> Matrix:
    """The findings there are."""
    return msgspec.json.decode(FINDINGS.read_bytes(), type=Matrix)


def page(matrix: Matrix) -> str:
    """The page as it has to read."""
    labels = ", ".join(providers.load(service).info.label for service in SERVICES)
    return "\n".join(
        [
            _HEAD.format(services=labels, first=CLOCKS.first_event_s, between=CLOCKS.between_events_s),
            "| fault | asked as | of | the caller sees | asked | clock | s | kept |",
            "|---|---|---|---|---|---|---|---|",
            *(line for trouble in TROUBLES for line in _lines(matrix, trouble)),
            "",
        ]
    )


def _lines(matrix: Matrix, trouble: Trouble) -> Iterator[str]:
    """One line for each way in which services differ."""
    cases: dict[tuple[str, str, str, str, str, str], list[str]] = {}
    for service in SERVICES:
        both = [_cells(matrix[name(service, trouble, stream=stream)]) for stream in (True, False)]
        for way, cells in [("either", both[0])] if both[0] == both[1] else zip(_WAYS.values(), both, strict=True):
            cases.setdefault((way, *cells), []).append(service)
    for (way, *cells), services in cases.items():
        whose = "all" if len(services) == len(SERVICES) else ", ".join(services)
        yield f"| {trouble.name} | {way} | {whose} | {' | '.join(cells)} |"


def _cells(finding: Finding) -> tuple[str, str, str, str, str]:
    sees = finding.sees if finding.sees.startswith("whole") else f"`{finding.sees}`"
    seconds = f"{finding.seconds:.1f}" if finding.seconds >= 0.1 else "at once"
    return sees, ", ".join(finding.asked), ", ".join(finding.clocks) or "-", seconds, finding.kept


_HEAD = """\
# What a caller sees when a service misbehaves

Each line is a question to a service that has one fault, by a routed name with two targets: the service with two
accounts, *alice* and *bob*, and behind them another service, the *standby*. Where the fault is silence, the clocks are
short: {first:g} s to the first event, {between:g} s between events. Services: {services}.

Written by `make docs` from what was seen; `tests/faults/test_matrix.py` asks every case again. In every one of them
these promises are held, and a case that breaks one fails with its word:

| promise | a broken one begins with |
|---|---|
| nothing received is lost: what the caller heard is what the error keeps, and a beginning of the answer | `lost` |
| nothing is glued: an answer is of one service throughout; after its first word nobody else is asked | `glued` |
| nothing hangs beyond its clocks | `hung` |
| nothing leaks: no task, no open connection, no place at an account stays behind | `leaked` |
| no success is empty: an answer without content is an error | `empty` |

A case is `SERVICE-FAULT-stream` or `SERVICE-FAULT-whole`, with `_` for spaces:

    python -m pytest "tests/faults/test_matrix.py::test_every_promise_holds[reka-stall,_inside-stream]"

*asked as*: `stream` to be read along, `whole` in one piece, or `either`. *inside*: after part of the answer has come.
*kept*: what of the answer the caller has in the end. What stands in `code` is the error's code; its class says what to
do next.
"""


def main(args: list[str]) -> None:
    """Write what was asked for."""
    if args[:1] != ["--page"]:
        FINDINGS.write_bytes(msgspec.json.format(msgspec.json.encode(examined()), indent=1) + b"\n")
    Path(args[1] if args else PAGE).write_text(page(kept()), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
