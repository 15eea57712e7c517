"""providers/chatgpt.py over real HTTP: each feature of a ChatGPT account, and how it fails."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import PIL.Image
import pytest

from polychat import (
    AsyncClient,
    AuthExpired,
    BadOption,
    ChallengeRequired,
    ChatCompletion,
    ContextTooLong,
    ConversationNotFound,
    Interrupted,
    PolychatError,
    RateLimited,
    Refused,
    Unavailable,
    UnknownModel,
)
from polychat.credentials import Account, BearerToken, Secret, SessionCookies
from polychat.providers.chatgpt import ChatGPT
from polychat.sandbox.server import Sandbox
from polychat.types import Utterance
from polychat.vault.memory import MemoryVault

TURN = "/backend-api/f/conversation"
SESSION = "__Secure-next-auth.session-token"
PRIVATE = {chr(code) for code in range(0xE200, 0xE210)}


def png(colour: str = "orange") -> bytes:
    """A small picture."""
    buffer = io.BytesIO()
    PIL.Image.new("RGB", (8, 6), colour).save(buffer, format="PNG")
    return buffer.getvalue()


@asynccontextmanager
async def chatgpt(sandbox: Sandbox, **options: Any) -> AsyncIterator[AsyncClient]:
    """A client of the emulated ChatGPT, signed in as Alice by cookie unless told otherwise."""
    options = options or {"cookies": {SESSION: "sandbox-alice"}}
    async with AsyncClient(provider="chatgpt", sandbox=sandbox.url, strict=True, **options) as client:
        yield client


def ask(sandbox: Sandbox, messages: Any = "Hello there", **question: Any) -> ChatCompletion:
    """One whole answer."""
    return talk(sandbox, {"messages": messages, **question})[0]


def talk(sandbox: Sandbox, *questions: dict[str, Any], **options: Any) -> list[ChatCompletion]:
    """Answers to questions of which each goes on with the conversation of the one before."""

    async def main() -> list[ChatCompletion]:
        answers: list[ChatCompletion] = []
        async with chatgpt(sandbox, **options) as client:
            for question in questions:
                conversation = answers[-1].conversation if answers else None
                answers.append(await client.chat.completions.create(**{"conversation": conversation, **question}))
        return answers

    return asyncio.run(main())


def sent(sandbox: Sandbox, path: str = TURN) -> list[Any]:
    """The requests that reached `path`."""
    return sandbox.journal(service="chatgpt", path=path)


# ---------------------------------------------------------------- the turn


def test_the_order_of_calls_is_the_web_apps(sandbox: Sandbox) -> None:
    """Page, token, gate, announcement, question; the second turn needs neither page nor token."""
    talk(sandbox, {"messages": "one"}, {"messages": "two"})
    turn = ["/backend-api/sentinel/chat-requirements", "/backend-api/f/conversation/prepare", TURN]
    assert [entry.path for entry in sandbox.journal(service="chatgpt")] == ["/", "/api/auth/session", *turn, *turn]


@pytest.mark.parametrize(
    "knobs",
    [
        {},
        {"dialect": "2025-03"},
        {"addressing": "explicit"},
        {"addressing": "sticky"},
        {"text": "root"},
        {"text": "closing"},
        {"title": "before"},
        {"echo": False},
        {"done": False},
        {"compat": "g4f"},
    ],
    ids=str,
)
def test_every_dialect_gives_the_same_answer(sandbox: Sandbox, knobs: dict[str, Any]) -> None:
    """However the service words its stream, the text is what it meant."""
    sandbox.knobs("chatgpt", **knobs)
    sandbox.script("chatgpt", chunks=["A ", "cat ", "сидит."])
    answer = ask(sandbox)
    assert (answer.text, answer.choices[0].finish_reason) == ("A cat сидит.", "stop")


@pytest.mark.parametrize("alias", ["gpt-5.2", "chatgpt/gpt-5-2"])
def test_models_have_the_names_people_use(sandbox: Sandbox, alias: str) -> None:
    """A dot for a dash."""
    ask(sandbox, model=alias)
    assert sent(sandbox)[0].json["model"] == "gpt-5-2"


def test_a_model_that_only_the_service_knows_can_be_asked(sandbox: Sandbox) -> None:
    """Its own list is asked for an id that ours lacks; a slip of the finger still names the nearest."""
    ask(sandbox, model="chatgpt/gpt-5-thinking")
    assert sent(sandbox)[0].json["model"] == "gpt-5-thinking"
    with pytest.raises(UnknownModel, match="gpt-4o"):
        ask(sandbox, model="chatgpt/gpt-4oo")


def test_thinking_and_tools_are_told_apart_from_the_answer(sandbox: Sandbox) -> None:
    """Neither leaks into the text, and both can be read."""
    sandbox.knobs("chatgpt", thinking=True, tool=True)
    sandbox.script("chatgpt", text="It is 4.")
    answer = ask(sandbox, reasoning_effort="high")
    assert answer.text == "It is 4."
    assert answer.reasoning
    assert sent(sandbox)[0].json["system_hints"] == ["reason"]


@pytest.mark.parametrize("size", [1, 3, 64])
def test_citations_are_whole_wherever_the_network_cuts(sandbox: Sandbox, size: int) -> None:
    """No private-use character reaches the text, and every source has its address."""
    sandbox.fault("chatgpt", "chunk_bytes", size_bytes=size, path=TURN)
    answer = ask(sandbox, web_search=True)
    assert not PRIVATE & set(answer.text)
    assert answer.sources
    assert all(source.url.startswith("https://") and "utm_source" not in source.url for source in answer.sources)


def test_a_title_and_quotas_are_told(sandbox: Sandbox) -> None:
    """The service's name for the conversation, and what the account has left."""
    answer = ask(sandbox)
    assert answer.title


