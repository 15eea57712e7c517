"""Services of other packages: a real wheel at work, and packages that are broken in every way we could think of."""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from polychat.errors import ConfigError
from polychat.providers._entry_points import Offer, offers
from polychat.providers.base import Info

OUTSIDE = Path(__file__).parent / "outside_package"
OURS = Path(__file__).parents[2] / "src"
TIMEOUT_S = 100.0
OWN = ("chatgpt", "groq")

# ---------------------------------------------------------------- a wheel


class Machine:
    """A machine where polychat and the wheel of `outside_package` are installed."""

    def __init__(self, site: Path, home: Path) -> None:
        self.env = {
            **{name: value for name, value in os.environ.items() if not name.startswith("POLYCHAT_")},
            "PYTHONPATH": f"{site}{os.pathsep}{OURS}",
            "POLYCHAT_HOME": str(home),
            "PYTHONWARNINGS": "default",
        }

    def python(self, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run Python to the end."""
        return subprocess.run(
            [sys.executable, *arguments], env=self.env, cwd=cwd, capture_output=True, text=True, timeout=TIMEOUT_S
        )

    def polychat(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the program to the end."""
        return self.python("-m", "polychat.cli", *arguments)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pip has installed the wheel, built from a copy of its source; no network."""
    folder = tmp_path_factory.mktemp("kite")
    source = shutil.copytree(OUTSIDE, folder / "source", ignore=shutil.ignore_patterns("__pycache__"))
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=source, capture_output=True, check=True, timeout=TIMEOUT_S)
    (wheel,) = folder.glob("*.whl")
    install = ["--quiet", "--disable-pip-version-check", "--target", str(folder / "site"), "--no-index", "--no-deps"]
    subprocess.run([sys.executable, "-m", "pip", "install", *install, str(wheel)], check=True, timeout=TIMEOUT_S)
    return folder / "site"


@pytest.fixture
def machine(site: Path, tmp_path: Path) -> Machine:
    """As new, the wheel installed."""
    return Machine(site, tmp_path)


@pytest.fixture
def sandboxed(machine: Machine) -> Iterator[Machine]:
    """The same, pointed at a sandbox that runs there."""
    serve = [sys.executable, "-m", "polychat.cli", "sandbox", "--port", "0", "--json"]
    with subprocess.Popen(serve, env=machine.env, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        machine.env["POLYCHAT_SANDBOX"] = json.loads(process.stdout.readline())["url"]
        yield machine
        process.send_signal(signal.SIGINT)


def test_it_is_among_the_services(machine: Machine) -> None:
    """`polychat providers` lists it last, with what it can do."""
    done = machine.polychat("providers", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    *_, last = json.loads(done.stdout)
    assert (last["name"], last["label"], "image_in" in last["capabilities"]) == ("kite", "Kite", True)


def test_its_models_are_shown(machine: Machine) -> None:
    """`polychat models --provider kite`, each with its own capabilities."""
    done = machine.polychat("models", "--provider", "kite")
    shown = [line.split() for line in done.stdout.splitlines()]
    assert [(line[0], "image_in" in line) for line in shown] == [("kite/kite-large", True), ("kite/kite-small", False)]


def test_it_answers(sandboxed: Machine) -> None:
    """A question goes to the emulation that the wheel brings."""
    done = sandboxed.polychat("-m", "kite", "Good morning")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("You asked: “Good morning” (2 words).")


def test_its_authors_tests_pass(machine: Machine, tmp_path: Path) -> None:
    """`polychat.testing` judges a provider of another package by the emulation it brings."""
    shutil.copy(OUTSIDE / "promises.py", tmp_path / "test_kite.py")
    options = ["-q", "-n", "0", "-p", "no:cacheprovider", f"--rootdir={tmp_path}"]
    done = machine.python("-m", "pytest", *options, cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout


def test_listing_imports_none_of_it(machine: Machine) -> None:
    """Nothing of another package runs before its service is asked for."""
    program = "import sys; from polychat import providers; print(providers.names()[-1], 'polychat_kite' in sys.modules)"
    assert machine.python("-c", program).stdout.split() == ["kite", "False"]


# ---------------------------------------------------------------- packages that are not in order

PROVIDER = """
from polychat.credentials import SignIn
from polychat.providers import Info

class Kind:
    info = Info(name={name!r}, label="", hosts={{}}, accepts=(), models=(), default_model="",
                capabilities=frozenset(), sign_in=SignIn(url=""))
    async def chat(self, session, request):
        yield []
"""
BROKEN = {
    "import nothing_of_that_name": "does not load (ModuleNotFoundError: No module named 'nothing_of_that_name')",
    "def": "does not load (SyntaxError: invalid syntax (",
    "raise RuntimeError('two\\n lines')": "does not load (RuntimeError: two lines)",
    "raise SystemExit": "does not load (SystemExit)",
    "raise DeprecationWarning('old')": "does not load (DeprecationWarning: old)",
    "": "does not load (AttributeError: module ",
    "Kind = None": "does not load (TypeError: 'NoneType' object is not callable)",
    "class Kind: chat = print": "is no provider: that has an `info` of polychat.providers.Info, and a `chat`",
    PROVIDER.format(name="other"): "calls itself 'other': entry point and Info.name must agree",
    PROVIDER.format(name="broken").replace("def chat", "def talk"): "is no provider: that has an `info`",
}


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that Python imports from, first of all."""
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def install(path: Path, package: str, entries: str, version: str = "1.0") -> None:
    """What pip leaves of a package: who it is and what it offers."""
    metadata = path / f"{package.replace('-', '_')}-{version}.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n")
    (metadata / "entry_points.txt").write_text(f"[polychat.providers]\n{entries}\n")


