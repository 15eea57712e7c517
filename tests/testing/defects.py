"""Reka with one defect at a time, to see that the judge of providers notices each.

Run by `test_providers.py` in a process of its own, where entry points make `Defective` the service `spoiled`, emulated
as Reka is. Prints one JSON object: defect -> what the judge said, or null.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from polychat import providers
from polychat.errors import AccountProblem, Interrupted, Unavailable
from polychat.net.session import Session
from polychat.net.transport import HttpResponse
from polychat.providers.reka import Reka
from polychat.sandbox import Sandbox
from polychat.testing.bench import Subject
from polychat.testing.providers import PROVIDER_CHECKS, check_provider
from polychat.types import Event, Finish, Request, TextDelta

Batches = AsyncIterator[Sequence[Event]]


async def in_order(good: Batches, session: Session) -> Batches:
    """No defect."""
    async for batch in good:
        yield batch


async def talks_on(good: Batches, session: Session) -> Batches:
    """Says something after Finish."""
    async for batch in good:
        yield batch
    yield [TextDelta(text="P.S.")]


async def stays(good: Batches, session: Session) -> Batches:
    """Reads in a task of its own, which nobody ends."""
    queue: asyncio.Queue[Sequence[Event]] = asyncio.Queue()

    async def pump() -> None:
        async for batch in good:
            queue.put_nowait(batch)

    session.pump = asyncio.create_task(pump())  # type: ignore[attr-defined]  # kept from garbage collection
    while True:
        yield await queue.get()


async def misnames(good: Batches, session: Session) -> Batches:
    """Calls every trouble with an account a trouble of the service."""
    try:
        async for batch in good:
            yield batch
    except AccountProblem as error:
        raise Unavailable("something went wrong", upstream_status=error.upstream_status) from error


async def glosses_over(good: Batches, session: Session) -> Batches:
    """Ends a cut answer as if it were complete."""
    try:
        async for batch in good:
            yield batch
    except Interrupted:
        yield [Finish(reason="stop")]


async def drops_the_rest(good: Batches, session: Session) -> Batches:
    """Gives out an answer only when all of it is there."""
    kept = [batch async for batch in good]
    for batch in kept:
        yield batch


async def logs(good: Batches, session: Session) -> Batches:
    """Writes the session cookie into the log."""
    cookie = session.cookies.get("appSession")
    logging.getLogger("reka").debug("asking with %s", cookie.reveal() if cookie else "a token")
    async for batch in good:
        yield batch


async def keeps(good: Batches, session: Session) -> Batches:
    """Leaves the session cookie where anyone may print it."""
    cookie = session.cookies.get("appSession")
    session.last_cookie = cookie.reveal() if cookie else None  # type: ignore[attr-defined]
    async for batch in good:
        yield batch


async def copies(good: Batches, session: Session) -> Batches:
    """Holds the session cookie as plain text while it works."""
    cookie = session.cookies.get("appSession")
    plain = str(cookie.reveal()) if cookie else "a token"
    async for batch in good:
        yield batch if plain else []


NOTICED_BY: dict[Callable[[Batches, Session], Batches], str] = {
    in_order: "grammar",
    talks_on: "grammar",
    stays: "leaving",
    misnames: "status 402",
    glosses_over: "cut_frame inside",
    drops_the_rest: "cut_frame inside",
    logs: "canary objects",
    keeps: "canary objects",
    copies: "canary errors",
}


class Mixing:
    """Uses the first session it is handed for everyone."""

    def __init__(self) -> None:
        self._first: Session | None = None

    def __call__(self, session: Session) -> Any:
        self._first = self._first or session
        return self._first


class Hasty:
    """A session whose every network read is decoded by itself, as if characters never lay on a border."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    @asynccontextmanager
    async def open(self, *request: Any, **details: Any) -> AsyncIterator[Any]:
        async with self._session.open(*request, **details) as response:
            yield HastyResponse(response)


class HastyResponse:
    """The answer to a hasty session."""

    def __init__(self, response: HttpResponse) -> None:
        self._response = response
        self.headers = response.headers

    async def chunks(self) -> AsyncIterator[bytes]:
        async for chunk in self._response.chunks():
            yield chunk.decode("utf-8", "replace").encode()


class Defective(Reka):
    """Reka, spoiled."""

    info = msgspec.structs.replace(Reka.info, name="spoiled", label="Reka, spoiled")

    def __init__(self) -> None:
        self.spoil: Callable[[Batches, Session], Batches] = in_order
        self.misuse: Callable[[Session], Any] = lambda session: session

    async def chat(self, session: Session, request: Request) -> Batches:
        session = self.misuse(session)
        async for batch in self.spoil(super().chat(session, request), session):
            yield batch


def main() -> None:
    """Judge each defect by the check that is to notice it, and one of them by all checks."""
    provider: Any = providers.load("spoiled")
    said = {}
    with Sandbox() as sandbox:
        for defect, check in NOTICED_BY.items():
            provider.spoil = defect
            said[defect.__name__] = verdict(check, sandbox)
        provider.spoil = in_order
        for misuse, check in ((Mixing(), "two accounts"), (Hasty, "chunk_bytes 1")):
            provider.misuse = misuse
            said[getattr(misuse, "__name__", "Mixing")] = verdict(check, sandbox)
        said["any"] = objection(lambda: check_provider("spoiled", sandbox))
    sys.stdout.write(json.dumps(said))


def verdict(name: str, sandbox: Sandbox) -> str | None:
    """What the check of that name says about the provider."""
    (check,) = (check for check in PROVIDER_CHECKS if check.name == name)
    return objection(lambda: check(Subject("spoiled", sandbox)))


def objection(judge: Callable[[], None]) -> str | None:
    """The sentence a judge raises, or None."""
    try:
        judge()
    except AssertionError as error:
        return str(error)
    return None


if __name__ == "__main__":
    main()
