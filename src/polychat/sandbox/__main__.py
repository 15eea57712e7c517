"""`python -m polychat.sandbox [--host H] [--port N]`: serve until interrupted."""

from __future__ import annotations

import argparse
import sys

from polychat.sandbox.server import PortTaken, serve


def main() -> int:
    """Read the options, serve, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m polychat.sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8765, help="0 takes any free port (default: %(default)s)")
    options = parser.parse_args()
    try:
        serve(host=options.host, port=options.port, ready=_say)
    except PortTaken as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _say(url: str) -> None:
    sys.stderr.write(f"sandbox: {url}/ (overview: {url}/_sandbox/); Ctrl+C stops it\n")


if __name__ == "__main__":
    sys.exit(main())
