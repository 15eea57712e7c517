"""Reading aloud: silence as long as the words would take, in a form that players accept.

AAC is ADTS (ISO/IEC 13818-7, 6.2) with one mono frame over and over: a single channel element whose `max_sfb` is 0 has
no spectrum, and takes 32 bits with its end mark.
"""

from __future__ import annotations

import io
import math
import wave

from starlette.responses import Response

from polychat.sandbox.services.chatgpt import refusals
from polychat.sandbox.services.chatgpt.identity import ChatCall, signed_in
from polychat.sandbox.services.chatgpt.tree import Message, is_answer, text_of

VOICES = ("arbor", "breeze", "cove", "ember", "juniper", "maple", "shade", "sol", "spruce", "vale")
SECONDS_A_WORD = 0.4
RATE_HZ = 24_000
_FRAME_SAMPLES = 1024
_RATE_INDEX = 6  # of 24 kHz
_SILENCE = bytes.fromhex("00000007")
_FORMATS = ("aac", "wav")


async def synthesize(call: ChatCall) -> Response:
    """The audio of one answer."""
    message = _message(call, signed_in(call))
    kind, voice = call.query.get("format", "aac"), call.query.get("voice", "")
    wrong = [name for name, fine in (("voice", voice in VOICES), ("format", kind in _FORMATS)) if not fine]
    if wrong:
        raise refusals.unprocessable(
            *({"loc": ["query", name], "msg": "unexpected value", "type": "enum"} for name in wrong)
        )
    duration_s = SECONDS_A_WORD * len(text_of(message).split())
    sound = aac(duration_s) if kind == "aac" else wav(duration_s)
    return Response(sound, media_type=f"audio/{kind}")


def aac(duration_s: float) -> bytes:
    """Silence as an ADTS stream."""
    size = 7 + len(_SILENCE)
    bits = (
        (0xFFF, 12), (0, 1), (0, 2), (1, 1), (1, 2), (_RATE_INDEX, 4), (0, 1), (1, 3), (0, 4),
        (size, 13), (0x7FF, 11), (0, 2),
    )  # fmt: skip
    header = 0
    for value, width in bits:
        header = header << width | value
    return (header.to_bytes(7, "big") + _SILENCE) * max(1, math.ceil(duration_s * RATE_HZ / _FRAME_SAMPLES))


def wav(duration_s: float) -> bytes:
    """Silence as 16-bit mono PCM."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE_HZ)
        sound.writeframes(bytes(2 * int(duration_s * RATE_HZ)))
    return file.getvalue()


def _message(call: ChatCall, owner: str) -> Message:
    conversation = call.state.conversations.get(call.query.get("conversation_id", ""))
    if conversation is None or conversation.owner != owner:
        raise refusals.conversation_not_found()
    conversation.settle()
    node = conversation.nodes.get(call.query.get("message_id", ""))
    if node is None or node.message is None or not is_answer(node.message):
        raise refusals.coded(404, "message_not_found", "There is no such answer in this conversation")
    return node.message
