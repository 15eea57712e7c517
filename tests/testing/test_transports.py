"""The transport of this package keeps the promises of a transport, and the judge notices one that does not."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from polychat.errors import BadRequest, IdleTimeout, TransportProblem
from polychat.net.aiohttp import AiohttpTransport
from polychat.net.clocks import Clocks
from polychat.net.transport import HttpRequest, HttpResponse
from polychat.testing.checks import Check
from polychat.testing.transports import TRANSPORT_CHECKS, MakeTransport, check_transport


@pytest.mark.parametrize("check", TRANSPORT_CHECKS, ids=str)
def test_aiohttp(check: Check[MakeTransport]) -> None:
    """An AiohttpTransport keeps every promise."""
    check(AiohttpTransport)


class _Response:
    """What the transport under it gave, but for what a defect changes."""

    def __init__(self, inner: HttpResponse, **changed: Any) -> None:
        self._inner = inner
        vars(self).update(changed)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class _Defective(AiohttpTransport):
    """A transport whose every answer passes through `spoiled`."""

    @asynccontextmanager
    async def open(
        self, request: HttpRequest, clocks: Clocks, *, progress: Callable[[int, int], None] | None = None
    ) -> AsyncIterator[HttpResponse]:
        async with super().open(self.asked(request), self.timed(clocks), progress=progress) as response:
            yield await self.spoiled(response)

    def asked(self, request: HttpRequest) -> HttpRequest:
        return request

    def timed(self, clocks: Clocks) -> Clocks:
        return clocks

    async def spoiled(self, response: HttpResponse) -> Any:
        return response


class _Raising(_Defective):
    async def spoiled(self, response: HttpResponse) -> Any:
        if response.status >= 400:
            raise BadRequest("the service said no")
        return response


class _Hiding(_Defective):
    async def spoiled(self, response: HttpResponse) -> Any:
        return _Response(response, status=200) if response.status == 302 else response


class _Embellishing(_Defective):
    def asked(self, request: HttpRequest) -> HttpRequest:
        return msgspec.structs.replace(request, headers={**request.headers, "dnt": "1"})


class _Hoarding(_Defective):
    async def spoiled(self, response: HttpResponse) -> Any:
        body = await response.read(1000)

        async def chunks() -> AsyncIterator[bytes]:
            yield body

        return _Response(response, chunks=chunks)


class _Trailing(_Defective):
    async def spoiled(self, response: HttpResponse) -> Any:
        async def chunks() -> AsyncIterator[bytes]:
            async for chunk in response.chunks():
                yield chunk
            yield b""

        return _Response(response, chunks=chunks)


class _Greedy(_Defective):
    async def spoiled(self, response: HttpResponse) -> Any:
        async def read(limit_bytes: int) -> bytes:
            return await response.read(limit_bytes + 1)

        return _Response(response, read=read)


class _Staying(AiohttpTransport):
    """Leaves its connections open until it is closed itself."""

    def __init__(self) -> None:
        super().__init__()
        self._kept: list[Any] = []

    @asynccontextmanager
    async def open(
        self, request: HttpRequest, clocks: Clocks, *, progress: Callable[[int, int], None] | None = None
    ) -> AsyncIterator[HttpResponse]:
        context = super().open(request, clocks, progress=progress)
        self._kept.append(context)
        yield await context.__aenter__()

    async def aclose(self) -> None:
        for context in self._kept:
            await context.__aexit__(None, None, None)
        await super().aclose()


class _Confusing(_Defective):
    @asynccontextmanager
    async def open(
        self, request: HttpRequest, clocks: Clocks, *, progress: Callable[[int, int], None] | None = None
    ) -> AsyncIterator[HttpResponse]:
        try:
            async with super().open(request, clocks, progress=progress) as response:
                yield response
        except TransportProblem as error:
            raise IdleTimeout(f"{request.url}: {error.message}", clock="total") from None


@pytest.mark.parametrize(
    ("transport", "broken"),
    [
        (_Raising, "statuses"),
        (_Hiding, "redirects"),
        (_Embellishing, "adds nothing"),
        (_Trailing, "chunks"),
        (_Greedy, "read limit"),
        (_Confusing, "failures"),
        (_Confusing, "clocks"),
        (_Confusing, "urls"),
    ],
)
def test_a_broken_transport_is_noticed(transport: MakeTransport, broken: str) -> None:
    """For each check there is a transport that fails it, and `check_transport` does not pass it."""
    _judged(broken)(transport)
    with pytest.raises(AssertionError):
        check_transport(transport)


@pytest.mark.parametrize(
    ("transport", "broken"), [(_Hoarding, "chunks at once"), (_Staying, "leaving"), (_Staying, "cancelling")]
)
def test_a_transport_that_keeps_others_waiting_is_noticed(transport: MakeTransport, broken: str) -> None:
    """What has to happen at once is waited for, and not for ever."""
    _judged(broken)(transport)


def _judged(name: str) -> Callable[[MakeTransport], None]:
    (check,) = (check for check in TRANSPORT_CHECKS if check.name == name)

    def judge(transport: MakeTransport) -> None:
        with pytest.raises(AssertionError, match=f"^{name}: "):
            check(transport)

    return judge
