"""Models as data: what each can do, and so what is refused with it."""

from __future__ import annotations

from typing import Literal

import msgspec

Level = Literal["minimal", "low", "medium", "high", "xhigh"]
Method = Literal["generateContent", "countTokens", "embedContent"]
LEVELS: tuple[Level, ...] = ("minimal", "low", "medium", "high")


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """One model of the service."""

    id: str
    name: str  # for people
    version: str = ""  # what answers, where `id` is another name for it
    methods: tuple[Method, ...] = ("generateContent", "countTokens")
    input_tokens: int = 1_048_576
    output_tokens: int = 65_536
    # thinking: by levels, by a budget of tokens, or not at all
    levels: tuple[Level, ...] = ()
    level: Level = "high"  # unless asked
    budget: tuple[int, int] | None = None  # the least and the most, where there are no levels
    rests: bool = False  # a budget of 0 switches thinking off
    thinks_unasked: bool = True
    # what it takes and gives
    signs: bool = False  # its calls are signed, and not taken back without the signature
    paints: bool = False
    speaks: bool = False  # aloud, and in no other way
    instructed: bool = True  # system instructions
    tools: bool = True
    json: bool = True
    mixes: bool = False  # tools beside answers in JSON
    strict: bool = False  # of the newest: no penalties, and the last turn is the user's
    dimensions: int = 0  # of an embedding
    embeds_media: bool = False

    @property
    def thinks(self) -> bool:
        """True when it can think before it answers."""
        return bool(self.levels or self.budget)

    @property
    def modalities(self) -> frozenset[str]:
        """What it answers in."""
        if self.speaks:
            return frozenset({"AUDIO"})
        return frozenset({"TEXT", "IMAGE"} if self.paints else {"TEXT"})

    @property
    def answers_as(self) -> str:
        """The version that an answer names."""
        return self.version or self.id
