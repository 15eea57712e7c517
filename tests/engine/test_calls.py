"""engine/calls.py over real HTTP: who is asked, what is refused unasked, and what becomes of the account."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest
from PIL import Image as Picture

from polychat.credentials import Account, ApiKey, Secret, SignIn
from polychat.engine.engine import Engine
from polychat.engine.settings import Settings, load
from polychat.errors import (
    BadOption,
    FormatChanged,
    IdleTimeout,
    NoAccount,
    QuotaSpent,
    UnknownModel,
    UnsupportedFeature,
)
from polychat.net.session import Session
from polychat.providers.base import Info, Model
from polychat.sandbox import Sandbox
from polychat.sandbox.services.openai import sound
from polychat.types import (
    Audio,
    Drawing,
    Event,
    File,
    Finish,
    Image,
    Message,
    Recording,
    Request,
    Text,
    Thread,
    Transcript,
    Utterance,
)
from polychat.vault.memory import MemoryVault

ALICE, BOB = "sandbox-alice", "sandbox-bob"
WAV = sound.wav("one two three")
DRAW, SPEAK, HEAR = "/v1/images/generations", "/v1/audio/speech", "/v1/audio/transcriptions"
HI = Utterance(model="openai/tts-1", text="Hi")


class Mute:
    """A service that says it can everything, and does little of it."""

    info: ClassVar[Info] = Info(
        name="mute", label="Mute", hosts={"web": "http://127.0.0.1:9"}, accepts=("api_key",),
        models=(Model(id="m"), Model(id="chat", capabilities=frozenset({"text"}))), default_model="m",
        capabilities=frozenset({"text", "drawing", "image_edit", "speech", "transcription", "embeddings"}),
        sign_in=SignIn(url=""), needs_account=False,
    )  # fmt: skip

    async def chat(self, session: Session, request: Request) -> AsyncIterator[Sequence[Event]]:
        yield [Finish(reason="stop")]


class Silent(Mute):
    """One that reads aloud, and says nothing."""

    async def speak(self, session: Session, utterance: Utterance) -> AsyncGenerator[bytes]:
        for piece in ():
            yield piece


@pytest.fixture
def settings(sandbox: Sandbox, tmp_path: Path) -> Settings:
    """Those of a person whose services are the sandbox's."""
    return load(environ={"POLYCHAT_HOME": str(tmp_path), "POLYCHAT_SANDBOX": sandbox.url})


@pytest.fixture
def run(settings: Settings) -> Callable[..., Any]:
    """run(do, **options): what `await do(engine)` gives; Alice and Bob have keys of the emulated OpenAI."""
    people = [Account(name=name, provider="openai", credential=ApiKey(key=Secret(name))) for name in (ALICE, BOB)]
    people.append(Account(name="mine", provider="reka-api", credential=ApiKey(key=Secret(ALICE))))

    def run(do: Callable[[Engine], Awaitable[Any]], **options: Any) -> Any:
        async def main() -> Any:
            own = options.pop("settings", settings)
            async with Engine(MemoryVault(*people), own, strict=True, **options) as engine:
                return await do(engine)

        return asyncio.run(main())

    return run


def png(width: int = 64, height: int = 32) -> Image:
    """A picture."""
    file = io.BytesIO()
    Picture.new("RGBA", (width, height), "red").save(file, "PNG")
    return Image(data=file.getvalue())


async def heard(engine: Engine, *, account: str | None = None, waits: Any = None, **given: Any) -> Transcript:
    """The transcript of a sound."""
    asked = Recording(**{"model": "openai/whisper-1", "sound": Audio(data=WAV)} | given)
    async with await engine.calls.transcribe(asked, account=account, waits=waits) as flow:
        *_, whole = [piece async for piece in flow]
    assert isinstance(whole, Transcript)
    return whole


async def said(engine: Engine, utterance: Utterance = HI, **who: Any) -> bytes:
    """The sound of an utterance."""
    async with await engine.calls.speak(utterance, **who) as flow:
        return b"".join([piece async for piece in flow])


