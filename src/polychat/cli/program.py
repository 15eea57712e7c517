"""Which command is meant, found without importing the others.

polychat [PROMPT]       is polychat chat [PROMPT]
an unknown first word   is a prompt, unless it is the only word and nearly the name of a command
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from polychat.cli import failures, options
from polychat.cli.terminal import colours, is_terminal, say
from polychat.errors import BadOption, PolychatError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

COMPLETE_VARIABLE = "_POLYCHAT_COMPLETE"
COMMANDS = {
    "chat": "Ask, and read the answer as it comes",
    "image": "Have a picture drawn, or changed, and save it",
    "speak": "Have a text or an answer read aloud, and save the sound",
    "transcribe": "Have speech written down",
    "models": "List the models there are",
    "providers": "List the services there are, and whether an account is there",
    "login": "Keep a sign-in: browser cookies, a token or a key",
    "logout": "Forget a sign-in",
    "accounts": "The sign-ins you keep: how they are doing, which is asked first",
    "vault": "Show how the accounts are encrypted, and change it",
    "batch": "Ask everything that a file holds, and go on where it stopped",
    "logs": "What was asked, what came of it and what it cost",
    "config": "Show the settings, check them, and take over those of another program",
    "doctor": "Look for what is wrong with this setup, and say how to mend it",
    "sandbox": "Serve every chat service from this machine, emulated",
    "drift": "Tell what has changed since exchanges were recorded, and on which side",
    "demo": "Show the main job from start to end; no account, no network",
    "version": "Print the version",
    "completion": "Print the script that completes commands in a shell",
}
_OWN_FLAGS = {"--help", "-h", "--version"}
_SIMILAR = 0.75  # of difflib's ratio; "modles" is 0.83 of "models"


class Program(click.Group):
    """All commands, by name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of a first day."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, imported now."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(importlib.import_module(f"polychat.cli.commands.{cmd_name}"), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table of commands for `--help`."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The names that begin so, and the program's own options."""
        from click.shell_completion import CompletionItem

        names = [CompletionItem(name, help=what) for name, what in COMMANDS.items() if name.startswith(incomplete)]
        return names + click.Command.shell_complete(self, ctx, incomplete)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does, once it is clear which command is meant."""
        at = options.everywhere(args)
        rest = args[at:]
        if not rest and (ctx.resilient_parsing or at > len(args)):
            return super().parse_args(ctx, args)
        if not args and is_terminal(sys.stdin):
            click.echo(ctx.get_help(), color=colours())
            ctx.exit()
        if not rest or rest[0] not in COMMANDS.keys() | _OWN_FLAGS:
            rest = _as_command(rest)
        return super().parse_args(ctx, args[:at] + rest)


def _as_command(args: list[str]) -> list[str]:
    """`args` with a command in front: the one they nearly name, if that was meant, otherwise `chat`."""
    name = _near_miss(args)
    if name is None:
        return ["chat", *args]
    if not (is_terminal(sys.stdin) and is_terminal(sys.stderr)):
        raise BadOption(
            f"there is no command {args[0]!r}",
            hint=f"did you mean `{name}`? To ask it as a question: polychat chat {args[0]}",
        )
    return [name, *args[1:]] if click.confirm(f"did you mean `{name}`?", err=True) else ["chat", *args]


def _near_miss(args: Sequence[str]) -> str | None:
    """The command that a single, lone word comes close to."""
    words = [word for word in args if not word.startswith("-")]
    if len(words) != 1 or words[0] != args[0]:
        return None
    from difflib import get_close_matches

    return next(iter(get_close_matches(words[0].lower(), COMMANDS, n=1, cutoff=_SIMILAR)), None)


def _print_version(context: click.Context, option: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        from polychat import __version__

        say(f"polychat {__version__}")
        context.exit()


@click.group(
    cls=Program,
    name="polychat",
    subcommand_metavar="[PROMPT] | COMMAND [ARGS]...",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="POLYCHAT_HOME=FOLDER keeps all files there; POLYCHAT_SANDBOX=URL asks a sandbox instead of the services.",
)
@options.config
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Print the version."
)
def program() -> None:
    """One command line over the chat accounts and API keys you already hold.

    `polychat [PROMPT]` is `polychat chat [PROMPT]`.
    """


def run(args: Sequence[str]) -> int:
    """Run one command line; the exit code. Nothing it raises is left to the caller but mistakes of our own."""
    before_dashes = args[: args.index("--")] if "--" in args else args
    as_json = not {"--json", "--jsonl"}.isdisjoint(before_dashes)
    if not failures.debugging():
        sys.excepthook = failures.broken
    try:
        if level := os.environ.get("POLYCHAT_LOG"):
            from polychat.cli import logs

            logs.begin(level.upper())
        code = _invoke(list(args))
        sys.stdout.flush()
    except PolychatError as error:
        return failures.failed(error, as_json=as_json)
    except click.ClickException as error:
        return failures.misused(error, as_json=as_json)
    except (KeyboardInterrupt, click.Abort):
        return failures.INTERRUPTED
    except BrokenPipeError:
        _let_go_of_stdout()
        return 0
    return code


def _invoke(args: list[str]) -> int:
    if instruction := os.environ.get(COMPLETE_VARIABLE):
        from click.shell_completion import shell_complete

        return shell_complete(program, {}, "polychat", COMPLETE_VARIABLE, instruction)
    try:
        with program.make_context("polychat", args) as context:
            program.invoke(context)
    except click.exceptions.Exit as ended:
        return ended.exit_code
    return 0


def _let_go_of_stdout() -> None:
    """Its reader has left; let the interpreter's last flush go nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
