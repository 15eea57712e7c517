"""`polychat sandbox`: the emulated services, served until interrupted."""

from __future__ import annotations

import math
import signal
from typing import Literal

import click

from polychat.cli import options
from polychat.cli.terminal import note, say
from polychat.errors import BadOption


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="Listen there.")
@click.option("--port", default=8765, show_default=True, type=click.IntRange(0, 65535), help="0 takes any free one.")
@click.option("--expose", is_flag=True, help="Allow a --host that others can reach; nothing there asks who they are.")
@click.option("--replay", metavar="FOLDER", help="Answer from the recordings there; what is in none is emulated.")
@click.option("--speed", default="full", show_default=True, metavar="full|real|N", help="Of a replay; N times as fast.")
@options.json('Print {"url": ...} as soon as it answers.')
@options.config
def sandbox(host: str, port: int, expose: bool, replay: str | None, speed: str, as_json: bool) -> None:
    """Serve every chat service from this machine, emulated.

    Ctrl-C ends it. Its first line on stdout points polychat at it.
    """
    from polychat.sandbox import PortTaken, serve
    from polychat.sandbox.replays import Unreadable

    if not (expose or _is_loopback(host)):
        raise BadOption(
            f"--host {host} can be reached from other machines", field="host", hint="add --expose if that is meant"
        )
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends as Ctrl-C does
    try:
        serve(host=host, port=port, ready=_print_json if as_json else _print, replay=replay, speed=_speed(speed))
    except Unreadable as error:
        raise BadOption(str(error), field="replay") from error
    except PortTaken as error:
        raise BadOption(
            f"cannot listen on {host} port {port}: {_reason(error)}",
            field="port",
            hint="choose another with --port, or --port 0 for any",
        ) from error


def _speed(given: str) -> float | Literal["full", "real"]:
    """Raises: `BadOption`."""
    if given in ("full", "real"):
        return "full" if given == "full" else "real"
    try:
        times = float(given)
    except ValueError:
        times = 0.0
    if not 0 < times < math.inf:
        raise BadOption(f"--speed {given} is no speed", field="speed", hint="full, real, or how many times as fast: 2")
    return times


def _is_loopback(host: str) -> bool:
    from ipaddress import ip_address

    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _reason(error: OSError) -> str:
    import os

    return os.strerror(error.errno).lower() if error.errno and error.errno > 0 else "no such address"


def _print_json(url: str) -> None:
    import json

    say(json.dumps({"url": url}))


def _print(url: str) -> None:
    from polychat.cli.phrases import table
    from polychat.sandbox.services import discover

    say(f"export POLYCHAT_SANDBOX={url}")
    note("\nbase URLs for other clients:")
    services = [(f"  {url}/{name}", emulation.service.label) for name, emulation in discover().items()]
    for line in table(services):
        note(line)
    note("cookie, token and key of its two people: sandbox-alice, sandbox-bob")
    note(f"what it saw: {url}/_sandbox/journal; all its controls: {url}/_sandbox/")
    note("Ctrl-C ends it")