def test_an_answer_cut_by_its_length_is_continued(sandbox: Sandbox) -> None:
    """Both parts are one text, asked for from the last answer; a caller who does not want that says so."""
    sandbox.script("chatgpt", chunks=["one ", "two ", "three ", "four ", "five"], times=2)
    sandbox.knobs("chatgpt", max_tokens=2)
    answer = ask(sandbox)
    assert answer.text.startswith("one two ")
    assert [entry.json["action"] for entry in sent(sandbox)][:2] == ["next", "continue"]
    sandbox.reset()
    sandbox.knobs("chatgpt", max_tokens=2)
    sandbox.script("chatgpt", chunks=["one ", "two ", "three"])
    cut = ask(sandbox, auto_continue=False)
    assert (cut.text.strip(), cut.choices[0].finish_reason) == ("one two", "length")


@pytest.mark.parametrize("socket", ["simple", "topics"])
def test_a_handed_off_stream_is_resumed(sandbox: Sandbox, socket: str) -> None:
    """The rest comes another way, and nothing is lost or said twice."""
    sandbox.knobs("chatgpt", handoff=6, websocket=socket)
    sandbox.script("chatgpt", chunks=["one ", "two ", "three ", "four ", "five"])
    assert ask(sandbox).text == "one two three four five"


def test_a_cut_stream_is_resumed(sandbox: Sandbox) -> None:
    """The same turn goes on where it broke."""
    sandbox.fault("chatgpt", "cut_frame", after=8, path=TURN, times=1)
    sandbox.script("chatgpt", chunks=["one ", "two ", "three ", "four ", "five"])
    assert ask(sandbox).text == "one two three four five"
    assert len(sent(sandbox, f"{TURN}/resume")) == 1


def test_leaving_tells_the_service_to_stop(sandbox: Sandbox) -> None:
    """The call is closed and the conversation stopped."""
    sandbox.knobs("chatgpt", dialect="2025-03", echo=False, title="none", text="root")
    sandbox.fault("chatgpt", "stall", after=4, path=TURN)
    sandbox.script("chatgpt", chunks=["one ", "two ", "three ", "four ", "five"])

    async def main() -> None:
        async with (
            chatgpt(sandbox) as client,
            await client.chat.completions.create(messages="?", stream=True) as stream,
        ):
            await anext(stream)

    asyncio.run(main())
    assert len(sent(sandbox, "/backend-api/stop_conversation")) == 1


# ---------------------------------------------------------------- conversations


