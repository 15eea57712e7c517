"""A YAML file of somebody else's, as plain values with the line each stands on.

Only what YAML's safe schema knows is read: a tag that would make an object is refused, as is a file whose anchors
unfold into more than a config can hold. What is wrong is told with its line and without its words, which may be a key.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from polychat.errors import ConfigError

if TYPE_CHECKING:
    from yaml import MappingNode, Node, ScalarNode, YAMLError

_LONGEST = 1_000_000  # characters
_MOST = 50_000  # values, each counted as often as an anchor brings it in
_PLAIN = "write it as plain YAML: names, texts, numbers, lists"


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """One file that was read."""

    name: str  # what the file is called in messages
    value: dict[str, Any]
    lines: Mapping[str, int]  # path -> line, from 1
    doubled: tuple[str, ...]  # paths that are given twice; the last one counts

    def line(self, path: str) -> int | None:
        """Where `path` stands, or what it is part of."""
        while path and path not in self.lines:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return self.lines.get(path)


def read(text: str, *, name: str) -> Document:
    """The mapping that `text` is. Raises: `ConfigError` with the line and how to mend it."""
    import yaml

    if len(text) > _LONGEST:
        raise ConfigError(f"{name} has more than {_LONGEST:,} characters", hint="name the config itself")
    try:
        loader = yaml.SafeLoader(text)
        try:
            node = loader.get_single_node()
            found = _Walk(name)
            found.walk(node, "")
            value = loader.construct_document(node) if node is not None else None
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        raise _unreadable(name, error) from None
    except RecursionError:
        raise ConfigError(f"{name} is nested without end", hint=_PLAIN) from None
    except (ValueError, TypeError, OverflowError):  # 2026-99-99 looks like a day to YAML
        raise ConfigError(f"{name} has a value that YAML cannot read", hint="put texts in quotes") from None
    return Document(name=name, value=_mapping(name, value), lines=found.lines, doubled=tuple(found.doubled))


def path(parent: str, name: object) -> str:
    """The path of an entry: models, models[0], models[0].name."""
    if isinstance(name, int) and not isinstance(name, bool):
        return f"{parent}[{name}]"
    return f"{parent}.{name}" if parent else str(name)


def _mapping(name: str, value: Any) -> dict[str, Any]:
    if value is None:
        raise ConfigError(f"{name} is empty", hint="name the config of the other program")
    if not isinstance(value, dict):
        raise ConfigError(
            f"{name} is no mapping of settings", hint="it begins with names such as models: or model_list:"
        )
    return {str(key): entry for key, entry in value.items()}


def _unreadable(name: str, error: YAMLError) -> ConfigError:
    """The refusal of a file; of YAML's own words only those that repeat none of the file's are kept."""
    import yaml

    mark = getattr(error, "problem_mark", None)
    where = f"{name}, line {mark.line + 1}" if mark else name
    problem = str(getattr(error, "problem", None) or "")
    if isinstance(error, yaml.constructor.ConstructorError) or "tag" in problem:
        return ConfigError(f"{where}: there is a tag (!...), which makes more than plain values", hint=_PLAIN)
    if isinstance(error, yaml.composer.ComposerError):
        return ConfigError(f"{where}: an anchor is missing or doubled, or there is a second document", hint=_PLAIN)
    if isinstance(error, yaml.reader.ReaderError):
        return ConfigError(f"{name} is not YAML: it has characters that are no text", hint=_PLAIN)
    said = problem if _is_general(problem) else "it cannot be read"
    return ConfigError(f"{where}: this is not YAML: {said}", hint="look at the indents and quotes of that line")


def _is_general(problem: str) -> bool:
    """True where nothing of the file is quoted but a single character or the name of a part of YAML."""
    quoted = problem.split("'")[1::2]
    return bool(problem) and all(len(word) <= 2 or (word[:1] == "<" and word[-1:] == ">") for word in quoted)


class _Walk:
    """Where each value of a file stands; refuses a file that unfolds into too many."""

    def __init__(self, name: str) -> None:
        self.lines: dict[str, int] = {}
        self.doubled: list[str] = []
        self._name = name
        self._left = _MOST

    def walk(self, node: Node | None, at: str) -> None:
        """Note `node` and all below. Raises: `ConfigError`."""
        import yaml

        self._left -= 1
        if self._left < 0:
            raise ConfigError(f"{self._name} unfolds into more than {_MOST:,} values", hint="write fewer anchors")
        if isinstance(node, yaml.SequenceNode):
            for index, one in enumerate(node.value):
                self._note(path(at, index), one)
        elif isinstance(node, yaml.ScalarNode):
            self._check(node)
        elif isinstance(node, yaml.MappingNode):
            seen: set[str] = set()
            for name, key, one in _entries(node):
                if name is None:
                    self.walk(one, at)
                    continue
                if name in seen:
                    self.doubled.append(path(at, name))
                seen.add(name)
                self.walk(key, at)
                self._note(path(at, name), one, key)

    def _check(self, node: ScalarNode) -> None:
        try:
            node.value.encode()
        except UnicodeEncodeError:
            where = f"{self._name}, line {node.start_mark.line + 1}"
            raise ConfigError(f"{where}: there is half a character (\\ud...)", hint="write it as it is") from None

    def _note(self, where: str, node: Node, key: Node | None = None) -> None:
        self.lines[where] = (key or node).start_mark.line + 1
        self.walk(node, where)


def _entries(node: MappingNode) -> Iterator[tuple[str | None, Node, Node]]:
    """The entries of a mapping; None is the name of one that is merged in."""
    for key, value in node.value:
        merged = key.tag == "tag:yaml.org,2002:merge"
        yield (None if merged else str(key.value)), key, value
