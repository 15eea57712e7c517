"""The services themselves, emulated over real HTTP on loopback: no account, no network, faults on demand.

    from polychat.sandbox import Sandbox

    with Sandbox() as sandbox:
        print(sandbox.url)  # http://127.0.0.1:PORT; every service lives under /<its name>

`server` runs it, `stage` puts journal and faults in front of every service, `control` is the plane `/_sandbox/...`,
`sockets` does the same for websockets, `brain` answers, `services/` holds one file or folder per service. The sandbox
imports nothing of the rest of the package: it is written from the protocol pages alone, so that it cannot share a
decoder's mistakes. `foreign_url` is its second origin, for links that must not be sent credentials.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from polychat.sandbox.server import PortTaken, Sandbox, create_app, serve

__all__ = ["PortTaken", "Sandbox", "create_app", "serve"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from polychat.sandbox import server

    return getattr(server, name)