def module(path: Path, name: str, source: str) -> None:
    """A module to be imported."""
    (path / f"{name}.py").write_text(source)


@pytest.mark.parametrize("source", BROKEN, ids=lambda source: BROKEN[source][:40])
def test_a_package_that_does_not_load_is_one_sentence(source: str, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It names the package, its version and what is wrong; the hint says what to do, and the cause is kept."""
    monkeypatch.delitem(sys.modules, "broken_kite", raising=False)
    module(path, "broken_kite", source)
    install(path, "broken-kite", "broken = broken_kite:Kind")
    with pytest.raises(ConfigError) as caught:
        offers(OWN)["broken"].provider()
    error = caught.value
    assert error.message.startswith(f"the package broken-kite 1.0 offers the service broken, which {BROKEN[source]}")
    assert "\n" not in error.message
    assert (error.hint, error.provider) == ("look for a newer one, or remove it: pip uninstall broken-kite", "broken")
    assert ("does not load" in error.message) == (error.__cause__ is not None)
    monkeypatch.delitem(sys.modules, "broken_kite", raising=False)


def test_the_sentence_is_no_longer_than_can_be_read(path: Path) -> None:
    """Two hundred characters of the package's own words."""
    module(path, "verbose_kite", "raise ValueError('x' * 10_000)")
    install(path, "verbose-kite", "verbose = verbose_kite:Kind")
    with pytest.raises(ConfigError) as caught:
        offers(OWN)["verbose"].provider()
    assert len(caught.value.message) < 400


def warned(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the log was told."""
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


@pytest.mark.parametrize("name", OWN)
def test_a_name_of_polychats_own_stays_its_own(name: str, path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Of a file and of a row; the log says who wanted it."""
    install(path, "usurper", f"{name} = usurper:Kind\nhonest = usurper:Kind")
    assert [*offers(OWN)] == ["honest"]
    assert warned(caplog) == [f"the package usurper 1.0 offers the service {name}, which polychat has itself"]


def test_of_two_packages_the_first_has_the_name(
    path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Python would import it; the log names both."""
    first = path / "first"
    first.mkdir()
    monkeypatch.syspath_prepend(str(first))
    install(first, "gull", "bird = gull:Kind")
    install(path, "tern", "bird = tern:Kind")
    assert offers(OWN)["bird"].origin == "the package gull 1.0"
    assert warned(caplog) == ["the package tern 1.0 offers the service bird, as the package gull 1.0 does"]


def test_a_package_found_twice_counts_once(
    path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An older one further along the path is not there for Python either."""
    newer = path / "newer"
    newer.mkdir()
    monkeypatch.syspath_prepend(str(newer))
    install(newer, "gull", "bird = gull:Kind", version="2.0")
    install(path, "gull", "bird = gull:Kind\nold-bird = gull:Kind")
    assert [(name, offer.origin) for name, offer in offers(OWN).items()] == [("bird", "the package gull 2.0")]
    assert warned(caplog) == []


@pytest.mark.parametrize("name", ["a/b", "Kite", "_kite", "two words"])
def test_a_name_that_no_model_could_have_is_left_out(name: str, path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It could not be asked for."""
    install(path, "misnamed", f"{name} = misnamed:Kind")
    assert offers(OWN) == {}
    assert warned(caplog) == [f"the package misnamed 1.0 offers a service called {name!r}, which is no name for one"]


def test_metadata_that_cannot_be_read_harms_nobody(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The others are found; the log says whose it is."""
    install(path, "scrambled", "no equals sign")
    install(path, "tern", "tern = tern:Kind")
    assert [*offers(OWN)] == ["tern"]
    (said,) = warned(caplog)
    assert said.startswith("the entry points of the package scrambled cannot be read: ")


def test_offers_are_in_the_order_of_their_names(path: Path) -> None:
    """Whichever package they are of."""
    install(path, "many", "tern = many:Kind\ngull = many:Kind\nauk = many:Kind")
    assert [*offers(OWN)] == ["auk", "gull", "tern"]
    assert all(isinstance(offer, Offer) for offer in offers(OWN).values())


# ---------------------------------------------------------------- everybody else


def test_the_others_go_on(site: Path, tmp_path: Path) -> None:
    """With a broken package beside it, names are listed, all that load are there, and the log is told once."""
    install(tmp_path, "broken-kite", "broken = nothing_of_that_name:Kind\nreka = nothing_of_that_name:Kind")
    machine = Machine(tmp_path, tmp_path)
    machine.env["PYTHONPATH"] += f"{os.pathsep}{site}"
    program = """
from polychat import providers
from polychat.errors import ConfigError

print(providers.names()[-2:], [*providers.infos()][-1], "broken" in providers.infos())
print(providers.load("kite").info.label, type(providers.load("reka")).__module__)
try:
    providers.load("broken")
except ConfigError as error:
    print(error.hint)
"""
    done = machine.python("-c", program)
    assert done.stdout.splitlines() == [
        "('broken', 'kite') kite False",
        "Kite polychat.providers.reka",
        "look for a newer one, or remove it: pip uninstall broken-kite",
    ]
    assert done.stderr.splitlines() == [
        "the package broken-kite 1.0 offers the service reka, which polychat has itself",
        f"the package broken-kite 1.0 offers the service broken, which {BROKEN['import nothing_of_that_name']}",
    ]


def test_infos_are_not_to_be_changed() -> None:
    """They are everybody's."""
    from polychat import providers

    with pytest.raises(TypeError):
        providers.infos()["reka"] = providers.infos()["chatgpt"]  # type: ignore[index]
    assert all(isinstance(info, Info) and info.name == name for name, info in providers.infos().items())


def test_a_broken_package_breaks_no_command(sandboxed: Machine, tmp_path: Path) -> None:
    """Another service answers, the list shows those that load, and asking for the broken one says what is wrong."""
    install(tmp_path, "broken-kite", "broken = nothing_of_that_name:Kind")
    sandboxed.env["PYTHONPATH"] += f"{os.pathsep}{tmp_path}"
    asked, listed = sandboxed.polychat("-m", "kite", "Hello"), sandboxed.polychat("providers", "--json")
    wanted = sandboxed.polychat("models", "--provider", "broken")
    sentence = f"the package broken-kite 1.0 offers the service broken, which {BROKEN['import nothing_of_that_name']}"
    assert (asked.returncode, asked.stderr.splitlines()) == (0, [sentence])
    assert (listed.returncode, json.loads(listed.stdout)[-1]["name"]) == (0, "kite")
    assert (wanted.returncode, wanted.stderr.splitlines()[0]) == (3, f"error: {sentence}")
