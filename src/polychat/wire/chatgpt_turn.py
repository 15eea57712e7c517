"""One turn of ChatGPT's web chat: bytes in, events out.

The stream is server-sent events of three kinds: patches of a growing document (`event: delta`, see `wire/delta.py`),
control records (`{"type": ...}`), and, in the classic form, whole messages that repeat the text so far. All three end
in the same place: a message as it stands, of which what is new goes out.

The turn is over when an assistant's message to everyone is finished with `end_turn`, or pictures are, and the service
says `message_stream_complete` or `[DONE]`. Anything else at the end of the body is a break.
"""

from __future__ import annotations

from typing import Any

import msgspec

from polychat.credentials import Secret
from polychat.errors import Evidence, FormatChanged, PolychatError, Refused, Unavailable
from polychat.types import (
    Citation,
    Event,
    HostedTool,
    QuotaSeen,
    Revised,
    TextDelta,
    ThinkingDelta,
    Title,
)
from polychat.wire import chatgpt_messages as messages
from polychat.wire import sse
from polychat.wire.chatgpt_messages import Pointer
from polychat.wire.delta import Document
from polychat.wire.markers import Marker, MarkerFilter

_TEXT_PATH = "/message/content/parts/0"


class _Message:
    """The message that grows now, and what of it has gone out."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data
        self.kind = messages.kind(data)
        self.sent = ""  # raw words that were handled
        self.clean: list[str] = []  # what went out of them
        self.filter = MarkerFilter()
        self.markers: list[Marker] = []
        self.closed = False


class Decoder:
    """One turn in the making. What a caller may ask is public; the rest is how it gets there."""

    def __init__(self) -> None:
        self.conversation_id: str | None = None
        self.question_id: str | None = None  # the user message of this turn
        self.answer_id: str | None = None  # the last assistant message to everyone
        self.model: str | None = None  # that answered, as the service says
        self.finish_type: str | None = None
        self.complete = False  # the service said that the stream is whole
        self.done = False  # ... and that nothing more comes
        self.pictures: list[Pointer] = []  # finished, not yet taken by the caller
        self.awaited_task: str | None = None  # a picture that is still being made elsewhere
        self.resume_token: Secret | None = None
        self.handoff_topic: str | None = None
        self.seen = 0  # event-stream records, for a resumption
        self._frames = sse.Decoder()
        self._document = Document()
        self._now: _Message | None = None
        self._before = ""  # text of this turn's earlier answer messages
        self._calls: dict[str, HostedTool] = {}
        self._shown_pictures: set[str] = set()
        self._answered = False
        self._ready: list[Event] = []

    @property
    def over(self) -> bool:
        """True when the turn ended well."""
        return self.complete and (self._answered or bool(self._shown_pictures) or self.awaited_task is not None)

    # ------------------------------------------------------------ input

    def feed(self, data: bytes) -> list[Event]:
        """The events that `data` completes. Raises `FormatChanged`, `Refused`, `Unavailable`."""
        for frame in self._frames.feed(data):
            self._take(frame)
        return self._drained()

    def reconnected(self) -> None:
        """The body goes on in another answer; a record that was cut is sent again whole."""
        self._frames = sse.Decoder()

    def begin_part(self) -> None:
        """The answer was cut by its length, and its continuation is asked for."""
        self.reconnected()
        self._document = Document()
        self.complete = self.done = self._answered = False
        self.finish_type = None

    def close(self) -> list[Event]:
        """The body is over."""
        if frame := self._frames.close():
            self._take(frame)
        self.reconnected()
        return self._drained()

    def salvage(self) -> list[Event]:
        """Everything received that has not gone out yet."""
        self._close_message()
        return self._drained()

    def see(self, message: dict[str, Any]) -> list[Event]:
        """A whole message, from the classic stream, a websocket or a conversation that was read."""
        self._see(message)
        return self._drained()

    def _drained(self) -> list[Event]:
        ready, self._ready = self._ready, []
        return ready

    def _take(self, frame: sse.Frame) -> None:
        self.seen += 1
        if frame.data == b"[DONE]":
            self._close_message()
            self.complete = self.done = True
        elif frame.event == "delta":
            self._patch(frame.data)
        elif frame.event != "delta_encoding":
            self._record(_decoded(frame.data))

    def _patch(self, data: bytes) -> None:
        try:
            applied = self._document.apply(data)
        except FormatChanged as error:
            error.evidence = Evidence(data)
            raise
        root = self._document.root
        if root is None:
            return
        if applied.new_root:
            self._refuse_error(root)
            self._began(root)
            return
        if self._now is None:
            return
        self._now.data = root["message"]
        for op in applied.ops:
            if (
                op.path == _TEXT_PATH
                and op.kind == "append"
                and self._now.kind == "answer"
                and isinstance(op.value, str)
            ):
                self._now.sent += op.value
                self._say(self._now, op.value)
            else:
                self._changed()
                break

    def _record(self, record: dict[str, Any]) -> None:
        """A control record, or a whole message of the classic form."""
        if isinstance(record.get("message"), dict):
            self._refuse_error(record)
            self.conversation_id = record.get("conversation_id") or self.conversation_id
            self._see(record["message"])
            return
        self._refuse_error(record)
        if isinstance(record.get("type"), str):
            self._control(record["type"], record)
        elif "moderation_response" in record:
            self._moderation(record)
        elif "detail" in record:
            raise Unavailable(f"chatgpt answered 200 with an error inside: {_quoted(record['detail'])}")

    # ------------------------------------------------------------ messages

    def _began(self, root: dict[str, Any]) -> None:
        self._close_message()
        conversation_id = root.get("conversation_id")
        self.conversation_id = conversation_id if isinstance(conversation_id, str) else self.conversation_id
        if isinstance(root.get("message"), dict):
            self._now = _Message(root["message"])
            self._changed()

    def _see(self, message: dict[str, Any]) -> None:
        if self._now is None or self._now.data.get("id") != message.get("id"):
            self._close_message()
            self._now = _Message(message)
        self._now.data = message
        self._changed()
        if messages.finished(message):
            self._close_message()

    def _changed(self) -> None:
        """The message that grows now was patched or seen: say what is new of it."""
        now = self._now
        if now is None:
            return
        now.kind = messages.kind(now.data)
        match now.kind:
            case "question":
                self.question_id = now.data.get("id")
            case "answer":
                self._answer(now)
            case "thinking":
                self._think(now)
        if messages.finished(now.data) and now.kind == "picture":
            self._close_message()

    def _answer(self, now: _Message) -> None:
        self.answer_id = now.data.get("id") or self.answer_id
        text = messages.text(now.data)
        if text.startswith(now.sent):
            fresh, now.sent = text[len(now.sent) :], text
            if fresh:
                self._say(now, fresh)
        elif not now.sent.startswith(text):
            now.sent, now.clean, now.markers, now.filter = text, [], [], MarkerFilter()
            clean = now.filter.feed(text)
            now.clean.append(clean.text)
            now.markers += clean.markers
            self._ready.append(Revised(text=self._before + clean.text))
        self.finish_type = messages.finish_type(now.data) or self.finish_type
        if messages.finished(now.data):
            self._answered |= now.data.get("end_turn") is not False or self.finish_type == "max_tokens"

    def _say(self, now: _Message, fresh: str) -> None:
        clean = now.filter.feed(fresh)
        now.markers += clean.markers
        if clean.text:
            now.clean.append(clean.text)
            self._ready.append(TextDelta(text=clean.text))

    def _think(self, now: _Message) -> None:
        text = messages.text(now.data)
        fresh = text[len(now.sent) :] if text.startswith(now.sent) else text
        now.sent = text
        if fresh:
            self._ready.append(ThinkingDelta(text=fresh))

    def _close_message(self) -> None:
        """The message that grew is whole, or is left: say what was held back of it."""
        now, self._now = self._now, None
        if now is None:
            return
        match now.kind:
            case "answer":
                self._close_answer(now)
            case "thinking" if now.sent:
                self._ready.append(ThinkingDelta(text="\n"))
            case "call":
                self._call(now.data)
            case "output":
                self._output(now.data)
            case "picture":
                self._picture(now.data)

    def _close_answer(self, now: _Message) -> None:
        rest = now.filter.close()
        now.markers += rest.markers
        if rest.text:
            now.clean.append(rest.text)
            self._ready.append(TextDelta(text=rest.text))
        known = messages.sources(now.data)
        cited = [one for marker in now.markers for one in _cited(marker, known, len(self._before))]
        urls = {citation.url for citation in cited}
        self._ready += cited
        self._ready += [note for note in messages.footnotes(now.data) if note.url not in urls]
        self._before += "".join(now.clean)

    def _call(self, message: dict[str, Any]) -> None:
        name = str(message.get("recipient"))
        call = HostedTool(id=str(message.get("id")), name=name, arguments=messages.text(message))
        self._calls[name] = call
        self._ready.append(call)

    def _output(self, message: dict[str, Any]) -> None:
        author = message.get("author")
        name = str(author.get("name") if isinstance(author, dict) else None)
        call = self._calls.get(name) or HostedTool(id=str(message.get("id")), name=name)
        self._ready.append(msgspec.structs.replace(call, output=messages.text(message)))

    def _picture(self, message: dict[str, Any]) -> None:
        found = [pointer for pointer in messages.pointers(message) if pointer.id not in self._shown_pictures]
        task = (message.get("metadata") or {}).get("image_gen_task_id")
        if not found and isinstance(task, str):
            self.awaited_task = task
        if found and messages.finished(message):
            self._shown_pictures.update(pointer.id for pointer in found)
            self.pictures += found
            self.awaited_task = None

    # ------------------------------------------------------------ control records

    def _control(self, kind: str, record: dict[str, Any]) -> None:
        match kind:
            case "message_stream_complete":
                self._close_message()
                self.complete = True
            case "title_generation" if isinstance(record.get("title"), str):
                self._ready.append(Title(title=record["title"]))
            case "resume_conversation_token" if isinstance(record.get("token"), str):
                self.resume_token = Secret(record["token"])
            case "stream_handoff":
                self.handoff_topic = _topic(record)
            case "server_ste_metadata":
                metadata = record.get("metadata") or {}
                self.model = metadata.get("resolved_model_slug") or metadata.get("model_slug") or self.model
            case "conversation_detail_metadata":
                self._ready += quotas(record.get("limits_progress"))
            case "moderation":
                self._moderation(record)
        if isinstance(record.get("conversation_id"), str):
            self.conversation_id = record["conversation_id"]

    def _moderation(self, record: dict[str, Any]) -> None:
        verdict = record.get("moderation_response")
        if isinstance(verdict, dict) and verdict.get("blocked"):
            raise Refused(
                "chatgpt's moderation stopped the " + ("answer" if record.get("is_completion") else "question")
            )

    def _refuse_error(self, record: dict[str, Any]) -> None:
        error = record.get("error")
        if error:
            raise _failure(error)


def quotas(limits: Any) -> list[Event]:
    """Each allowance that the service tells of."""
    found: list[Event] = []
    for limit in limits if isinstance(limits, list) else ():
        if isinstance(limit, dict) and isinstance(limit.get("feature_name"), str):
            remaining = limit.get("remaining")
            resets_at = _moment(limit.get("reset_after"))
            found.append(
                QuotaSeen(
                    feature=limit["feature_name"],
                    remaining=float(remaining) if isinstance(remaining, int | float) else None,
                    resets_at=resets_at,
                )
            )
    return found


def _moment(value: Any) -> float | None:
    """Unix seconds of an ISO date or a number."""
    if isinstance(value, int | float):
        return float(value)
    try:
        from datetime import datetime

        return datetime.fromisoformat(str(value)).timestamp()
    except ValueError:
        return None


def _cited(marker: Marker, known: dict[tuple[int | None, str, int], Citation], offset: int) -> list[Citation]:
    """The sources that a marker stands for, at its place in the answer."""
    at = offset + marker.at
    found = (
        known.get((ref.turn, ref.kind, ref.index)) or known.get((None, ref.kind, ref.index)) for ref in marker.refs
    )
    return [msgspec.structs.replace(citation, start=at, end=at) for citation in found if citation]


def _topic(record: dict[str, Any]) -> str | None:
    options = record.get("options")
    for option in options if isinstance(options, list) else ():
        if isinstance(option, dict) and isinstance(option.get("topic_id"), str):
            return str(option["topic_id"])
    return None


def _decoded(data: bytes) -> dict[str, Any]:
    try:
        record = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        what = f"chatgpt sent a record that is not JSON ({len(data)} bytes)"
        raise FormatChanged(what, evidence=data) from error
    return record if isinstance(record, dict) else {}


def _failure(error: Any) -> PolychatError:
    return Unavailable(f"chatgpt broke the turn off: {_quoted(error)}")


def _quoted(error: Any) -> str:
    if isinstance(error, dict):
        error = error.get("message") or error.get("detail") or error.get("code") or error
    return (error if isinstance(error, str) else msgspec.json.encode(error).decode())[:200]
