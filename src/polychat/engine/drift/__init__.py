"""Which side has moved: the service as it was recorded, or our decoder or the sandbox, which are behind it.

For every recording three witnesses are heard: the recording itself, what our decoder makes of it, and what the sandbox
answers to the same request. Fields and kinds of events are compared by their paths (`shapes`); whether the
decoder knows a field is found by taking the field out and decoding again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

import msgspec

from polychat.engine.drift import shapes
from polychat.engine.drift.shapes import Shape
from polychat.engine.drift.trials import Answer, Bench, Outcome, can_be_asked
from polychat.errors import ConfigError, PolychatError
from polychat.net.traffic import recorded
from polychat.net.traffic.recorded import Exchange, Recording
from polychat.net.traffic.redaction import PLACEHOLDER
from polychat.net.transport import Transport

Side = Literal["service", "sandbox", "decoder"]

_ID = re.compile(r"(?=.*\d)[\w.~+/=-]{12,}\Z")  # a value that is named again in later requests


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing in which the witnesses disagree."""

    file: str
    service: str
    path: str  # in the answer; empty where it is about all of it
    side: Side  # "service": it moved, and nobody here knows; otherwise who of ours is behind
    sentence: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What was found in a folder."""

    recordings: int
    compared: int  # with the sandbox
    decoded: int
    findings: tuple[Finding, ...]
    skipped: tuple[str, ...]  # sentences: what could not be looked at, and why


async def look(folder: Path, sandbox: str, transport: Transport) -> Report:
    """Compare every recording in `folder`; `sandbox` is the address of one that is as new.

    Raises: `ConfigError` for a folder that holds no recordings, or a damaged one.
    """
    comparison = _Comparison(Bench(sandbox), transport)
    recordings = recorded.read(folder)
    for recording in recordings:
        await comparison.add(recording)
    return Report(
        recordings=len(recordings),
        compared=comparison.compared,
        decoded=comparison.decoded,
        findings=tuple(comparison.findings),
        skipped=tuple(comparison.skipped),
    )


class _Comparison:
    """A folder on its way through."""

    def __init__(self, bench: Bench, transport: Transport) -> None:
        self._bench = bench
        self._transport = transport
        self._values: dict[str, str] = {}  # recorded -> the sandbox's own, for what an answer hands out
        self.findings: list[Finding] = []
        self.skipped: list[str] = []
        self.compared = 0
        self.decoded = 0

    async def add(self, recording: Recording) -> None:
        """Hear the witnesses of one recording."""
        exchange = recording.exchange
        if exchange.response is None or exchange.service is None:
            self.skipped.append(f"{recording.name}: no service answered it")
            return
        try:
            self._bench.engine(exchange.service)
        except ConfigError:
            self.skipped.append(f"{recording.name}: there is no service {exchange.service} here")
            return
        body = exchange.response.body
        outcome = await self._decode(recording, body)
        answer = await self._ask(recording)
        if answer is not None and self._is_like(recording, answer):
            await self._compare(recording, body, answer, outcome)

    # ------------------------------------------------------------ witnesses

    async def _decode(self, recording: Recording, body: bytes) -> Outcome:
        exchange = recording.exchange
        if exchange.response is None or exchange.response.status >= 300 or exchange.ended.how not in {"whole", "left"}:
            return Outcome()
        outcome = await self._bench.decoded(exchange, body, self._transport)
        self.decoded += outcome.asked
        if outcome.refused is not None:
            self._find(recording, "", "decoder", f"the decoder refuses frame {outcome.frame}: {outcome.refused}")
        elif outcome.finished and outcome.empty:
            self._find(recording, "", "decoder", "the decoder makes an empty answer of it")
        return outcome

    async def _ask(self, recording: Recording) -> Answer | None:
        if not can_be_asked(recording.exchange):
            self.skipped.append(f"{recording.name}: not asked of the sandbox, for its files were not recorded")
            return None
        try:
            answer = await self._bench.answered(recording.exchange, self._values, self._transport)
        except PolychatError as error:
            self.skipped.append(f"{recording.name}: the sandbox gave no answer: {error.message}")
            return None
        self._learn(recording.exchange, answer)
        return answer

    def _learn(self, exchange: Exchange, answer: Answer) -> None:
        """Ids and placeholders that this answer hands out are the sandbox's own from now on."""
        own = shapes.firsts(answer.body)
        for path, value in shapes.firsts(exchange.response.body if exchange.response else b"").items():
            ours = own.get(path)
            if isinstance(value, str) and isinstance(ours, str) and _is_handed_out(value):
                self._values[value] = ours

    # ------------------------------------------------------------ comparing

    def _is_like(self, recording: Recording, answer: Answer) -> bool:
        """Whether both answers are of one kind, so that their fields can be compared."""
        response = recording.exchange.response
        assert response is not None
        self.compared += 1
        if response.status != answer.status:
            said = f"the service answered {response.status}, the sandbox {answer.status}"
            self._find(recording, "", "sandbox", said)
            return False
        kinds = [
            kind.partition(";")[0].strip() for kind in (response.headers.get("content-type", ""), answer.media_type)
        ]
        if kinds[0] != kinds[1]:
            said = f"the service sends {kinds[0] or 'no type'}, the sandbox {kinds[1] or 'no type'}"
            self._find(recording, "", "sandbox", said)
        return kinds[0] == kinds[1]

    async def _compare(self, recording: Recording, body: bytes, answer: Answer, outcome: Outcome) -> None:
        theirs, ours = shapes.shape(body), shapes.shape(answer.body)
        for path in _highest(theirs, ours):
            self._find(recording, path, *await self._sent(recording, body, path, outcome))
        if recording.exchange.ended.how == "whole" or outcome.finished:  # otherwise the rest is not known
            for path in _highest(ours, theirs):
                self._find(recording, path, "sandbox", f"the sandbox sends {path} which the recording does not")
        for path, was, now in _changed(theirs, ours):
            self._find(recording, path, "sandbox", f"the service sends {path} as {was}, the sandbox as {now}")

    async def _sent(self, recording: Recording, body: bytes, path: str, outcome: Outcome) -> tuple[Side, str]:
        """What to say of a field that the sandbox does not send."""
        if not outcome.asked or outcome.refused is not None:
            return "sandbox", f"the service sends {path} which the sandbox does not"
        less = shapes.without(body, path)
        again = await self._bench.decoded(recording.exchange, less, self._transport)
        if (again.events, again.refused) == (outcome.events, None):
            return "service", f"the service sends {path} which neither decoder nor sandbox knows"
        return "sandbox", f"the service sends {path} which the decoder reads and the sandbox does not send"

    def _find(self, recording: Recording, path: str, side: Side, sentence: str) -> None:
        service = recording.exchange.service or ""
        self.findings.append(Finding(file=recording.name, service=service, path=path, side=side, sentence=sentence))


def _is_handed_out(value: str) -> bool:
    """Whether later requests may name it again."""
    return bool(PLACEHOLDER.fullmatch(value) or _ID.match(value))


def _highest(one: Shape, other: Shape) -> Iterator[str]:
    """Paths that only `one` has, without those below one of them."""
    told: list[str] = []
    for path in sorted(one.keys() - other.keys()):
        if not any(path.startswith((f"{above}.", f"{above}[", f"{above}(")) for above in told):
            told.append(path)
            yield path


def _changed(theirs: Shape, ours: Shape) -> Iterator[tuple[str, str, str]]:
    """Fields whose values are of other kinds, null aside."""
    for path in sorted(theirs.keys() & ours.keys()):
        was, now = _kinds(theirs, path), _kinds(ours, path)
        if was and now and was.isdisjoint(now):
            yield path, " or ".join(sorted(was)), " or ".join(sorted(now))


def _kinds(shape: Mapping[str, frozenset[str]], path: str) -> frozenset[str]:
    return shape[path] - {"null"}
