"""Services are found by name: a file or a folder, and nothing inside a folder."""

from __future__ import annotations

from polychat.sandbox.services import discover


def test_a_folder_is_one_service():
    """Its inner modules are none."""
    found = discover()
    assert {"chatgpt", "reka"} <= found.keys()
    assert {"turns", "knobs", "tree"}.isdisjoint(found)
    assert [name for name in found if "." in name or name.startswith("_")] == []


def test_every_service_has_its_three_parts():
    """State, routes, service."""
    for emulation in discover().values():
        assert callable(emulation.State)
        assert len(emulation.routes) > 0
        assert emulation.service.label
