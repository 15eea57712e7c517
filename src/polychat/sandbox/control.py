"""The control plane, `/_sandbox/...`: JSON in, JSON out, 422 with one sentence for what it does not understand.

It is about the emulation, not part of it: nothing here is journaled, and no fault touches it.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from polychat.sandbox import faults, replays
from polychat.sandbox.call import json
from polychat.sandbox.world import Ids, Script, World

T = TypeVar("T")
Answer = Callable[[Request], Awaitable[Any]]

CONTROLS = {
    "health": "GET: 200 while the sandbox runs",
    "reset": "POST: back to the start, in everything",
    "journal": "GET: the requests seen, without secrets; ?service= and ?path= narrow it",
    "clock": 'GET; POST {"advance_s": 3600} or {"set": 1900000000}: expiry and quotas obey this clock',
    "faults": 'GET; POST {"service": "reka", "fault": "stall", "after": 3}, also path, method, times, skip; DELETE',
    "script": 'GET; POST {"service": "reka", "text": "..."}: the next answer, '
    "or chunks, also revisions, finish_reason, account, times; DELETE",
    "replay": 'GET; POST {"service": "reka", "folder": "..."}: answer from recordings; also speed ("full", "real", 2), '
    'rest ("emulation", "refuse"); DELETE',
    "knobs": 'GET; POST {"service": "reka", "history": "lenient"}: settings of a service, kept until reset',
    "accounts": 'GET; POST, DELETE {"name": "..."}: that string is cookie value, bearer and API key everywhere',
    "seed": 'POST {"seed": 7}: identifiers start anew from there',
}


class Refusal(ValueError):
    """What was asked of the control plane makes no sense; the text is the whole answer."""


class _Account(msgspec.Struct, forbid_unknown_fields=True):
    name: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._-]{1,100}$")]  # must fit into a cookie and a header


class _Seed(msgspec.Struct, forbid_unknown_fields=True):
    seed: int


class _Replay(msgspec.Struct, forbid_unknown_fields=True):
    service: str
    folder: str
    speed: Annotated[float, msgspec.Meta(gt=0)] | Literal["full", "real"] = "full"
    rest: replays.Rest = "emulation"


class _ClockChange(msgspec.Struct, forbid_unknown_fields=True):
    advance_s: float | None = None
    set: float | None = None


def routes(world: World) -> list[Route]:
    """The routes of the control plane over `world`."""
    plane = _Plane(world)
    table: dict[str, dict[str, Answer]] = {
        "/": {"GET": plane.overview},
        "/health": {"GET": plane.health},
        "/reset": {"POST": plane.reset},
        "/journal": {"GET": plane.journal},
        "/clock": {"GET": plane.clock, "POST": plane.move_clock},
        "/faults": {"GET": plane.faults, "POST": plane.add_fault, "DELETE": plane.clear_faults},
        "/script": {"GET": plane.scripts, "POST": plane.add_script, "DELETE": plane.clear_scripts},
        "/replay": {"GET": plane.replays, "POST": plane.add_replay, "DELETE": plane.clear_replays},
        "/knobs": {"GET": plane.knobs, "POST": plane.set_knobs},
        "/accounts": {"GET": plane.accounts, "POST": plane.add_account, "DELETE": plane.remove_account},
        "/seed": {"POST": plane.seed},
    }
    return [
        Route(path, _answering(answer), methods=[method])
        for path, methods in table.items()
        for method, answer in methods.items()
    ]


def _answering(answer: Answer) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            return Response(
                msgspec.json.format(msgspec.json.encode(await answer(request))), media_type="application/json"
            )
        except (Refusal, msgspec.MsgspecError) as error:
            return json({"error": f"{request.url.path}: {error}"}, 422)

    return endpoint


class _Plane:
    def __init__(self, world: World) -> None:
        self._world = world

    async def overview(self, request: Request) -> Any:
        world, base = self._world, f"{request.url.scheme}://{request.url.netloc}"
        return {
            "sandbox": "Chat services, emulated. Nothing here is real, and no account is needed.",
            "accounts": world.accounts,
            "services": {
                name: {"url": f"{base}/{name}", "what": emulation.service.label, "knobs": world.knobs[name]}
                for name, emulation in world.services.items()
            },
            "controls": {f"{base}/_sandbox/{name}": what for name, what in CONTROLS.items()},
            "faults": {name: inspect.getdoc(kind) for name, kind in faults.NAMES.items()},
            "per request": "X-Sandbox-Scenario: stall; after=3, crlf (faults and knobs of the service)",
            "now": world.clock.now(),
        }

    async def health(self, request: Request) -> Any:
        return {"status": "ok", "services": list(self._world.services)}

    async def reset(self, request: Request) -> Any:
        self._world.reset()
        return {"status": "ok"}

    async def journal(self, request: Request) -> Any:
        query = request.query_params
        return self._world.journal.entries(service=query.get("service"), path=query.get("path"))

    async def clock(self, request: Request) -> Any:
        return {"now": self._world.clock.now()}

    async def move_clock(self, request: Request) -> Any:
        change = await _read(request, _ClockChange)
        if (change.advance_s is None) == (change.set is None):
            raise Refusal("give either advance_s or set, in seconds")
        if change.advance_s is not None:
            self._world.clock.advance(change.advance_s)
        elif change.set is not None:
            self._world.clock.set(change.set)
        return {"now": self._world.clock.now()}

    async def faults(self, request: Request) -> Any:
        return self._world.rules

    async def add_fault(self, request: Request) -> Any:
        asked = await _read(request, dict[str, Any])
        about: dict[str, Any] = {
            key: asked.pop(key) for key in ("service", "path", "method", "skip", "times") if key in asked
        }
        if asked.get("fault") not in faults.NAMES:
            raise Refusal(f"no fault is called {asked.get('fault')!r}; there are {', '.join(faults.NAMES)}")
        if about.get("service", "*") != "*":
            self._known(about["service"])
        number = 1 + max((rule.id for rule in self._world.rules), default=0)
        rule = msgspec.convert(about | {"id": number, "fault": asked}, faults.Rule)
        self._world.rules.append(rule)
        return rule

    async def clear_faults(self, request: Request) -> Any:
        self._world.rules.clear()
        return self._world.rules

    async def scripts(self, request: Request) -> Any:
        return self._world.scripts

    async def add_script(self, request: Request) -> Any:
        script = await _read(request, Script)
        self._known(script.service)
        if script.text is not None and script.chunks is not None:
            raise Refusal("give either text or chunks")
        self._world.scripts.append(script)
        return script

    async def clear_scripts(self, request: Request) -> Any:
        self._world.scripts.clear()
        return self._world.scripts

    async def replays(self, request: Request) -> Any:
        return {
            service: {"folder": replay.folder, "speed": replay.speed, "rest": replay.rest,
                      "recordings": {one.name: "used" if one.used else "unused" for one in replay.recordings}}
            for service, replay in self._world.replays.items()
        }  # fmt: skip

    async def add_replay(self, request: Request) -> Any:
        asked = await _read(request, _Replay)
        name = self._known(asked.service)
        try:
            self._world.replays[name] = replays.of_service(asked.folder, name, speed=asked.speed, rest=asked.rest)
        except replays.Unreadable as error:
            raise Refusal(str(error)) from error
        return await self.replays(request)

    async def clear_replays(self, request: Request) -> Any:
        self._world.replays.clear()
        return await self.replays(request)

    async def knobs(self, request: Request) -> Any:
        return self._world.knobs

    async def set_knobs(self, request: Request) -> Any:
        asked = await _read(request, dict[str, Any])
        name = self._known(asked.pop("service", None))
        now = self._world.knobs[name]
        self._world.knobs[name] = msgspec.convert(msgspec.structs.asdict(now) | asked, type(now))
        return self._world.knobs[name]

    async def accounts(self, request: Request) -> Any:
        return self._world.accounts

    async def add_account(self, request: Request) -> Any:
        account = await _read(request, _Account)
        if account.name not in self._world.accounts:
            self._world.accounts.append(account.name)
        return self._world.accounts

    async def remove_account(self, request: Request) -> Any:
        account = await _read(request, _Account)
        if account.name not in self._world.accounts:
            raise Refusal(f"nobody is called {account.name!r}")
        self._world.accounts.remove(account.name)
        return self._world.accounts

    async def seed(self, request: Request) -> Any:
        self._world.ids = Ids((await _read(request, _Seed)).seed)
        return {"seed": self._world.ids.seed}

    def _known(self, service: Any) -> str:
        if service not in self._world.services:
            raise Refusal(f"no service is called {service!r}; there are {', '.join(self._world.services)}")
        return str(service)


async def _read(request: Request, kind: type[T]) -> T:
    return msgspec.json.decode(await request.body(), type=kind)
