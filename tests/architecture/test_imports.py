"""Who may import whom (DESIGN, "The rooms"), read from the sources with `ast`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from typing import NamedTuple

import pytest

FLOOR = {"types", "credentials", "errors", "fold", "media"}
_BELOW_ENGINE = {"floor", "wire", "net", "vault", "signin", "providers"}
_BELOW_FACES = _BELOW_ENGINE | {"engine"}
MAY_IMPORT = {
    "floor": {"floor"},
    "wire": {"wire", "floor"},
    "net": {"net", "wire", "floor"},
    "vault": {"vault", "floor"},
    "signin": {"signin", "net", "floor"},
    "providers": {"providers", "net", "wire", "floor"},
    "engine": _BELOW_FACES,
    "client": _BELOW_FACES | {"client"},
    "gateway": _BELOW_FACES | {"gateway"},
    "g4f": _BELOW_FACES | {"g4f"},
    "façade": {"client", "floor"},
    "cli": _BELOW_FACES | {"client", "gateway", "g4f", "sandbox", "cli"},
    "__main__": {"cli"},
    "sandbox": {"sandbox"},
    "testing": _BELOW_FACES | {"client", "g4f", "sandbox", "testing"},
}
SOCKET_ROOMS = {"net", "sandbox", "testing"}
SOCKET_MODULES = {
    "aiohttp", "aiohttp_socks", "ftplib", "http.client", "http.server", "httpx", "requests", "smtplib", "socket",
    "socketserver", "urllib.request", "urllib3", "websockets",
}  # fmt: skip
FACADE_DATA = {"__version__"}


class Import(NamedTuple):
    """One name that a module takes from another."""

    importer: str  # dotted
    target: str  # dotted; a submodule where the name is one
    name: str | None  # what is taken from the target, if it is no module
    at_runtime: bool  # at module level, and not for type checkers only


def modules_of(sources: dict[str, str]) -> dict[str, str]:
    """Dotted module name -> path."""
    return {path.removesuffix(".py").removesuffix("/__init__").replace("/", "."): path for path in sources}


def imports_of(sources: dict[str, str]) -> list[Import]:
    """Every import statement, wherever it stands."""
    modules = modules_of(sources)
    return [
        found
        for module, path in modules.items()
        for node, at_runtime in _statements(ast.parse(sources[path]), at_runtime=True)
        for found in _read(node, module, path.endswith("__init__.py"), at_runtime, modules)
    ]


def _statements(tree: ast.AST, *, at_runtime: bool) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node, at_runtime
        deferred = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) or (
            isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        )
        yield from _statements(node, at_runtime=at_runtime and not deferred)


def _read(
    node: ast.Import | ast.ImportFrom, module: str, package: bool, at_runtime: bool, modules: dict[str, str]
) -> Iterator[Import]:
    if isinstance(node, ast.Import):
        yield from (Import(module, alias.name, None, at_runtime) for alias in node.names)
        return
    base = node.module or ""
    if node.level:
        parents = module.split(".")
        parents = parents[: len(parents) - node.level + package]
        base = ".".join([*parents, *filter(None, [node.module])])
    for alias in node.names:
        inner = f"{base}.{alias.name}"
        yield (
            Import(module, inner, None, at_runtime)
            if inner in modules
            else Import(module, base, alias.name, at_runtime)
        )


def room_of(module: str) -> str:
    """The room that a dotted module of ours is in."""
    room = module.split(".")[1] if "." in module else "façade"
    return "floor" if room in FLOOR else room


def wrong_rooms(sources: dict[str, str]) -> list[str]:
    """Imports from a room that the importer's room may not know."""
    return [
        f"{it.importer} imports {it.target}: {room_of(it.importer)} may not know {room_of(it.target)}"
        for it in imports_of(sources)
        if it.target.startswith("polychat.") and room_of(it.target) not in MAY_IMPORT.get(room_of(it.importer), set())
    ]


def through_facade(sources: dict[str, str]) -> list[str]:
    """Imports of the façade itself for its names."""
    return [
        f"{it.importer} takes {it.name or 'the package'} from the façade"
        for it in imports_of(sources)
        if it.target == "polychat" and it.name not in FACADE_DATA
    ]


def sockets(sources: dict[str, str]) -> list[str]:
    """Imports of what opens sockets, outside the rooms that may."""
    return [
        f"{it.importer} imports {opened}"
        for it in imports_of(sources)
        if room_of(it.importer) not in SOCKET_ROOMS and (opened := _socket_module(it)) is not None
    ]


