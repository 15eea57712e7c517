"""Messages as Reka's `conversation_history`.

The service knows two kinds of turn, `human` and `model`, that must alternate and end with a human one; a turn is
plain text with at most one picture, video or PDF. So: system texts go before the first human text, equal neighbours
are merged, a second attachment gets a human turn of its own after an empty model turn, and a leading assistant is
answered to an empty human.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from polychat.errors import UnsupportedFeature
from polychat.types import Attachment, Message, Text, Thinking

Kind = Literal["human", "model"]


class Turn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One entry of `conversation_history`, as it goes out."""

    type: Kind
    text: str
    image_url: str | None = None
    media_type: Literal["image", "video", "pdf"] | None = None


class Draft(msgspec.Struct, kw_only=True):
    """A turn whose attachment is not uploaded yet."""

    kind: Kind
    text: str
    attachment: Attachment | None = None

    def turn(self, url: str | None) -> Turn:
        """The turn as it goes out, its attachment lying at `url`."""
        if self.attachment is None:
            return Turn(type=self.kind, text=self.text)
        return Turn(type=self.kind, text=self.text, image_url=url, media_type=media_kind(self.attachment))


def media_kind(attachment: Attachment) -> Literal["image", "video", "pdf"]:
    """What Reka calls this attachment. Raises `UnsupportedFeature` for any other type."""
    media_type = attachment.media_type or ""
    if media_type.startswith("image/"):
        return "image"
    if media_type.startswith("video/"):
        return "video"
    if media_type == "application/pdf":
        return "pdf"
    raise UnsupportedFeature(
        f"reka takes pictures, video and PDF, not {media_type or 'this attachment'}", provider="reka"
    )


def drafts(messages: tuple[Message, ...]) -> list[Draft]:
    """The turns of a talk, oldest first. Raises `UnsupportedFeature` for what a turn cannot hold."""
    turns: list[Draft] = []
    for draft in _spread(messages):
        _append(turns, draft)
    if not turns or turns[-1].kind != "human":
        raise UnsupportedFeature("reka answers a user's message; the last one is an assistant's", provider="reka")
    if system := "\n\n".join(message.text for message in messages if message.role == "system"):
        turns[0].text = _joined(system, turns[0].text)
    return turns


def _spread(messages: tuple[Message, ...]) -> Iterator[Draft]:
    """Each message as one draft an attachment, its text on the last."""
    for message in messages:
        _check(message)
        if message.role == "system":
            continue
        kind: Kind = "human" if message.role == "user" else "model"
        *earlier, last = message.attachments or (None,)
        for attachment in earlier:
            yield Draft(kind=kind, text="", attachment=attachment)
        yield Draft(kind=kind, text=message.text, attachment=last)


def _check(message: Message) -> None:
    for part in message.parts:
        if isinstance(part, Text | Thinking):
            continue
        if message.role != "user" or not isinstance(part, Attachment):
            raise UnsupportedFeature(
                f"reka takes no {type(part).__name__} in a {message.role} message", provider="reka"
            )
        media_kind(part)


def _append(turns: list[Draft], draft: Draft) -> None:
    if not turns and draft.kind == "model":
        turns.append(Draft(kind="human", text=""))
    if turns and turns[-1].kind == draft.kind:
        last = turns[-1]
        if last.attachment is None or draft.attachment is None:
            last.text = _joined(last.text, draft.text)
            last.attachment = last.attachment or draft.attachment
            return
        turns.append(Draft(kind="model" if draft.kind == "human" else "human", text=""))
    turns.append(draft)


def _joined(*texts: str) -> str:
    return "\n\n".join(text for text in texts if text)
