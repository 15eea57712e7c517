"""The order of calls and what answers them, and the signatures that show a call to be the model's own.

A turn of calls comes right after a turn of the user, and the next turn answers every one of them: by id where there is
one, else by name in their order. In the current turn (since the user last said something else) the first call of each
step has to bring back its signature, with models that sign; earlier turns may be without.

Source: the public pages on function calling and thought signatures, November 2026.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from polychat.sandbox.services.gemini import refusals
from polychat.sandbox.services.gemini.contents import FunctionCall, FunctionResponse, Part, Placed, Run
from polychat.sandbox.services.gemini.models import Model
from polychat.sandbox.services.gemini.refusals import Refusal
from polychat.sandbox.services.gemini.state import Signed

_WAIVERS = tuple(  # what whoever has no signature may send, as it is or read as base64
    form
    for text in (b"context_engineering_is_the_way_to_go", b"skip_thought_signature_validator")
    for form in (text, b64decode(text, altchars=b"-_"))
)


def judge(runs: Sequence[Run], model: Model, signatures: Mapping[bytes, Signed]) -> None:
    """Raises: Refusal when calls and responses do not fit together, or a signature is missing or not ours."""
    if any(True for _ in _calls(runs[0])):
        raise Refusal("A turn of function calls must come right after a turn of the user or of function responses.")
    for before, after in pairwise((Run(role="model", parts=()), *runs)):
        _judge_answers(list(_calls(before)), list(_responses(after)))
    for run in runs:
        for placed in run.parts:
            _judge_signature(placed, signatures)
    if model.signs:
        for run in runs[_current(runs) :]:
            _judge_signed(run)


def _calls(run: Run) -> Iterator[FunctionCall]:
    return (placed.part.function_call for placed in run.parts if placed.part.function_call is not None)


def _responses(run: Run) -> Iterator[tuple[FunctionResponse, str]]:
    for part, place in run.parts:
        if part.function_response is not None:
            yield part.function_response, f"{place}.function_response"


def _judge_answers(calls: list[FunctionCall], responses: list[tuple[FunctionResponse, str]]) -> None:
    if len(calls) != len(responses):
        message = "There must be as many function responses as there are function calls in the turn before"
        raise Refusal(f"{message}: {len(responses)} for {len(calls)}.")
    for response, place in responses:
        fitting = [call for call in calls if _fits(call, response)]
        if not fitting:
            raise refusals.bad(f"{place}.name", f"no open call in the turn before is of '{response.name}'.")
        calls.remove(fitting[0])


def _fits(call: FunctionCall, response: FunctionResponse) -> bool:
    return call.name == response.name and (not call.id or not response.id or call.id == response.id)


def _current(runs: Sequence[Run]) -> int:
    """Where the current turn begins."""
    spoken = (
        index
        for index in reversed(range(len(runs)))
        if runs[index].role == "user" and any(part.function_response is None for part, _ in runs[index].parts)
    )
    return next(spoken, 0)


def _judge_signature(placed: Placed, signatures: Mapping[bytes, Signed]) -> None:
    part, place = placed
    if part.thought_signature is None or part.thought_signature in _WAIVERS:
        return
    signed = signatures.get(part.thought_signature)
    if signed is None or (signed.name and not _is_of(signed, part)):
        raise refusals.bad(f"{place}.thought_signature", "the signature is not valid here.")


def _is_of(signed: Signed, part: Part) -> bool:
    call = part.function_call
    return call is not None and (call.name, call.args) == (signed.name, signed.args)


def _judge_signed(run: Run) -> None:
    calls = (placed for placed in run.parts if placed.part.function_call is not None)
    first = next(calls, None)
    if first is not None and first.part.thought_signature is None:
        name = first.part.function_call.name if first.part.function_call else ""
        message = f"it is missing from the first call of this step, of '{name}'; calls go back as they came."
        raise refusals.bad(f"{first.place}.thought_signature", message)