def test_a_conversation_goes_on_from_the_last_answer(sandbox: Sandbox) -> None:
    """Also when reasoning and tools came between: the parent is the last assistant message to everyone."""
    sandbox.knobs("chatgpt", thinking=True, tool=True)
    first, second = talk(sandbox, {"messages": "one"}, {"messages": "two"})
    assert first.conversation is not None
    assert second.conversation is not None
    turns = sent(sandbox)
    assert turns[1].json["conversation_id"] == first.conversation.id
    assert turns[1].json["parent_message_id"] == first.conversation.parent_id
    assert [message["content"]["parts"] for message in turns[1].json["messages"]] == [["two"]]


def test_regenerate_and_edit_hang_where_the_question_hung(sandbox: Sandbox) -> None:
    """The same message again as a variant; another in its stead as a new branch."""
    talk(
        sandbox,
        {"messages": "one"},
        {"messages": "two"},
        {"messages": "two", "regenerate": True},
        {"messages": "two and a half", "edit": True},
    )
    _, second, again, edited = (entry.json for entry in sent(sandbox))
    assert (again["action"], again["messages"][0]["id"]) == ("variant", second["messages"][0]["id"])
    assert {second["parent_message_id"], again["parent_message_id"], edited["parent_message_id"]} == {
        second["parent_message_id"]
    }
    assert edited["messages"][0]["id"] != second["messages"][0]["id"]


def test_a_temporary_chat_is_forgotten_there_and_goes_on_from_here(sandbox: Sandbox) -> None:
    """Its thread names no conversation and carries the talk itself."""
    first, _ = talk(sandbox, {"messages": "one", "temporary": True}, {"messages": "two"})
    assert first.conversation is not None
    assert (first.conversation.temporary, first.conversation.id) == (True, None)
    turns = [entry.json for entry in sent(sandbox)]
    assert [turn["history_and_training_disabled"] for turn in turns] == [True, True]
    assert [len(turn["messages"]) for turn in turns] == [1, 3]


def test_a_custom_gpt_is_asked(sandbox: Sandbox) -> None:
    """By its id."""
    ask(sandbox, gpt="g-tea")
    assert sent(sandbox)[0].json["conversation_mode"] == {"kind": "gizmo_interaction", "gizmo_id": "g-tea"}


def test_a_thread_of_another_account_is_refused_before_anything_is_sent(sandbox: Sandbox) -> None:
    """A conversation belongs to the account it began with."""
    people = [
        Account(name=name, provider="chatgpt", credential=BearerToken(token=Secret(f"sandbox-{name}")))
        for name in ("alice", "bob")
    ]
    with pytest.raises(BadOption, match="alice") as caught:
        talk(
            sandbox,
            {"messages": "mine", "account": "alice"},
            {"messages": "yours", "account": "bob"},
            vault=MemoryVault(*people),
        )
    assert caught.value.field == "conversation"
    assert len(sent(sandbox)) == 1


# ---------------------------------------------------------------- files and pictures


def test_files_are_sent_in_three_steps_and_strangers_see_no_credential(sandbox: Sandbox) -> None:
    """Announce, put, confirm; the blob host gets the bytes whole and neither bearer nor cookie."""
    picture, sheet = png(), b"%PDF-1.7\n%%EOF\n"
    ask(sandbox, "what?", image=picture, files=[sheet])
    puts = [entry for entry in sandbox.journal() if entry.method == "PUT"]
    assert {entry.body_sha256 for entry in puts} == {hashlib.sha256(data).hexdigest() for data in (picture, sheet)}
    assert [name for entry in puts for name in entry.headers if name in {"authorization", "cookie"}] == []
    assert sorted(entry.json["use_case"] for entry in sent(sandbox, "/backend-api/files")) == ["multimodal", "my_files"]
    message = sent(sandbox)[0].json["messages"][-1]
    assert [part.get("width") for part in message["content"]["parts"] if isinstance(part, dict)] == [8]
    assert [one["mimeType"] for one in message["metadata"]["attachments"]] == ["image/png", "application/pdf"]


