"""`make new-provider`: three files that work as they are, in a copy of the project; and every name it refuses."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

import pytest

from polychat.testing.providers import PROVIDER_CHECKS

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
PLACES = ["src/polychat/providers/{}.py", "src/polychat/sandbox/services/{}.py", "tests/providers/test_{}.py"]
NAMES = ["tern", "x", "open_sky_2", "a_name_of_thirty_letters_in_all", "info", "warning"]
TIMEOUT_S = 100.0


def project_in(folder: Path) -> Path:
    """What of the project is needed, copied, with an empty folder for the tests of providers."""
    for name in ("src", "scaffold"):
        shutil.copytree(ROOT / name, folder / name)
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    (folder / "tests" / "providers").mkdir(parents=True)
    return folder


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project, where `make new-provider NAME=tern` was said."""
    folder = project_in(tmp_path_factory.mktemp("project"))
    done = make(folder, "NAME=tern")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[:3] == [place.format("tern") for place in PLACES]
    return folder


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """As much of the project as the scaffold looks at."""
    shutil.copytree(ROOT / "scaffold", tmp_path / "scaffold")
    for folder in ("src/polychat/providers", "src/polychat/sandbox/services", "tests/providers"):
        (tmp_path / folder).mkdir(parents=True)
    shutil.copy(ROOT / "src/polychat/providers/compatible.toml", tmp_path / "src/polychat/providers")
    return tmp_path


def run(folder: Path, *command: str | Path) -> subprocess.CompletedProcess[str]:
    """A program in that project."""
    environ = {**os.environ, "PYTHONPATH": str(folder / "src"), "POLYCHAT_HOME": str(folder / "home")}
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=TIMEOUT_S)


def make(folder: Path, *settings: str) -> subprocess.CompletedProcess[str]:
    """`make new-provider`, with the tools that are here."""
    return run(folder, "make", "-s", "-o", ".venv/.dev", f"BIN={BIN}", "new-provider", *settings)


