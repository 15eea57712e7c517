"""`OpenaiChat` as its page describes it: signing in, the turn, pictures and sound, and the account on the class."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import os
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pictures

from polychat import media
from polychat.errors import (
    AuthExpired,
    BadOption,
    ChallengeRequired,
    ConversationNotFound,
    NoAccount,
    Unavailable,
    UnsupportedFeature,
)
from polychat.g4f import AsyncClient, Client
from polychat.g4f.cookies import set_cookies
from polychat.g4f.Provider import OpenaiChat
from polychat.g4f.providers import AsyncAuthedProvider, ProviderModelMixin
from polychat.g4f.providers.response import (
    AuthResult,
    Conversation,
    FinishReason,
    ImagePreview,
    ImageResponse,
    Reasoning,
    Response,
    Sources,
    SynthesizeData,
    TitleGeneration,
)
from polychat.net.session import user_agent
from polychat.providers import _chatgpt_calls as calls
from polychat.sandbox.server import Sandbox
from polychat.signin.browser import find_browser

needs_browser = pytest.mark.skipif(
    find_spec("playwright") is None or find_browser(os.environ) is None,
    reason="Playwright, or Chrome, Chromium or Edge, is not installed",
)
HELLO: list[dict[str, Any]] = [{"role": "user", "content": "Hello"}]
ECHO = "You asked: “Hello” (1 word)."
TURN = "/backend-api/f/conversation"
SESSION = "__Secure-next-auth.session-token"
BOB = {"auth_result": AuthResult(api_key="sandbox-bob")}


def ask(messages: list[dict[str, Any]] = HELLO, model: str = "auto", **given: Any) -> list[Response]:
    """All that one turn yields."""

    async def main() -> list[Response]:
        return [chunk async for chunk in OpenaiChat.create_authed(model, messages, **{**BOB, **given})]

    return asyncio.run(main())


def text(chunks: list[Response]) -> str:
    """The words among them."""
    return "".join(chunk for chunk in chunks if isinstance(chunk, str))


def one(chunks: list[Response], kind: type[Any]) -> Any:
    """The only one of its kind."""
    (found,) = (chunk for chunk in chunks if type(chunk) is kind)
    return found


def sent(sandbox: Sandbox, path: str = TURN) -> list[Any]:
    """The requests that reached `path`."""
    return sandbox.journal(service="chatgpt", path=path)


def png(colour: str = "orange") -> bytes:
    """A small picture."""
    buffer = io.BytesIO()
    Pictures.new("RGB", (8, 6), colour).save(buffer, format="PNG")
    return buffer.getvalue()


def test_attributes_are_those_of_the_page() -> None:
    """The class has the bases and attributes that the page lists, and nobody's account."""
    assert issubclass(OpenaiChat, AsyncAuthedProvider)
    assert issubclass(OpenaiChat, ProviderModelMixin)
    assert (OpenaiChat.label, OpenaiChat.url) == ("OpenAI ChatGPT", "https://chatgpt.com")
    assert (OpenaiChat.working, OpenaiChat.needs_auth, OpenaiChat.supports_stream) == (True, True, True)
    assert OpenaiChat.supports_gpt_4
    assert OpenaiChat.supports_message_history
    assert OpenaiChat.supports_system_message
    assert {OpenaiChat.default_model, OpenaiChat.default_image_model, "gpt-3.5-turbo"} <= set(OpenaiChat.models)
    assert OpenaiChat.image_models == (OpenaiChat.default_image_model,)
    assert {*OpenaiChat.vision_models, *OpenaiChat.image_models} == set(OpenaiChat.models)
    assert OpenaiChat.get_model("dall-e-3") == OpenaiChat.default_image_model
    assert OpenaiChat.synthesize_content_type == "audio/aac"
    assert OpenaiChat.request_config == AuthResult()
    assert [OpenaiChat._api_key, OpenaiChat._headers, OpenaiChat._cookies, OpenaiChat._expires] == [None] * 4


# ---------------------------------------------------------------- the turn