def test_the_same_file_is_uploaded_once_an_account(sandbox: Sandbox) -> None:
    """By what it holds, not by its name."""
    talk(sandbox, {"messages": "one", "image": png()}, {"messages": "two", "image": png()})
    assert len(sent(sandbox, "/backend-api/files")) == 1


MEASURED = """
import asyncio, resource, sys
from polychat import AsyncClient

async def main():
    async with AsyncClient(sandbox=sys.argv[1]) as client:
        ask = client.chat.completions.create
        await ask(model="chatgpt", messages="warm up", files=[b"%PDF-1.7"])
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        await ask(model="chatgpt", messages="what?", files=[sys.argv[2]])
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in other units elsewhere")
def test_a_large_document_is_in_memory_once(sandbox: Sandbox, tmp_path: Path) -> None:
    """Read once and sent in pieces: no second copy, whatever its size."""
    size_bytes = 40 * 2**20
    sandbox.knobs("chatgpt", upload_limit_bytes=2 * size_bytes)
    with (tmp_path / "big.pdf").open("wb") as file:
        file.write(b"%PDF-1.7\n")
        file.truncate(size_bytes)
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, sandbox.url, str(tmp_path / "big.pdf")],
        env={**os.environ, "POLYCHAT_HOME": str(tmp_path)}, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert int(done.stdout) * 1024 < 1.5 * size_bytes


def test_an_upload_that_fails_stops_the_turn(sandbox: Sandbox) -> None:
    """No question goes out without its picture."""
    sandbox.fault("chatgpt", "status", code=500, path="/backend-api/files/*")
    with pytest.raises(Unavailable):
        ask(sandbox, "what?", image=png())
    assert sent(sandbox) == []


@pytest.mark.parametrize(
    "knobs",
    [
        {"picture_form": "dalle"},
        {"picture_form": "sediment"},
        {"picture_form": "sediment", "links": "estuary"},
        {"picture_form": "dalle", "links": "foreign"},
        {"picture_form": "task", "websocket": "simple"},
        {"picture_form": "task", "websocket": "silent"},
    ],
    ids=str,
)
def test_a_generated_picture_arrives_whichever_way_it_is_made(sandbox: Sandbox, knobs: dict[str, Any]) -> None:
    """Inline, previewed, pushed or polled: its bytes are a picture, and a stranger's host got no credential."""
    sandbox.knobs("chatgpt", **knobs)
    answer = ask(sandbox, "a cat", modalities=["text", "image"])
    (picture,) = answer.images
    assert PIL.Image.open(io.BytesIO(picture.data or b"")).format == "PNG"
    assert sent(sandbox)[0].json["system_hints"] == ["picture_v2"]


def test_a_picture_that_cannot_be_downloaded_is_an_interruption(sandbox: Sandbox) -> None:
    """Not an answer without a picture, and no reason to ask the stream again."""
    sandbox.knobs("chatgpt", picture_form="dalle")
    sandbox.fault("chatgpt", "cut_frame", after=0, path="/backend-api/files/*/download")
    with pytest.raises(Interrupted):
        ask(sandbox, "a cat", modalities=["text", "image"])
    assert sent(sandbox, f"{TURN}/resume") == []


def test_the_persons_own_upload_is_not_a_generated_picture(sandbox: Sandbox) -> None:
    """A question with a picture has an answer without one."""
    assert ask(sandbox, "what?", image=png()).images == []


def spoken(sandbox: Sandbox, text: str) -> bytes:
    """The read-aloud of a text."""

    async def main() -> bytes:
        async with chatgpt(sandbox) as client:
            asked = Utterance(model="chatgpt", text=text, voice="maple")
            return b"".join([piece async for piece in await client.engine.calls.speak(asked)])

    return asyncio.run(main())


def test_a_text_is_said_by_the_service_and_then_read_aloud(sandbox: Sandbox) -> None:
    """The message that is read is the service's own, and holds the text and nothing else."""
    assert spoken(sandbox, "Good  morning,\nworld").startswith(b"\xff\xf1")
    (turn,), (reading,) = sent(sandbox), sent(sandbox, "/backend-api/synthesize")
    assert turn.json["messages"][-1]["content"]["parts"][0].endswith("\n\nGood  morning,\nworld")
    assert "voice=maple" in reading.query


