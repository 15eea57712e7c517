"""`polychat providers`: the services, and what each takes and can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from polychat.cli import options
from polychat.cli.phrases import table, tokens
from polychat.cli.terminal import say

if TYPE_CHECKING:
    from polychat.providers.base import Info, Model

_SIGN_IN = {"cookies": "browser cookies", "bearer": "access token", "api_key": "API key"}


@click.group(invoke_without_command=True, subcommand_metavar="[show NAME]")
@options.json("Print the list as JSON.")
@options.config
@click.pass_context
def providers(context: click.Context, as_json: bool) -> None:
    """List the services there are, and whether an account is there."""
    if context.invoked_subcommand is not None:
        return
    rows = [_facts(info) for info in options.services().infos().values()]
    if as_json:
        _print_json(rows)
        return
    header = ("NAME", "LABEL", "SIGN-IN", "ACCOUNTS", "CAPABILITIES")
    lines = table([header, *map(_row, rows)])
    say(lines[0], bold=True)
    for line in lines[1:]:
        say(line)


@providers.command()
@click.argument("name", shell_complete=options.provider_names)
@options.json("Print everything about it as JSON.")
@options.config
def show(name: str, as_json: bool) -> None:
    """Show everything about one service."""
    from polychat.engine.sessions import login_command

    info = options.services().load(name).info
    facts = _facts(info) | {
        "models": [_model(info, model) for model in info.models],
        "default_model": info.default_model,
        "hosts": dict(info.hosts),
        "options": {option: kind.__name__ for option, kind in info.options.items()},
        "environment": list(info.env_keys),
        "log_in_at": info.sign_in.url,
        "sign_in_command": login_command(info),
        "terms": info.terms_url,
        "source": info.source,
        "verified": info.verified,
    }
    if as_json:
        _print_json(facts)
        return
    models = facts.pop("models")
    for line in table([(field.replace("_", " "), _words(value)) for field, value in facts.items() if value]):
        say(line)
    if models:
        say("\nmodels", bold=True)
    every = facts["capabilities"]
    for line in table(
        [(one["id"], tokens(one["context_tokens"]), _beside(every, one["capabilities"])) for one in models]
    ):
        say(line)


def _facts(info: Info) -> dict[str, Any]:
    return {
        "name": info.name,
        "label": info.label,
        "sign_in": [_SIGN_IN[kind] for kind in info.accepts] + ([] if info.needs_account else ["nothing"]),
        "accounts": _accounts(info.name),
        "capabilities": sorted(info.capabilities),
    }


def _model(info: Info, model: Model) -> dict[str, Any]:
    return {
        "id": model.id,
        "aliases": list(model.aliases),
        "context_tokens": model.context_tokens,
        "capabilities": sorted(info.abilities(model)),
    }


def _accounts(provider: str) -> list[str]:
    return [entry.name for entry in options.vault(options.settings()).entries(provider)]


def _row(facts: dict[str, Any]) -> tuple[str, ...]:
    sign_in, accounts = " or ".join(facts["sign_in"]), ", ".join(facts["accounts"]) or "none"
    return facts["name"], facts["label"], sign_in, accounts, " ".join(facts["capabilities"])


def _beside(every: list[str], can: list[str]) -> str:
    """What a model can do, in as few words as possible beside what its service can."""
    lacking = [capability for capability in every if capability not in can]
    if not lacking:
        return "can all of it"
    return f"cannot {_words(lacking)}" if len(lacking) < len(can) else f"can {_words(can)}"


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {what}" for name, what in value.items())
    return ", ".join(value) if isinstance(value, list) else str(value)


def _print_json(value: Any) -> None:
    import json

    say(json.dumps(value, ensure_ascii=False))
