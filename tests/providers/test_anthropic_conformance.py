"""Anthropic keeps every promise of a provider."""

from __future__ import annotations

import pytest

from polychat.sandbox import Sandbox
from polychat.testing.bench import Subject
from polychat.testing.checks import Check
from polychat.testing.providers import PROVIDER_CHECKS


@pytest.mark.parametrize("check", PROVIDER_CHECKS, ids=str)
def test_anthropic(check: Check[Subject], sandbox: Sandbox) -> None:
    """Each promise of `polychat.testing.providers` holds for Anthropic."""
    check(Subject("anthropic", sandbox))
