"""providers/reka.py over real HTTP: what reaches the service, what comes back, and how it fails."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from polychat import AsyncClient, ChatCompletion
from polychat.engine.accounts import given
from polychat.engine.engine import Engine
from polychat.engine.settings import load
from polychat.errors import AuthExpired, ContextTooLong, NoAccount, UnsupportedFeature
from polychat.sandbox.server import Sandbox
from polychat.types import Message, Request, Text
from polychat.vault.memory import MemoryVault

GIF = b"GIF89a\x01\0\x01\0\x80\0\0\xff\x80\0\0\0\xff!\xf9\x04\0\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;"
PDF = b"%PDF-1.7\n%%EOF\n"
WEBM = b"\x1aE\xdf\xa3\x01webm"


@asynccontextmanager
async def reka(sandbox: Sandbox, **options: Any) -> AsyncIterator[AsyncClient]:
    """A client of the emulated Reka, signed in as Alice by cookie unless told otherwise."""
    options = options or {"cookies": {"appSession": "sandbox-alice"}}
    async with AsyncClient(provider="reka", sandbox=sandbox.url, strict=True, **options) as client:
        yield client


def ask(
    sandbox: Sandbox, messages: Any = "Hello", *, options: dict[str, Any] | None = None, **question: Any
) -> ChatCompletion:
    """One whole answer."""

    async def main() -> ChatCompletion:
        async with reka(sandbox, **(options or {})) as client:
            return await client.chat.completions.create(messages=messages, **question)

    return asyncio.run(main())


def seen(sandbox: Sandbox, path: str) -> list[Any]:
    """The requests that reached `path`."""
    return sandbox.journal(service="reka", path=path)


# ---------------------------------------------------------------- what arrives


def test_the_model_asked_for_and_the_options_arrive(sandbox: Sandbox) -> None:
    """Nothing of the question is hard-coded."""
    ask(sandbox, model="reka-flash", web_search=True, use_code_interpreter=True, seed=7)
    (chat,) = seen(sandbox, "/api/chat")
    assert {name: chat.json[name] for name in chat.json if name != "conversation_history"} == {
        "stream": True, "use_search_engine": True, "use_code_interpreter": True, "model_name": "reka-flash",
        "random_seed": 7,
    }  # fmt: skip


def test_roles_arrive_as_the_service_knows_them(sandbox: Sandbox) -> None:
    """The model's own words are not sent as the person's."""
    talk = [
        {"role": "system", "content": "be brief"},
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": "hello"},
        {"role": "user", "content": [{"type": "text", "text": "how"}, {"type": "text", "text": "?"}]},
    ]
    ask(sandbox, talk)
    (chat,) = seen(sandbox, "/api/chat")
    assert chat.json["conversation_history"] == [
        {"type": "human", "text": "be brief\n\nhi"},
        {"type": "model", "text": "hello"},
        {"type": "human", "text": "how?"},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("data", "kind", "filename", "media_type"),
    [
        (GIF, "image", "image.gif", "image/gif"),
        (PDF, "pdf", "pdf.pdf", "application/pdf"),
        (WEBM, "video", "video.webm", "video/webm"),
    ],
)
def test_a_file_arrives_whole_under_its_real_type(
    sandbox: Sandbox, data: bytes, kind: str, filename: str, media_type: str
) -> None:
    """Picture, PDF and video: one part named `image`, the bytes untouched, the turn naming the kind."""
    ask(sandbox, "what?", files=[data])
    (upload,) = seen(sandbox, "/api/upload-image")
    (part,) = upload.parts
    assert (part.name, part.filename, part.media_type) == ("image", filename, media_type)
    assert part.sha256 == hashlib.sha256(data).hexdigest()
    (chat,) = seen(sandbox, "/api/chat")
    assert chat.json["conversation_history"][-1]["media_type"] == kind


def test_several_pictures_each_have_their_own_turn(sandbox: Sandbox) -> None:
    """Both arrive, in order, and the service sees the alternation it wants."""
    other = GIF.replace(b"\xff\x80\0", b"\0\x80\xff")
    ask(sandbox, "which?", images=[GIF, other])
    assert [upload.parts[0].sha256 for upload in seen(sandbox, "/api/upload-image")] == [
        hashlib.sha256(data).hexdigest() for data in (GIF, other)
    ]
    (chat,) = seen(sandbox, "/api/chat")
    assert [(turn["type"], turn["text"], "image_url" in turn) for turn in chat.json["conversation_history"]] == [
        ("human", "", True), ("model", "", False), ("human", "which?", True),
    ]  # fmt: skip


def test_the_same_picture_is_uploaded_once(sandbox: Sandbox) -> None:
    """A talk that goes on does not send its bytes again."""

    async def main() -> None:
        async with reka(sandbox) as client:
            first = await client.chat.completions.create(messages="what?", image=GIF)
            await client.chat.completions.create(messages="sure?", conversation=first.conversation)

    asyncio.run(main())
    assert len(seen(sandbox, "/api/upload-image")) == 1
    assert [len(chat.json["conversation_history"]) for chat in seen(sandbox, "/api/chat")] == [1, 3]


# ---------------------------------------------------------------- what comes back


@pytest.mark.parametrize("stream", [True, False])
def test_text_usage_and_finish_come_back(sandbox: Sandbox, stream: bool) -> None:
    """Streamed or not, the answer is the same."""
    sandbox.script("reka", chunks=["Hel", "lo, ", "мир"], finish_reason="length")

    async def main() -> tuple[str, str | None, int]:
        async with reka(sandbox) as client:
            answer = await client.chat.completions.create(messages="hi", stream=stream)
            if isinstance(answer, ChatCompletion):
                assert answer.usage is not None
                return answer.text, answer.choices[0].finish_reason, answer.usage.completion_tokens
            chunks = [chunk async for chunk in answer]
            text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
            assert chunks[-1].usage is not None
            return text, chunks[-1].choices[0].finish_reason, chunks[-1].usage.completion_tokens

    text, finish, tokens = asyncio.run(main())
    assert (text, finish) == ("Hello, мир", "length")
    assert tokens > 0


@pytest.mark.parametrize(
    ("knobs", "expected"),
    [
        ({"separator_tail": "trimmed"}, "A cat sits."),
        ({"separator_tail": "kept"}, "A cat sits."),
        ({"revision": True}, "A cat sits."),
        ({"bare_json": True}, "A cat sits."),
        ({"repeated": True}, "hahaha!"),
    ],
    ids=str,
)
def test_every_habit_of_the_service_ends_in_the_exact_text(
    sandbox: Sandbox, knobs: dict[str, Any], expected: str
) -> None:
    """Separator tails, revisions, bare documents and repeated words are all read right."""
    sandbox.knobs("reka", **knobs)
    sandbox.script("reka", text="A cat sits.")

    async def main() -> str:
        async with reka(sandbox) as client:
            stream = await client.chat.completions.create(messages="hi", stream=True)
            async for _ in stream:
                pass
            return stream.so_far.text

    assert asyncio.run(main()) == expected


# ---------------------------------------------------------------- the token


def test_one_token_serves_many_turns(sandbox: Sandbox) -> None:
    """It is fetched once, also when the first turns start together."""

    async def main() -> None:
        async with reka(sandbox) as client:
            asks = (client.chat.completions.create(messages=f"q{i}") for i in range(5))
            await asyncio.gather(*asks)
            await client.chat.completions.create(messages="one more")

    asyncio.run(main())
    assert len(seen(sandbox, "/bff/auth/access_token")) == 1
    assert len(seen(sandbox, "/api/chat")) == 6


def test_a_token_is_renewed_a_minute_before_it_ends(sandbox: Sandbox, tmp_path: Path) -> None:
    """The service never sees a token in its last minute."""
    settings = load(environ={"POLYCHAT_SANDBOX": sandbox.url, "POLYCHAT_HOME": str(tmp_path)})
    vault = given("reka", api_key=None, cookies={"appSession": "sandbox-alice"})
    question = Request(model="reka", messages=(Message(role="user", parts=(Text(text="hi"),)),))

    async def main() -> list[int]:
        fetched = []
        async with Engine(vault, settings, strict=True, now=lambda: clock) as engine:
            for advance_s in (0.0, 3500.0, 50.0):
                clock = sandbox.clock(advance_s=advance_s)
                await (await engine.ask(question)).reply()
                fetched.append(len(seen(sandbox, "/bff/auth/access_token")))
        return fetched

    assert asyncio.run(main()) == [1, 1, 2]


def test_a_refused_token_is_renewed_once_and_the_question_asked_again(sandbox: Sandbox) -> None:
    """A first 401 costs one more token and nothing else."""
    sandbox.fault("reka", "status", code=401, path="/api/chat", times=1)
    assert ask(sandbox).text
    assert len(seen(sandbox, "/bff/auth/access_token")) == 2
    assert [chat.status for chat in seen(sandbox, "/api/chat")] == [401, 200]


def test_a_second_refusal_is_told(sandbox: Sandbox) -> None:
    """There is no third try."""
    sandbox.fault("reka", "status", code=401, path="/api/chat")
    with pytest.raises(AuthExpired) as caught:
        ask(sandbox)
    assert (caught.value.provider, caught.value.upstream_status) == ("reka", 401)
    assert len(seen(sandbox, "/api/chat")) == 2


def test_a_bearer_goes_alone(sandbox: Sandbox) -> None:
    """With a token given, no cookie is sent and no session is asked for."""
    ask(sandbox, options={"api_key": "sandbox-bob"}, image=GIF)
    assert seen(sandbox, "/bff/auth/access_token") == []
    chat = seen(sandbox, "/api/chat")[0]
    assert (chat.account, "cookie" in chat.headers) == ("sandbox-bob", False)


def test_a_refused_bearer_is_not_asked_twice(sandbox: Sandbox) -> None:
    """There is nothing to renew it with."""
    with pytest.raises(AuthExpired, match="401"):
        ask(sandbox, options={"api_key": "sandbox-nobody"})
    assert len(seen(sandbox, "/api/chat")) == 1


@pytest.mark.parametrize("shown", ["redirect", "html", "unauthorized"])
def test_an_ended_session_says_how_to_renew_it(sandbox: Sandbox, shown: str) -> None:
    """Login page, redirect or 401 instead of a token: all are an ended session, with the way to another."""
    sandbox.knobs("reka", expired_session=shown)
    with pytest.raises(AuthExpired) as caught:
        ask(sandbox, options={"cookies": {"appSession": "sandbox-nobody"}})
    mended = "give other cookies" if shown == "unauthorized" else "polychat login reka"
    assert mended in (caught.value.hint or "")


def test_a_web_page_instead_of_an_answer_is_an_ended_session(sandbox: Sandbox) -> None:
    """HTML under 200 is never taken for an answer."""
    sandbox.fault("reka", "html", path="/api/chat")
    with pytest.raises(AuthExpired):
        ask(sandbox)


def test_cookies_without_the_session_cookie_are_refused_before_anything_is_sent(sandbox: Sandbox) -> None:
    """The error names the cookie."""
    with pytest.raises(AuthExpired, match="appSession"):
        ask(sandbox, options={"cookies": {"theme": "dark"}})
    assert seen(sandbox, "/bff/auth/access_token") == []


def test_no_account_names_the_login_command(sandbox: Sandbox) -> None:
    """The person reads what to type."""
    with pytest.raises(NoAccount) as caught:
        ask(sandbox, options={"vault": MemoryVault()})
    assert "polychat login reka --cookies FILE" in str(caught.value)


def test_what_reka_cannot_do_is_refused_before_anything_is_sent(sandbox: Sandbox) -> None:
    """Tools, sampling and schemas are not dropped in silence."""
    for option in (
        {"tools": [{"type": "function", "function": {"name": "f"}}]},
        {"temperature": 0.5},
        {"response_format": {"type": "json_object"}},
        {"max_tokens": 5},
    ):
        with pytest.raises(UnsupportedFeature, match=next(iter(option))):
            ask(sandbox, **option)
    assert sandbox.journal() == []


def test_an_upload_that_is_too_large_for_the_service_is_told(sandbox: Sandbox) -> None:
    """A 413 of the upload stops the turn; no question is asked without its picture."""
    sandbox.fault("reka", "too_large", path="/api/upload-image")
    with pytest.raises(ContextTooLong):
        ask(sandbox, "what?", image=GIF)
    assert seen(sandbox, "/api/chat") == []
