"""Budgets of size and shape (DESIGN, "Budgets that a test or a benchmark holds")."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from pathlib import PurePosixPath
from statistics import median

import pytest

FILE_LINES = 400
FUNCTION_LINES = 60
MEDIAN_LINES = 10  # and below
FACADE_NAMES = 40

NO_MIRROR = {
    "architecture": "rules about the whole package",
    "docs": "the pages and the examples, run as they stand",
    "g4f/test_examples.py": "the examples of the seed documents, which use all of g4f",
    "faults": "every fault at every service",
    "providers/test_bad_input_keys.py": "one promise, over all dialects",
    "providers/test_bad_input_questions.py": "one promise, over all dialects",
    "providers/test_bad_input_answers.py": "one promise, over all dialects",
    "providers/test_bad_input_calls.py": "one promise, over all dialects",
    "wire/test_recorded.py": "recordings of several services",
    "sandbox/services/test_recorded_requests.py": "recordings of several services",
}


def large_files(sources: dict[str, str]) -> list[str]:
    """Files past the budget."""
    lines = {path: len(source.splitlines()) for path, source in sources.items()}
    return [f"{path}: {count} lines" for path, count in lines.items() if count > FILE_LINES]


def large_functions(sources: dict[str, str]) -> list[str]:
    """Functions past the budget, the `def` and the docstring counted."""
    return [f"{name}: {lines} lines" for name, lines in functions(sources) if lines > FUNCTION_LINES]


def functions(sources: dict[str, str]) -> Iterator[tuple[str, int]]:
    """Every function and method with its lines."""
    for path, source in sources.items():
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{path}:{node.lineno} {node.name}", (node.end_lineno or node.lineno) - node.lineno + 1


def long_median(sources: dict[str, str]) -> list[str]:
    """The median length of a function, where it is past the budget."""
    middle = median([lines for _, lines in functions(sources)] or [0])
    return [f"the median function has {middle:g} lines"] if middle >= MEDIAN_LINES else []


def undescribed(sources: dict[str, str]) -> list[str]:
    """Modules without a docstring."""
    return [path for path, source in sources.items() if not ast.get_docstring(ast.parse(source))]


def facade_faults(sources: dict[str, str]) -> list[str]:
    """What is wrong with `__all__` of the package."""
    names = exported(sources["polychat/__init__.py"])
    faults = {
        f"{len(names)} names": len(names) > FACADE_NAMES,
        "__all__ is not sorted": names != sorted(names),
        "a name twice": len(set(names)) != len(names),
    }
    return [fault for fault, found in faults.items() if found]


def exported(source: str) -> list[str]:
    """`__all__` of a module."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            names: list[str] = ast.literal_eval(node.value)
            return names
    return []


def homeless(tests: Collection[str], sources: Collection[str]) -> list[str]:
    """Test files whose name is no module or room of the package: `net/test_retry.py` is about `net/retry.py`."""
    excepted = [PurePosixPath(path) for path in NO_MIRROR]
    return [
        test
        for test in tests
        if not any(PurePosixPath(test).is_relative_to(path) for path in excepted) and not _home(test, sources)
    ]


def _home(test: str, sources: Collection[str]) -> bool:
    room = PurePosixPath("polychat") / PurePosixPath(test).parent
    words = PurePosixPath(test).stem.removeprefix("test_").split("_")
    names = ["_".join(words[:count]) for count in range(1, len(words) + 1)]
    return any(
        str(room / place) in sources
        for name in names
        for place in (f"{name}.py", f"_{name}.py", f"{name}/__init__.py", f"__{name}__.py")
    )


def test_files_are_short(sources: dict[str, str]) -> None:
    """DESIGN 10: at most 400 lines a file."""
    assert large_files(sources) == []


def test_functions_are_short(sources: dict[str, str]) -> None:
    """DESIGN 10: at most 60 lines a function."""
    assert large_functions(sources) == []


def test_most_functions_are_very_short(sources: dict[str, str]) -> None:
    """DESIGN 10: the median function has fewer than 10 lines."""
    assert long_median(sources) == []


def test_every_module_says_what_it_is(sources: dict[str, str]) -> None:
    """STYLE, Docstrings: every module says what it is and its rules."""
    assert undescribed(sources) == []


def test_facade_is_small_and_sorted(sources: dict[str, str]) -> None:
    """DESIGN 2 and 10: at most 40 names, sorted."""
    assert facade_faults(sources) == []


def test_tests_mirror_the_package(test_files: list[str], sources: dict[str, str]) -> None:
    """DESIGN 2: tests/ mirrors src/polychat path for path; `test_x_more.py` is about `x.py` too."""
    assert homeless(test_files, sources) == []


@pytest.mark.parametrize(
    ("rule", "path", "source"),
    [
        (large_files, "polychat/x.py", "x = 1\n" * 401),
        (large_functions, "polychat/x.py", "def f():\n" + "    x = 1\n" * 60),
        (long_median, "polychat/x.py", "def f():\n" + "    x = 1\n" * 9),
        (undescribed, "polychat/x.py", "import os"),
        (facade_faults, "polychat/__init__.py", f"__all__ = {[f'n{number:02}' for number in range(41)]}"),
        (facade_faults, "polychat/__init__.py", "__all__ = ['b', 'a']"),
        (facade_faults, "polychat/__init__.py", "__all__ = ['a', 'a']"),
    ],
)
def test_a_broken_budget_is_noticed(rule: object, path: str, source: str) -> None:
    """Each rule above fails on a made-up source just past the budget, and not on an orderly one."""
    orderly = {"polychat/__init__.py": '"""The package."""\n__all__ = ["a", "b"]'}
    assert callable(rule)
    assert rule(orderly) == []
    assert len(rule(orderly | {path: source})) == 1


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ("net/test_retry.py", []),
        ("net/test_retry_dates.py", []),
        ("net/test_cookies.py", ["net/test_cookies.py"]),
        ("test_retry.py", ["test_retry.py"]),
        ("sandbox/test_services.py", []),
        ("architecture/test_anything.py", []),
    ],
)
def test_a_homeless_test_is_noticed(test: str, expected: list[str]) -> None:
    """A test of a module that does not exist, or in the wrong folder, is found."""
    assert homeless([test], {"polychat/net/retry.py", "polychat/sandbox/services/__init__.py"}) == expected
