"""`make new-provider NAME=x`: the three files of a new service, working and tested as they are.

The templates beside this file are one small service, `newservice`: real modules that ruff and mypy check like all
others. They are written under the new name all together or not at all, and nothing is ever overwritten.
"""

from __future__ import annotations

import ast
import builtins
import keyword
import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TEMPLATES = Path(__file__).resolve().parent / "templates"
ROWS = "src/polychat/providers/compatible.toml"
PLACES = {  # template -> where it goes; a folder of that name takes the place too
    "provider.py": "src/polychat/providers/{name}.py",
    "service.py": "src/polychat/sandbox/services/{name}.py",
    "test.py": "tests/providers/test_{name}.py",
}
_NAME = re.compile(r"[a-z][a-z0-9_]{0,29}")
_RUFF = (("check", "--fix", "--select", "I"), ("format",))  # lines are longer or shorter under another name
_USAGE = "hint: make new-provider NAME=x\n"
_NEXT = """
{files}
They work: .venv/bin/python -m pytest -q {test}
Next: docs/guides/write-a-provider.md says what to change, step by step.
"""


class Refused(Exception):
    """Nothing was written; the text says why."""


def check(name: str, root: Path) -> None:
    """Raise `Refused` unless a new service may have that name."""
    if not name:
        raise Refused("NAME is missing: the new service has no name")
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        raise Refused(f"NAME is {name!r}, not a lower-case identifier of at most 30 letters, digits and underscores")
    if name in tomllib.loads((root / ROWS).read_text("utf-8")):
        raise Refused(f"{name} is taken: {ROWS} has a service of that name")
    for place in PLACES.values():
        path = root / place.format(name=name)
        for taken in (path, path.with_suffix("")):
            if taken.exists() or taken.is_symlink():
                raise Refused(f"{name} is taken: {taken.relative_to(root).as_posix()} is there")


def rendered(name: str, root: Path) -> dict[Path, str]:
    """The new files, whole: path -> text."""
    texts = {place: (TEMPLATES / template).read_text("utf-8") for template, place in PLACES.items()}
    words = _words(name, imported=set().union(*map(_imported, texts.values())))
    return {root / place.format(name=name): _tidy(_replaced(text, words)) for place, text in texts.items()}


def write(files: Mapping[Path, str]) -> None:
    """All of them, or none. Raises: `Refused`."""
    written: list[Path] = []
    try:
        for path, text in files.items():
            _write_one(path, text, written)
    except BaseException:
        for path in written:
            path.unlink()
        raise


def _write_one(path: Path, text: str, written: list[Path]) -> None:
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:  # never over another one
            written.append(path)
            file.write(text)
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror}") from error


def _words(name: str, imported: set[str]) -> dict[str, str]:
    """Every form in which the templates say their service's name -> that of the new one."""
    parts = [part[:1].upper() + part[1:] for part in name.split("_") if part]
    class_name = "".join(parts)
    hidden = class_name in imported or hasattr(builtins, class_name)
    return {
        "NewService": f"{class_name}Service" if hidden else class_name,
        "Newservice": " ".join(parts),
        "NEWSERVICE": name.upper(),
        "new-service": name.strip("_").replace("_", "-"),  # as hosts are written
        "newservice": name,
    }


def _imported(text: str) -> set[str]:
    """The names that a module takes from others; a class of its own would hide them."""
    nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import | ast.ImportFrom)]
    return {alias.asname or alias.name for node in nodes for alias in node.names}


def _replaced(text: str, words: Mapping[str, str]) -> str:
    return re.sub("|".join(map(re.escape, words)), lambda found: words[found[0]], text)


def _tidy(text: str) -> str:
    """`text` in the house's form."""
    for step in _RUFF:
        command = [sys.executable, "-m", "ruff", *step, "--quiet", "-"]
        done = subprocess.run(command, input=text, capture_output=True, text=True, cwd=ROOT, encoding="utf-8")  # noqa: S603 - nothing in it is anybody's
        if done.returncode:
            raise Refused(f"ruff does not take the templates: {' '.join(done.stderr.split())[:200]}")
        text = done.stdout
    return text


def main(arguments: list[str]) -> int:
    """Write the service named by the one argument; what to do next on stdout, what is wrong on stderr."""
    name = arguments[0] if arguments else ""
    try:
        check(name, ROOT)
        write(files := rendered(name, ROOT))
    except Refused as refusal:
        sys.stderr.write(f"error: {refusal}\n{_USAGE}")
        return 2
    places = [path.relative_to(ROOT).as_posix() for path in files]
    sys.stdout.write(_NEXT.format(files="\n".join(places), test=places[-1]).lstrip())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
