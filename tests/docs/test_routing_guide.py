"""docs/guides/routing.md has every field, strategy and rule there is, and names models that are there."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from polychat import providers
from polychat.engine import conditions, facts
from polychat.engine.failover import __doc__ as failover
from polychat.engine.routed import Strategy
from polychat.engine.settings import Settings, load
from polychat.engine.targets import Known, Target, Yardsticks, targets

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "guides" / "routing.md").read_text("utf-8")
EXAMPLES = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
RULES = 6  # of failover's own table


def rows(head: str) -> list[list[str]]:
    """The rows of the table whose first column is called so."""
    lines = TEXT.partition(f"\n| {head} |")[2].splitlines()[2:]
    ends = next(index for index, line in enumerate(lines) if not line.startswith("|"))
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[:ends]]


def test_every_field_is_there_with_its_kind() -> None:
    """What a condition may look at, and nothing else."""
    assert {cells[0].strip("`"): cells[1] for cells in rows("field")} == dict(facts.KNOWN)


def test_every_strategy_is_there() -> None:
    """And no other."""
    assert {cells[0].strip("`") for cells in rows("strategy")} == set(get_args(Strategy))


def test_every_rule_of_failover_is_there() -> None:
    """The page tells silence and no connection apart, which is one line of the engine's table."""
    theirs = re.findall(r"^    \S.*\S {2,}\S.*$", failover or "", re.MULTILINE)
    assert (len(theirs), len(rows("what went wrong"))) == (RULES, RULES + 1)


def test_every_target_of_the_examples_leads_somewhere(tmp_path: Path) -> None:
    """To a model that polychat knows, or to a name of the same page."""
    loaded = [load_example(example, tmp_path) for example in EXAMPLES]
    names = {name: routed for one in loaded for name, routed in one.routed.items()}
    known = Known(dict(providers.infos()), {}, (), names)
    yardsticks = Yardsticks(busy=lambda route: 0.0, price=lambda route: 0.0, random=lambda: 0.0)
    found = {name: targets(name, known, yardsticks) for name in names}
    assert {name for name, ones in found.items() if not all(isinstance(one, Target) for one in ones)} == set()


def test_a_condition_that_ends_unknown_holds() -> None:
    """As the page says, with its own two examples."""
    nothing: dict[str, Any] = dict.fromkeys(facts.KNOWN)
    asked = {text: conditions.parse(text, facts.KNOWN, place="x").compute(nothing) for text in (
        "errors_1h < 3", "errors_1h < 3 or True", "errors_1h < 3 and False",
    )}  # fmt: skip
    assert list(asked.values()) == [None, True, False]
    assert conditions.parse("errors_1h < 3", facts.KNOWN, place="x").holds(nothing)


def test_all_examples_are_about_routing() -> None:
    """Conditions of the page are read as conditions."""
    assert sum(1 for example in EXAMPLES for _ in whens(tomllib.loads(example))) >= 4


def whens(value: Any) -> Iterator[str]:
    """Every condition of an example."""
    if isinstance(value, dict):
        yield from (entry for name, entry in value.items() if name == "when")
        value = list(value.values())
    if isinstance(value, list):
        for entry in value:
            yield from whens(entry)


def load_example(text: str, folder: Path) -> Settings:
    """An example as the program reads it."""
    file = folder / "example.toml"
    file.write_text(text, encoding="utf-8")
    return load(environ={"POLYCHAT_HOME": str(folder)}, config_file=file)
