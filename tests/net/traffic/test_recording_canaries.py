"""Secrets planted wherever an exchange has room for one; none is in a byte of any file."""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
from aiohttp import web

from polychat.credentials import Revealed, Secret
from polychat.net.aiohttp import AiohttpTransport
from polychat.net.clocks import Clocks
from polychat.net.traffic import recorded
from polychat.net.traffic.recording import Recorder, RecordingTransport
from polychat.net.traffic.replay import ReplayTransport
from polychat.net.transport import FilePart, HttpRequest
from polychat.sandbox import Sandbox
from polychat.testing.bench import Bench, Subject

KINDS = ("key", "cookie", "set_cookie", "bearer", "query", "form", "answer", "nested", "link", "page", "header", "part")


class Canaries:
    """One secret for each place, known to nobody but where it lies; `known` alone is the session's."""

    def __init__(self) -> None:
        self.by_place = {kind: f"canary/{kind}+{secrets.token_hex(8)}=" for kind in KINDS}
        self.known = f"canary-{secrets.token_hex(12)}"

    def __getitem__(self, place: str) -> str:
        return self.by_place[place]

    def seen_in(self, data: bytes) -> list[str]:
        """The places whose secret can be read in `data`, in any encoding."""
        everywhere = {"known": self.known} | self.by_place
        return [place for place, secret in everywhere.items() if any(form in data for form in forms(secret))]


def forms(secret: str) -> Iterator[bytes]:
    """The encodings of a secret, written here anew: plain, URL, JSON, base64 in three alignments, hex, and its core."""
    yield secret.encode()
    yield secret.rpartition("+")[2].rstrip("=").encode()  # the random part alone
    yield quote(secret, safe="").encode()
    yield json.dumps(secret).replace("/", "\\/")[1:-1].encode()
    yield secret.encode().hex().encode()
    for before in range(3):
        coded = base64.b64encode(b"x" * before + secret.encode())
        yield coded[4 if before else 0 : -4]
        yield base64.urlsafe_b64encode(b"x" * before + secret.encode())[4 if before else 0 : -4]


class Owner:
    """A session that knows one of the secrets."""

    def __init__(self, host: str, known: str) -> None:
        self.provider = "someone"
        self.hosts = {"api": host}
        self._known = known

    def secrets(self) -> list[Secret]:
        return [Secret(self._known)]


