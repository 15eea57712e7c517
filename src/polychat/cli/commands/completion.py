"""`polychat completion`: what a shell needs to complete polychat's commands, options, models and services."""

from __future__ import annotations

import click

from polychat.cli import options
from polychat.cli.terminal import say

_SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(_SHELLS), metavar="|".join(_SHELLS))
@options.json("Print the script as a JSON document.")
@options.config
def completion(shell: str, as_json: bool) -> None:
    """Print the script that completes commands in a shell.

    \b
    bash:  eval "$(polychat completion bash)"      in ~/.bashrc
    zsh:   eval "$(polychat completion zsh)"       in ~/.zshrc, after compinit
    fish:  polychat completion fish > ~/.config/fish/completions/polychat.fish
    """
    from click.shell_completion import get_completion_class

    from polychat.cli.program import COMPLETE_VARIABLE, program

    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"there is no completion for {shell}")
    script = kind(program, {}, "polychat", COMPLETE_VARIABLE).source()
    if as_json:
        import json

        script = json.dumps({"shell": shell, "script": script})
    say(script.rstrip("\n"))
