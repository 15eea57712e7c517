"""What provider classes are made of, at its other address."""

from __future__ import annotations

from polychat.g4f.providers.base_provider import AbstractProvider, AsyncAuthedProvider, ProviderModelMixin

__all__ = ["AbstractProvider", "AsyncAuthedProvider", "ProviderModelMixin"]
