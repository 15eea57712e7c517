"""`polychat config`: where settings come from, which are in force, whether they are sound; those of other programs."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from polychat.cli import options
from polychat.cli.terminal import harmless, note, say
from polychat.errors import BadOption, ConfigError

if TYPE_CHECKING:
    from polychat.cli.config_check import Warned
    from polychat.cli.config_import import Convert
    from polychat.cli.config_places import Shown

_COUNTED = {"services": "own service", "routed": "routed name", "models": "model setting"}
F = TypeVar("F", bound=Callable[..., Any])


@click.group(subcommand_metavar="path|show|check|import")
@options.config
def config() -> None:
    """Show the settings, check them, and take over those of another program."""


@config.command()
@options.json("Print it as JSON.")
@options.config
def path(as_json: bool) -> None:
    """Print where the files are, and which of them exist; also where the config cannot be read."""
    from polychat.cli import config_places
    from polychat.cli.phrases import table

    try:
        found = config_places.files(options.settings())
    except ConfigError:
        found = config_places.files(None)
        options.remark("the config cannot be read as it is: polychat config check says why")
    if as_json:
        _print_json([{"what": one.what, "path": str(one.path), "exists": one.exists} for one in found])
        return
    for line in table([(one.what, "there" if one.exists else "not there", str(one.path)) for one in found]):
        say(line)


@config.command()
@options.json("Print it as JSON.")
@options.config
def show(as_json: bool) -> None:
    """Show the settings in force, and where each comes from.

    A file, a variable, an option or the default. No key or password is shown.
    """
    from polychat.cli import config_places
    from polychat.cli.phrases import table

    shown = list(config_places.in_force(options.recording(options.settings()), config_places.layers()))
    if as_json:
        _print_json({one.name: {"value": one.value, "from": one.origin} for one in shown})
        return
    for line in table([(one.name, one.origin, harmless(_words(one))) for one in shown]):
        say(line)


@config.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@options.json("Print it as JSON.")
@options.config
@click.pass_context
def check(context: click.Context, file: Path | None, as_json: bool) -> None:
    """Read the settings as any command would, with FILE on top of them, and say what is wrong.

    Exit code 3 for what cannot be read. A name that leads nowhere is a warning: services and accounts come and go.
    """
    if file is not None:
        if "polychat.config" in context.meta:
            raise BadOption("the config is named twice", field="file", hint="name it once: polychat config check FILE")
        context.meta["polychat.config"] = file
    counts, read, warned = _checked()
    if as_json:
        _print_json({"files": read, **counts, "warnings": [one._asdict() for one in warned]})
        return
    said = ", ".join(_counted(count, _COUNTED[what]) for what, count in counts.items())
    which = " and ".join(read) or "there is no config file; what is in force"
    say(f"{which} can be read: {said}, {_counted(len(warned), 'warning')}")
    for one in warned:
        note(f"{click.style('warning:', fg='yellow')} {harmless(f'{one.path}: {one.message}')}")
        if one.hint:
            note(f"{click.style('hint:', fg='cyan')} {harmless(one.hint)}")


def _checked() -> tuple[dict[str, int], list[str], list[Warned]]:
    """How much there is of what, the files that were read, and what was warned of. Raises: `ConfigError`."""
    from polychat.cli import config_places
    from polychat.cli.config_check import warnings
    from polychat.engine.engine import Engine

    found = options.settings()
    counts = {"services": len(found.services), "routed": len(found.routed), "models": len(found.models)}
    files = (config_places.config_file(), config_places.given_file())
    read = [str(one) for one in files if one is not None and one.exists()]
    return counts, read, warnings(Engine(options.vault(found), found))


# ---------------------------------------------------------------- other programs


@config.group("import", subcommand_metavar="g4f|litellm FILE")
@options.config
def import_() -> None:
    """Take over the config of another program.

    What it becomes is printed, and what of it has no place here is told on stderr. Keys are never copied.
    """


def _import_options(command: F) -> F:
    for option in (
        options.json("Print the config and every remark as JSON."),
        click.option("--dry-run", is_flag=True, help="Write nothing; print what would be written."),
        click.option("--write", is_flag=True, help="Make it the config of this person, if there is none."),
        click.option("-O", "--output", metavar="FILE", type=click.Path(path_type=Path), help="Write it to a new file."),
        click.argument("file", metavar="FILE"),
        options.config,
    ):
        command = option(command)
    return command


@import_.command()
@_import_options
def g4f(**given: Any) -> None:
    """Take over the routes of gpt4free's config.yaml; - is stdin."""
    from polychat.engine.importing.g4f import convert

    _import(convert, **given)


@import_.command()
@_import_options
def litellm(**given: Any) -> None:
    """Take over the models and settings of LiteLLM's config.yaml; - is stdin."""
    from polychat.engine.importing.litellm import convert

    _import(convert, **given)


def _import(convert: Convert, file: str, output: Path | None, write: bool, dry_run: bool, as_json: bool) -> None:
    from polychat.cli import config_import, config_places
    from polychat.engine.importing.mapped import toml

    if write and output:
        raise BadOption("--write and --output exclude each other", field="output")
    place = config_places.config_file() if write else output
    config_import.refuse_taken(place)
    found = config_import.converted(convert, file)
    source = os.path.basename(file) if file != config_import.STDIN else "stdin"  # noqa: PTH119 - a name only
    text = toml(found, source=source)
    if place is not None and not dry_run:
        if not found.table:
            config_import.tell(found, source)
            raise ConfigError(f"nothing of {source} has a place in polychat, so nothing was written")
        config_import.write(text, place)
    else:
        place = None
    if as_json:
        _print_json(config_import.facts(found, text, source, place))
        return
    say(harmless(text).rstrip() if place is None else str(place))
    config_import.tell(found, source)
    if place is not None:
        options.remark(f"polychat config check{'' if write else f' {place}'} tells what leads nowhere yet")


def _words(shown: Shown) -> str:
    """A value as the config file would have it; - where nothing is set."""
    import json

    if shown.value is None:
        return "off" if shown.name.startswith("clocks.") else "-"
    return shown.value if isinstance(shown.value, str) else json.dumps(shown.value, ensure_ascii=False)


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _print_json(value: Any) -> None:
    import json

    say(json.dumps(value, ensure_ascii=False, default=str))
