"""Models as data: what each can do, and so what is refused with it."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Thinking = Literal["adaptive", "enabled", "disabled", "between_tools"]
EFFORTS = ("low", "medium", "high", "xhigh", "max")


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """One model of the service."""

    id: str
    name: str
    line: str
    created_at: str  # RFC 3339
    alias: str | None = None  # a shorter name that means this one
    lifecycle: Literal["active", "deprecated", "retired"] = "active"
    deprecated_at: str | None = None
    retires_at: str | None = None
    context_tokens: int = 1_000_000
    output_tokens: int = 128_000
    thinking: tuple[Thinking, ...] = ("adaptive",)  # the values of `thinking.type` that are taken
    thinks: bool = True  # when nothing is said about thinking
    shows: bool = False  # the text of its thoughts, when nothing is said about it
    efforts: tuple[str, ...] = EFFORTS
    effort: str = "high"  # when none is asked for
    samples: bool = False  # takes temperature, top_p, top_k
    prefill: bool = False  # goes on from a last message of the assistant
    forced: bool = True  # can be made to call a tool
    told: bool = True  # takes system messages among the others
    cache_least_tokens: int = 512  # the shortest beginning that is cached

    @property
    def info(self) -> dict[str, Any]:
        """The model as the list of models has it."""
        return {
            "type": "model", "id": self.id, "display_name": self.name, "created_at": self.created_at,
            "line": self.line, "lifecycle": self.lifecycle, "deprecated_at": self.deprecated_at,
            "retires_at": self.retires_at, "max_input_tokens": self.context_tokens, "max_tokens": self.output_tokens,
            "capabilities": self._capabilities,
        }  # fmt: skip

    @property
    def _capabilities(self) -> dict[str, Any]:
        kinds: tuple[Thinking, ...] = ("adaptive", "enabled", "disabled", "between_tools")
        return {
            "batch": _able(False), "citations": _able(True), "code_execution": _able(False),
            "context_management": _able(False), "image_input": _able(True), "pdf_input": _able(True),
            "structured_outputs": _able(True),
            "effort": {**_able(bool(self.efforts)), **{name: _able(name in self.efforts) for name in EFFORTS}},
            "server_tools": {**_able(True), "web_search": _able(True), "code_execution": _able(False)},
            "thinking": {**_able(True), "types": {kind: _able(kind in self.thinking) for kind in kinds}},
        }  # fmt: skip


def _able(supported: bool) -> dict[str, Any]:
    return {"supported": supported}
