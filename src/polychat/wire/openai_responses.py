"""The answer of OpenAI's Responses API: an event stream, or one document.

    data: {"type":"response.output_item.added","output_index":0,"item":{"type":"message","content":[],...}}
    data: {"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":"Hel"}
    data: {"type":"response.output_item.done","output_index":0,"item":{"type":"message","content":[...],...}}
    data: {"type":"response.completed","response":{"id":"resp_1","status":"completed","output":[...],"usage":{...}}}

An answer is a list of items: messages, reasoning, calls, pictures. An item that is done repeats what its deltas said,
so what came in deltas is not said again, and a document is a list of items that are done. Types of events, items,
parts and annotations that are not known here are passed over; the service adds some often. Messages are separated by
an empty line, and so are the parts of the reasoning, since readers see one text and one reasoning. A stream that ends
without its last event was cut, and the decoder says nothing of an end. Shapes as in the types of OpenAI's own Python
package 3.52; an error event has its fields as they are there, or below `error`, as the service sends it; 2026-11.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

import msgspec

from polychat.errors import FormatChanged, PolychatError
from polychat.types import (
    Citation,
    Event,
    Finish,
    FinishReason,
    Image,
    Media,
    TextDelta,
    ThinkingDelta,
    Thread,
    ThreadMoved,
    ToolCallDelta,
    Usage,
)
from polychat.wire import openai_errors
from polychat.wire import openai_responses_events as events
from polychat.wire import openai_responses_items as items
from polychat.wire.payloads import PayloadDecoder

_BETWEEN = "\n\n"
_CUT: dict[str | None, FinishReason] = {"content_filter": "content_filter"}  # any other reason is a limit
_OVER = (None, "completed", "incomplete")
_REFUSED = frozenset(
    {"invalid_prompt", "bio_policy", "misalignment_policy_violation", "image_content_policy_violation"}
)


class _Place(NamedTuple):
    """Where words belong."""

    output: int  # the item
    kind: str
    part: int


class Decoder(PayloadDecoder):
    """One answer of `provider`: bytes in, events out. `finished` once nothing more is to come.

    `thread` is given where the service keeps the conversation, which then stands at this answer.
    """

    def __init__(self, provider: str, thread: Thread | None = None) -> None:
        super().__init__()
        self._provider = provider
        self._thread = thread
        self._usage: Usage | None = None
        self._done: set[int] = set()  # items that came whole
        self._length = 0  # characters of the text so far
        self._message: int | None = None  # the item whose words came last
        self._begins: dict[tuple[int, int], int] = {}  # where in the text a part begins
        self._cited: Counter[tuple[int, int]] = Counter()  # annotations that came by themselves
        self._thought: _Place | None = None
        self._thoughtful: set[int] = set()  # reasoning whose words came in deltas
        self._calls: dict[int, int] = {}  # item -> which of the calls
        self._argued: set[int] = set()  # calls whose arguments came
        self._refused = False

    def salvage(self) -> list[Event]:
        """Everything received that has not gone out yet, for an answer that is cut or damaged."""
        left = self._drained()
        return left if self._usage is None else [*left, self._usage]

    def _take(self, data: bytes) -> None:
        if self.finished:
            return
        try:
            self._event(events.event(data))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            what = f"{self._provider} sent an event that is no part of an answer ({len(data)} bytes: {error})"
            raise FormatChanged(what, evidence=data) from error

    def _event(self, event: Any) -> None:
        if type(event) is events.TextPiece:
            self._say(event.output_index, event.content_index, event.delta)
        else:
            self._rarer(event)

    def _rarer(self, event: Any) -> None:
        match event:
            case events.RefusalPiece():
                self._refuse(event.output_index, event.content_index, event.delta)
            case events.SummaryPiece():
                self._think(_Place(event.output_index, "summary", event.summary_index), event.delta)
            case events.ReasoningPiece():
                self._think(_Place(event.output_index, "text", event.content_index), event.delta)
            case events.ArgumentsPiece():
                self._argue(event.output_index, event.delta)
            case events.ItemAdded():
                self._item(event.output_index, items.item(event.item), done=False)
            case events.ItemDone():
                self._item(event.output_index, items.item(event.item), done=True)
            case events.AnnotationAdded():
                self._cite(event.output_index, event.content_index, event.annotation)
            case events.Preview():
                self._ready.append(Media(part=Image(data=event.partial_image_b64), id=event.item_id))
            case events.Ended():
                self._end(event.response)
            case events.Failure():
                raise self._failed(event.error or event.problem())

    # ------------------------------------------------------------ words

    def _say(self, output: int, part: int, words: str) -> None:
        if not words:
            return
        if (output, part) not in self._begins:
            self._begin(output, part)
        self._length += len(words)
        self._ready.append(TextDelta(text=words))

    def _begin(self, output: int, part: int) -> None:
        if self._length and output != self._message:
            self._length += len(_BETWEEN)
            self._ready.append(TextDelta(text=_BETWEEN))
        self._message = output
        self._begins[output, part] = self._length

    def _refuse(self, output: int, part: int, words: str) -> None:
        self._refused = True
        self._say(output, part, words)

    def _cite(self, output: int, part: int, raw: msgspec.Raw) -> None:
        self._cited[output, part] += 1
        link = items.annotation(raw)
        if link is None:
            return
        begin = self._begins.get((output, part), self._length)
        start, end = (None if at is None else begin + at for at in (link.start_index, link.end_index))
        self._ready.append(Citation(url=link.url, title=link.title, start=start, end=end))

    def _think(self, place: _Place, words: str) -> None:
        if not words:
            return
        if self._thought is not None and place != self._thought:
            words = _BETWEEN + words
        self._thought = place
        self._thoughtful.add(place.output)
        self._ready.append(ThinkingDelta(text=words))

    # ------------------------------------------------------------ items

    def _item(self, output: int, item: Any, *, done: bool) -> None:
        if done:
            self._done.add(output)
        match item:
            case items.Call():
                self._call(output, item)
            case items.WebSearch() | items.FileSearch() | items.Code() | items.Remote():
                self._ready.append(item.told(done=done))
            case items.Message() if done:
                self._spoken(output, item)
            case items.Reasoning() if done:
                self._reasoned(output, item)
            case items.Picture() if item.result:
                drawn = Image(data=item.result, prompt=item.revised_prompt)
                self._ready.append(Media(part=drawn, id=item.id))

    def _spoken(self, output: int, item: items.Message) -> None:
        for index, raw in enumerate(item.content):
            part, fresh = items.part(raw), (output, index) not in self._begins
            if isinstance(part, items.Refusal) and fresh:
                self._refuse(output, index, part.refusal)
            elif isinstance(part, items.Spoken):
                if fresh:
                    self._say(output, index, part.text)
                for annotation in part.annotations[self._cited[output, index] :]:
                    self._cite(output, index, annotation)

    def _reasoned(self, output: int, item: items.Reasoning) -> None:
        if output not in self._thoughtful:
            for kind, pieces in (("summary", item.summary), ("text", item.content or ())):
                for index, piece in enumerate(pieces):
                    self._think(_Place(output, kind, index), piece.text)
        if item.encrypted_content:
            signature = items.sealed(item.id, item.encrypted_content)
            self._ready.append(ThinkingDelta(signature=signature))

    def _call(self, output: int, item: items.Call) -> None:
        """A call that begins or is done; its arguments count once, in deltas or whole."""
        begun = output in self._calls
        index = self._calls.setdefault(output, len(self._calls))
        arguments = "" if output in self._argued else item.arguments
        if arguments:
            self._argued.add(output)
        if not begun:
            self._ready.append(ToolCallDelta(index=index, id=item.call_id, name=item.name, arguments=arguments))
        elif arguments:
            self._ready.append(ToolCallDelta(index=index, arguments=arguments))

    def _argue(self, output: int, words: str) -> None:
        if output not in self._calls:
            raise msgspec.ValidationError(f"arguments of a call that has not begun, item {output}")
        if words:
            self._argued.add(output)
            self._ready.append(ToolCallDelta(index=self._calls[output], arguments=words))

    # ------------------------------------------------------------ the end

    def _end(self, response: events.Response) -> None:
        if response.usage is not None:
            self._usage = response.usage.counted()
        if response.error is not None or response.status == "failed":
            raise self._failed(response.error or events.Problem())
        if not self._done:
            for index, raw in enumerate(response.output):
                self._item(index, items.item(raw), done=True)
        if response.status not in _OVER:
            return
        self.finished = True
        if self._usage is not None:
            self._ready.append(self._usage)
            self._usage = None
        if self._thread is not None:
            self._ready.append(ThreadMoved(thread=msgspec.structs.replace(self._thread, id=response.id)))
        self._ready.append(self._finish(response))

    def _finish(self, response: events.Response) -> Finish:
        if response.status == "incomplete" or response.incomplete_details is not None:
            reason = response.incomplete_details.reason if response.incomplete_details else None
            return Finish(reason=_CUT.get(reason, "length"), raw=reason or "incomplete")
        if self._calls:
            return Finish(reason="tool_calls", raw="completed")
        if self._refused:
            return Finish(reason="content_filter", raw="refusal")
        return Finish(reason="stop", raw="completed")

    def _failed(self, problem: events.Problem) -> PolychatError:
        """What an error means: as in the rest of the dialect, and for the codes of this API by their kind."""
        code = str(problem.code or "")
        if code in _REFUSED:
            problem = msgspec.structs.replace(problem, type="content_policy_violation")
        elif "image" in code:
            problem = msgspec.structs.replace(problem, type="invalid_request_error")
        return openai_errors.inside(msgspec.json.encode({"error": problem}), provider=self._provider)
