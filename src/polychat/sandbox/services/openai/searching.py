"""The search of the web that a response may hold: two pages, always the same, what is said of them, and where.

A source stands in the text as a link in brackets, `([example.org](https://example.org/page?utm_source=openai))`, and
its citation spans exactly that: characters of the part's text, the end not included.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, NamedTuple

import msgspec

from polychat.sandbox.services.openai.bodies import Wire

_QUERY = 100  # characters of the question that are searched for
ContextSize = Literal["low", "medium", "high"]


class Location(Wire, frozen=True, kw_only=True):
    """Where the person is, about."""

    type: Literal["approximate"] | None = "approximate"
    city: str | None = None
    country: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z]{2}$")] | None = None
    region: str | None = None
    timezone: str | None = None


class Filters(Wire, frozen=True, kw_only=True):
    """Which pages may be found; the subdomains of a domain are of it."""

    allowed_domains: Annotated[tuple[str, ...], msgspec.Meta(max_length=100)] | None = None


class SearchTool(Wire, frozen=True, kw_only=True):
    """The search."""

    type: Literal["web_search", "web_search_2025_08_26"]
    external_web_access: bool | None = None
    filters: Filters | None = None
    search_context_size: ContextSize | None = None
    user_location: Location | None = None


class OldSearchTool(Wire, frozen=True, kw_only=True):
    """The search as it was first, without filters."""

    type: Literal["web_search_preview", "web_search_preview_2025_03_11"]
    search_content_types: tuple[Literal["text", "image"], ...] | None = None
    search_context_size: ContextSize | None = None
    user_location: Location | None = None


class Page(NamedTuple):
    """A page that is found."""

    domain: str
    title: str
    sentence: str  # that the model says of it

    @property
    def url(self) -> str:
        """Its address."""
        return f"https://{self.domain}/page?utm_source=openai"

    @property
    def link(self) -> str:
        """Its place in a text."""
        return f"([{self.domain}]({self.url}))"

    @property
    def remark(self) -> str:
        """The sentence with its source."""
        return f"{self.sentence} {self.link}."


PAGES = (
    Page("example.org", "On echoes", "An echo repeats what it hears"),
    Page("example.net", "News of today", "Naïve answers are the surest"),
)


def found(tool: SearchTool | OldSearchTool) -> tuple[Page, ...]:
    """The pages of the domains that may be searched."""
    allowed = tool.filters.allowed_domains if isinstance(tool, SearchTool) and tool.filters else None
    if allowed is None:
        return PAGES
    return tuple(page for page in PAGES if any(f".{page.domain}".endswith(f".{domain}") for domain in allowed))


def item(name: str, question: str, pages: Sequence[Page], *, sources: bool) -> dict[str, Any]:
    """The search as an item; `sources`: with the addresses it found."""
    query = " ".join(question.split())[:_QUERY]
    action: dict[str, Any] = {"type": "search", "query": query, "queries": [query]}
    if sources:
        action["sources"] = [{"type": "url", "url": page.url} for page in pages]
    return {"id": name, "type": "web_search_call", "status": "completed", "action": action}


def citations(text: str, pages: Sequence[Page]) -> list[dict[str, Any]]:
    """The links in `text`, each with its place, in their order there."""
    cited = []
    for page in pages:
        at = text.rfind(page.remark)
        if at >= 0:
            start = at + len(page.sentence) + 1
            place = {"start_index": start, "end_index": start + len(page.link)}
            cited.append({"type": "url_citation", **place, "url": page.url, "title": page.title})
    return sorted(cited, key=lambda citation: int(str(citation["start_index"])))
