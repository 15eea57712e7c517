"""The items an answer of OpenAI's Responses API consists of, and the parts of those that have any.

Each reader takes JSON and gives one of the shapes it knows, or None for a type it does not know: the service adds some
often. A known type without a field it has to have is `msgspec.ValidationError`. As in the types of OpenAI's own Python
package 3.52, 2026-11.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, get_args

import msgspec

from polychat.types import HostedTool


class _Kind(msgspec.Struct, frozen=True):
    type: str | None = None


_decode_kind = msgspec.json.Decoder(_Kind).decode


def reader(known: Any) -> Callable[[bytes | msgspec.Raw], Any]:
    """What reads JSON as one of the `known` shapes, a union, or as None for another type."""
    decode = msgspec.json.Decoder(known).decode
    types = frozenset(shape.__struct_config__.tag for shape in get_args(known) or (known,))

    def read(data: bytes | msgspec.Raw) -> Any:
        try:
            return decode(data)
        except msgspec.ValidationError:
            kind = _decode_kind(data).type
            if kind is None or kind in types:
                raise
            return None

    return read


# ---------------------------------------------------------------- items


class _Item(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    pass


class Message(_Item, frozen=True, kw_only=True, tag="message"):
    """Words."""

    content: list[msgspec.Raw]


class _Words(msgspec.Struct, frozen=True):
    text: str


class Reasoning(_Item, frozen=True, kw_only=True, tag="reasoning"):
    """What the model thought: a summary for readers, and itself for the service alone."""

    id: str
    summary: list[_Words]
    content: list[_Words] | None = None
    encrypted_content: str | None = None  # whole only when the item is done


class Call(_Item, frozen=True, kw_only=True, tag="function_call"):
    """A call of the caller's tool."""

    call_id: str
    name: str
    arguments: str


class Picture(_Item, frozen=True, kw_only=True, tag="image_generation_call"):
    """A picture the model had drawn."""

    id: str
    result: bytes | None = None  # None while it is drawn, and where that failed
    revised_prompt: str | None = None


class _Hosted(_Item, frozen=True, kw_only=True):
    """A tool the service ran itself."""

    id: str
    status: str | None = None

    def _told(self, name: str, arguments: str, output: str | None, *, done: bool) -> HostedTool:
        """The same in our words; of a tool without words of its own, how it ended."""
        output = output or self.status or ""
        return HostedTool(id=self.id, name=name, arguments=arguments, output=output if done else None)


class WebSearch(_Hosted, frozen=True, kw_only=True, tag="web_search_call"):
    """A search of the web, or a page that was opened."""

    action: msgspec.Raw = msgspec.Raw()  # what was searched for or opened

    def told(self, *, done: bool) -> HostedTool:
        """The same in our words."""
        return self._told("web_search", bytes(self.action).decode(), None, done=done)


class FileSearch(_Hosted, frozen=True, kw_only=True, tag="file_search_call"):
    """A search of the caller's files."""

    queries: list[str] = []

    def told(self, *, done: bool) -> HostedTool:
        """The same in our words."""
        return self._told("file_search", msgspec.json.encode(self.queries).decode(), None, done=done)


class _Log(msgspec.Struct, frozen=True):
    logs: str | None = None  # None for a picture


class Code(_Hosted, frozen=True, kw_only=True, tag="code_interpreter_call"):
    """A program that was written and run."""

    code: str | None = None
    outputs: list[_Log] | None = None  # when they were asked for

    def told(self, *, done: bool) -> HostedTool:
        """The same in our words."""
        printed = "".join(one.logs or "" for one in self.outputs or ())
        return self._told("code_interpreter", self.code or "", printed, done=done)


class Remote(_Hosted, frozen=True, kw_only=True, tag="mcp_call"):
    """A call of a tool on another server."""

    name: str
    arguments: str
    output: str | None = None

    def told(self, *, done: bool) -> HostedTool:
        """The same in our words."""
        return self._told(self.name, self.arguments, self.output, done=done)


# ---------------------------------------------------------------- parts of a message


class Spoken(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="output_text"):
    """Words of a message."""

    text: str
    annotations: list[msgspec.Raw] = []


class Refusal(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="refusal"):
    """Words of a message that declines."""

    refusal: str


class Link(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="url_citation"):
    """A source on the web."""

    url: str
    title: str | None = None
    start_index: int | None = None  # characters, in its part
    end_index: int | None = None


item = reader(Message | Reasoning | Call | Picture | WebSearch | FileSearch | Code | Remote)
part = reader(Spoken | Refusal)
annotation = reader(Link)


# ---------------------------------------------------------------- reasoning that goes back


class Sealed(msgspec.Struct, frozen=True, kw_only=True):
    """What a reasoning item is known by when it is handed back: the signature of a thought, as JSON."""

    kind: Literal["openai.reasoning"]
    id: str
    encrypted_content: str


_decode_seal = msgspec.json.Decoder(Sealed).decode


def sealed(id: str, encrypted_content: str) -> str:  # noqa: A002 - the wire's word
    """The signature of a thought."""
    return msgspec.json.encode(Sealed(kind="openai.reasoning", id=id, encrypted_content=encrypted_content)).decode()


def opened(signature: str | None) -> Sealed | None:
    """What `sealed` put in; None for the signature of another service, and for none."""
    try:
        return _decode_seal(signature or "")
    except msgspec.DecodeError:
        return None
