"""One turn while it is being made: its steps are taken when somebody wants the next frame, and its frames are kept.

Any number of connections may read it, each from any offset. A connection that goes away does not end it; whoever reads
the conversation or goes on with it lets it come to its end.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator

from polychat.sandbox.services.chatgpt import patches
from polychat.sandbox.services.chatgpt.encodings import Begin, Change, Encoding, Step
from polychat.sandbox.services.chatgpt.tree import Conversation, Message

DONE = b"data: [DONE]\n\n"


class Production:
    """A turn in the making."""

    def __init__(
        self, *, id: str, resume_token: str, conversation: Conversation, steps: Iterator[Step], encoding: Encoding,  # noqa: A002 - the service's word
        interrupted: Callable[[Message], Iterator[Step]], done: bool,
    ) -> None:  # fmt: skip
        self.id = id
        self.resume_token = resume_token
        self._conversation = conversation
        self._steps = steps
        self._encoding = encoding
        self._interrupted = interrupted
        self._done = done
        self._message: Message | None = None
        self._frames = list(encoding.opening())
        self._over = False
        self.handed_at = 0  # the frame that the first stream leaves to others

    @property
    def conversation_id(self) -> str:
        """Where the turn belongs."""
        return self._conversation.id

    def hand_off(self, index: int, step: Step) -> None:
        """After `index` frames (or all there are) comes `step`; whoever reads the stream so far stops there."""
        while len(self._frames) < index and not self._over:
            self._advance()
        self._frames += self._encoding.step(step, self._message)
        self.handed_at = len(self._frames)

    def caught_up(self) -> range:
        """The frames made since the handoff."""
        return range(self.handed_at, len(self._frames))

    def frame(self, index: int) -> bytes | None:
        """The frame at `index`, made if need be; None when there are no more."""
        while index >= len(self._frames) and not self._over:
            self._advance()
        return self._frames[index] if index < len(self._frames) else None

    def finish(self) -> None:
        """Take every step that is left."""
        while not self._over:
            self._advance()

    def stop(self) -> None:
        """Say nothing more: the current message ends as it is."""
        if not self._over and self._message is not None:
            self._steps = self._interrupted(self._message)

    def _advance(self) -> None:
        step = next(self._steps, None)
        if step is None:
            self._over = True
            self._frames += [DONE] * self._done
            return
        if isinstance(step, Begin):
            self._message = step.message
            self._conversation.add(step.message, step.parent)
            self._message = self._conversation.nodes[step.message["id"]].message
        if isinstance(step, Change):
            for patch in step.patches:
                patches.apply({"message": self._message}, patch)
        self._frames += self._encoding.step(step, self._message)


async def frames(production: Production, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
    """The frames from `start` on, one by one, at most up to `stop`."""
    index = start
    while stop is None or index < stop:
        frame = production.frame(index)
        if frame is None:
            return
        yield frame
        index += 1
