"""Every fault at every service, asked for a stream and as a whole: the promises of docs/reference/faults.md.

A case fails for a broken promise (lost, glued, hung, leaked, empty) and where the page says something else. Where the
change is meant: make docs.
"""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import msgspec
import pytest

from polychat.sandbox import Sandbox
from polychat.sandbox.faults import NAMES
from polychat.testing.bench import Bench, Subject
from polychat.testing.laboratory import TROUBLES, Trouble, examine

ROOT = Path(__file__).resolve().parents[2]


def _writer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fault_matrix", ROOT / "docs" / "fault_matrix.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


MATRIX = _writer()


@pytest.fixture(scope="module")
def answer_paths() -> dict[tuple[str, bool], str]:
    """Which request carries a service's answer, once it was asked for."""
    return {}


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.name.replace(" ", "_"))
@pytest.mark.parametrize("service", MATRIX.SERVICES)
def test_every_promise_holds(
    sandbox: Sandbox, answer_paths: dict[tuple[str, bool], str], service: str, trouble: Trouble, stream: bool
) -> None:
    """And what the caller sees is what the page says."""
    subject = Subject(service, sandbox)
    if (service, stream) not in answer_paths:
        answer_paths[service, stream] = asyncio.run(Bench(subject).paths(stream=stream)).answer
        sandbox.reset()
    actual = asyncio.run(examine(subject, trouble, stream=stream, path=answer_paths[service, stream]))
    expected = MATRIX.kept()[MATRIX.name(service, trouble, stream=stream)]
    assert expected == msgspec.structs.replace(actual, seconds=expected.seconds)


def test_every_fault_of_the_sandbox_is_examined() -> None:
    """A new one has to be thought of here."""
    assert set(NAMES) == {trouble.fault for trouble in TROUBLES}


def test_the_page_is_in_step(tmp_path: Path) -> None:
    """Written anew from the findings it is the same; to mend it: make docs."""
    written = tmp_path / "faults.md"
    MATRIX.main(["--page", str(written)])
    assert MATRIX.PAGE.read_text("utf-8") == written.read_text("utf-8")
