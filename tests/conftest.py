"""What all tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from polychat.sandbox.server import Sandbox


@pytest.fixture(scope="session")
def _running_sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def sandbox(_running_sandbox: Sandbox) -> Sandbox:
    """The emulated services, as if just started."""
    _running_sandbox.reset()
    return _running_sandbox
