"""What the model is told of the contents: turns of the brain, what it remarks on, and how large they are by sort."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec

from polychat.sandbox import brain
from polychat.sandbox.services.gemini import blobs
from polychat.sandbox.services.gemini.blobs import Blob, Modality
from polychat.sandbox.services.gemini.contents import FunctionResponse, Part, Placed, Run

_BLOB_TOKENS = 256  # as the brain counts them


def turns(runs: Sequence[Run]) -> tuple[brain.Turn, ...]:
    """The runs as the model takes them."""
    return tuple(turn for run in runs for turn in _turns(run))


def instructions(parts: Sequence[Placed]) -> tuple[brain.Turn, ...]:
    """System instructions as the model takes them."""
    return (brain.Turn(role="system", text="\n".join(part.text for part, _ in parts if part.text)),) if parts else ()


def _turns(run: Run) -> Iterator[brain.Turn]:
    yield from (_result(part.function_response) for part, _ in run.parts if part.function_response is not None)
    said = [part for part, _ in run.parts if part.function_response is None]
    if said:
        text = ("\n" if run.role == "user" else "").join(filter(None, map(_text, said)))
        shown = tuple(part.inline_data.data for part in said if part.inline_data is not None)
        yield brain.Turn(role="user" if run.role == "user" else "assistant", text=text, attachments=shown)


def _result(response: FunctionResponse) -> brain.Turn:
    shown = tuple(part.inline_data.data for part in response.parts if part.inline_data is not None)
    return brain.Turn(role="tool", text=msgspec.json.encode(response.response).decode(), attachments=shown)


def _text(part: Part) -> str:
    if part.thought:
        return ""
    if part.function_call is not None:
        return f"{part.function_call.name}({msgspec.json.encode(part.function_call.args).decode()})"
    if part.executable_code is not None:
        return part.executable_code.code
    if part.code_execution_result is not None:
        return part.code_execution_result.output
    return part.text or ""


def shown(run: Run) -> Iterator[Blob]:
    """The bytes of a run, in their order."""
    for part, _ in run.parts:
        if part.inline_data is not None:
            yield part.inline_data
        if part.function_response is not None:
            yield from (it.inline_data for it in part.function_response.parts if it.inline_data is not None)


def remarks(runs: Sequence[Run]) -> Iterator[str]:
    """What the model says of the types it was told."""
    for number, blob in enumerate(shown(runs[-1]), 1):
        if blobs.modality(blob.mime_type) != "IMAGE":
            yield f"Attachment {number} came as {blob.mime_type}."


def sizes(turns: Sequence[brain.Turn], runs: Sequence[Run]) -> dict[Modality, int]:
    """Tokens by sort; text first."""
    counted: Counter[Modality] = Counter()
    counted["TEXT"] = sum(len(brain.pieces(turn.text)) for turn in turns)
    for run in runs:
        for blob in shown(run):
            counted[blobs.modality(blob.mime_type) or "DOCUMENT"] += _BLOB_TOKENS
    return dict(counted)
