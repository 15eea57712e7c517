"""What is blocked: the settings a request may have, and how a blocked prompt or answer is told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from polychat.sandbox.services.gemini import refusals
from polychat.sandbox.services.gemini.proto import Wire

_CATEGORIES = (
    "HARM_CATEGORY_HARASSMENT", "HARM_CATEGORY_HATE_SPEECH", "HARM_CATEGORY_SEXUALLY_EXPLICIT",
    "HARM_CATEGORY_DANGEROUS_CONTENT", "HARM_CATEGORY_CIVIC_INTEGRITY",
)  # fmt: skip
_RATED = _CATEGORIES[:4]


class SafetySetting(Wire, frozen=True, kw_only=True):
    """From when on something is blocked."""

    category: str = ""
    threshold: Literal[
        "HARM_BLOCK_THRESHOLD_UNSPECIFIED", "BLOCK_LOW_AND_ABOVE", "BLOCK_MEDIUM_AND_ABOVE", "BLOCK_ONLY_HIGH",
        "BLOCK_NONE", "OFF",
    ] = "HARM_BLOCK_THRESHOLD_UNSPECIFIED"  # fmt: skip


def judge(settings: Sequence[SafetySetting]) -> None:
    """Raises: Refusal for a category that is none, or that is set twice."""
    seen: set[str] = set()
    for index, setting in enumerate(settings):
        place = f"safety_settings[{index}]"
        if setting.category not in _CATEGORIES:
            raise refusals.bad(f"{place}.category", f"'{setting.category}' is none of {', '.join(_CATEGORIES)}.")
        if setting.category in seen:
            raise refusals.bad(f"{place}.category", f"{setting.category} is set twice.")
        seen.add(setting.category)


def ratings() -> list[dict[str, Any]]:
    """What is told of something that was blocked for safety: dangerous, and nothing else."""
    told: list[dict[str, Any]] = [{"category": category, "probability": "NEGLIGIBLE"} for category in _RATED]
    told[-1] = {"category": _RATED[-1], "probability": "HIGH", "blocked": True}
    return told
