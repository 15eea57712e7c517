"""pytest fixtures for whoever writes against the services: `sandbox` and `sandbox_client`.

pytest loads this module in every project where polychat is installed, so it imports nothing before a fixture is used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from polychat.client.sync import Client
    from polychat.sandbox import Sandbox


@pytest.fixture(scope="session")
def sandbox_server() -> Iterator[Sandbox]:
    """One sandbox for all tests, with whatever they left in it; use `sandbox`."""
    from polychat.sandbox import Sandbox

    with Sandbox() as server:
        yield server


@pytest.fixture
def sandbox(sandbox_server: Sandbox) -> Sandbox:
    """A running sandbox as new: no faults, empty journal, two people. Its address is `sandbox.url`."""
    sandbox_server.reset()
    return sandbox_server


@pytest.fixture
def sandbox_client(sandbox: Sandbox, tmp_path: Path) -> Iterator[Callable[..., Client]]:
    """sandbox_client(**options): a `Client` of the sandbox's people that checks each stream; closed after the test.

    The accounts and settings of the person who runs the tests are out of its reach.
    """
    from polychat.client.sync import Client
    from polychat.engine.settings import load

    settings = load(environ={"POLYCHAT_HOME": str(tmp_path / "polychat"), "POLYCHAT_SANDBOX": sandbox.url})
    with ExitStack() as opened:

        def make(**options: Any) -> Client:
            return opened.enter_context(Client(**{"settings": settings, "strict": True} | options))

        yield make