def test_a_plain_turn(chatgpt: Sandbox) -> None:
    """Text as it comes, the title, where the talk stands, how to hear it, and why it ended; sent by the bearer."""
    chatgpt.script("chatgpt", chunks=["ha", "ha", "ha!"])
    *words, title, conversation, sound, end = ask(model="gpt-3.5-turbo")
    assert (words, title, end) == (["ha", "ha", "ha!"], TitleGeneration("Hello"), FinishReason("stop"))
    assert isinstance(conversation, Conversation)
    assert isinstance(sound, SynthesizeData)
    assert (sound.provider, sound.data["message_id"]) == ("OpenaiChat", conversation.message_id)
    (turn,) = sent(chatgpt)
    assert (turn.account, turn.json["model"], turn.headers.get("cookie")) == ("sandbox-bob", "gpt-3.5-turbo", None)


def test_nothing_is_sent_before_the_first_chunk(chatgpt: Sandbox) -> None:
    """A turn that nobody reads is none."""

    async def main() -> None:
        await OpenaiChat.create_authed("auto", HELLO, **BOB).aclose()

    asyncio.run(main())
    assert chatgpt.journal(service="chatgpt") == []


def test_roles_arrive_as_they_are(chatgpt: Sandbox) -> None:
    """System and earlier answers are sent for what they are."""
    talk = [("system", "Be brief."), ("user", "One"), ("assistant", "1"), ("user", "Two")]
    ask([{"role": role, "content": content} for role, content in talk])
    (turn,) = sent(chatgpt)
    messages = turn.json["messages"]
    assert [(it["author"]["role"], it["content"]["parts"][0]) for it in messages] == talk


def test_reasoning_comes_before_the_answer(chatgpt: Sandbox) -> None:
    """What the model thinks is `Reasoning`, and no part of the text."""
    chunks = ask(reasoning_effort="high")
    thoughts = "".join(chunk.token for chunk in chunks if isinstance(chunk, Reasoning))
    assert "I read the question twice." in thoughts
    assert text(chunks).startswith("You asked: “Hello”")
    assert isinstance(chunks[0], Reasoning)


def test_sources_come_after_the_answer(chatgpt: Sandbox) -> None:
    """The pages it speaks of, once each and in order; no mark is left in the text."""
    chunks = ask(web_search=True)
    sources = one(chunks, Sources)
    assert [source["url"] for source in sources.list] == ["https://example.org/echo", "https://example.net/today?a=1"]
    assert sources.list[0]["title"] == "On echoes"
    last_word = max(place for place, chunk in enumerate(chunks) if isinstance(chunk, str))
    assert chunks.index(sources) > last_word
    assert not any("\ue200" <= letter <= "\ue20f" for letter in text(chunks))


@pytest.mark.parametrize("form", ["dalle", "sediment", "task"])
def test_a_generated_picture(chatgpt: Sandbox, form: str) -> None:
    """It comes as soon as it is there, and once more with the whole answer, byte for byte the service's."""
    chatgpt.knobs("chatgpt", picture_form=form)
    chunks = ask([{"role": "user", "content": "A red cat"}], model="dall-e-3")
    preview, response = one(chunks, ImagePreview), one(chunks, ImageResponse)
    assert response.pictures == (preview.picture,)
    assert (preview.alt, response.alt) == ("A red cat", "A red cat")
    with Pictures.open(io.BytesIO(response.pictures[0].data)) as picture:
        assert picture.format == "PNG"
    assert chunks.index(preview) < chunks.index(response)


def test_media_goes_with_the_question(chatgpt: Sandbox, home: Path) -> None:
    """Pictures and (picture, name) pairs arrive whole and in order, and the answer speaks of them."""
    cat = home / "docs/images/cat.jpeg"
    chunks = ask(media=[cat, (png(), "square.png")])
    blobs = {it.body_sha256 for it in chatgpt.journal(service="chatgpt") if it.path.startswith("/blob/")}
    assert blobs == {hashlib.sha256(data).hexdigest() for data in (cat.read_bytes(), png())}
    (turn,) = sent(chatgpt)
    attached = turn.json["messages"][-1]["metadata"]["attachments"]
    assert [(it["name"], it["mimeType"]) for it in attached] == [
        ("cat.jpeg", "image/jpeg"),
        ("square.png", "image/png"),
    ]
    assert "8 × 6 pixels" in text(chunks)