def scaffold(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What make calls."""
    return run(folder, sys.executable, "scaffold/new_provider.py", *arguments)


def files_in(folder: Path) -> dict[str, bytes]:
    """Every file, by its path."""
    paths = [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def module(path: Path) -> ModuleType:
    """A module that is in no package."""
    spec = importlib.util.spec_from_file_location(f"loaded_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def new_files(name: str) -> dict[str, str]:
    """What a new service of that name consists of."""
    rendered = module(ROOT / "scaffold" / "new_provider.py").rendered(name, ROOT)
    return {path.relative_to(ROOT).as_posix(): text for path, text in rendered.items()}


# ---------------------------------------------------------------- what it writes


def test_the_new_service_keeps_every_promise(project: Path) -> None:
    """Its own test passes as it was written, with all of `polychat.testing`."""
    done = run(
        project, sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", PLACES[2].format("tern")
    )
    assert done.returncode == 0, done.stdout
    assert int(done.stdout.split(" passed")[0].split()[-1]) >= len(PROVIDER_CHECKS)


def test_the_new_service_is_typed(tmp_path: Path) -> None:
    """mypy --strict has nothing to say of the three."""
    for number, text in enumerate(new_files("tern").values()):
        (tmp_path / f"tern{number}.py").write_text(text, "utf-8")
    command = [sys.executable, "-m", "mypy", *map(str, sorted(tmp_path.glob("*.py")))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT_S)
    assert [line for line in done.stdout.splitlines() if "tern" in line] == []
    assert "3 source files" in done.stdout, done.stdout + done.stderr


def test_the_program_knows_the_new_service(project: Path) -> None:
    """By its file names alone."""
    shown = run(project, sys.executable, "-m", "polychat.cli", "models", "--provider", "tern")
    assert (shown.returncode, shown.stdout.split()[0]) == (0, "tern/tern-1")
    served = "from polychat.sandbox.services import discover; print(discover()['tern'].service.label)"
    assert run(project, sys.executable, "-c", served).stdout == "Tern (api.tern.example)\n"


@pytest.mark.parametrize("name", NAMES)
def test_the_form_is_the_houses_whatever_the_name(name: str) -> None:
    """ruff neither objects to anything nor would write anything otherwise, and no word of the template is left."""
    for path, text in new_files(name).items():
        assert [word for word in ("newservice", "new-service", "new service") if word in text.lower()] == []
        for step in (["check"], ["format", "--check"]):
            command = [sys.executable, "-m", "ruff", *step, "--no-cache", "--stdin-filename", path, "-"]
            done = subprocess.run(command, cwd=ROOT, input=text, capture_output=True, text=True, timeout=TIMEOUT_S)
            assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", NAMES)
def test_the_rules_of_the_house_hold_whatever_the_name(name: str) -> None:
    """Those of tests/architecture that look at one file."""
    texts = new_files(name)
    sources = {path.removeprefix("src/"): text for path, text in texts.items() if path.startswith("src/")}
    assert list(broken_rules(sources)) == []
    homeless = module(ROOT / "tests" / "architecture" / "test_sizes.py").homeless
    tests = [path.removeprefix("tests/") for path in texts if path.startswith("tests/")]
    assert (len(tests), homeless(tests, sources)) == (1, [])


def broken_rules(sources: dict[str, str]) -> Iterable[str]:
    """What the rules say of these files."""
    imports, manners, sizes = (
        module(ROOT / "tests" / "architecture" / f"test_{name}.py") for name in ("imports", "manners", "sizes")
    )
    rules = (imports.wrong_rooms, imports.through_facade, imports.sockets, manners.broad_excepts, manners.prints)
    rules += (manners.states, manners.changed_constants, manners.vague_modules, manners.leftovers)
    rules += (sizes.large_files, sizes.large_functions, sizes.undescribed)
    return [said for rule in rules for said in rule(sources)]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("open_sky", ["class OpenSky:", 'label="Open Sky"', '"https://api.open-sky.example"', '"OPEN_SKY_API_KEY"']),
        ("info", ["class InfoService:", 'name="info"']),  # a class `Info` would hide the one it is made of
        ("warning", ["class WarningService:"]),  # and this one what Python calls so
    ],
)
def test_a_name_is_said_in_every_form(name: str, words: list[str]) -> None:
    """As a class, a label, a host and a variable."""
    text = new_files(name)[PLACES[0].format(name)]
    assert [word for word in words if word not in text] == []


# ---------------------------------------------------------------- what it refuses

BAD = {
    "": "NAME is missing: the new service has no name",
    "Tern": "NAME is 'Tern', not a lower-case identifier of at most 30 letters, digits and underscores",
    "two words": "NAME is 'two words', not a lower-case identifier",
    "open-sky": "NAME is 'open-sky', not a lower-case identifier",
    "../tern": "NAME is '../tern', not a lower-case identifier",
    "_tern": "NAME is '_tern', not a lower-case identifier",
    "2tern": "NAME is '2tern', not a lower-case identifier",
    "чайка": "NAME is 'чайка', not a lower-case identifier",
    "class": "NAME is 'class', not a lower-case identifier",
    "tern\n": "NAME is 'tern\\n', not a lower-case identifier",
    "a" * 31: f"NAME is '{'a' * 31}', not a lower-case identifier of at most 30",
    "groq": "groq is taken: src/polychat/providers/compatible.toml has a service of that name",
    "taken": "taken is taken: src/polychat/providers/taken.py is there",
    "folder": "folder is taken: src/polychat/sandbox/services/folder is there",
    "tested": "tested is taken: tests/providers/test_tested.py is there",
    "linked": "linked is taken: src/polychat/sandbox/services/linked.py is there",
}


@pytest.mark.parametrize("name", BAD, ids=lambda name: name.strip() or "nothing")
def test_a_name_that_cannot_be_is_one_sentence(name: str, fresh: Path) -> None:
    """On stderr, with the way to say it right; nothing is written."""
    (fresh / "src/polychat/providers/taken.py").write_text("")
    (fresh / "src/polychat/sandbox/services/folder").mkdir()
    (fresh / "src/polychat/sandbox/services/linked.py").symlink_to("nowhere")
    (fresh / "tests/providers/test_tested.py").write_text("")
    before = files_in(fresh)
    done = scaffold(fresh, name)
    said, hint = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (2, "")
    assert said.startswith(f"error: {BAD[name]}"), said
    assert hint == "hint: make new-provider NAME=x"
    assert files_in(fresh) == before


@pytest.mark.parametrize("name", ["reka", "openai_compatible", "base", "raycast_conformance"])
def test_what_the_project_has_is_taken(name: str) -> None:
    """Files that are no services of their own too."""
    tool = module(ROOT / "scaffold" / "new_provider.py")
    with pytest.raises(tool.Refused, match=f"{name} is taken: "):
        tool.check(name, ROOT)


def test_make_passes_a_name_on_as_it_is(project: Path) -> None:
    """No name, or one that a shell would run, is refused and does nothing."""
    before = files_in(project)
    nothing, command = make(project), make(project, "NAME=x'; touch pwned; echo '$$(touch pwned)")
    assert (nothing.returncode, command.returncode) == (2, 2)
    assert nothing.stderr.startswith("error: NAME is missing")
    assert command.stderr.startswith("error: NAME is \"x'; touch pwned")
    assert files_in(project) == before


def test_a_second_time_is_refused(fresh: Path) -> None:
    """What was written stays as it is."""
    longest = "t" * 30
    assert scaffold(fresh, longest).returncode == 0
    before = files_in(fresh)
    done = scaffold(fresh, longest)
    assert (done.returncode, f"{longest} is taken" in done.stderr, files_in(fresh) == before) == (2, True, True)


def test_half_of_it_never_stays(fresh: Path) -> None:
    """Where the third file cannot be written, the first two go again."""
    (fresh / "tests" / "providers").rmdir()
    before = files_in(fresh)
    done = scaffold(fresh, "tern")
    assert (done.returncode, done.stdout, files_in(fresh)) == (2, "", before)
    assert done.stderr.startswith("error: ")
    assert "test_tern.py cannot be written: No such file or directory\n" in done.stderr


def test_an_interruption_leaves_nothing_either(tmp_path: Path) -> None:
    """Whatever ends it in the middle of a file goes on, and the files go."""
    tool = module(ROOT / "scaffold" / "new_provider.py")
    with pytest.raises(TypeError):
        tool.write({tmp_path / "a.py": "whole", tmp_path / "b.py": None})
    assert files_in(tmp_path) == {}
    (tmp_path / "b.py").write_text("mine")
    with pytest.raises(tool.Refused, match=r"b\.py cannot be written: File exists"):
        tool.write({tmp_path / "a.py": "whole", tmp_path / "b.py": "theirs"})
    assert files_in(tmp_path) == {"b.py": b"mine"}
