"""The models that the service is emulated with: some of each sort that behaves differently, the newest first.

Source: the model names in the types of the `anthropic` package 2.12 and the public pages on each model, November 2026.
"""

from __future__ import annotations

from polychat.sandbox.services.anthropic.models import EFFORTS, Model

MODELS = (
    Model(
        id="claude-haiku-5-5", name="Claude Haiku 5.5", line="haiku", created_at="2026-10-06T00:00:00Z",
        thinking=("adaptive", "disabled"), effort="medium",
    ),
    Model(
        id="claude-sonnet-5-5", name="Claude Sonnet 5.5", line="sonnet", created_at="2026-09-28T00:00:00Z",
        thinking=("adaptive", "between_tools"), forced=False,
    ),
    Model(
        id="claude-opus-5-5", name="Claude Opus 5.5", line="opus", created_at="2026-09-22T00:00:00Z",
        effort="medium", forced=False,
    ),
    Model(
        id="claude-opus-4-7", name="Claude Opus 4.7", line="opus", created_at="2026-04-16T00:00:00Z",
        thinking=("adaptive", "disabled"), thinks=False, told=False, cache_least_tokens=2048,
    ),
    Model(
        id="claude-sonnet-4-6", name="Claude Sonnet 4.6", line="sonnet", created_at="2026-02-17T00:00:00Z",
        thinking=("adaptive", "enabled", "disabled"), thinks=False, shows=True, samples=True, told=False,
        efforts=(*EFFORTS[:3], "max"), cache_least_tokens=1024,
    ),
    Model(
        id="claude-haiku-4-5-20251001", name="Claude Haiku 4.5", line="haiku", created_at="2025-10-01T00:00:00Z",
        alias="claude-haiku-4-5", context_tokens=200_000, output_tokens=64_000, thinking=("enabled", "disabled"),
        thinks=False, shows=True, samples=True, prefill=True, told=False, efforts=(), cache_least_tokens=4096,
    ),
    Model(
        id="claude-sonnet-4-5-20250929", name="Claude Sonnet 4.5", line="sonnet", created_at="2025-09-29T00:00:00Z",
        alias="claude-sonnet-4-5", lifecycle="deprecated", deprecated_at="2026-09-28T00:00:00Z",
        retires_at="2026-11-30T00:00:00Z", context_tokens=200_000, output_tokens=64_000,
        thinking=("enabled", "disabled"), thinks=False, shows=True, samples=True, prefill=True, told=False, efforts=(),
        cache_least_tokens=1024,
    ),
    Model(
        id="claude-3-7-sonnet-20250219", name="Claude Sonnet 3.7", line="sonnet", created_at="2025-02-24T00:00:00Z",
        lifecycle="retired", deprecated_at="2025-10-28T00:00:00Z", retires_at="2026-02-19T00:00:00Z",
        context_tokens=200_000, output_tokens=64_000, thinking=("enabled", "disabled"), thinks=False, shows=True,
        samples=True, prefill=True, told=False, efforts=(), cache_least_tokens=1024,
    ),
)  # fmt: skip
