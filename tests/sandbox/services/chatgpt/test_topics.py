"""What comes over websockets, as an independent client sees it."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest

CONNECT = {"id": 1, "command": {"type": "connect", "presence": {}}}


def subscribe(topic: str) -> dict:
    """The command."""
    return {"id": 2, "command": {"type": "subscribe", "topic_id": topic}}


def talk(url: str, hear: Callable[[aiohttp.ClientWebSocketResponse], Any], send: list | None = None) -> Any:
    """Connect, send one message, and hear."""

    async def main() -> Any:
        async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
            if send is not None:
                await socket.send_json(send)
            async with asyncio.timeout(10):
                return await hear(socket)

    return asyncio.run(main())


async def messages(socket: aiohttp.ClientWebSocketResponse) -> AsyncIterator[Any]:
    """What comes, parsed."""
    async for message in socket:
        yield json.loads(message.data)


async def updates(socket: aiohttp.ClientWebSocketResponse) -> list[dict]:
    """News of a task until it is complete, in either form."""
    heard = []
    async for message in messages(socket):
        for item in message if isinstance(message, list) else [message]:
            if item.get("type") == "reply":
                continue
            news = item["payload"] if "topic_id" not in item else item["payload"]["payload"]
            heard.append(news)
            if news["update_type"] == "async-task-completed":
                return heard
    raise AssertionError("the connection ended")


@pytest.mark.parametrize("form", ["simple", "topics"])
def test_a_picture_comes_over_the_socket(web, sandbox, form):
    """Start, update with the picture under the id of the turn's message, completed."""
    sandbox.knobs("chatgpt", websocket=form, picture_form="task")
    told = web.turn("A cat", model="gpt-image")
    url = web.ask("GET", "/celsius/ws/user").json["websocket_url"]
    user_id = web.ask("GET", "/me").json["id"]
    assert url.startswith(f"{sandbox.foreign_url.replace('http', 'ws')}/chatgpt/ws/user/{user_id}?verify=")
    heard = talk(url, updates, None if form == "simple" else [CONNECT, subscribe("conversations")])
    assert [news["update_type"] for news in heard] == [
        "async-task-start", "async-task-update-message", "async-task-completed",
    ]  # fmt: skip
    assert {news["conversation_id"] for news in heard} == {told.conversation_id}
    note = list(told.messages.values())[-1]
    content = heard[1]["update_content"]
    assert content["async_task_id"] == note["metadata"]["image_gen_task_id"]
    assert (content["message"]["id"], content["message"]["status"]) == (note["id"], "finished_successfully")
    assert content["message"]["content"]["parts"][0]["asset_pointer"].startswith("sediment://")


def test_somebody_else_s_picture_does_not_come(web, bob, sandbox):
    """Only tasks of the own account are told of, in either form."""
    sandbox.knobs("chatgpt", picture_form="task", picture_delay_s=0)
    bob.turn("A dog", model="gpt-image")
    told = web.turn("A cat", model="gpt-image")
    heard = talk(web.ask("GET", "/celsius/ws/user").json["websocket_url"], updates)
    assert {news["conversation_id"] for news in heard} == {told.conversation_id}


def test_a_stream_goes_on_under_its_topic(web, sandbox, read):
    """Replies to commands, catchups, items; the first item comes twice under one id; together they are the whole."""
    sandbox.knobs("chatgpt", websocket="topics", handoff=10)
    body = web.send(web.body("Hello there")).body
    (option,) = read(body).event("stream_handoff")["options"]

    async def items(socket: aiohttp.ClientWebSocketResponse) -> list[dict]:
        heard = []
        async for message in messages(socket):
            for item in message:
                heard += item["reply"].get("catchups", []) if item["type"] == "reply" else [item]
            if heard and heard[-1]["payload"]["payload"]["encoded_item"].endswith("[DONE]\n\n"):
                return heard
        raise AssertionError("the connection ended")

    url = web.ask("GET", "/celsius/ws/user").json["websocket_url"]
    heard = talk(url, items, [CONNECT, subscribe(option["topic_id"])])
    assert {item["topic_id"] for item in heard} == {option["topic_id"]}
    payloads = [item["payload"]["payload"] for item in heard]
    ids = [payload["stream_item_id"] for payload in payloads]
    assert ids[0] == ids[1]
    assert len(set(ids)) == len(ids) - 1
    assert [payload["parent_stream_item_id"] for payload in payloads[1:]] == [None, *ids[1:-1]]
    rest = "".join(payload["encoded_item"] for payload in payloads[1:])
    assert read(body + rest.encode()).text == "You asked: “Hello there” (2 words)."