# ---------------------------------------------------------------- who is asked


def test_what_comes_says_whom_it_came_from(run: Any) -> None:
    """Service, model by the service's own name, account."""

    async def main(engine: Engine) -> list[tuple[str, str, str]]:
        drawn = await engine.calls.draw(Drawing(model="openai/gpt-image-2", prompt="a fox", size="64x32"))
        embedded = await engine.calls.embed(f"{BOB}/text-embedding-3-small", ["a"])
        spoken = await engine.calls.speak(HI, account=BOB)
        await spoken.aclose()
        asked = Recording(model="whisper-1", sound=Audio(data=WAV))
        written = await engine.calls.transcribe(asked, provider="openai")
        await written.aclose()
        return [(one.provider, one.model, one.account) for one in (drawn, embedded, spoken, written)]

    assert run(main) == [
        ("openai", "gpt-image-2", ALICE), ("openai", "text-embedding-3-small", BOB), ("openai", "tts-1", BOB),
        ("openai", "whisper-1", ALICE),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["openai", "openai/", f"{BOB}/", "openai?tools=service"])
def test_a_service_alone_is_its_first_model_that_can(run: Any, name: str) -> None:
    """The default one draws in conversations only."""

    async def main(engine: Engine) -> list[str]:
        drawn = await engine.calls.draw(Drawing(model=name, prompt="a fox", size="64x32"))
        embedded = await engine.calls.embed(name, ["a"])
        return [drawn.model, embedded.model, engine.route(name, to="text").model.id, engine.route(name).model.id]

    assert run(main) == ["gpt-image-2", "text-embedding-3-small", "gpt-5.5", "gpt-5.5"]


def test_a_model_that_is_named_is_not_exchanged(run: Any) -> None:
    """Nor is a service's default one, where none can."""

    async def main(engine: Engine) -> list[str]:
        routes = [engine.route("openai/gpt-4o", to="speech"), engine.route("reka-api", to="speech")]
        return [route.model.id for route in routes]

    assert run(main) == ["gpt-4o", "reka-flash"]


# ---------------------------------------------------------------- what is refused unasked


async def drawing(engine: Engine, model: str, *, waits: Any = None, **wish: Any) -> Any:
    """A drawing by that model."""
    return await engine.calls.draw(Drawing(model=model, prompt="a fox", **wish), waits=waits)


CALLS: dict[str, Callable[[Engine, str], Awaitable[Any]]] = {
    "drawing": drawing,
    "image_edit": lambda engine, model: drawing(engine, model, images=(png(),)),
    "speech": lambda engine, model: engine.calls.speak(Utterance(model=model, text="Hi")),
    "transcription": lambda engine, model: heard(engine, model=model),
    "embeddings": lambda engine, model: engine.calls.embed(model, ["a"]),
}
CANNOT = {
    "drawing": "makes no pictures",
    "image_edit": "changes no pictures",
    "speech": "does not read aloud",
    "transcription": "does not write down speech",
    "embeddings": "makes no embeddings",
}


@pytest.mark.parametrize(
    ("model", "who"), [("openai/gpt-4o", "openai/gpt-4o"), ("reka-api", "reka-api"), ("mute", "mute/m")]
)
@pytest.mark.parametrize("needed", CALLS)
def test_what_a_model_cannot_is_refused_before_anything_is_sent(
    run: Any, sandbox: Sandbox, needed: str, model: str, who: str
) -> None:
    """The service is named where none of its models can, the model where others do; and where to look."""
    with pytest.raises(UnsupportedFeature) as caught:
        run(lambda engine: CALLS[needed](engine, model), services={"mute": Mute()})
    assert caught.value.message == f"{who} {CANNOT[needed]}"
    assert caught.value.hint == f"who does: polychat models --cap {needed}"
    assert caught.value.provider == who.partition("/")[0]
    assert sandbox.journal() == []