def test_an_answer_that_was_cut(chatgpt: Sandbox) -> None:
    """It is gone on with by itself, or ends with the service's own word where the caller wants that."""
    chatgpt.knobs("chatgpt", max_tokens=2)
    cut = ask(auto_continue=False)
    assert (text(cut), cut[-1]) == ("You asked:", FinishReason("max_tokens"))
    assert one(cut, Conversation).finish_reason == "max_tokens"
    chatgpt.knobs("chatgpt", max_tokens=3)
    assert (text(ask()), len(sent(chatgpt))) == (ECHO, 3)


def test_leaving_early_stops_the_service(chatgpt: Sandbox) -> None:
    """A turn that is closed halfway is closed there too."""
    chatgpt.fault("chatgpt", "stall", after=12, path=TURN)

    async def main() -> None:
        answer = OpenaiChat.create_authed("auto", HELLO, **BOB)
        assert isinstance(await anext(answer), str)
        await answer.aclose()

    asyncio.run(main())
    assert [entry.account for entry in sent(chatgpt, "/backend-api/stop_conversation")] == ["sandbox-bob"]


def test_accounts_never_mix(chatgpt: Sandbox) -> None:
    """Twenty turns at once, each of an account of its own and of either kind, and each gets its own answer."""
    names = [f"person-{number}" for number in range(20)]
    for name in names:
        chatgpt.add_account(name)

    async def turn(name: str, number: int) -> tuple[str, str]:
        given = {"cookies": {SESSION: name}} if number % 2 else {"api_key": name}
        said, conversation = [], None
        for question in (f"I am {name}", f"Still {name}"):
            answer = OpenaiChat.create_authed(
                "auto", [{"role": "user", "content": question}], AuthResult(**given), conversation=conversation
            )
            async for chunk in answer:
                await asyncio.sleep(0)
                said.append(chunk if isinstance(chunk, str) else "")
                conversation = chunk if isinstance(chunk, Conversation) else conversation
        return name, "".join(said)

    async def main() -> list[tuple[str, str]]:
        return await asyncio.gather(*(turn(name, number) for number, name in enumerate(names)))

    for name, said in asyncio.run(main()):
        assert f"“I am {name}”" in said
        assert f"“Still {name}”" in said
    asked = [(entry.account, entry.json["messages"][-1]["content"]["parts"][0]) for entry in sent(chatgpt)]
    assert sorted(asked) == sorted((name, f"{word} {name}") for name in names for word in ("I am", "Still"))
    assert OpenaiChat._api_key is None


# ---------------------------------------------------------------- conversations


def test_a_conversation_goes_on(chatgpt: Sandbox) -> None:
    """Handed back through JSON, it is told only what is new, below the last answer."""
    first = one(ask(), Conversation)
    again = Conversation(**json.loads(json.dumps(first.get_dict())))
    talk = [*HELLO, {"role": "assistant", "content": ECHO}, {"role": "user", "content": "And now?"}]
    chunks = ask(talk, conversation=again)
    assert "“And now?”" in text(chunks)
    assert one(chunks, Conversation).conversation_id == first.conversation_id
    body = sent(chatgpt)[-1].json
    assert (body["conversation_id"], body["parent_message_id"]) == (first.conversation_id, first.message_id)
    assert [message["content"]["parts"] for message in body["messages"]] == [["And now?"]]


def test_a_conversation_by_its_ids(chatgpt: Sandbox) -> None:
    """Two ids are enough to go on."""
    first = one(ask(), Conversation)
    by_hand = Conversation(first.conversation_id, first.message_id)
    assert one(ask(conversation=by_hand), Conversation).conversation_id == first.conversation_id


def test_the_last_question_asked_again(chatgpt: Sandbox) -> None:
    """`variant` asks the same question once more, and the answer is another."""
    first = one(ask(), Conversation)
    second = one(ask(conversation=first, action="variant"), Conversation)
    before, after = (entry.json for entry in sent(chatgpt))
    assert after["action"] == "variant"
    assert after["messages"][-1]["id"] == before["messages"][-1]["id"]
    assert (second.conversation_id, second.message_id == first.message_id) == (first.conversation_id, False)


