"""What every provider promises, judged over real HTTP against the sandbox's service of the same name.

A new service is held to it by one parametrised test:

    @pytest.mark.parametrize("check", PROVIDER_CHECKS, ids=str)
    def test_x(check, sandbox):
        check(Subject("x", sandbox))

The promises: the grammar of a stream; one answer, whatever the pieces on the wire; a reader who leaves takes the
connection along; failures are named by what to do (`failures`); an interrupted answer is kept; secrets stay secret
(`canaries`); two accounts never mix.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, get_args

import msgspec

from polychat.engine.engine import Engine
from polychat.fold import fold
from polychat.net.aiohttp import AiohttpTransport
from polychat.net.clocks import Clocks
from polychat.net.transport import HttpRequest, HttpResponse, WebSocket
from polychat.testing.bench import ALICE, BOB, Bench, Subject, async_check, picture, soon
from polychat.testing.canaries import CANARY_CHECKS
from polychat.testing.checks import Check, check_all, require, require_equal
from polychat.testing.failures import FAILURE_CHECKS
from polychat.types import CONTENT, Event, Finish, Reply, Usage

if TYPE_CHECKING:
    from polychat.sandbox import Sandbox

_EVENTS = get_args(Event)
_WIRES: tuple[tuple[str, dict[str, Any]], ...] = (
    *(("chunk_bytes", {"size_bytes": size}) for size in (1, 2, 3, 7, 64)),
    ("crlf", {}),
    ("cr", {}),
    ("no_space", {}),
    ("split_character", {}),
)
_TURNS_EACH = 10


def check_provider(name: str, sandbox: Sandbox) -> None:
    """Hold the provider `name` to every promise. The sandbox is reset many times.

    Raises: `AssertionError` with a sentence at the first broken one.
    """
    check_all(PROVIDER_CHECKS, lambda: Subject(name, sandbox))


# ---------------------------------------------------------------- grammar


async def _grammar(bench: Bench) -> None:
    """(content | notice)* Finish, judged on the provider's own iterator, without the engine."""
    text = bench.script()
    request = msgspec.structs.replace(bench.request(), model=bench.info.default_model)
    batches: list[Sequence[Event]] = []
    async with bench.engine() as engine:
        events: Any = bench.provider.chat(engine.session(bench.name), request)
        async with aclosing(events):
            batches = [batch async for batch in events]
    require(all(isinstance(batch, Sequence) for batch in batches), "a batch is no sequence")
    flat = [event for batch in batches for event in batch]
    for event in flat:
        require(type(event) in _EVENTS, f"{type(event).__name__} is no event")
    require([type(event) for event in flat].count(Finish) == 1, "a stream has one Finish")
    require(type(flat[-1]) is Finish, f"{type(flat[-1]).__name__} follows Finish")
    require(any(type(event) in CONTENT for event in flat), "the answer has no content")
    require_equal(text, fold(flat).text, "the folded text")
    for usage in (event for event in flat if isinstance(event, Usage)):
        require((usage.output_tokens or 0) > 0, f"{usage} counts no tokens of an answer that has some")


async def _whole(bench: Bench) -> None:
    """A caller who does not read along gets the same answer."""
    text = bench.script(times=2)
    async with bench.engine() as engine:
        streamed = await (await engine.ask(bench.request())).reply()
        whole = await (await engine.ask(bench.request(stream=False))).reply()
    require_equal(text, whole.text, "the text of an answer that was not streamed")
    require_equal(streamed.finish, whole.finish, "its end")


# ---------------------------------------------------------------- split points


async def _same_on(bench: Bench, wire: str, details: Mapping[str, Any]) -> None:
    bench.script(times=2)
    pictures = (picture(),) if "image_in" in bench.info.capabilities else ()
    request = bench.request("Hello", *pictures)
    async with bench.engine() as engine:
        expected = await (await engine.ask(request)).reply()
    bench.fault(wire, **details)
    async with bench.engine() as engine:
        actual = await (await engine.ask(request)).reply()
    require_equal(_said(expected), _said(actual), f"the answer over {wire} {dict(details) or ''}")


def _said(reply: Reply) -> Reply:
    """The answer without what differs from turn to turn."""
    return msgspec.structs.replace(reply, thread=None, quotas=())


# ---------------------------------------------------------------- leaving