def _socket_module(it: Import) -> str | None:
    names = [it.target, f"{it.target}.{it.name}"]
    return next((bad for bad in SOCKET_MODULES for name in names if name == bad or name.startswith(f"{bad}.")), None)


def cycles(sources: dict[str, str]) -> list[str]:
    """The first ring of modules that need one another to be loaded."""
    graph: dict[str, set[str]] = {module: set() for module in modules_of(sources)}
    for it in imports_of(sources):
        if it.at_runtime and it.target in graph:
            graph[it.importer].add(it.target)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return [" -> ".join(error.args[1])]
    return []


def test_each_room_imports_only_what_is_below_it(sources: dict[str, str]) -> None:
    """DESIGN 2, "Who may import whom", also under TYPE_CHECKING and inside functions."""
    assert wrong_rooms(sources) == []


def test_every_room_has_a_rule(sources: dict[str, str]) -> None:
    """DESIGN 2: a room that is not on the plan is not built."""
    assert {room_of(module) for module in modules_of(sources)} - set(MAY_IMPORT) == set()


def test_nothing_inside_imports_the_facade(sources: dict[str, str]) -> None:
    """DESIGN 2: the façade is for people outside; `__version__` is data and may be read."""
    assert through_facade(sources) == []


def test_there_is_no_import_cycle(sources: dict[str, str]) -> None:
    """DESIGN 10: zero cycles among module-level imports."""
    assert cycles(sources) == []


def test_only_net_opens_sockets(sources: dict[str, str]) -> None:
    """DESIGN 2: `net/` is the only place that opens sockets, beside the sandbox and the judges."""
    assert sockets(sources) == []


BASE = {
    "polychat/__init__.py": "__version__ = '1'",
    **{
        f"polychat/{room}/{name}.py": "" for room, name in [("net", "session"), ("engine", "engine"), ("client", "aio")]
    },
    "polychat/errors.py": "",
    "polychat/wire/sse.py": "from polychat.errors import PolychatError",
    "polychat/sandbox/world.py": "",
}


@pytest.mark.parametrize(
    ("rule", "path", "source"),
    [
        (wrong_rooms, "polychat/wire/x.py", "from polychat.net import session"),
        (wrong_rooms, "polychat/wire/x.py", "from ..net.session import Session"),
        (wrong_rooms, "polychat/types.py", "def f():\n    import polychat.wire.sse"),
        (wrong_rooms, "polychat/vault/x.py", "from polychat.net.session import Session"),
        (wrong_rooms, "polychat/providers/x.py", "if TYPE_CHECKING:\n    from polychat.engine.engine import Turn"),
        (wrong_rooms, "polychat/gateway/x.py", "from polychat.client import aio"),
        (wrong_rooms, "polychat/sandbox/x.py", "from polychat.errors import PolychatError"),
        (wrong_rooms, "polychat/testing/x.py", "from polychat.cli.program import main"),
        (wrong_rooms, "polychat/engine/x.py", "from polychat.sandbox.world import World"),
        (through_facade, "polychat/engine/x.py", "from polychat import Client"),
        (through_facade, "polychat/engine/x.py", "import polychat"),
        (through_facade, "polychat/engine/x.py", "from .. import Client"),
        (sockets, "polychat/engine/x.py", "import socket"),
        (sockets, "polychat/providers/x.py", "def f():\n    from http import client"),
        (sockets, "polychat/signin/x.py", "from urllib.request import urlopen"),
        (sockets, "polychat/cli/x.py", "import aiohttp.web"),
        (cycles, "polychat/errors.py", "from polychat.wire import sse"),
    ],
)
def test_a_broken_rule_is_noticed(rule: object, path: str, source: str) -> None:
    """Each rule above fails on a made-up source that breaks it, and on that alone."""
    assert callable(rule)
    assert rule(BASE) == []
    assert len(rule(BASE | {path: source})) == 1


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("polychat/net/x.py", "import socket\nfrom polychat import __version__\nfrom polychat import errors"),
        ("polychat/engine/x.py", "from polychat.net.session import Session\nfrom . import engine"),
        ("polychat/errors.py", "if TYPE_CHECKING:\n    from polychat import errors"),
    ],
)
def test_what_is_allowed_is_not_noticed(path: str, source: str) -> None:
    """Downward imports, `__version__`, and a ring that exists for type checkers only break no rule."""
    tree = BASE | {path: source}
    assert [said for rule in (wrong_rooms, through_facade, sockets, cycles) for said in rule(tree)] == []
