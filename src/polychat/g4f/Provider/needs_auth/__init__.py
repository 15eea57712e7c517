"""The services that want an account."""

from __future__ import annotations

from polychat.g4f.Provider.needs_auth.openai_chat import OpenaiChat
from polychat.g4f.Provider.needs_auth.reka import Reka

__all__ = ["OpenaiChat", "Reka"]
