"""The models an account can choose."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from polychat.sandbox.call import json
from polychat.sandbox.services.chatgpt.identity import ChatCall, signed_in

TITLES = {
    "auto": "Auto", "gpt-5-2": "GPT-5.2", "gpt-5-1": "GPT-5.1", "gpt-5": "GPT-5", "gpt-5-thinking": "GPT-5 Thinking",
    "gpt-4-5": "GPT-4.5", "gpt-4-1": "GPT-4.1", "gpt-4o": "GPT-4o", "gpt-4o-mini": "GPT-4o mini", "gpt-4": "GPT-4",
    "o1": "o1", "o3": "o3", "o3-mini": "o3-mini", "o3-mini-high": "o3-mini-high", "o4-mini": "o4-mini",
    "o4-mini-high": "o4-mini-high", "gpt-3.5-turbo": "GPT-3.5", "gpt-image": "Images", "gpt-image-1": "Images 1",
    "dall-e-3": "DALL·E 3",
}  # fmt: skip
SLUGS = frozenset(TITLES)
_THINKERS = ("gpt-5-thinking", "o1", "o3", "o3-mini", "o3-mini-high", "o4-mini", "o4-mini-high")


async def listing(call: ChatCall) -> Response:
    """`GET models`."""
    signed_in(call)
    models: list[dict[str, Any]] = [
        {
            "slug": slug, "title": title, "description": f"{title} (sandbox)", "max_tokens": 8192, "capabilities": {},
            "tags": [], "reasoning_type": "reasoning" if slug in _THINKERS else "none",
        }
        for slug, title in TITLES.items()
    ]  # fmt: skip
    categories = [{"category": "sandbox", "human_category_name": "Sandbox", "default_model": "auto"}]
    return json({"models": models, "categories": categories, "default_model_slug": "auto"})