def test_a_temporary_chat_goes_on(chatgpt: Sandbox) -> None:
    """The service keeps nothing; the conversation carries the talk itself, and nothing is read aloud."""
    first = ask(temporary=True)
    assert not any(isinstance(chunk, SynthesizeData) for chunk in first)
    talk = [*HELLO, {"role": "assistant", "content": text(first)}, {"role": "user", "content": "And now?"}]
    ask(talk, conversation=one(first, Conversation), temporary=True)
    body = sent(chatgpt)[-1].json
    assert body["history_and_training_disabled"]
    assert [it["content"]["parts"][0] for it in body["messages"]] == ["Hello", text(first), "And now?"]


def test_a_conversation_of_someone_else(chatgpt: Sandbox) -> None:
    """It is not found, and that is no matter of signing in."""
    mine = one(ask(), Conversation)
    with pytest.raises(ConversationNotFound) as raised:
        ask(conversation=mine, auth_result=AuthResult(api_key="sandbox-alice"))
    assert not isinstance(raised.value, ValueError)


@pytest.mark.parametrize("wanted", [True, False])
def test_a_conversation_is_yielded_unless_unwanted(chatgpt: Sandbox, wanted: bool) -> None:
    """`return_conversation=False` leaves it out."""
    chunks = ask(return_conversation=wanted)
    assert any(isinstance(chunk, Conversation) for chunk in chunks) is wanted


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"action": "continue"}, UnsupportedFeature),
        ({"action": "dance"}, BadOption),
        ({"action": "variant"}, BadOption),
        ({"nonesuch": 1}, BadOption),
        ({"media": [b"no picture"]}, BadOption),
        ({"messages": []}, BadOption),
        ({"temperature": 1.0}, UnsupportedFeature),
        ({"auth_result": AuthResult(api_key="sandbox-bob", proof_token=[1])}, BadOption),
    ],
)
def test_wrong_arguments_are_told_before_anything_is_asked(
    chatgpt: Sandbox, given: dict[str, Any], error: type[Exception]
) -> None:
    """What cannot be asked is refused."""
    with pytest.raises(error):
        ask(**given)
    assert chatgpt.journal(service="chatgpt") == []


# ---------------------------------------------------------------- signing in


def test_a_session_sends_what_it_was_given(chatgpt: Sandbox) -> None:
    """Cookies, the browser's headers and the gate's tokens go to the service; the token is fetched by cookie."""
    chatgpt.knobs("chatgpt", proof_of_work=True, turnstile=True)
    headers = {"User-Agent": "a browser", "oai-language": "ru", "content-length": "7"}
    auth = AuthResult(cookies={SESSION: "sandbox-bob"}, headers=headers, proof_token="p", turnstile_token="t")
    assert text(ask(auth_result=auth)) == ECHO
    (turn,) = sent(chatgpt)
    assert (turn.account, turn.headers["user-agent"], turn.headers["oai-language"]) == (
        "sandbox-bob",
        "a browser",
        "ru",
    )
    assert {"openai-sentinel-proof-token", "openai-sentinel-turnstile-token"} <= turn.headers.keys()
    assert SESSION in turn.headers["cookie"]


def test_a_proof_that_was_not_given_is_a_challenge(chatgpt: Sandbox) -> None:
    """None is computed."""
    chatgpt.knobs("chatgpt", proof_of_work=True)
    with pytest.raises(ChallengeRequired, match="does not compute one"):
        ask()


def test_nobody_and_the_unknown_are_value_errors(chatgpt: Sandbox) -> None:
    """An `AuthResult` of nothing, and a key that is not accepted; no key is repeated in words."""
    with pytest.raises(NoAccount, match="holds neither") as nobody:
        ask(auth_result=AuthResult())
    with pytest.raises(AuthExpired) as unknown:
        ask(auth_result=AuthResult(api_key="nobody-knows-me"))
    assert isinstance(nobody.value, ValueError)
    assert isinstance(unknown.value, ValueError)
    assert "nobody-knows-me" not in str(unknown.value)


def signed_in(**given: Any) -> AuthResult:
    """What `on_auth_async` yields."""

    async def main() -> list[AuthResult]:
        return [found async for found in OpenaiChat.on_auth_async(**given)]

    (found,) = asyncio.run(main())
    return found


