"""The sandbox as a server: uvicorn on loopback, in a thread of its own or for the command line.

Nothing in-process can stand in for it: an ASGI transport hands over whole bodies, and what is to be shown here are
pauses, cuts and bytes on a wire. Stopping is prompt, whatever hangs: open connections are closed, not waited for.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import threading
from collections.abc import Callable, Mapping
from http.client import HTTPConnection
from typing import Any

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from polychat.sandbox import control
from polychat.sandbox.journal import Entry
from polychat.sandbox.replays import Speed
from polychat.sandbox.stage import HANG_UP, Stage
from polychat.sandbox.world import World

_START_TIMEOUT_S = 10.0
_STOP_TIMEOUT_S = 5.0
_CONTROL_TIMEOUT_S = 30.0


class PortTaken(OSError):
    """Another program listens there; the text says where and what to do."""


def create_app(world: World | None = None) -> Starlette:
    """The ASGI application: every service under its name, the control plane under `/_sandbox`."""
    world = world or World()
    services = [
        Mount(f"/{name}", Stage(world, name, Starlette(routes=list(emulation.routes))))
        for name, emulation in world.services.items()
    ]
    return Starlette(routes=[Route("/", _overview), Mount("/_sandbox", routes=control.routes(world)), *services])


async def _overview(request: Request) -> Response:
    return RedirectResponse("/_sandbox/")


class Sandbox:
    """A running sandbox: `with Sandbox() as sandbox: ... sandbox.url`. Port 0 takes any free one.

    Its methods speak to the control plane over HTTP, so they may be called from any thread but that of the server.
    """

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self._host = host
        self._port = port
        self._thread: threading.Thread | None = None
        self.url = ""
        self.foreign_url = ""  # another origin of the same services: object stores, signed links, sockets

    def start(self) -> None:
        """Listen and answer. Raises: PortTaken, RuntimeError when started already."""
        if self._thread is not None:
            raise RuntimeError("the sandbox is running already")
        listeners = [_listen(self._host, self._port), _listen_elsewhere(self._host)]
        self.url, self.foreign_url = map(_url, listeners)
        self._server = _Server(create_app(World(foreign_url=self.foreign_url)))
        self._thread = threading.Thread(target=self._run, args=(listeners,), name="polychat-sandbox", daemon=True)
        self._thread.start()
        if not self._server.ready.wait(_START_TIMEOUT_S):
            raise RuntimeError(f"the sandbox did not start within {_START_TIMEOUT_S:g} s")

    def stop(self) -> None:
        """Close every connection and end the thread. Stopping twice is no error."""
        if self._thread is None:
            return
        self._server.stop()
        self._thread.join(_STOP_TIMEOUT_S)
        self._thread = None

    def __enter__(self) -> Sandbox:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    def _run(self, listeners: list[socket.socket]) -> None:
        with asyncio.Runner() as runner:
            runner.run(self._server.serve(sockets=listeners))

    # ---------------------------------------------------------------- the control plane

    def reset(self) -> None:
        """Back to the start: accounts, clock, faults, scripts, knobs, journal and every service's state."""
        self._ask("POST", "reset", {})

    def journal(self, *, service: str | None = None, path: str | None = None) -> list[Entry]:
        """The requests seen, oldest first."""
        return [
            entry
            for entry in self._ask("GET", "journal", kind=list[Entry])
            if service in (None, entry.service) and path in (None, entry.path)
        ]

    def fault(self, service: str, fault: str, **details: Any) -> int:
        """Let `fault` (a name from `faults.py`) happen to requests of `service`; returns its id.

        `details` are the fault's own arguments and `path`, `method`, `skip`, `times`.
        """
        return int(self._ask("POST", "faults", {"service": service, "fault": fault, **details})["id"])

    def clear_faults(self) -> None:
        """No more faults."""
        self._ask("DELETE", "faults")

    def clock(self, *, advance_s: float | None = None, set: float | None = None) -> float:  # noqa: A002 - the control's word
        """The sandbox's time (Unix seconds), after moving it if asked."""
        change = {"advance_s": advance_s} if advance_s is not None else {"set": set} if set is not None else None
        answer = self._ask("POST" if change else "GET", "clock", change)
        return float(answer["now"])

    def script(self, service: str, **answer: Any) -> None:
        """Say what `service` answers next: `text` or `chunks`, `revisions`, `finish_reason`, `account`, `times`."""
        self._ask("POST", "script", {"service": service, **answer})

    def knobs(self, service: str, **settings: Any) -> dict[str, Any]:
        """The settings of `service`, after changing those given."""
        return dict(self._ask("POST", "knobs", {"service": service, **settings}))

    def replay(self, service: str, folder: str, **settings: Any) -> None:
        """Let `service` answer from the recordings in `folder`; `speed` and `rest` as in `polychat.sandbox.replays`."""
        self._ask("POST", "replay", {"service": service, "folder": folder, **settings})

    def seed(self, seed: int) -> None:
        """Let identifiers start anew from `seed`."""
        self._ask("POST", "seed", {"seed": seed})

    def accounts(self) -> list[str]:
        """The people every service knows."""
        return list(self._ask("GET", "accounts"))

    def add_account(self, name: str) -> None:
        """Make `name` a cookie value, bearer token and API key that every service accepts."""
        self._ask("POST", "accounts", {"name": name})

    def remove_account(self, name: str) -> None:
        """Forget a person."""
        self._ask("DELETE", "accounts", {"name": name})

    def _ask(self, method: str, name: str, body: Mapping[str, Any] | None = None, kind: Any = Any) -> Any:
        connection = HTTPConnection(self.url.removeprefix("http://"), timeout=_CONTROL_TIMEOUT_S)
        with contextlib.closing(connection):
            connection.request(method, f"/_sandbox/{name}", None if body is None else msgspec.json.encode(body))
            answer = connection.getresponse()
            said = answer.read()
        if answer.status == 422:
            raise control.Refusal(msgspec.json.decode(said, type=dict[str, str])["error"])
        return msgspec.json.decode(said, type=kind)