@asynccontextmanager
async def service(canaries: Canaries) -> AsyncIterator[str]:
    """A service that hands secrets out and repeats what it was sent, a few bytes at a time."""

    async def answer(request: web.Request) -> web.StreamResponse:
        known = canaries.known
        document = {
            "accessToken": canaries["answer"],
            "nested": json.dumps({"refresh_token": canaries["nested"], "again": json.dumps({"apiKey": known})}),
            "url": f"https://files.example/a?X-Amz-Signature={quote(canaries['link'], safe='')}&page=1",
            "echo": [known, quote(known), base64.b64encode(f"a:{known}".encode()).decode(), known.encode().hex()],
            "headers": [f"Bearer {canaries['bearer']}", canaries["key"], canaries["cookie"], canaries["header"]],
            "query": canaries["query"],
            "set": canaries["set_cookie"],
        }
        body = f"data: {json.dumps(document)}\n\n".replace("/", "\\/").encode()
        page = f'<meta name="csrf-token" content="{canaries["page"]}">{known}'.encode()
        is_page = request.path.endswith("/page")
        response = web.StreamResponse(headers={"content-type": "text/html" if is_page else "text/event-stream"})
        response.headers["x-session"] = canaries["set_cookie"]
        response.set_cookie("session", base64.b64encode(canaries["set_cookie"].encode()).decode())
        response.headers.add("set-cookie", f"id={canaries['set_cookie']}; Path=/")
        await response.prepare(request)
        data = page if is_page else body
        for start in range(0, len(data), 7):
            await response.write(data[start : start + 7])
            await asyncio.sleep(0)
        return response

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def requests(canaries: Canaries, url: str) -> Iterator[HttpRequest]:
    """Requests with a secret in every place there is."""
    owner = Owner(url, canaries.known)
    proofs = {
        "authorization": Revealed(f"Bearer {canaries['bearer']}"),
        "x-api-key": canaries["key"],
        "cookie": f"session={canaries['cookie']}; other={canaries.known}",
        "x-own": Revealed(canaries["header"]),
        "user-agent": f"agent of {canaries.known}",
    }
    asked = {"words": f"my key is {canaries.known}", "auth": {"password": canaries["form"]}}
    path = f"{url}/v1/{canaries.known}/chat?key={quote(canaries['query'], safe='')}&limit=5&x={canaries.known}"
    json_type = {"content-type": "application/json"}
    yield HttpRequest(method="POST", url=path, headers=proofs | json_type, body=json.dumps(asked).encode(), owner=owner)
    yield HttpRequest(method="GET", url=f"{url}/page", headers=proofs, owner=owner)
    form = f"name=x&password={quote(canaries['form'], safe='')}&user={canaries.known}".encode()
    yield HttpRequest(
        method="POST", url=url, headers={"content-type": "application/x-www-form-urlencoded"}, body=form, owner=owner
    )
    parts = (
        FilePart(name="access_token", data=canaries["part"].encode()),
        FilePart(name="prompt", data=f"say {canaries.known}".encode()),
        FilePart(name="file", data=canaries.known.encode(), filename=f"{canaries.known}.txt", media_type="text/plain"),
    )
    yield HttpRequest(method="POST", url=url, parts=parts, headers=proofs)
    yield HttpRequest(method="PUT", url=url, body=canaries.known.encode(), headers={"content-type": "text/plain"})


def test_no_secret_is_in_any_byte_of_any_file(tmp_path: Path) -> None:
    """Headers, cookies, addresses, bodies both ways, across reads, in every encoding: all are placeholders."""
    canaries = Canaries()
    held: list[bytes] = []

    async def main() -> None:
        transport = RecordingTransport(AiohttpTransport(), Recorder(tmp_path))
        async with service(canaries) as url:
            for request in requests(canaries, url):
                async with transport.open(request, Clocks()) as response:
                    held.append(await response.read(100_000))
        await transport.aclose()

    asyncio.run(main())
    files = list(tmp_path.iterdir())
    assert (len(files), set(canaries.seen_in(held[0])) >= {"known", "answer", "nested", "link"}) == (5, True)
    assert {file.name: canaries.seen_in(file.name.encode() + file.read_bytes()) for file in files} == {
        file.name: [] for file in files
    }
    assert all("REDACTED-" in file.read_text() for file in files[:4])
    assert len(recorded.read(tmp_path)) == 5


@pytest.mark.parametrize("name", ["openai", "anthropic", "gemini", "reka", "chatgpt", "raycast"])
def test_a_secret_in_the_words_of_a_turn_is_hidden_and_the_turn_replays(
    name: str, sandbox: Sandbox, tmp_path: Path
) -> None:
    """A person who pastes his own key as a question: it is in no file, and the same question finds its recording."""
    bench = Bench(Subject(name, sandbox))
    canary = f"canary-{secrets.token_hex(12)}"
    sandbox.add_account(canary)

    async def ask(transport: RecordingTransport | ReplayTransport) -> str:
        async with bench.engine(bench.account(canary), transport=transport) as engine:
            reply = await (await engine.ask(bench.request(f"Is {canary} my key?"))).reply()
        await transport.aclose()
        return reply.text

    said = asyncio.run(ask(RecordingTransport(AiohttpTransport(), Recorder(tmp_path))))
    again = asyncio.run(ask(ReplayTransport(tmp_path)))
    assert canary in said
    assert [path.name for path in tmp_path.iterdir() if any(form in path.read_bytes() for form in forms(canary))] == []
    assert "REDACTED-" in again