def test_another_text_is_not_read_aloud(sandbox: Sandbox) -> None:
    """What was asked for or nothing."""
    sandbox.script("chatgpt", text="I would rather not.")
    with pytest.raises(Refused, match="I would rather not"):
        spoken(sandbox, "Good morning")
    assert sent(sandbox, "/backend-api/synthesize") == []


# ---------------------------------------------------------------- the session


def test_the_token_is_kept_and_renewed_by_cookie(sandbox: Sandbox) -> None:
    """A refused token costs one more session call and nothing else."""
    sandbox.fault("chatgpt", "status", code=401, path="/backend-api/sentinel/*", times=1)
    assert ask(sandbox).text
    assert len(sent(sandbox, "/api/auth/session")) == 2


def test_a_chunked_session_cookie_is_a_session(sandbox: Sandbox) -> None:
    """Large sessions come in two cookies."""
    assert talk(sandbox, {"messages": "hi"}, cookies={f"{SESSION}.0": "sandbox-", f"{SESSION}.1": "alice"})[0].text


def test_a_bearer_alone_is_enough(sandbox: Sandbox) -> None:
    """No session is asked for."""
    assert talk(sandbox, {"messages": "hi"}, api_key="sandbox-bob")[0].text
    assert sent(sandbox, "/api/auth/session") == []


def test_an_ended_session_says_how_to_renew_it(sandbox: Sandbox) -> None:
    """An empty session is no token."""
    with pytest.raises(AuthExpired) as caught:
        talk(sandbox, {"messages": "hi"}, cookies={SESSION: "sandbox-nobody"})
    assert "polychat login chatgpt" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("knob", "name"), [("proof_of_work", "proof"), ("turnstile", "turnstile"), ("arkose", "arkose")]
)
def test_a_gate_token_is_carried_if_the_session_has_one_and_never_computed(
    sandbox: Sandbox, knob: str, name: str
) -> None:
    """Absent: `ChallengeRequired` with what to do, and no question was sent. Present: it goes with the turn."""
    sandbox.knobs("chatgpt", **{knob: True})
    with pytest.raises(ChallengeRequired, match=name) as caught:
        ask(sandbox)
    assert "browser" in (caught.value.hint or "")
    assert sent(sandbox) == []
    held = SessionCookies(cookies={SESSION: Secret("sandbox-alice")}, gate_tokens={name: Secret("sandbox-gate-token")})
    account = Account(name="me", provider="chatgpt", credential=held)
    assert talk(sandbox, {"messages": "hi"}, vault=MemoryVault(account))[0].text


@pytest.mark.parametrize("demanded", [False, True])
def test_where_the_one_step_gate_is_gone_the_two_step_one_is_asked(sandbox: Sandbox, demanded: bool) -> None:
    """With the session's own tokens, or none where none is demanded."""
    sandbox.knobs("chatgpt", proof_of_work=demanded)
    gate = "/backend-api/sentinel/chat-requirements"
    sandbox.fault("chatgpt", "status", code=404, path=gate)
    held = SessionCookies(cookies={SESSION: Secret("sandbox-alice")}, gate_tokens={"proof": Secret("sandbox-proof")})
    account = Account(name="me", provider="chatgpt", credential=held)
    assert talk(sandbox, {"messages": "hi"}, vault=MemoryVault(account))[0].text
    assert [len(sent(sandbox, path)) for path in (gate, f"{gate}/prepare", f"{gate}/finalize")] == [1, 1, 1]


def test_a_session_that_is_not_taken_for_signed_in_is_told(sandbox: Sandbox) -> None:
    """Instead of answering as to a stranger."""
    sandbox.knobs("chatgpt", force_login=True)
    with pytest.raises(AuthExpired):
        ask(sandbox)


def test_the_service_says_whose_account_it_is_and_which_models_it_may_ask(sandbox: Sandbox) -> None:
    """One call each; a name is never taken from another account."""

    async def main() -> tuple[str, list[str]]:
        async with chatgpt(sandbox, cookies={SESSION: "sandbox-bob"}) as client:
            session = client.engine.session("chatgpt")
            service = ChatGPT()
            return await service.who(session), [model.id for model in await service.list_models(session)]

    name, models = asyncio.run(main())
    assert "bob" in name
    assert {"auto", "gpt-4o"} <= set(models)