def test_a_key_signs_in_by_itself(chatgpt: Sandbox) -> None:
    """It is handed on without asking anyone."""
    assert signed_in(api_key="sandbox-bob") == AuthResult(api_key="sandbox-bob", expires=None)
    assert chatgpt.journal(service="chatgpt") == []


def test_cookies_are_exchanged_for_a_token(chatgpt: Sandbox) -> None:
    """The result holds token, its end, cookies, headers and gate tokens, and asks without signing in again."""
    auth = signed_in(cookies={SESSION: "sandbox-bob"}, headers={"oai-language": "ru"}, proof_token="p")
    assert (auth.cookies, auth.headers, auth.proof_token) == (
        {SESSION: "sandbox-bob"},
        {"oai-language": "ru"},
        "p",
    )
    assert auth.expires is not None
    assert auth.expires > time.time()
    assert text(ask(auth_result=AuthResult(**json.loads(json.dumps(auth.get_dict()))))) == ECHO
    assert len(sent(chatgpt, "/api/auth/session")) == 1
    assert [turn.account for turn in sent(chatgpt)] == ["sandbox-bob"]
    assert (OpenaiChat._api_key, OpenaiChat._cookies) == (None, None)


def test_the_kept_account_signs_in(chatgpt: Sandbox) -> None:
    """With nothing given, the account is the one that is set for the domain, or else kept; a given one comes first."""
    assert (signed_in().cookies or {})[SESSION] == "sandbox-alice"
    set_cookies("chatgpt.com", {SESSION: "sandbox-bob"})
    assert (signed_in().cookies or {})[SESSION] == "sandbox-bob"
    ask(auth_result=AuthResult(api_key="sandbox-alice"))
    assert [turn.account for turn in sent(chatgpt)] == ["sandbox-alice"]


def test_no_account_says_how_to_sign_in(home: Path) -> None:
    """Where nothing is given or kept, no browser opens: an error names the way."""
    with pytest.raises(ValueError, match="log in at https://chatgpt"):
        signed_in()


@needs_browser
def test_a_sign_in_in_a_browser(chatgpt: Sandbox) -> None:
    """`nodriver_auth` brings the session of whoever logs in, which then asks; nothing is written on the class."""

    async def person(page: Any) -> None:
        await page.get_by_test_id("login-button").click()
        await page.select_option("select", "sandbox-bob")
        await page.get_by_role("button", name="Log in").click()

    found = asyncio.run(OpenaiChat.nodriver_auth(headless=True, opened=person))
    assert found.api_key
    assert found.cookies is not None
    assert "session-token" in found.cookies
    assert text(ask(auth_result=found)) == ECHO
    assert [turn.account for turn in sent(chatgpt)] == ["sandbox-bob"]
    assert (OpenaiChat._api_key, OpenaiChat._cookies, OpenaiChat._headers) == (None, None, None)


@needs_browser
def test_a_browser_closed_by_the_person(chatgpt: Sandbox, proxy: Any) -> None:
    """`nodriver_auth` goes through the proxy, and without a sign-in is a `ValueError` as every other one."""

    async def person(page: Any) -> None:
        from playwright.async_api import Error

        control = await page.context.new_cdp_session(page)
        with suppress(Error):  # the browser is gone before it answers
            await control.send("Browser.close")

    with pytest.raises(ValueError, match="window was closed") as caught:
        asyncio.run(OpenaiChat.nodriver_auth(proxy=proxy.url, headless=True, opened=person))
    assert isinstance(caught.value, AuthExpired)
    assert "/chatgpt/" in proxy.passed


# ---------------------------------------------------------------- pictures and sound


