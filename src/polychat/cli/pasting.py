"""A text that a person pastes into the terminal, such as a copied request; what is pasted is not shown.

A terminal that waits for whole lines cuts them at 4,096 bytes or fewer, and a session's cookies may be longer: so bytes
are taken as they come, until Ctrl-D.
"""

from __future__ import annotations

import os
import sys

from polychat.cli import options
from polychat.cli.terminal import is_terminal, note

_END = b"\x04"
_CHUNK_BYTES = 65536


def text(what: str) -> str:
    """What stdin brings: pasted by the person at the terminal, who is asked for `what`, or from a pipe.

    Raises: `BadOption` for what is not UTF-8.
    """
    return options.text(_pasted(what) if is_terminal(sys.stdin) else sys.stdin.buffer.read(), of="stdin")


def _pasted(what: str) -> bytes:
    try:
        import termios
    except ImportError:  # Windows
        note(f"paste {what}, then press Enter, Ctrl-Z and Enter")
        return sys.stdin.buffer.read()
    terminal = sys.stdin.fileno()
    usual = termios.tcgetattr(terminal)
    unseen = [*usual[:3], usual[3] & ~(termios.ICANON | termios.ECHO), *usual[4:]]
    termios.tcsetattr(terminal, termios.TCSADRAIN, unseen)
    try:
        note(f"paste {what}, then press Ctrl-D; it is not shown")
        return _until_end(terminal)
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, usual)


def _until_end(terminal: int) -> bytes:
    data = b""
    while _END not in data[-_CHUNK_BYTES:] and (chunk := os.read(terminal, _CHUNK_BYTES)):
        data += chunk
    return data.partition(_END)[0]