class _Counted:
    """A transport that knows how many exchanges are open."""

    def __init__(self) -> None:
        self.opened = 0
        self._inner = AiohttpTransport()

    @asynccontextmanager
    async def open(
        self, request: HttpRequest, clocks: Clocks, *, progress: Callable[[int, int], None] | None = None
    ) -> AsyncIterator[HttpResponse]:
        async with self._inner.open(request, clocks, progress=progress) as response:
            self.opened += 1
            try:
                yield response
            finally:
                self.opened -= 1

    @asynccontextmanager
    async def websocket(self, request: HttpRequest, clocks: Clocks) -> AsyncIterator[WebSocket]:
        async with self._inner.websocket(request, clocks) as socket:
            self.opened += 1
            try:
                yield socket
            finally:
                self.opened -= 1

    async def aclose(self) -> None:
        await self._inner.aclose()


async def _first_batch(engine: Engine, bench: Bench) -> None:
    async with await engine.ask(bench.request()) as turn:
        await anext(turn)


async def _cancelled(engine: Engine, bench: Bench) -> None:
    """Cancelled while the service is silent inside its answer."""
    reading = asyncio.Event()

    async def read() -> None:
        async with await engine.ask(bench.request()) as turn:
            async for _ in turn:
                reading.set()

    task = asyncio.create_task(read())
    await reading.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _hangs_up(bench: Bench, leave: Callable[[Engine, Bench], Any]) -> None:
    answer = (await bench.paths()).answer
    bench.script()
    bench.fault("stall", after=20, path=answer)
    transport = _Counted()
    async with bench.engine(transport=transport) as engine:
        tasks = asyncio.all_tasks()
        await leave(engine, bench)
        require_equal(0, transport.opened, "the number of exchanges left open")
        require(await soon(lambda: asyncio.all_tasks() <= tasks), "a task was left behind")
        left = await soon(lambda: bench.journal(answer)[-1].ended == "client left")
        require(left, "the reader left, and the connection to the service did not")
    await transport.aclose()


# ---------------------------------------------------------------- two accounts at once


async def _never_mix(bench: Bench) -> None:
    people = [ALICE, BOB] * _TURNS_EACH
    pictures = [picture(side_pixels=8 + turn) for turn in range(len(people))]
    seeing = "image_in" in bench.info.capabilities
    async with bench.engine(bench.account(ALICE), bench.account(BOB)) as engine:

        async def ask(turn: int) -> Reply:
            shown = pictures[turn : turn + 1] if seeing else []
            request = bench.request(f"prompt-{turn:03}", *shown)
            return await (await engine.ask(request, account=people[turn])).reply()

        replies = await asyncio.gather(*(ask(turn) for turn in range(len(people))))
        _apart([engine.session(bench.name, person).cookies.export(bench.sandbox.url) for person in (ALICE, BOB)])
    for turn, reply in enumerate(replies):
        require(f"prompt-{turn:03}" in reply.text, f"turn {turn} was answered {reply.text!r}")
        sha256 = hashlib.sha256(pictures[turn].data or b"").hexdigest()
        require(not seeing or sha256 in reply.text, f"turn {turn} shows another picture than it was given")
    _own_credentials(bench, people)


def _own_credentials(bench: Bench, people: Sequence[str]) -> None:
    """The service recognised in each question the one who asked it."""
    for entry in bench.journal():
        bare = not {"authorization", "cookie", "x-api-key"} & set(entry.headers)
        require(bare or entry.account in (ALICE, BOB), f"{entry.path} came with a credential of nobody known")
        asked = msgspec.json.encode(entry.json).decode()
        for turn, person in enumerate(people):
            if f"prompt-{turn:03}" in asked:
                require_equal(person, entry.account, f"who asked turn {turn}")


def _apart(jars: Sequence[Mapping[str, Any]]) -> None:
    first, second = ({secret.reveal() for secret in jar.values()} for jar in jars)
    require(not first & second, "two accounts share a cookie")


PROVIDER_CHECKS: tuple[Check[Subject], ...] = (
    async_check("grammar", _grammar),
    async_check("not streamed", _whole),
    *(
        async_check(" ".join([wire, *map(str, details.values())]), partial(_same_on, wire=wire, details=details))
        for wire, details in _WIRES
    ),
    async_check("leaving", partial(_hangs_up, leave=_first_batch)),
    async_check("cancelling", partial(_hangs_up, leave=_cancelled)),
    *FAILURE_CHECKS,
    *CANARY_CHECKS,
    async_check("two accounts", _never_mix),
)