def test_a_turn_by_hand(chatgpt: Sandbox) -> None:
    """The page's own steps make a turn: upload, messages, and its stream read line by line."""
    chatgpt.knobs("chatgpt", thinking=True, search=True)
    auth = AuthResult(api_key="sandbox-bob")
    talk = [{"role": "system", "content": "Be brief."}, *HELLO]
    fields, sources = Conversation(), Sources()

    async def main() -> list[Response]:
        async with OpenaiChat.session(auth) as session:
            (request,) = await OpenaiChat.upload_images(session, auth, [(png(), "square.png")])
            assert (request.get("file_name"), request.get("width"), request.get("height")) == ("square.png", 8, 6)
            body = {
                "action": "next",
                "parent_message_id": "root",
                "model": "auto",
                "supported_encodings": ["v1"],
                "messages": OpenaiChat.create_messages(talk, [request], ["search"]),
            }
            headers = await calls.gate(session)
            path = "/backend-api/conversation"
            async with session.open("POST", path, json=body, headers=headers, bearer=token) as answer:
                lines = (await answer.read(10**6)).splitlines()
            return [
                chunk
                for line in lines
                async for chunk in OpenaiChat.iter_messages_line(session, auth, line, fields, sources)
            ]

    chunks = asyncio.run(main())
    assert "8 × 6 pixels" in text(chunks)
    assert any(isinstance(chunk, Reasoning) for chunk in chunks)
    assert len(sources.list) == 2
    assert (fields.finish_reason, fields.is_thinking) == ("stop", False)
    assert fields.conversation_id == one(ask(conversation=fields), Conversation).conversation_id
    (turn,) = sent(chatgpt, "/backend-api/conversation")
    assert [message["author"]["role"] for message in turn.json["messages"]] == ["system", "user"]
    assert turn.json["messages"][-1]["metadata"]["system_hints"] == ["search"]


async def token() -> Any:
    """Not asked for: a bearer is at hand."""
    raise AssertionError("the token was fetched")


def lines(*records: dict[str, Any]) -> list[bytes]:
    """A classic stream."""
    return [f"data: {json.dumps(record)}".encode() for record in records]


def read(stream: list[bytes], auth: AuthResult = BOB["auth_result"]) -> list[Response]:
    """What these lines yield."""

    async def main() -> list[Response]:
        fields = Conversation()
        return [
            chunk
            for line in stream
            async for chunk in OpenaiChat.iter_messages_line(None, auth, line, fields, Sources())
        ]

    return asyncio.run(main())


def test_a_line_with_a_picture(chatgpt: Sandbox) -> None:
    """It is downloaded by the account's own session, and so is one that is asked for by its pointer."""
    response = one(ask([{"role": "user", "content": "A cat"}], model="gpt-image"), ImageResponse)
    (entry,) = (entry for entry in chatgpt.journal(service="chatgpt") if "/attachment/" in entry.path)
    _, _, _, conversation_id, _, file_id, _ = entry.path.split("/")
    part = {"content_type": "image_asset_pointer", "asset_pointer": f"sediment://{file_id}"}
    message = {
        "id": "T",
        "author": {"role": "tool", "name": "dalle"},
        "content": {"content_type": "multimodal_text", "parts": [part]},
        "status": "finished_successfully",
        "metadata": {"image_gen_title": "Cat"},
    }
    (found,) = read(lines({"message": message, "conversation_id": conversation_id}))
    assert isinstance(found, ImageResponse)
    assert (found.pictures[0].data, found.alt) == (response.pictures[0].data, "Cat")

    async def main(element: Any) -> ImageResponse:
        return await OpenaiChat.get_generated_image(None, **BOB, element=element, conversation_id=conversation_id)

    for element in (part, part["asset_pointer"]):
        assert asyncio.run(main(element)).pictures[0].data == response.pictures[0].data


@pytest.mark.parametrize("own_session", [True, False])
def test_a_line_that_is_an_error(chatgpt: Sandbox, own_session: bool) -> None:
    """What the service says there is raised, and knows its account, but not its secrets."""
    auth = AuthResult(api_key="canary-token")

    (line,) = lines({"error": "canary-token is wrong."})

    async def main() -> None:
        async with OpenaiChat.session(auth) as session:
            given = session if own_session else None
            with pytest.raises(Unavailable, match=r"\*{8} is wrong") as raised:
                await anext(OpenaiChat.iter_messages_line(given, auth, line, Conversation(), Sources()))
        assert (raised.value.provider, raised.value.account) == ("chatgpt", "given@chatgpt")

    asyncio.run(main())


def test_create_messages() -> None:
    """Each message has an id of its own, its role, its words, and room for metadata; hints go with the last."""
    system, user = OpenaiChat.create_messages([{"role": "system", "content": "Be brief."}, *HELLO], None, ["reason"])
    assert [(it["author"]["role"], it["content"]) for it in (system, user)] == [
        ("system", {"content_type": "text", "parts": ["Be brief."]}),
        ("user", {"content_type": "text", "parts": ["Hello"]}),
    ]
    assert (system["metadata"], user["metadata"]) == ({}, {"system_hints": ["reason"]})
    assert len({system["id"], user["id"]}) == 2
    with pytest.raises(UnsupportedFeature):
        OpenaiChat.create_messages([{"role": "assistant", "content": "Hi"}])