def serve(
    *,
    host: str = "127.0.0.1",
    port: int = 8765,
    ready: Callable[[str], None] | None = None,
    replay: str | None = None,
    speed: Speed = "full",
) -> None:
    """Serve in this thread until interrupted; `ready` is told the URL as soon as it answers.

    Services that have recordings in the folder `replay` answer from them, at that `speed`: "full", "real", or so many
    times as fast. Raises: PortTaken, Unreadable.
    """
    if replay is not None:
        World(replay=replay)  # refused before anything listens
    listeners = [_listen(host, port), _listen_elsewhere(host)]
    url, foreign_url = map(_url, listeners)
    world = World(foreign_url=foreign_url, replay=replay, speed=speed)
    server = _Server(create_app(world), on_ready=lambda: ready(url) if ready else None)
    with contextlib.suppress(KeyboardInterrupt), asyncio.Runner() as runner:
        runner.run(server.serve(sockets=listeners))


class _Server(uvicorn.Server):
    """uvicorn that says when it is ready, closes connections on demand, and does not wait for the stalled."""

    def __init__(self, app: ASGIApp, on_ready: Callable[[], None] | None = None) -> None:
        quiet: dict[str, Any] = {"log_config": None, "log_level": "error", "access_log": False}
        plain: dict[str, Any] = {
            "loop": "asyncio",
            "http": "h11",
            "ws": "wsproto",
            "lifespan": "off",
            "interface": "asgi3",
        }
        bare: dict[str, Any] = {"proxy_headers": False, "server_header": False}
        super().__init__(uvicorn.Config(self._extended, timeout_graceful_shutdown=1, **quiet, **plain, **bare))
        self.ready = threading.Event()
        self._app = app
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._wake = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self.ready.set()
        if self._on_ready:
            self._on_ready()

    async def main_loop(self) -> None:
        """Tick as uvicorn does, but wake at once when stopped."""
        ticks = 0
        while not await self.on_tick(ticks):
            ticks += 1
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), 0.1)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)
        await super().shutdown(sockets)

    def stop(self) -> None:
        """Ask the server to end, from any thread."""
        self.should_exit = True
        with contextlib.suppress(RuntimeError):  # the loop is closed: it has ended already
            self._loop.call_soon_threadsafe(self._wake.set)

    async def _extended(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["extensions"] = {**scope.get("extensions", {}), HANG_UP: lambda: self._hang_up(scope)}
        await self._app(scope, receive, send)

    def _hang_up(self, scope: Scope) -> None:
        for connection in list(self.server_state.connections):
            if getattr(connection, "client", None) == scope["client"]:
                connection.transport.close()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(
        family, socket.SOCK_STREAM, socket.IPPROTO_TCP
    )  # asyncio sets TCP_NODELAY only if told TCP
    if os.name == "posix":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise PortTaken(
            error.errno, f"cannot listen on {host} port {port} ({error.strerror}); choose another port, or 0 for any"
        ) from error
    return listener


def _listen_elsewhere(host: str) -> socket.socket:
    """A second origin: another loopback host where there is one, so that cookies keep away too; else another port."""
    if host == "127.0.0.1":
        with contextlib.suppress(PortTaken):
            return _listen("127.0.0.2", 0)
    return _listen(host, 0)


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