@pytest.mark.parametrize("needed", CALLS)
def test_an_unlisted_model_may_be_asked_for_all_that_the_service_can(run: Any, sandbox: Sandbox, needed: str) -> None:
    """The service has the last word."""
    with pytest.raises(UnknownModel, match="openai says"):
        run(lambda engine: CALLS[needed](engine, "openai/new-one"))
    assert len(sandbox.journal()) == 1


def test_a_model_for_calls_is_asked_no_question(run: Any, sandbox: Sandbox) -> None:
    """Nothing is sent."""
    request = Request(model="openai/tts-1", messages=(Message(role="user", parts=(Text(text="Hi"),)),))
    with pytest.raises(UnsupportedFeature, match="openai/tts-1 does not take"):
        run(lambda engine: engine.ask(request))
    assert sandbox.journal() == []


@pytest.mark.parametrize(
    ("do", "field", "sentence"),
    [
        (lambda engine: engine.calls.embed("openai", []), "input", "nothing to embed"),
        (lambda engine: engine.calls.embed("openai", ["a", ""]), "input", "nothing to embed"),
        (lambda engine: engine.calls.speak(Utterance(model="openai")), "input", "give either a text or a conversation"),
        (
            lambda engine: engine.calls.speak(Utterance(model="openai", text="a", thread=Thread(provider="openai"))),
            "input", "give either a text or a conversation",
        ),
        (
            lambda engine: engine.calls.speak(Utterance(model="openai", thread=Thread(provider="openai"))),
            "conversation", "keeps no conversation",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_unasked(run: Any, sandbox: Sandbox, do: Any, field: str, sentence: str) -> None:
    """In one sentence with the field."""
    with pytest.raises(BadOption, match=sentence) as caught:
        run(do)
    assert (caught.value.field, sandbox.journal()) == (field, [])


def test_nothing_is_fetched_for_nobody(run: Any, sandbox: Sandbox) -> None:
    """Without an account a link is not looked at."""
    link = f"{sandbox.url}/openai/pictures/none.png"
    for do in (
        lambda engine: drawing(engine, "xai/grok-imagine-image"),
        lambda engine: drawing(engine, "together/x", images=()),
        lambda engine: heard(engine, model="groq/whisper-large-v3", sound=File(url=link)),
    ):
        with pytest.raises(NoAccount):
            run(do)
    assert sandbox.journal() == []


# ---------------------------------------------------------------- bytes


def test_a_services_link_comes_with_its_bytes(run: Any, sandbox: Sandbox) -> None:
    """Fetched where it lies, without the key; a link that leads nowhere is kept."""
    made = run(lambda engine: drawing(engine, "openai/dall-e-3", size="64x32", n=2))
    assert [Picture.open(io.BytesIO(image.data)).size for image in made.value.images] == [(64, 32)] * 2
    assert all(image.url and image.media_type == "image/png" for image in made.value.images)
    _, *fetched = sandbox.journal(service="openai")
    assert [entry.path.startswith("/pictures/") for entry in fetched] == [True, True]
    assert not any("authorization" in entry.headers for entry in fetched)
    sandbox.fault("openai", "status", code=404, path="/pictures/*")
    (lost,) = run(lambda engine: drawing(engine, "openai/dall-e-3", size="64x32")).value.images
    assert (lost.data, bool(lost.url)) == (None, True)


def test_pictures_and_sounds_may_be_named_by_a_link(run: Any, sandbox: Sandbox) -> None:
    """They are fetched, for the service takes bytes; what is no picture is refused."""
    (made,) = run(lambda engine: drawing(engine, "openai/dall-e-3", size="64x32")).value.images
    name = made.url.rpartition("/")[2]
    link = Image(url=f"{sandbox.url}/openai/pictures/{name}")
    changed = run(lambda engine: drawing(engine, "openai/gpt-image-2", images=(link,)))
    assert changed.value.facts["size"] == "64x32"
    with pytest.raises(BadOption, match=f"{name} is image/png, not sound") as caught:
        run(lambda engine: heard(engine, sound=File(url=link.url)))
    assert caught.value.field == "file"
    page = Image(url=f"{sandbox.url}/_sandbox/journal?x=1")
    for wish, field in (({"images": (page,)}, "image"), ({"images": (png(),), "mask": page}, "mask")):
        with pytest.raises(BadOption, match=r"/_sandbox/journal is text/plain, not a picture") as caught:
            run(lambda engine, wish=wish: drawing(engine, "openai/gpt-image-2", **wish))
        assert caught.value.field == field


# ---------------------------------------------------------------- what becomes of the account


def test_a_spent_account_is_not_asked_again(run: Any, sandbox: Sandbox) -> None:
    """The outcome counts as that of a question does, whatever the call."""
    sandbox.knobs("openai", quota=0)

    async def main(engine: Engine) -> None:
        for _ in range(2):
            with pytest.raises(QuotaSpent):
                await said(engine, account=ALICE)

    run(main)
    assert len(sandbox.journal(path=SPEAK)) == 1


def test_what_was_served_ends_a_hold(run: Any, sandbox: Sandbox) -> None:
    """The account is as good as new."""

    async def main(engine: Engine) -> list[str]:
        entry = engine.vault.entries("openai")[0]
        states = []
        for fault in (401, None):
            sandbox.clear_faults()
            if fault:
                sandbox.fault("openai", "status", code=fault)
                with pytest.raises(Exception, match="openai"):
                    await heard(engine, account=ALICE)
            else:
                await heard(engine, account=ALICE)
            states.append(engine.register.state(entry))
        return states

    assert run(main) == ["needs_sign_in", "ok"]


def test_leaving_gives_the_place_back_and_hangs_up(run: Any, settings: Settings, sandbox: Sandbox) -> None:
    """The next call need not wait, and the service sees that nobody listens."""
    narrow = msgspec.structs.replace(settings, concurrency={"openai": 1})
    sandbox.fault("openai", "stall", path=SPEAK, after=1, times=1)

    async def main(engine: Engine) -> str:
        async with await engine.calls.speak(HI, account=ALICE) as flow:
            async for _ in flow:
                break
        await said(engine, account=ALICE)
        deadline = time.monotonic() + 10
        while (how := sandbox.journal(path=SPEAK)[0].ended) == "open" and time.monotonic() < deadline:
            await asyncio.sleep(0.01)
        return how

    assert run(main, settings=narrow) == "client left"


@pytest.mark.parametrize(
    ("path", "do"),
    [
        (DRAW, lambda engine: drawing(engine, "openai/gpt-image-2", waits={"total_s": 0.05})),
        (SPEAK, lambda engine: said(engine, waits={"total_s": 0.05})),
        (HEAR, lambda engine: heard(engine, waits={"total_s": 0.05})),
    ],
    ids=["draw", "speak", "transcribe"],
)
def test_a_call_takes_no_longer_than_was_allowed(run: Any, sandbox: Sandbox, path: str, do: Any) -> None:
    """The error says which clock ran out and whose service it was."""
    sandbox.fault("openai", "stall", after=0, path=path)
    with pytest.raises(IdleTimeout, match=r"openai was not done within 0\.05 s") as caught:
        run(do)
    assert (caught.value.clock, caught.value.account) == ("total", ALICE)


def test_the_clock_of_the_settings_holds_where_the_call_sets_none(
    run: Any, settings: Settings, sandbox: Sandbox
) -> None:
    """As with questions."""
    hasty = msgspec.structs.replace(settings, clocks=settings.clocks.but({"total_s": 0.05}), other_clocks={})
    sandbox.fault("openai", "stall", after=0)
    for do in (heard, lambda engine: drawing(engine, "openai/gpt-image-2")):
        with pytest.raises(IdleTimeout, match=r"within 0\.05 s"):
            run(do, settings=hasty)


def test_a_service_that_gives_nothing_is_an_error(run: Any) -> None:
    """And no success of the account."""
    with pytest.raises(FormatChanged, match="mute sent nothing") as caught:
        run(lambda engine: said(engine, Utterance(model="mute", text="Hi")), services={"mute": Silent()})
    assert caught.value.provider == "mute"
