"""An answer as it comes, on stdout: text for a pipe, Markdown for a terminal, a line of JSON for a program.

What has been printed cannot be taken back. When a service rewrites its answer, a pipe gets the new text once more at
the end and a terminal gets it below the old one; both are told. Reasoning, where it is wanted, goes dimmed to stderr
above the answer, or stands on stdout in its stead.
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager, aclosing
from itertools import pairwise
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Protocol, Self

from polychat.cli.phrases import size
from polychat.cli.terminal import draws, harmless, is_terminal, murmur, note, write

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.markdown import Markdown
    from rich.segment import Segment

    from polychat.client.aio import AsyncStream
    from polychat.client.shapes import ChatCompletionChunk
    from polychat.types import Attachment, Citation

Reasoning = Literal["hide", "show", "only"]
_REVISED = "note: the service rewrote its answer"


class Screen(AbstractContextManager["Screen"], Protocol):
    """Where chunks are shown; leaving it finishes what is on it, also after an error."""

    def show(self, chunk: ChatCompletionChunk) -> None:
        """Show what `chunk` adds."""
        ...


def screen(*, raw: bool, reasoning: Reasoning = "hide") -> Words:
    """The one for people and pipes: Markdown where it can be drawn and is not unwanted."""
    return Plain(reasoning) if raw or not draws(sys.stdout) else Rendered(reasoning)


async def shown(stream: AsyncStream, on: Screen) -> None:
    """Show an answer from its first chunk to its last; what came before a failure stays shown."""
    with on:
        async with stream, aclosing(stream.batches()) as batches:
            async for chunks in batches:
                for chunk in chunks:
                    on.show(chunk)
                sys.stdout.flush()
    sources(stream.so_far.citations)
    made(stream.so_far.media)


def sources(citations: Sequence[Citation]) -> None:
    """What the answer rests on, on stderr."""
    for number, citation in enumerate(citations, 1):
        note(harmless(f"[{number}] {citation.title or ''} {citation.url}".replace("  ", " ")))


def made(media: Sequence[Attachment]) -> None:
    """What the model made beside words, on stderr."""
    for part in media:
        where = part.url or f"{size(len(part.data or b''))}; --json gives the bytes"
        note(f"note: the answer holds {part.media_type}: {where}")


class Lines:
    """Each chunk as a line of JSON."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        return None

    def show(self, chunk: ChatCompletionChunk) -> None:
        """Print the chunk."""
        sys.stdout.write(f"{chunk.model_dump_json()}\n")


class Words(ABC):
    """What the screens for words share: a chunk is more text, the whole text anew, or more of the reasoning."""

    def __init__(self, reasoning: Reasoning = "hide") -> None:
        self._reasoning = reasoning
        self._thought = ""  # the reasoning on stderr since the last words of the answer

    def show(self, chunk: ChatCompletionChunk) -> None:
        """Show the words of `chunk`."""
        if chunk.revised is not None:
            self.answer(chunk.revised, anew=True)
        for choice in chunk.choices:
            if choice.delta.reasoning_content:
                self.think(choice.delta.reasoning_content)
            if choice.delta.content:
                self.answer(choice.delta.content)

    def answer(self, text: str, *, anew: bool = False) -> None:
        """More of the answer, or all of it `anew`; nothing where only the reasoning is wanted."""
        if self._reasoning == "only":
            return
        self._end_thought()
        if anew:
            self.revise(text)
        elif text:
            self.add(text)

    def think(self, text: str) -> None:
        """More of the reasoning, where it is wanted."""
        if self._reasoning == "only" and text:
            self.add(text)
        elif self._reasoning == "show" and text:
            self.make_way()
            sys.stdout.flush()
            self._thought += text
            murmur(text)

    def _end_thought(self) -> None:
        if self._thought:
            murmur("\n" if self._thought.endswith("\n") else "\n\n")
            self._thought = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None or not issubclass(kind, BrokenPipeError):
            self._end_thought()
            self.close()
            sys.stdout.flush()

    @abstractmethod
    def add(self, text: str) -> None:
        """More of what is shown."""

    @abstractmethod
    def revise(self, text: str) -> None:
        """All that is shown is now `text`."""

    @abstractmethod
    def make_way(self) -> None:
        """Something else is about to be written to the terminal."""

    @abstractmethod
    def close(self) -> None:
        """Nothing more comes."""


