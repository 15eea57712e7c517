"""The blocks of a message as clients send them: shapes only. What may stand where is judged in `history`.

Whoever hands an answer back may send it as it came, with the fields that only answers have.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

import msgspec

from polychat.sandbox.services.anthropic.bodies import Wire

T = TypeVar("T")
Some = Annotated[tuple[T, ...], msgspec.Meta(min_length=1)]
Id = Annotated[str, msgspec.Meta(pattern=r"^[a-zA-Z0-9_-]+$")]
PictureType = Literal["image/jpeg", "image/png", "image/gif", "image/webp"]


class CacheControl(Wire, frozen=True, kw_only=True):
    """The prompt up to here is to be remembered."""

    type: Literal["ephemeral"]
    ttl: Literal["5m", "1h"] = "5m"


class Block(Wire, frozen=True, kw_only=True, tag_field="type"):
    """A part of a message."""

    cache_control: CacheControl | None = None


# ---------------------------------------------------------------- citations, as an answer had them


class Citation(Wire, frozen=True, kw_only=True, tag_field="type"):
    """Where some words come from."""

    cited_text: str


class InDocument(Citation, frozen=True, kw_only=True):
    """A place in a document of the request."""

    document_index: int
    document_title: str | None = None
    file_id: str | None = None


class CharLocation(InDocument, frozen=True, kw_only=True, tag="char_location"):
    """Characters of a text."""

    start_char_index: int
    end_char_index: int


class PageLocation(InDocument, frozen=True, kw_only=True, tag="page_location"):
    """Pages of a PDF, from 1."""

    start_page_number: int
    end_page_number: int


class BlockLocation(InDocument, frozen=True, kw_only=True, tag="content_block_location"):
    """Blocks of a document that consists of them."""

    start_block_index: int
    end_block_index: int


class WebLocation(Citation, frozen=True, kw_only=True, tag="web_search_result_location"):
    """A page that was found."""

    encrypted_index: str
    url: str
    title: str | None = None


class SearchLocation(Citation, frozen=True, kw_only=True, tag="search_result_location"):
    """A search result of the request."""

    search_result_index: int
    source: str
    start_block_index: int
    end_block_index: int
    title: str | None = None


AnyCitation = CharLocation | PageLocation | BlockLocation | WebLocation | SearchLocation


class Citations(Wire, frozen=True, kw_only=True):
    """Whether the answer is to say where its words come from."""

    enabled: bool = False


# ---------------------------------------------------------------- what is said and shown


class Text(Block, frozen=True, kw_only=True, tag="text"):
    """Text."""

    text: str
    citations: tuple[AnyCitation, ...] | None = None


class Source(Wire, frozen=True, kw_only=True, tag_field="type"):
    """Where bytes are."""


class PictureSource(Source, frozen=True, kw_only=True, tag="base64"):
    """A picture, here."""

    data: str
    media_type: PictureType


class PdfSource(Source, frozen=True, kw_only=True, tag="base64"):
    """A PDF, here."""

    data: str
    media_type: Literal["application/pdf"]


class UrlSource(Source, frozen=True, kw_only=True, tag="url"):
    """On the web."""

    url: str


class FileSource(Source, frozen=True, kw_only=True, tag="file"):
    """Uploaded before."""

    file_id: str


class Transformations(Wire, frozen=True, kw_only=True):
    """What may be done to a picture."""

    oversized_image: Literal["downsize", "error"] = "downsize"


class Image(Block, frozen=True, kw_only=True, tag="image"):
    """A picture."""

    source: PictureSource | UrlSource | FileSource
    transformations: Transformations | None = None


class PlainSource(Source, frozen=True, kw_only=True, tag="text"):
    """A text, here."""

    data: str
    media_type: Literal["text/plain"]


class ContentSource(Source, frozen=True, kw_only=True, tag="content"):
    """A document of blocks."""

    content: str | Some[Text | Image]


class Document(Block, frozen=True, kw_only=True, tag="document"):
    """A document."""

    source: PdfSource | PlainSource | ContentSource | UrlSource | FileSource
    citations: Citations | None = None
    context: str | None = None
    title: str | None = None


class SearchResult(Block, frozen=True, kw_only=True, tag="search_result"):
    """What the client found somewhere."""

    content: Some[Text]
    source: str
    title: str
    citations: Citations | None = None


# ---------------------------------------------------------------- thoughts


class Thought(Wire, frozen=True, kw_only=True, tag_field="type", tag="thinking"):
    """A thought of the model, with its seal."""

    signature: str
    thinking: str


class Redacted(Wire, frozen=True, kw_only=True, tag_field="type", tag="redacted_thinking"):
    """A thought that cannot be read."""

    data: str


# ---------------------------------------------------------------- tools


class Caller(Wire, frozen=True, kw_only=True):
    """Who called: the sandbox knows the model alone."""

    type: Literal["direct"]


class ToolUse(Block, frozen=True, kw_only=True, tag="tool_use"):
    """A call that the model made."""

    id: Id
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    input: dict[str, Any]
    caller: Caller | None = None
    toolset_name: None = None


class ToolResult(Block, frozen=True, kw_only=True, tag="tool_result"):
    """What came of a call."""

    tool_use_id: Id
    content: str | tuple[Text | Image | SearchResult | Document, ...] = ""
    is_error: bool | None = None
    toolset_name: None = None


class ServerToolUse(Block, frozen=True, kw_only=True, tag="server_tool_use"):
    """A call that the service ran itself."""

    id: Annotated[str, msgspec.Meta(pattern=r"^srvtoolu_[a-zA-Z0-9_]+$")]
    name: Literal["web_search"]
    input: dict[str, Any]
    caller: Caller | None = None


class FoundPage(Wire, frozen=True, kw_only=True):
    """A page that the service found."""

    type: Literal["web_search_result"]
    encrypted_content: str
    title: str
    url: str
    page_age: str | None = None


class SearchError(Wire, frozen=True, kw_only=True):
    """Why nothing was searched for."""

    type: Literal["web_search_tool_result_error"]
    error_code: str


class SearchResults(Block, frozen=True, kw_only=True, tag="web_search_tool_result"):
    """What the service found."""

    tool_use_id: str
    content: SearchError | tuple[FoundPage, ...]
    caller: Caller | None = None


AnyBlock = (
    Text | Image | Document | SearchResult | Thought | Redacted | ToolUse | ToolResult | ServerToolUse | SearchResults
)
