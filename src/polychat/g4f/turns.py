"""One turn as the pages yield it: events in, `str` and response classes out.

    (str | Reasoning | ImagePreview | TitleGeneration | Usage)*
    Sources? ImageResponse? Conversation? SynthesizeData? FinishReason

Text that went out cannot be taken back: what the service revised afterwards is not said again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from polychat.g4f.providers.response import (
    Conversation,
    FinishReason,
    ImagePreview,
    ImageRequest,
    ImageResponse,
    Picture,
    Reasoning,
    Response,
    Sources,
    SynthesizeData,
    TitleGeneration,
    Usage,
)
from polychat.g4f.typing import Messages
from polychat.types import Citation, Event, Finish, Image, Media, TextDelta, ThinkingDelta, Thread, ThreadMoved, Title
from polychat.types import Usage as Tokens
from polychat.wire.chatgpt_request import Uploaded
from polychat.wire.chatgpt_turn import Decoder

_VOICE = "maple"


class Telling:
    """The responses of one turn. `provider` is the class that reads its answers aloud."""

    def __init__(self, provider: str, sources: Sources | None = None) -> None:
        self.sources = Sources() if sources is None else sources
        self._provider = provider
        self._pictures: dict[str | int, ImagePreview] = {}  # by id: a later one of the same replaces it
        self._thread: Thread | None = None

    def responses(self, events: Iterable[Event]) -> Iterator[Response]:
        """Those of a batch, in order; all that is held back comes with `Finish`."""
        for event in events:
            match event:
                case TextDelta(text=text) if text:
                    yield text
                case ThinkingDelta(text=text) if text:
                    yield Reasoning(text)
                case Media(part=Image() as image, id=name):
                    preview = ImagePreview(picture(image), image.prompt or "")
                    self._pictures[len(self._pictures) if name is None else name] = preview
                    yield preview
                case Finish(reason=reason, raw=raw):
                    yield from self._ending(raw or reason)
                case _:
                    yield from self._noted(event)

    def _noted(self, event: Event) -> Iterator[Response]:
        match event:
            case Title(title=title):
                yield TitleGeneration(title)
            case Citation():
                self.sources.add_source(source(event))
            case ThreadMoved(thread=thread):
                self._thread = thread
            case Tokens():
                asked, answered = event.input_tokens or 0, event.output_tokens or 0
                yield Usage(asked, answered, asked + answered)

    def _ending(self, reason: str) -> Iterator[Response]:
        if self.sources.list:
            yield self.sources
        if self._pictures:
            previews = tuple(self._pictures.values())
            yield ImageResponse(tuple(preview.picture for preview in previews), previews[-1].alt)
        if self._thread is not None:
            yield conversation(self._thread, reason)
            if self._thread.id is not None and self._thread.parent_id is not None:
                yield SynthesizeData(self._provider, _read_aloud(self._thread.id, self._thread.parent_id))
        yield FinishReason(reason)


def picture(image: Image) -> Picture:
    """A downloaded picture."""
    return Picture(url=image.url or "", data=image.data or b"")


def source(citation: Citation) -> dict[str, str]:
    """What is known of a page."""
    known = {"url": citation.url, "title": citation.title, "snippet": citation.snippet}
    return {name: value for name, value in known.items() if value is not None}


def _read_aloud(conversation_id: str, message_id: str) -> dict[str, str]:
    return {"conversation_id": conversation_id, "message_id": message_id, "voice": _VOICE}


def image_request(upload: Uploaded) -> ImageRequest:
    """A picture that the service holds now."""
    return ImageRequest(
        file_id=upload.id,
        file_name=upload.name,
        file_size=upload.size_bytes,
        mime_type=upload.media_type,
        width=upload.width,
        height=upload.height,
    )


def uploaded(request: ImageRequest) -> Uploaded:
    """The same, for a question."""
    return Uploaded(
        id=request.get("file_id"),
        name=request.get("file_name"),
        size_bytes=request.get("file_size"),
        media_type=request.get("mime_type"),
        width=request.get("width"),
        height=request.get("height"),
    )


# ---------------------------------------------------------------- conversations


def conversation(thread: Thread, reason: str | None = None) -> Conversation:
    """Where the talk stands, as JSON-able attributes."""
    plain = msgspec.json.decode(msgspec.json.encode(thread))
    return Conversation(thread.id, thread.parent_id, finish_reason=reason, thread=plain)


def thread(conversation: Conversation, *, provider: str) -> Thread:
    """The same, for the engine; one put together by hand needs a conversation_id and a message_id."""
    kept = conversation.get_dict().get("thread")
    if kept is not None:
        return msgspec.convert(kept, Thread)
    return Thread(provider=provider, id=conversation.conversation_id, parent_id=conversation.parent_message_id)


def fresh(messages: Messages) -> Messages:
    """What came after the last answer: all that a conversation in progress is told."""
    answers = [place for place, message in enumerate(messages) if message.get("role") == "assistant"]
    return messages[answers[-1] + 1 :] if answers else messages


# ---------------------------------------------------------------- line by line


def decoder(fields: Conversation) -> Decoder:
    """The decoder of the turn that `fields` follows; it begins with the first line."""
    found: Decoder = vars(fields).setdefault("_decoder", Decoder())
    return found


def record(line: bytes) -> bytes:
    """A line of the stream as the decoder takes it: here a `data:` line is always a whole record."""
    bare = line.rstrip(b"\r\n")
    return bare + (b"\n\n" if bare.startswith(b"data:") else b"\n")


def follow(fields: Conversation, seen: Decoder, events: list[Any]) -> None:
    """Note in `fields` where the turn stands after `events`."""
    fields.conversation_id = seen.conversation_id or fields.conversation_id
    fields.message_id = fields.parent_message_id = seen.answer_id or fields.message_id
    fields.finish_reason = seen.finish_type or fields.finish_reason
    content = [event for event in events if isinstance(event, TextDelta | ThinkingDelta)]
    if content:
        fields.is_thinking = isinstance(content[-1], ThinkingDelta)