@pytest.mark.parametrize(
    "call",
    [
        lambda session, auth: OpenaiChat.upload_images(session, auth, [png()]),
        lambda session, auth: OpenaiChat.get_generated_image(session, auth, "file-service://x"),
    ],
)
def test_a_session_of_another_account_is_refused(
    chatgpt: Sandbox, call: Callable[[Any, AuthResult], Awaitable[Any]]
) -> None:
    """A session and an `AuthResult` that do not belong together never mix."""

    async def main() -> None:
        async with OpenaiChat.session(AuthResult(api_key="sandbox-alice")) as session:
            await call(session, AuthResult(api_key="sandbox-bob"))

    with pytest.raises(BadOption, match="another account"):
        asyncio.run(main())
    assert chatgpt.journal(service="chatgpt") == []


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda: OpenaiChat.upload_images(None, **BOB, media=["https://example.org/cat.png"]), "media"),
        (lambda: OpenaiChat.upload_images(None, **BOB, media=[b"no picture"]), "media[0]"),
        (lambda: OpenaiChat.get_generated_image(None, **BOB, element={}), "element"),
        (lambda: OpenaiChat.get_generated_image(None, **BOB, element="cat.png"), "element"),
        (lambda: anext(OpenaiChat.synthesize({"message_id": "A"}, **BOB)), "params"),
    ],
)
def test_what_cannot_be_fetched_is_told_before_anything_is_sent(
    chatgpt: Sandbox, call: Callable[[], Awaitable[Any]], field: str
) -> None:
    """The error names the argument."""

    async def main() -> None:
        await call()

    with pytest.raises(BadOption) as raised:
        asyncio.run(main())
    assert raised.value.field == field
    assert chatgpt.journal(service="chatgpt") == []


async def heard(params: dict[str, str], **given: Any) -> bytes:
    """A whole read-aloud."""
    return b"".join([piece async for piece in OpenaiChat.synthesize(params, **given)])


def test_an_answer_read_aloud(chatgpt: Sandbox) -> None:
    """`SynthesizeData` is all that it takes beside the account, and the sound is of the type that the class names."""
    data = one(ask(), SynthesizeData).data
    assert media.sniff(asyncio.run(heard(data, **BOB))) == OpenaiChat.synthesize_content_type
    (entry,) = sent(chatgpt, "/backend-api/synthesize")
    assert (entry.account, "format=aac" in entry.query, "voice=maple" in entry.query) == ("sandbox-bob", True, True)
    with pytest.raises(ConversationNotFound):
        asyncio.run(heard(data, auth_result=AuthResult(api_key="sandbox-alice")))
    with pytest.raises(ValueError, match="401"):
        asyncio.run(heard(data, auth_result=AuthResult(api_key="nobody-knows-me")))


# ---------------------------------------------------------------- the account on the class


def test_a_key_on_the_class_is_for_calls_that_bring_none(chatgpt: Sandbox) -> None:
    """`_set_api_key` writes it and its header, and a client asks with it; a turn that has an account does not."""
    assert OpenaiChat._set_api_key("sandbox-bob")
    assert OpenaiChat._headers == {"authorization": "Bearer sandbox-bob"}
    assert Client(provider=OpenaiChat).chat.completions.create(HELLO).choices[0].message.content == ECHO
    ask(auth_result=AuthResult(api_key="sandbox-alice"))
    assert [turn.account for turn in sent(chatgpt)] == ["sandbox-bob", "sandbox-alice"]
    assert not OpenaiChat._set_api_key(None)
    assert (OpenaiChat._api_key, OpenaiChat._headers, OpenaiChat.own_credential()) == (None, None, None)


def test_a_key_that_ended_is_told(chatgpt: Sandbox) -> None:
    """`_set_api_key` reads the end of a token, and is False when it has passed."""
    ended = "e30.eyJleHAiOjd9.x"
    assert not OpenaiChat._set_api_key(ended)
    assert (OpenaiChat._api_key, OpenaiChat._expires) == (ended, 7.0)


