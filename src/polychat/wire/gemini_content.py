"""The answer of the Gemini API: an event stream of responses, or one document.

    data: {"candidates":[{"content":{"role":"model","parts":[{"text":"Hel"}]},"index":0}],"responseId":"r"}
    data: {"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{}},"thoughtSignature":"..."}]},
           "finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":3}}

Nothing says that a stream is over but its end, and more may follow a finishReason: the end is told then, by the last
one. A stream without any was cut. Usage stands in every response and is a running total; the last one counts. Part by
part: words, words of a thought, a whole call, bytes, or what a tool of the service's own did; a signature closes what
it stands on, and on a call it is the call's. Parts that the service wants back whole are kept as hidden reasoning. An
error may stand where a response is expected, or after the responses as bare JSON. An answer at its limit may hand out a
token to be continued with (`resume`).

Shapes as in the types of `google-genai` 3.4 and as its client reads a stream; 2026-11.
"""

from __future__ import annotations

import msgspec

from polychat.errors import AuthExpired, BadRequest, PolychatError, Refused, Unavailable
from polychat.types import (
    Audio,
    Event,
    File,
    Finish,
    FinishReason,
    HostedTool,
    Image,
    Media,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    Usage,
)
from polychat.wire import gemini_errors, gemini_grounding, gemini_response, gemini_sound
from polychat.wire.gemini_grounding import Grounding, Quotations
from polychat.wire.gemini_response import Blob, Call, Candidate, Counted, Part
from polychat.wire.payloads import PayloadDecoder, Payloads

_REASONS: dict[str, FinishReason] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "CONTINUATION": "length",
    **dict.fromkeys(
        (
            "SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "ESCALATION", "MODEL_ARMOR",
            "IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION",
        ),
        "content_filter",
    ),
}  # fmt: skip
_FAILURES: dict[str, type[PolychatError]] = {  # ends that are no answer
    "MALFORMED_FUNCTION_CALL": Unavailable,
    "UNEXPECTED_TOOL_CALL": Unavailable,
    "TOO_MANY_TOOL_CALLS": Unavailable,
    "MALFORMED_RESPONSE": Unavailable,
    "MISSING_THOUGHT_SIGNATURE": BadRequest,
    "PUP_LIMITED_DISABLED": AuthExpired,
}
_CONTINUED = "CONTINUATION"
_LONGEST = 200  # characters of the service's own words
_LARGEST_EVENT_BYTES = 64 * 2**20  # a picture of 4K pixels is one event


