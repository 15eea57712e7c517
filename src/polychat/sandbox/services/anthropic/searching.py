"""The search of the web: what is found is made up, and always the same for the same query.

What a page says is sealed, and comes back as it was given.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from polychat.sandbox.services.anthropic import refusals
from polychat.sandbox.services.anthropic.blocks import SearchResults
from polychat.sandbox.services.anthropic.history import Turn
from polychat.sandbox.services.anthropic.state import ApiCall, account, seal
from polychat.sandbox.services.anthropic.tools import SearchTool

_PAGES = (("example.com", "On echoes", "An echo repeats."), ("example.org", "News of today", "Nothing happened."))
Found = list[dict[str, Any]]


def results(call: ApiCall, tool: SearchTool) -> Found | dict[str, Any]:
    """The pages of the domains that may be searched, or the error that the knob asks for."""
    if call.knobs.search_error != "none":
        return {"type": "web_search_tool_result_error", "error_code": call.knobs.search_error}
    return [
        {
            "type": "web_search_result", "url": f"https://{domain}/page", "title": title, "page_age": "May 4, 2026",
            "encrypted_content": seal(account(call), title),
        }
        for domain, title, _words in _PAGES
        if _searched(domain, tool)
    ]  # fmt: skip


def _searched(domain: str, tool: SearchTool) -> bool:
    if tool.allowed_domains is not None:
        return any(domain == name or domain.endswith(f".{name}") for name in tool.allowed_domains)
    return domain not in (tool.blocked_domains or ())


def citation(call: ApiCall, page: dict[str, Any]) -> dict[str, Any]:
    """Where the words of a page come from."""
    return {
        "type": "web_search_result_location", "url": page["url"], "title": page["title"], "cited_text": words(page),
        "encrypted_index": seal(account(call), page["url"]),
    }  # fmt: skip


def words(page: dict[str, Any]) -> str:
    """What a page says."""
    return next(said for _domain, title, said in _PAGES if title == page["title"])


def judge_returned(call: ApiCall, turns: Sequence[Turn]) -> None:
    """Pages come back as they were given. Raises: Refusal."""
    for turn in turns:
        for place, block in turn.blocks:
            if not isinstance(block, SearchResults) or not isinstance(block.content, tuple):
                continue
            for index, page in enumerate(block.content):
                if page.encrypted_content != seal(account(call), page.title):
                    message = "invalid 'encrypted_content': the page is not as it was given"
                    raise refusals.wrong(f"{place}.content.{index}", message)
