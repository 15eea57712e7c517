"""The services that the pages keep here because they had stopped working there."""

from __future__ import annotations

from polychat.g4f.Provider.not_working.raycast import Raycast

__all__ = ["Raycast"]