class Decoder(PayloadDecoder):
    """One answer of `provider`: bytes in, events out. `finished` once nothing more is to come."""

    def __init__(self, provider: str) -> None:
        super().__init__(Payloads(_LARGEST_EVENT_BYTES))
        self._provider = provider
        self._tail = gemini_errors.Tail()
        self._said: list[str] = []  # all words, for the stretches that sources are of
        self._last: Candidate | None = None  # the latest response that told an end
        self._blocked: str | None = None
        self._counted: Counted | None = None  # the latest
        self._before: Usage | None = None  # of the requests that this answer continues
        self._token: str | None = None
        self._grounding: Grounding | None = None
        self._quotations: Quotations | None = None
        self._calls = 0
        self._pictures = 0
        self._hosted: dict[str, HostedTool] = {}
        self._sound = gemini_sound.Sound()

    # ------------------------------------------------------------ the interface of every decoder

    def feed(self, data: bytes) -> list[Event]:
        """The events that `data` completes. Raises: what an error inside means; `FormatChanged` for no answer."""
        self._tail.add(data)
        return super().feed(data)

    def close(self) -> list[Event]:
        """The body is over: what it still held, and the end if the service told of one.

        Raises: as `feed`; what an end means that is no answer; `Refused` for a question that was blocked.
        """
        return super().close()

    def salvage(self) -> list[Event]:
        """Everything received that has not gone out yet, for an answer that is cut or damaged."""
        self._hear()
        return [*self._drained(), *self._used()]

    def resume(self) -> str | None:
        """After `close`: the token to ask on with, for the same decoder; None where the answer is whole or cut."""
        if self.finished or self._last is None:
            return None
        self._token = self._last.continuation_token
        self._before = next(iter(self._used()), None)
        self._last = self._counted = None
        self._payloads, self._tail = Payloads(_LARGEST_EVENT_BYTES), gemini_errors.Tail()
        return self._token

    # ------------------------------------------------------------ one response

    def _take(self, data: bytes) -> None:
        response = gemini_response.response(data, self._provider)
        if response.usage_metadata is not None:
            self._counted = response.usage_metadata
        if response.prompt_feedback is not None:
            self._blocked = response.prompt_feedback.block_reason or self._blocked
        for candidate in response.candidates or ():
            if candidate.index == 0:
                self._take_candidate(candidate, response.response_id, data)

    def _take_candidate(self, candidate: Candidate, response_id: str | None, data: bytes) -> None:
        for position, part in enumerate(candidate.content.parts if candidate.content else ()):
            if part.text is None and part.is_hosted:
                self._run_there(part)
                self._ready.append(ThinkingDelta(redacted=gemini_response.raw_part(data, position)))
            else:
                self._say(part, response_id)
        if candidate.finish_reason is not None:
            self._last = candidate
        if candidate.grounding_metadata is not None and candidate.grounding_metadata.grounding_chunks:
            self._grounding = candidate.grounding_metadata
        if candidate.citation_metadata is not None:
            self._quotations = candidate.citation_metadata

    def _say(self, part: Part, response_id: str | None) -> None:
        if part.text and part.thought:
            self._ready.append(ThinkingDelta(text=part.text))
        elif part.text:
            self._said.append(part.text)
            self._ready.append(TextDelta(text=part.text))
        if part.inline_data is not None and part.inline_data.data:
            self._show(part.inline_data, preview=part.thought)
        if part.file_data is not None:
            file = File(url=part.file_data.file_uri, media_type=part.file_data.mime_type)
            self._ready.append(Media(part=file))
        if part.function_call is not None:
            self._ready.append(self._call(part.function_call, part.thought_signature, response_id))
        elif part.thought_signature:
            self._ready.append(ThinkingDelta(signature=part.thought_signature))

    def _call(self, call: Call, signature: str | None, response_id: str | None) -> ToolCallDelta:
        """A whole call; one without an id gets one that no other call of the talk has."""
        index, self._calls = self._calls, self._calls + 1
        arguments = bytes(call.args).decode()
        return ToolCallDelta(
            index=index,
            id=call.id or f"call_{response_id or 'gemini'}_{index}",
            name=call.name,
            arguments="{}" if arguments == "null" else arguments,
            signature=signature,
        )

    def _show(self, blob: Blob, *, preview: bool) -> None:
        """Bytes of the answer; a picture among the thoughts is a preview of the next one."""
        if gemini_sound.is_raw(blob.mime_type):
            self._sound.add(blob.data, blob.mime_type)
            return
        name = f"picture-{self._pictures}"
        self._pictures += not preview
        self._ready.append(Media(part=_attachment(blob), id=name))

    def _run_there(self, part: Part) -> None:
        """A step of a tool of the service's own, or what came of the last one."""
        name = f"{part.hosted_id or len(self._hosted)}"
        if (code := part.executable_code) is not None:
            tool = HostedTool(id=name, name="code_execution", arguments=code.code)
        elif (call := part.tool_call) is not None:
            tool = HostedTool(id=name, name=call.tool_type.lower(), arguments=bytes(call.args).decode())
        elif (begun := self._hosted.get(part.hosted_id or next(reversed(self._hosted), ""))) is not None:
            tool = msgspec.structs.replace(begun, output=part.output)
        else:
            return
        self._hosted[tool.id] = tool
        self._ready.append(tool)

    # ------------------------------------------------------------ the end

    def _over(self) -> None:
        if not self.finished:
            self._end()

    def _end(self) -> None:
        """The end; nothing for an answer that goes on, or that was cut."""
        if self._last is None:
            self._end_without_reason()
            return
        reason = self._last.finish_reason or ""
        if reason in _FAILURES:
            said = " ".join((self._last.finish_message or "nothing more").split())[:_LONGEST]
            raise _FAILURES[reason](f"{self._provider} broke the answer off ({reason}): {said}")
        if reason == _CONTINUED and self._last.continuation_token not in {None, self._token}:
            return
        word = _REASONS.get(reason, "stop")
        self._finish("tool_calls" if word == "stop" and self._calls else word, reason)

    def _end_without_reason(self) -> None:
        if self._blocked is None:
            self._tail.raise_error(self._provider)
        elif self._said or self._calls or self._pictures:
            self._finish("content_filter", self._blocked)
        else:
            raise Refused(f"{self._provider} does not answer this question ({self._blocked})")

    def _finish(self, reason: FinishReason, raw: str) -> None:
        self.finished = True
        self._hear()
        self._ready += gemini_grounding.citations("".join(self._said), self._grounding, self._quotations)
        self._ready += self._used()
        self._ready.append(Finish(reason=reason, raw=raw))
        self._counted = self._before = None

    def _used(self) -> list[Usage]:
        """What all requests of the answer cost together, if anything was counted."""
        now = None if self._counted is None else gemini_response.usage(self._counted)
        both = [usage for usage in (self._before, now) if usage is not None]
        return [gemini_response.summed(*both)] if both else []

    def _hear(self) -> None:
        """What there is of the sound, as one piece."""
        if (sound := self._sound.taken()) is not None:
            self._ready.append(Media(part=Audio(data=sound)))


def _attachment(blob: Blob) -> Image | Audio | File:
    if blob.mime_type.startswith("image/"):
        return Image(data=blob.data)
    return Audio(data=blob.data) if blob.mime_type.startswith("audio/") else File(data=blob.data)
