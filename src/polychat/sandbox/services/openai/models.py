"""Models as data: what each can do, and so what is refused with it."""

from __future__ import annotations

from typing import Literal

import msgspec

Kind = Literal["chat", "embedding", "image", "speech", "transcription"]
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")  # every word for how hard to think


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """One model of a service."""

    id: str
    kind: Kind = "chat"
    owned_by: str = "system"
    created: int = 1_700_000_000
    # chat
    efforts: tuple[str, ...] = ()  # it reasons: how hard it can be told to; the settings of sampling are then fixed
    sees: bool = True
    hears: bool = False
    reads: bool = True  # documents
    tools: bool = True
    schema: bool = True  # structured outputs
    hosted: tuple[Literal["web_search", "image_generation"], ...] = ()  # tools of the service, in responses
    context_tokens: int = 128_000
    output_tokens: int = 16_384
    # the others
    dimensions: int = 1536  # of an embedding
    shortens: bool = True  # an embedding, on demand
    links: bool = False  # pictures by address, unless asked for in base64
    edits: bool = True  # pictures that it is given
    formats: tuple[str, ...] = ()  # of a transcript; the first is the default

    @property
    def reasons(self) -> bool:
        """True when it thinks before it answers."""
        return bool(self.efforts)