def test_commands_are_answered_in_order(web, sandbox):
    """One reply each, with its id."""
    sandbox.knobs("chatgpt", websocket="topics")

    async def replies(socket: aiohttp.ClientWebSocketResponse) -> list[dict]:
        return [item for _ in range(2) for item in await socket.receive_json()]

    url = web.ask("GET", "/celsius/ws/user").json["websocket_url"]
    heard = talk(url, replies, [CONNECT, subscribe("conversation-turn-of-somebody-else")])
    assert [(item["id"], item["type"], item["reply"]["type"]) for item in heard] == [
        (1, "reply", "connect"), (2, "reply", "subscribe"),
    ]  # fmt: skip
    assert heard[1]["reply"]["catchups"] == []


def test_a_turn_s_topic_is_its_account_s(web, bob, sandbox, read):
    """Somebody else subscribes to nothing."""
    sandbox.knobs("chatgpt", websocket="topics", handoff=10)
    told = read(web.send(web.body("Hello there")).body)
    topic = told.event("stream_handoff")["options"][0]["topic_id"]
    sandbox.knobs("chatgpt", handoff=None)

    async def replies(socket: aiohttp.ClientWebSocketResponse) -> list[dict]:
        return await socket.receive_json()

    (reply,) = talk(bob.ask("GET", "/celsius/ws/user").json["websocket_url"], replies, [subscribe(topic)])
    assert reply["reply"]["catchups"] == []


@pytest.mark.parametrize("query", ["", "?verify=made-up"])
def test_a_socket_wants_its_ticket(sandbox, query):
    """403 without one."""
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        talk(f"{sandbox.url}/chatgpt/ws/user/user-x{query}", updates)
    assert refused.value.status == 403


def test_a_ticket_ends_and_is_for_one_account(web, bob, sandbox):
    """403 after five minutes, and under another name."""
    url = web.ask("GET", "/celsius/ws/user").json["websocket_url"]
    mine, other = (who.ask("GET", "/me").json["id"] for who in (web, bob))
    with pytest.raises(aiohttp.WSServerHandshakeError):
        talk(url.replace(mine, other), updates)
    sandbox.clock(advance_s=301)
    with pytest.raises(aiohttp.WSServerHandshakeError):
        talk(url, updates)


def test_a_silent_socket_says_nothing(web, sandbox):
    """So that the picture must be found in the conversation."""
    sandbox.knobs("chatgpt", websocket="silent", picture_form="task", picture_delay_s=0)
    told = web.turn("A cat", model="gpt-image")

    async def nothing(socket: aiohttp.ClientWebSocketResponse) -> str:
        try:
            return await socket.receive_str(timeout=0.2)
        except TimeoutError:
            return ""

    assert talk(web.ask("GET", "/celsius/ws/user").json["websocket_url"], nothing) == ""
    tree = web.tree(told)
    assert tree["mapping"][tree["current_node"]]["message"]["status"] == "finished_successfully"


def test_a_classic_turn_may_come_over_a_socket(web, sandbox, read):
    """As early in 2024: one JSON document names the socket, whose frames hold the stream in base64."""
    sandbox.knobs("chatgpt", classic_socket=True)
    reply = web.send(web.body("Hello there", supported_encodings=[]))
    assert reply.json.keys() == {"wss_url", "conversation_id", "response_id"}

    async def frames(socket: aiohttp.ClientWebSocketResponse) -> list[dict]:
        return [message async for message in messages(socket)]

    heard = talk(reply.json["wss_url"], frames)
    assert {message["conversation_id"] for message in heard} == {reply.json["conversation_id"]}
    told = read(b"".join(base64.b64decode(message["body"]) for message in heard))
    assert told.text == "You asked: “Hello there” (2 words)."
    assert told.done
    assert web.turn().done  # v1 stays as it is


def test_the_registration_of_2024_gives_a_socket(web):
    """`wss_url` and until when."""
    assert web.ask("POST", "/register-websocket", {}).json.keys() == {"wss_url", "expires_at"}
