"""The judge of providers notices what is wrong with one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
DEFECTS = {
    "talks_on": "grammar: ",
    "stays": "leaving: ",
    "misnames": "status 402: it became Unavailable",
    "glosses_over": "cut_frame inside: the answer that broke and went on is",
    "drops_the_rest": "cut_frame inside: nothing was kept",
    "logs": "canary objects: a secret is seen in the log of reka",
    "keeps": "canary objects: a secret is seen in the turn",
    "copies": "canary errors: a secret is seen in the error of challenge",
    "Mixing": "two accounts: ",
    "Hasty": "chunk_bytes 1: the answer over chunk_bytes",
}


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str | None]:
    """What the judge says about each defect of `defects.py`, a service of another package over Reka's emulation."""
    site = tmp_path_factory.mktemp("site")
    metadata = site / "defective-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: defective\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(
        "[polychat.providers]\nspoiled = defects:Defective\n"
        "[polychat.sandbox]\nspoiled = polychat.sandbox.services.reka\n"
    )
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(site), str(HERE)])}
    done = subprocess.run(
        [sys.executable, HERE / "defects.py"], env=environ, capture_output=True, text=True, timeout=120, check=True
    )
    verdicts: dict[str, str | None] = json.loads(done.stdout)
    return verdicts


def test_a_provider_without_defect_passes(verdicts: dict[str, str | None]) -> None:
    """The provider that the defects spoil is itself in order."""
    assert verdicts["in_order"] is None


def test_check_provider_stops_at_the_first_broken_promise(verdicts: dict[str, str | None]) -> None:
    """The whole judge passes no provider that one of its checks refuses."""
    assert (verdicts["any"] or "").startswith("chunk_bytes 1: ")


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defect_is_noticed(verdicts: dict[str, str | None], defect: str) -> None:
    """Each kind of promise is broken by a provider that breaks it, and the sentence says how."""
    assert (verdicts[defect] or "").startswith(DEFECTS[defect]), verdicts[defect]
