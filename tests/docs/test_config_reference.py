"""docs/reference/config.md has every setting there is, no other, and the defaults that hold."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from polychat.engine import routed, rows, sections, settings
from polychat.engine.ledger.record import Store
from polychat.engine.settings import load
from polychat.net.clocks import USUAL, Clocks
from polychat.types import ToolMode

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "reference" / "config.md"
TEXT = PAGE.read_text("utf-8")
GUIDE = (ROOT / "docs" / "guides" / "routing.md").read_text("utf-8")
EXAMPLES = [*re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL), *re.findall(r"```toml\n(.*?)```", GUIDE, re.DOTALL)]


def sections_of(text: str) -> dict[str, str]:
    """The parts of a page by their headings."""
    parts = re.split(r"^## (.*)$", text, flags=re.MULTILINE)
    return dict(zip((head.strip("` ") for head in parts[1::2]), parts[2::2], strict=True))


def table_rows(text: str, *, of: str = "setting") -> dict[str, list[str]]:
    """The rows of the first table whose first column is called so: name -> the other cells."""
    found: dict[str, list[str]] = {}
    reading = False
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")] if line.startswith("|") else []
        if cells and cells[0] == of:
            reading = True
        elif reading and not cells:
            break
        elif reading and cells[0].startswith("`"):
            found[cells[0].strip("`")] = cells[1:]
    return found


PARTS = sections_of(TEXT)


def tables() -> set[str]:
    """The settings that are tables."""
    return {name for name in settings.Table.__struct_fields__ if name not in table_rows(PARTS["At the top"])}


@pytest.mark.parametrize(
    ("part", "names"),
    [
        ("[clocks]", (*Clocks.__struct_fields__, *USUAL)),
        ("[failover]", sections.Budget.__struct_fields__),
        ("[logging]", sections.Logging.__struct_fields__),
        ("[services.NAME]", rows.Table.__struct_fields__),
        ("[models.NAME]", routed.SETTINGS),
        ('[models."SERVICE/MODEL"]', sections.ModelSettings.__struct_fields__),
    ],
)
def test_every_setting_is_there(part: str, names: tuple[str, ...]) -> None:
    """In the part of its table, and nothing that is no setting."""
    assert set(table_rows(PARTS[part])) == set(names)


def test_every_table_and_scalar_is_there() -> None:
    """Each table has its part; everything else stands at the top."""
    heads = {head.strip("[]").partition(".")[0] for head in PARTS if head.startswith("[")}
    assert heads == tables()
    assert heads | set(table_rows(PARTS["At the top"])) == set(settings.Table.__struct_fields__)


def test_every_variable_is_there() -> None:
    """With the setting it stands for."""
    told = {name: cells[0].strip("`") for name, cells in table_rows(TEXT, of="variable").items()}
    assert told == settings.VARIABLES


def test_every_field_of_a_target_is_there() -> None:
    """In a table of its own."""
    assert set(table_rows(PARTS["[models.NAME]"], of="field")) == set(routed.FIELDS)


@pytest.mark.parametrize(
    ("part", "defaults"),
    [
        ("[clocks]", msgspec.structs.asdict(Clocks())),
        ("[failover]", msgspec.structs.asdict(sections.Budget())),
        ("[logging]", msgspec.structs.asdict(sections.Logging())),
        ('[models."SERVICE/MODEL"]', msgspec.structs.asdict(sections.ModelSettings())),
    ],
)
def test_the_defaults_hold(part: str, defaults: dict[str, Any]) -> None:
    """As the page has them, so they are."""
    told = {name: cells[1].strip("`") for name, cells in table_rows(PARTS[part]).items() if name in defaults}
    assert told == {name: written(value) for name, value in defaults.items()}


def test_the_defaults_of_services_hold() -> None:
    """Of those settings that have one."""
    told = {name: cells[1].strip("`") for name, cells in table_rows(PARTS["[services.NAME]"]).items()}
    fields = [field for field in msgspec.structs.fields(rows.Table) if field.default is not msgspec.NODEFAULT]
    defaults = {field.name: written(field.default) for field in fields}
    assert {name: told[name] for name in defaults} == defaults


def test_the_clocks_of_other_kinds_hold() -> None:
    """All in which they differ from those of questions."""
    table = PARTS["[clocks]"].partition("these differ:")[2]
    lines = [line.strip("|").split("|") for line in table.splitlines() if line.startswith("| `")]
    told = {tuple(cell.strip("` ") for cell in cells) for cells in lines}
    differ = {
        (kind, name, written(getattr(clocks, name)))
        for kind, clocks in USUAL.items()
        for name in Clocks.__struct_fields__
        if getattr(clocks, name) != getattr(Clocks(), name)
    }
    assert told == differ


@pytest.mark.parametrize(
    ("part", "name", "words"),
    [
        ("[logging]", "store", get_args(Store)),
        ("[models.NAME]", "strategy", get_args(routed.Strategy)),
        ("[models.NAME]", "tools", get_args(ToolMode)),
        ('[models."SERVICE/MODEL"]', "tools", get_args(ToolMode)),
    ],
)
def test_every_word_that_may_be_set_is_there(part: str, name: str, words: tuple[str, ...]) -> None:
    """Where one of several words is wanted."""
    assert set(re.findall(r"`(\w+)`", table_rows(PARTS[part])[name][0])) == set(words)


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_every_example_loads(example: str, tmp_path: Path) -> None:
    """As it stands, but for names that stand in another example."""
    file = tmp_path / "example.toml"
    file.write_text(example, encoding="utf-8")
    loaded = load(environ={"POLYCHAT_HOME": str(tmp_path)}, config_file=file)
    assert tomllib.loads(example)
    assert loaded.folders.config == tmp_path / "config"


def written(value: Any) -> str:
    """A default as the page has it."""
    if value is None or value in ((), frozenset()):
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)