def test_cookies_on_the_class(chatgpt: Sandbox) -> None:
    """`_create_request_args` writes cookies and headers, the default ones unless given, and the account is theirs."""
    OpenaiChat._create_request_args({SESSION: "sandbox-bob"}, user_agent="a browser")
    assert OpenaiChat._cookies == {SESSION: "sandbox-bob"}
    assert OpenaiChat._headers == {
        **OpenaiChat.get_default_headers(),
        "user-agent": "a browser",
        "cookie": f"{SESSION}=sandbox-bob",
    }
    assert text_of_client() == ECHO
    (turn,) = sent(chatgpt)
    assert (turn.account, turn.headers["user-agent"]) == ("sandbox-bob", "a browser")
    OpenaiChat._cookies = {}
    OpenaiChat._update_cookie_header()
    assert "cookie" not in (OpenaiChat._headers or {})


def text_of_client() -> str:
    """The text that an asynchronous client gets from the class's account."""

    async def main() -> str:
        create = AsyncClient(provider=OpenaiChat).chat.completions.create
        return "".join([chunk.choices[0].delta.content or "" async for chunk in create(HELLO, stream=True)])

    return asyncio.run(main())


def test_a_request_config_on_the_class(chatgpt: Sandbox) -> None:
    """What a caller puts there counts like the rest, for what the class itself does not say."""
    chatgpt.knobs("chatgpt", proof_of_work=True)
    OpenaiChat.request_config = AuthResult(api_key="nobody", proof_token="p")
    OpenaiChat._set_api_key("sandbox-bob")
    assert text_of_client() == ECHO
    assert [turn.account for turn in sent(chatgpt)] == ["sandbox-bob"]


def test_default_headers_say_who_we_are() -> None:
    """No browser is named in them."""
    headers = OpenaiChat.get_default_headers()
    assert (headers["user-agent"], headers["referer"]) == (user_agent(), "https://chatgpt.com/")


def test_cookies_of_a_session_find_their_way_back(chatgpt: Sandbox) -> None:
    """They are those the service last set: in an `AuthResult` that has any, and in that of a new sign-in."""
    auth, bare = AuthResult(cookies={SESSION: "sandbox-bob"}), AuthResult(api_key="sandbox-bob")
    ask(auth_result=auth)

    async def main() -> None:
        async with OpenaiChat.session(auth) as session:
            await calls.visit(session)
            OpenaiChat._update_request_args(auth, session)
            OpenaiChat._update_request_args(bare, session)
        (signed,) = [found async for found in OpenaiChat.login(cookies={SESSION: "sandbox-bob"})]
        assert signed.cookies == auth.cookies

    asyncio.run(main())
    assert auth.cookies is not None
    assert auth.cookies[SESSION] == "sandbox-bob"
    assert "oai-did" in auth.cookies
    assert bare.get_dict() == {"api_key": "sandbox-bob"}


def test_a_client_shows_pictures(chatgpt: Sandbox, home: Path) -> None:
    """`image=` arrives, and the answer tells its size."""
    answer = Client(provider=OpenaiChat, api_key="sandbox-bob").chat.completions.create(
        HELLO, "gpt-4o", image=home / "docs/images/cat.jpeg"
    )
    with Pictures.open(home / "docs/images/cat.jpeg") as picture:
        assert f"{picture.width} × {picture.height} pixels" in answer.choices[0].message.content
    assert (answer.model, answer.provider) == ("gpt-4o", "chatgpt")


def test_plain_completions(chatgpt: Sandbox) -> None:
    """`create_completion` gives the text, and `create_async_generator` signs in and gives all."""
    assert "".join(OpenaiChat.create_completion("auto", HELLO, api_key="sandbox-bob")) == ECHO

    async def main() -> list[Response]:
        answer = OpenaiChat.create_async_generator("auto", HELLO, api_key="sandbox-alice")
        return [chunk async for chunk in answer]

    chunks = asyncio.run(main())
    assert (text(chunks), chunks[-1]) == (ECHO, FinishReason("stop"))
    assert [turn.account for turn in sent(chatgpt)] == ["sandbox-bob", "sandbox-alice"]
