"""Services are found by name: a file or a folder, and nothing inside a folder; and by what other packages bring."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from polychat.sandbox.services import discover

OURS = Path(__file__).parents[2] / "src"
EMULATION = """
from polychat.sandbox.call import get, json
from polychat.sandbox.services import Service

class State:
    def __init__(self, world):
        pass

async def hello(call):
    return json({"service": call.service})

routes = (get("/hello", hello),)
service = Service(label="Tern", error=lambda status, message: message)
"""


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


# ---------------------------------------------------------------- of other packages


def install(site: Path, package: str, entries: str, version: str = "1.0") -> None:
    """What pip leaves of a package: who it is and what it brings."""
    metadata = site / f"{package}-{version}.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n")
    (metadata / "entry_points.txt").write_text(f"[polychat.sandbox]\n{entries}\n")


def python(program: str, *sites: Path) -> subprocess.CompletedProcess[str]:
    """A new interpreter where those packages are installed."""
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, [*sites, OURS]))}
    return subprocess.run([sys.executable, "-c", program], env=environ, capture_output=True, text=True, timeout=30)


NAMES = "import json; from polychat.sandbox.services import discover; print(json.dumps([*discover(), *discover()]))"


def named(*sites: Path) -> tuple[list[str], list[str]]:
    """The services that are not polychat's own, and what the log was told; both of looking twice."""
    done = python(NAMES, *sites)
    assert done.returncode == 0, done.stderr
    own = set(discover())
    return [name for name in json.loads(done.stdout) if name not in own], done.stderr.splitlines()


def test_a_package_brings_a_service(tmp_path: Path) -> None:
    """It answers beside the others, and the control plane knows it."""
    (tmp_path / "tern_emulation.py").write_text(EMULATION)
    install(tmp_path, "tern", "tern = tern_emulation")
    program = """
from urllib.request import urlopen
from polychat.sandbox import Sandbox

with Sandbox() as sandbox:
    print(urlopen(f"{sandbox.url}/tern/hello").read().decode())
    (seen,) = sandbox.journal(service="tern")
    print(seen.path, sandbox.knobs("tern"))
"""
    done = python(program, tmp_path)
    assert (done.stdout, done.stderr) == ('{"service":"tern"}\n/hello {}\n', "")


def test_those_of_packages_come_last_in_the_order_of_their_names(tmp_path: Path) -> None:
    """Whichever package they are of, and however often one looks."""
    (tmp_path / "birds.py").write_text(EMULATION)
    install(tmp_path, "birds", "tern = birds\nauk = birds")
    assert json.loads(python(NAMES, tmp_path).stdout) == [*discover(), "auk", "tern"] * 2


UNUSABLE = {
    "lost = nothing_of_that_name": "does not load (ModuleNotFoundError: No module named 'nothing_of_that_name')",
    "other = json": "does not load (AttributeError: module 'json' has no attribute 'State')",
    "ending = ends": "does not load (SystemExit: now)",
    "inner = birds:State": "does not load (AttributeError: type object 'State' has no attribute 'State')",
    "reka = birds": "is there already",
    "_sandbox = birds": "is no name for one",
}


@pytest.fixture(scope="module")
def unusable(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], list[str]]:
    """What there is where each of these is brought by a package, and a good one besides; and what the log was told."""
    site = tmp_path_factory.mktemp("unusable")
    (site / "birds.py").write_text(EMULATION)
    (site / "ends.py").write_text("raise SystemExit('now')")
    for number, entry in enumerate(UNUSABLE):
        install(site, f"gulls{number}", entry)
    install(site, "birds", "auk = birds")
    return named(site)


@pytest.mark.parametrize("entry", UNUSABLE, ids=lambda entry: entry.partition(" ")[0])
def test_one_that_cannot_be_used_is_told(entry: str, unusable: tuple[list[str], list[str]]) -> None:
    """Once, with the package's name and what is wrong."""
    number, name = [*UNUSABLE].index(entry), entry.partition(" ")[0]
    told = f"the package gulls{number} 1.0 emulates the service {name}, which {UNUSABLE[entry]}; it is left out"
    assert unusable[1].count(told) == 1


def test_one_that_cannot_be_used_is_left_out(unusable: tuple[list[str], list[str]]) -> None:
    """It alone, and nothing else is told."""
    assert (unusable[0], len(unusable[1])) == (["auk", "auk"], len(UNUSABLE))


def test_of_two_packages_the_first_has_the_name(tmp_path: Path) -> None:
    """As Python would import it; one that is found twice is one."""
    for site, package, version in (("a", "auks", "2.0"), ("b", "auks", "1.0"), ("c", "terns", "1.0")):
        install(tmp_path / site, package, "auk = birds", version)
    (tmp_path / "a" / "birds.py").write_text(EMULATION)
    told = "the package terns 1.0 emulates the service auk, which is there already; it is left out"
    assert named(*(tmp_path / site for site in "abc")) == (["auk", "auk"], [told])


def test_metadata_that_cannot_be_read_harms_nobody(tmp_path: Path) -> None:
    """The others are found; the log says whose it is."""
    (tmp_path / "birds.py").write_text(EMULATION)
    install(tmp_path, "scrambled", "no equals sign")
    install(tmp_path, "birds", "auk = birds")
    names, told = named(tmp_path)
    assert names == ["auk", "auk"]
    assert [line.partition(": ")[0] for line in told] == ["the entry points of the package scrambled cannot be read"]