class Plain(Words):
    """Text as it comes, ended by a line break."""

    def __init__(self, reasoning: Reasoning = "hide") -> None:
        super().__init__(reasoning)
        self._printed = ""
        self._newest: str | None = None  # the whole answer, while it does not begin with what was printed

    def add(self, text: str) -> None:
        """Print `text`, unless it continues another answer than the printed one."""
        if self._newest is None:
            self._print(text)
        else:
            self.revise(self._newest + text)

    def revise(self, text: str) -> None:
        """Print what `text` has beyond the printed answer, or keep it for the end."""
        if text.startswith(self._printed):
            self._newest = None
            self._print(text[len(self._printed) :])
        elif self._newest is None:
            note(_REVISED)
            self._newest = text
        else:
            self._newest = text

    def make_way(self) -> None:
        """End the line where both ends are one terminal."""
        if not self._thought and self._printed and is_terminal(sys.stdout):
            write("\n")

    def close(self) -> None:
        """End the line; print the newest answer if another one was printed."""
        self._end_line()
        if self._newest is not None:
            self._printed = ""
            self._print(self._newest)
            self._end_line()

    def _print(self, text: str) -> None:
        self._printed += text
        write(text)

    def _end_line(self) -> None:
        if self._printed and not self._printed.endswith("\n"):
            write("\n")


class Rendered(Words):
    """Markdown: a block is printed for good once the next one has begun, and the last one is drawn anew as it grows."""

    def __init__(self, reasoning: Reasoning = "hide") -> None:
        from rich.console import Console
        from rich.live import Live

        super().__init__(reasoning)
        self._console = Console(highlight=False, emoji=False)
        self._live = Live(console=self._console, transient=True, refresh_per_second=12)
        self._printed = ""  # as it came, not as it looks
        self._tail = ""

    def add(self, text: str) -> None:
        """Let the last block grow."""
        self._tail += text
        if "\n" in text:
            self._print_finished()
        self._live.start()
        self._live.update(_Block(self._tail, apart=bool(self._printed.strip()), growing=True))

    def revise(self, text: str) -> None:
        """Go on from what both texts share, or begin again below a line that says so."""
        if not text.startswith(self._printed):
            self._console.rule(_REVISED, style="dim")
            self._printed = ""
        self._tail = ""
        self.add(text[len(self._printed) :])

    def make_way(self) -> None:
        """Take the last block away until it grows again."""
        self._live.update("")
        self._live.stop()

    def close(self) -> None:
        """Print the last block for good."""
        self.make_way()
        self._tail += "\n"
        self._print_finished()
        self._print_block(self._tail)
        self._tail = ""

    def _print_finished(self) -> None:
        lines = self._tail.split("\n")  # as Markdown counts them
        starts = _block_starts(self._tail[: self._tail.rindex("\n") + 1])
        if len(starts) < 2:
            return
        self._live.update("")
        for start, end in pairwise([0, *starts[1:]]):
            self._print_block("".join(f"{line}\n" for line in lines[start:end]))
        self._tail = "\n".join(lines[starts[-1] :])

    def _print_block(self, source: str) -> None:
        if source.strip():
            self._console.print(_Block(source, apart=bool(self._printed.strip())), end="")
        self._printed += source


class _Block:
    """Markdown without blank lines around it, but for one that keeps it `apart` from what stands above.

    Of a `growing` one only as much of its end is drawn as fits above the cursor.
    """

    def __init__(self, source: str, *, apart: bool, growing: bool = False) -> None:
        self._source = source
        self._apart = apart
        self._growing = growing

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.segment import Segment

        lines = _trimmed(console.render_lines(_markdown(self._source), options, pad=False))
        if self._apart:
            yield Segment.line()
        for line in lines[-max(console.height - 3, 1) :] if self._growing else lines:
            yield from line
            yield Segment.line()


def _trimmed(lines: list[list[Segment]]) -> list[list[Segment]]:
    """`lines` without the spaces that fill them up, and without the blank ones at both ends."""
    lines = [_without_filling(line) for line in lines]
    written = [number for number, line in enumerate(lines) if line]
    return lines[written[0] : written[-1] + 1] if written else []


def _without_filling(line: list[Segment]) -> list[Segment]:
    while line and not line[-1].text.strip():
        line = line[:-1]
    return [*line[:-1], line[-1]._replace(text=line[-1].text.rstrip())] if line else []


def _markdown(source: str) -> Markdown:
    from rich.markdown import Markdown

    return Markdown(harmless(source), code_theme="ansi_dark", hyperlinks=False)


def _block_starts(source: str) -> list[int]:
    """The lines in which blocks begin; all of them but the last are finished."""
    return [token.map[0] for token in _markdown(source).parsed if token.level == 0 and token.map]
