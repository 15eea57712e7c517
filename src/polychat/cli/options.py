"""The options that many commands share, and the settings they lead to."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from polychat.cli.terminal import is_terminal, note
from polychat.errors import BadOption, ConfigError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from polychat.client.aio import AsyncClient
    from polychat.credentials import Secret
    from polychat.engine.services import Services
    from polychat.engine.settings import Settings
    from polychat.vault.base import Vault
    from polychat.vault.keys import Ask

F = TypeVar("F", bound=Callable[..., Any])
_EVERYWHERE = {"--config": "Read this config file too.", "--vault-key-file": "The vault's key or passphrase is there."}


def _remember(context: click.Context, option: click.Parameter, value: Path | None) -> None:
    if value is not None:
        context.meta[f"polychat.{option.name}"] = value


def config(command: F) -> F:
    """`--config FILE` and `--vault-key-file FILE`, before or after the command's name."""
    for name, what in reversed(_EVERYWHERE.items()):
        command = click.option(
            name,
            metavar="FILE",
            type=click.Path(path_type=Path),
            expose_value=False,
            is_eager=True,
            callback=_remember,
            help=what,
        )(command)
    return command


def everywhere(args: Sequence[str]) -> int:
    """How many of the first arguments are such options with their FILE; more than there are when FILE is missing."""
    at = 0
    while at < len(args) and args[at].partition("=")[0] in _EVERYWHERE:
        at += 1 if "=" in args[at] else 2
    return at


def json(what: str) -> Callable[[F], F]:
    """`--json`, passed on as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help=what)


def model(command: F) -> F:
    """`-m/--model`."""
    return click.option(
        "-m", "--model", metavar="MODEL", help="PROVIDER/MODEL, or a model's own id.", shell_complete=model_names
    )(command)


def account(command: F) -> F:
    """`--account` and `--provider`: who asks, and whom."""
    command = click.option("--provider", metavar="NAME", help="Ask this service.", shell_complete=provider_names)(
        command
    )
    return click.option("--account", metavar="NAME", help="Ask with this account.")(command)


def conversation(what: str) -> Callable[[F], F]:
    """`-c/--conversation FILE`."""
    return click.option("-c", "--conversation", metavar="FILE", type=click.Path(path_type=Path), help=what)


def own_settings(what: str) -> Callable[[F], F]:
    """`-o/--option NAME=VALUE`, repeatable, passed on as `settings`; each is read by `setting`."""
    return click.option("-o", "--option", "settings", metavar="NAME=VALUE", multiple=True, help=what)


def timeout(what: str) -> Callable[[F], F]:
    """`--timeout SECONDS`, passed on as `timeout_s`."""
    kind = click.FloatRange(min=0, min_open=True)
    return click.option("--timeout", "timeout_s", metavar="SECONDS", type=kind, help=what)


def record(command: F) -> F:
    """`--record DIR`."""
    return click.option(
        "--record",
        metavar="DIR",
        type=click.Path(path_type=Path, file_okay=False),
        help="Write what goes over the wire into DIR, secrets masked.",
    )(command)


def verbose(command: F) -> F:
    """`-v/--verbose`."""
    return click.option("-v", "--verbose", is_flag=True, help="Tell each request on stderr.")(command)


def settings(**overrides: Any) -> Settings:
    """The settings in force for the running command. Raises: `ConfigError`."""
    from polychat.engine.settings import load

    given = click.get_current_context().meta
    if key_file := given.get("polychat.vault_key_file"):
        overrides["vault_key_file"] = str(key_file)
    return load(environ=os.environ, config_file=given.get("polychat.config"), overrides=overrides)


def client(**options: Any) -> AsyncClient:
    """A client of the settings and accounts in force. Raises: `ConfigError`."""
    from polychat.client.aio import AsyncClient

    found = recording(settings())
    return AsyncClient(vault=vault(found), settings=found, **options)


def recording(settings: Settings) -> Settings:
    """The same, with a ledger unless the person wants none."""
    from msgspec.structs import replace

    if settings.logging.store is not None:
        return settings
    return replace(settings, logging=replace(settings.logging, store="facts"))


def vault(settings: Settings) -> Vault:
    """The accounts there are; a person at the terminal is asked for the vault's passphrase, and told what matters."""
    from polychat.engine.accounts import kept

    return kept(settings, os.environ, ask=ask(), notice=remark)


def services() -> Services:
    """The services there are. Raises: `ConfigError`."""
    from polychat.engine.services import Services

    return Services(settings())


def remark(text: str) -> None:
    """Something that a person should know beside the answer."""
    note(f"note: {text}")


def ask() -> Ask | None:
    """What asks for a passphrase; None where nobody sits."""
    return passphrase if is_terminal(sys.stdin) and is_terminal(sys.stderr) else None


def passphrase(prompt: str) -> Secret:
    """What a person types, without echo."""
    import signal

    from polychat.credentials import Secret

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # asyncio's waits until something was typed
    try:
        return Secret(click.prompt(prompt, hide_input=True, err=True))
    finally:
        signal.signal(signal.SIGINT, before)


def provider_names(context: click.Context, option: click.Parameter, incomplete: str) -> list[CompletionItem | str]:
    """For the shell: the services there are."""
    return [name for name in _known(context).names() if name.startswith(incomplete)]


def model_names(context: click.Context, option: click.Parameter, incomplete: str) -> list[CompletionItem | str]:
    """For the shell: what `--model` takes."""
    infos = _known(context).infos().values()
    models = [f"{info.name}/{model.id}" for info in infos for model in info.models]
    return [model for model in models if model.startswith(incomplete)]


def _known(context: click.Context) -> Services:
    """The services to complete from; without the config's own where the config is wrong."""
    from polychat.engine.services import Services
    from polychat.engine.settings import Folders, Settings

    try:
        with context.scope(cleanup=False):
            return services()
    except ConfigError:
        nowhere = Path()
        return Services(Settings(folders=Folders(config=nowhere, data=nowhere, state=nowhere, cache=nowhere)))


def setting(given: str) -> tuple[str, Any]:
    """`NAME=VALUE`, the value read as JSON where it is JSON. Raises: `BadOption`."""
    from json import loads

    name, equals, value = given.partition("=")
    if not (name and equals):
        raise BadOption(f"--option {given} is not NAME=VALUE", field="option", hint="for example: -o temperature=0.2")
    try:
        return name, loads(value)
    except ValueError:
        return name, value


def words(given: Sequence[str], *, to: str, example: str) -> str:
    """The words of the command line, then what comes in from a pipe. Raises: `BadOption` when there is neither."""
    asked = " ".join(given).strip()
    piped = ""
    if sys.stdin is not None and not is_terminal(sys.stdin):
        piped = text(sys.stdin.buffer.read(), of="stdin").strip("\n")
    whole = "\n\n".join(filter(str.strip, (asked, piped)))
    if not whole:
        raise BadOption(f"there is nothing to {to}: no words, and nothing on stdin", hint=example)
    try:
        whole.encode()
    except UnicodeEncodeError as error:
        raise BadOption("the words are not text in UTF-8", field="prompt") from error
    return whole


def text(data: bytes, *, of: str) -> str:
    """`data` as the text it should be. Raises: `BadOption`."""
    try:
        return data.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise BadOption(
            f"{of} is not text in UTF-8", field=of, hint="attach what is not text: --image FILE or --file FILE"
        ) from error
