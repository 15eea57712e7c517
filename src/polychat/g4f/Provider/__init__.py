"""The services, under the names the pages give them."""

from __future__ import annotations

from polychat.g4f.Provider.needs_auth.openai_chat import OpenaiChat
from polychat.g4f.Provider.needs_auth.reka import Reka
from polychat.g4f.Provider.not_working.raycast import Raycast

__all__ = ["OpenaiChat", "Raycast", "Reka"]