# ---------------------------------------------------------------- failures


@pytest.mark.parametrize(
    ("refuse", "error"),
    [
        ("token_expired", AuthExpired),
        ("unauthorized", AuthExpired),
        ("cloudflare", ChallengeRequired),
        ("bot_page", ChallengeRequired),
        ("unusual_activity", ChallengeRequired),
        ("too_long", ContextTooLong),
        ("conversation_not_found", ConversationNotFound),
        ("conversation_too_large", ContextTooLong),
        ("model_cap", RateLimited),
        ("too_many_requests", RateLimited),
        ("detail_in_ok", PolychatError),
        ("edge", Unavailable),
    ],
)
def test_each_refusal_has_its_class(sandbox: Sandbox, refuse: str, error: type[PolychatError]) -> None:
    """The three kinds of 403 are one class, and nothing else is."""
    sandbox.knobs("chatgpt", refuse=refuse)
    with pytest.raises(error) as caught:
        ask(sandbox)
    assert caught.value.provider == "chatgpt"
    assert caught.value.partial is None or caught.value.partial.empty


def test_a_limit_tells_when_it_clears(sandbox: Sandbox) -> None:
    """In seconds, from the body."""
    sandbox.knobs("chatgpt", refuse="model_cap")
    with pytest.raises(RateLimited) as caught:
        ask(sandbox)
    assert (caught.value.retry_after_s or 0) > 0


def test_moderation_is_a_refusal_that_keeps_what_came(sandbox: Sandbox) -> None:
    """The answer was taken back; what was read of it is there."""
    sandbox.knobs("chatgpt", blocked=True)
    with pytest.raises(Refused):
        ask(sandbox)


@pytest.mark.parametrize("form", ["record", "root"])
def test_a_turn_that_fails_in_its_stream_is_a_failure(sandbox: Sandbox, form: str) -> None:
    """An error under 200 is no answer."""
    sandbox.knobs("chatgpt", failure=form)
    with pytest.raises(PolychatError):
        ask(sandbox)


def test_a_stream_that_cannot_be_resumed_keeps_what_came(sandbox: Sandbox) -> None:
    """When every resumption fails too, the part is in the error."""
    sandbox.knobs("chatgpt", dialect="2025-03")
    sandbox.script("chatgpt", chunks=["one ", "two ", "three ", "four"])
    sandbox.fault("chatgpt", "cut_frame", after=8, path=TURN)
    with pytest.raises(Interrupted) as caught:
        ask(sandbox)
    assert caught.value.partial is not None
    assert "one two three four".startswith(caught.value.partial.text)
    assert caught.value.partial.text


# ---------------------------------------------------------------- two accounts


def test_twenty_interleaved_turns_of_two_accounts_never_mix(sandbox: Sandbox) -> None:
    """Tokens, cookies, files and threads stay with their person."""

    async def main() -> list[tuple[int, ChatCompletion]]:
        async with (
            chatgpt(sandbox, cookies={SESSION: "sandbox-alice"}) as alice,
            chatgpt(sandbox, cookies={SESSION: "sandbox-bob"}) as bob,
        ):

            async def turn(number: int) -> tuple[int, ChatCompletion]:
                client = (alice, bob)[number % 2]
                colour = f"#{number:02x}{number:02x}ff"
                answer = await client.chat.completions.create(messages=f"question-{number}.", image=png(colour))
                return number, answer

            return await asyncio.gather(*(turn(number) for number in range(20)))

    for number, answer in asyncio.run(main()):
        assert f"question-{number}." in answer.text
        assert hashlib.sha256(png(f"#{number:02x}{number:02x}ff")).hexdigest()[:12] in answer.text.replace(" ", "")
    for entry in sent(sandbox):
        number = int(entry.json["messages"][0]["content"]["parts"][-1].removeprefix("question-").rstrip("."))
        assert entry.account == ("sandbox-alice", "sandbox-bob")[number % 2]
