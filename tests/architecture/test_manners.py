"""Habits of the house (STYLE), as far as a program can judge them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

import pytest

BROAD_CATCHERS = ("polychat/engine/", "polychat/gateway/errors.py")
PRINTERS = ("polychat/cli/",)
FOLDERS = {".ci", "bench", "docs", "examples", "requirements", "scaffold", "src", "tests", "web"}
PAGES = {
    ".gitignore", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile", "README.md",
    "SECURITY.md", "pyproject.toml",
}  # fmt: skip
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "handler", "misc"}
MUTABLE_CALLS = {"list", "dict", "set", "bytearray", "deque", "defaultdict", "OrderedDict", "Counter"}
MUTATORS = {
    "add", "append", "clear", "discard", "extend", "insert", "pop", "popitem", "remove", "setdefault", "update",
}  # fmt: skip
LEFTOVER = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError)\b")
ADDRESS = re.compile(r"https?://|index-url")
OF_THIS_MACHINE = re.compile(r"(?<![\w.])/(?:work|root)/")
REGISTRY = re.compile(r"\b(?:pypi\.org|pythonhosted\.org|registry\.npmjs)\b")


def trees(sources: dict[str, str]) -> Iterator[tuple[str, ast.AST]]:
    """Every node of every module."""
    for path, source in sources.items():
        for node in ast.walk(ast.parse(source)):
            yield path, node


def broad_excepts(sources: dict[str, str]) -> list[str]:
    """Bare handlers anywhere; outside the engine broad ones, but for those that clean up and raise on."""
    return [
        f"{path}:{node.lineno} catches {kind or 'everything'}"
        for path, node in trees(sources)
        if isinstance(node, ast.ExceptHandler)
        for kind in _kinds(node)
        if not kind or (_is_broad(kind, node) and not path.startswith(BROAD_CATCHERS))
    ]


def _is_broad(kind: str, node: ast.ExceptHandler) -> bool:
    return kind == "Exception" or (kind == "BaseException" and not _raises_on(node))


def _kinds(node: ast.ExceptHandler) -> list[str]:
    if node.type is None:
        return [""]
    return [ast.unparse(kind) for kind in (node.type.elts if isinstance(node.type, ast.Tuple) else [node.type])]


def _raises_on(node: ast.ExceptHandler) -> bool:
    last = node.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def prints(sources: dict[str, str]) -> list[str]:
    """`print` outside the command line."""
    return [
        f"{path}:{node.lineno} prints"
        for path, node in trees(sources)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
        if not path.startswith(PRINTERS)
    ]


def states(sources: dict[str, str]) -> list[str]:
    """Lists, dictionaries and sets that a module or class holds under a name that is no constant's.

    Annotated defaults in a class are left to ruff (RUF012), which knows records from other classes.
    """
    return [
        f"{path}:{statement.lineno} {name} is mutable"
        for path, node in trees(sources)
        if isinstance(node, ast.Module | ast.ClassDef)
        for statement in node.body
        for name in _mutable_names(statement, in_class=isinstance(node, ast.ClassDef))
    ]


def _mutable_names(statement: ast.stmt, *, in_class: bool) -> list[str]:
    if isinstance(statement, ast.Assign):
        targets, value = statement.targets, statement.value
    elif isinstance(statement, ast.AnnAssign) and statement.value and not (in_class and _is_field(statement)):
        targets, value = [statement.target], statement.value
    else:
        return []
    names = [target.id for target in targets if isinstance(target, ast.Name) and _is_mutable(value)]
    return [name for name in names if not (name.isupper() or name.startswith("__"))]


def _is_field(statement: ast.AnnAssign) -> bool:
    """A default of a record: msgspec copies it for each new one."""
    return "ClassVar" not in ast.unparse(statement.annotation)


def _is_mutable(value: ast.expr) -> bool:
    if isinstance(value, ast.Call):
        return ast.unparse(value.func).rpartition(".")[2] in MUTABLE_CALLS
    return isinstance(value, ast.List | ast.Dict | ast.Set | ast.ListComp | ast.DictComp | ast.SetComp)


def changed_constants(sources: dict[str, str]) -> list[str]:
    """`NAME.append(...)`, `NAME[...] = ...`, `del NAME[...]`, and `global`."""
    return [f"{path}:{node.lineno} changes {name}" for path, node in trees(sources) for name in _changed(node)]  # type: ignore[attr-defined]  # nodes that change something have a line


def _changed(node: ast.AST) -> list[str]:
    match node:
        case ast.Global(names=names):
            return names
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=attr)) if attr in MUTATORS and name.isupper():
            return [name]
        case ast.Subscript(value=ast.Name(id=name), ctx=ast.Store() | ast.Del()) if name.isupper():
            return [name]
    return []


def vague_modules(sources: dict[str, str]) -> list[str]:
    """Modules and rooms named for nothing in particular."""
    return [
        path
        for path in sources
        if any(VAGUE_NAMES & set(part.strip("_").split("_")) for part in PurePosixPath(path).with_suffix("").parts)
    ]


def leftovers(sources: dict[str, str]) -> list[str]:
    """Marks of unfinished work."""
    return _lines(sources, LEFTOVER)


def _is_lock(path: str) -> bool:
    return "lock" in PurePosixPath(path).stem.split("-") or path.endswith(".lock")


def addresses_in_locks(tracked: dict[str, str]) -> list[str]:
    """Addresses in what pins the dependencies."""
    locks = {path: text for path, text in tracked.items() if path.startswith("requirements/") or _is_lock(path)}
    return _lines(locks, ADDRESS)


def strangers(tracked: dict[str, str]) -> list[str]:
    """What lies at the root and does not belong there, such as what a tried-out example wrote."""
    return [path for path in tracked if path not in PAGES and path.partition("/")[0] not in FOLDERS]


def of_this_machine(tracked: dict[str, str]) -> list[str]:
    """Paths and registries of one machine."""
    return _lines(tracked, OF_THIS_MACHINE) + _lines(tracked, REGISTRY)


def _lines(texts: dict[str, str], forbidden: re.Pattern[str]) -> list[str]:
    return [
        f"{path}:{number} {line.strip()[:80]}"
        for path, text in texts.items()
        for number, line in enumerate(text.splitlines(), 1)
        if forbidden.search(line)
    ]


def test_exceptions_are_caught_by_name(sources: dict[str, str]) -> None:
    """STYLE, Exceptions: `except Exception` only in engine/ and gateway/errors.py, and nowhere a bare one."""
    assert broad_excepts(sources) == []


def test_only_the_command_line_prints(sources: dict[str, str]) -> None:
    """DESIGN 7: a library says nothing on stdout."""
    assert prints(sources) == []


def test_state_lives_in_objects(sources: dict[str, str]) -> None:
    """STYLE, State: nothing mutable on a class or a module."""
    assert states(sources) == []


def test_constants_stay_as_they_are(sources: dict[str, str]) -> None:
    """STYLE, State: a name in capitals is never changed, and no function has a `global`."""
    assert changed_constants(sources) == []


def test_modules_have_names_of_their_own(sources: dict[str, str]) -> None:
    """STYLE, Names: no utils, helpers, common, manager or handler."""
    assert vague_modules(sources) == []


def test_nothing_is_left_unfinished(sources: dict[str, str]) -> None:
    """No stub and no mark of later work is in the package."""
    assert leftovers(sources) == []


def test_locks_name_no_address(tracked: dict[str, str]) -> None:
    """DESIGN 6: lock files name no registry host."""
    assert addresses_in_locks(tracked) == []


def test_the_root_holds_what_belongs_there(tracked: dict[str, str]) -> None:
    """What an example wrote while it was tried out is not kept."""
    assert strangers(tracked) == []


def test_nothing_is_of_one_machine(tracked: dict[str, str]) -> None:
    """No file names a registry or a path of the machine it was written on."""
    assert of_this_machine(tracked) == []


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        (broad_excepts, "polychat/net/x.py", "try: f()\nexcept Exception: pass"),
        (broad_excepts, "polychat/net/x.py", "try: f()\nexcept (OSError, Exception): pass"),
        (broad_excepts, "polychat/net/x.py", "try: f()\nexcept BaseException: pass"),
        (broad_excepts, "polychat/engine/x.py", "try: f()\nexcept: raise"),
        (prints, "polychat/net/x.py", "def f(): print(1)"),
        (states, "polychat/net/x.py", "cache = {}"),
        (states, "polychat/net/x.py", "_seen: set[str] = set()"),
        (states, "polychat/net/x.py", "class X:\n    accounts = []"),
        (states, "polychat/net/x.py", "class X:\n    accounts: ClassVar[list[str]] = []"),
        (changed_constants, "polychat/net/x.py", "CACHE = {}\ndef f(): CACHE['a'] = 1"),
        (changed_constants, "polychat/net/x.py", "_SEEN = []\ndef f(): _SEEN.append(1)"),
        (changed_constants, "polychat/net/x.py", "state = 1\ndef f():\n    global state"),
        (vague_modules, "polychat/net/utils.py", ""),
        (vague_modules, "polychat/common/x.py", ""),
        (vague_modules, "polychat/net/account_manager.py", ""),
        (leftovers, "polychat/net/x.py", "# TODO: later"),
        (leftovers, "polychat/net/x.py", "raise NotImplementedError"),
        (addresses_in_locks, "requirements/run.txt", "--index-url https://example.org/simple"),
        (addresses_in_locks, "web/package-lock.json", '"resolved": "https://example.org/x.tgz"'),
        (strangers, "cat.png", ""),
        (strangers, "unused/state/x.json", ""),
        (of_this_machine, "docs/x.md", "see /work" + "/main"),
        (of_this_machine, "Makefile", "PATH=/root" + "/.local/bin"),
        (of_this_machine, "docs/x.md", "from pypi" + ".org"),
    ],
)
def test_bad_manners_are_noticed(rule: object, path: str, text: str) -> None:
    """Each rule above fails on a made-up file that breaks it."""
    assert callable(rule)
    assert len(rule({path: text})) == 1


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("polychat/engine/x.py", "try: f()\nexcept Exception: pass"),
        ("polychat/client/x.py", "try: f()\nexcept BaseException:\n    close()\n    raise"),
        ("polychat/cli/x.py", "print(1)"),
        ("polychat/net/x.py", "__all__ = ['a']\n_NAMES = {'a': 1}\nclass X(Struct):\n    names: list[str] = []"),
        ("polychat/net/x.py", "def f():\n    seen = []\n    seen.append(1)"),
    ],
)
def test_good_manners_are_not_noticed(path: str, source: str) -> None:
    """What the habits allow breaks no rule."""
    rules = (broad_excepts, prints, states, changed_constants, vague_modules, leftovers)
    assert [said for rule in rules for said in rule({path: source})] == []
