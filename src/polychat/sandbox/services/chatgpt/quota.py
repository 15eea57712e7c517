"""Windows that really run out: so many turns or pictures, each counted until its window has passed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from polychat.sandbox.services.chatgpt import refusals
from polychat.sandbox.services.chatgpt.identity import iso
from polychat.sandbox.services.chatgpt.knobs import Knobs
from polychat.sandbox.services.chatgpt.state import State

MESSAGES, PICTURES = "messages", "image_gen"


def spend(state: State, knobs: Knobs, owner: str, features: Iterable[str]) -> None:
    """Count one use of each. Raises: Refusal (429) when a window holds no more; then nothing is counted."""
    windows = []
    for feature in features:
        cap, window_s = _window(knobs, feature)
        used = _used(state, owner, feature, window_s)
        if cap is not None and len(used) >= cap:
            raise refusals.cap_reached(_clears_in_s(state, used, window_s))
        windows.append(used)
    for used in windows:
        used.append(state.world.clock.now())


def progress(state: State, knobs: Knobs, owner: str) -> list[dict[str, Any]]:
    """What is left of each window that has an end."""
    return [told for feature in (MESSAGES, PICTURES) if (told := _told(state, knobs, owner, feature))]


def _told(state: State, knobs: Knobs, owner: str, feature: str) -> dict[str, Any] | None:
    cap, window_s = _window(knobs, feature)
    if cap is None:
        return None
    used = _used(state, owner, feature, window_s)
    reset_at = state.world.clock.now() + _clears_in_s(state, used, window_s)
    return {"feature_name": feature, "remaining": max(0, cap - len(used)), "reset_after": iso(reset_at)}


def _window(knobs: Knobs, feature: str) -> tuple[int | None, float]:
    if feature == PICTURES:
        return knobs.picture_cap, knobs.picture_window_s
    return knobs.message_cap, knobs.message_window_s


def _used(state: State, owner: str, feature: str, window_s: float) -> list[float]:
    """When the uses that still count were made."""
    since = state.world.clock.now() - window_s
    used = state.spent.setdefault((owner, feature), [])
    used[:] = [at for at in used if at > since]
    return used


def _clears_in_s(state: State, used: list[float], window_s: float) -> float:
    return used[0] + window_s - state.world.clock.now() if used else window_s
