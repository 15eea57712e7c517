"""`polychat version`: which polychat this is, and on what it runs."""

from __future__ import annotations

import click

from polychat.cli import options
from polychat.cli.terminal import say


@click.command()
@options.json("Print version, Python and platform as JSON.")
@options.config
def version(as_json: bool) -> None:
    """Print the version."""
    from polychat import __version__

    if not as_json:
        say(f"polychat {__version__}")
        return
    import json
    import platform

    facts = {"version": __version__, "python": platform.python_version(), "platform": platform.platform()}
    say(json.dumps(facts))
