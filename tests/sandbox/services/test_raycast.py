"""The emulated Raycast does what the protocol page says, and refuses what the real one would."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

ALICE = {"authorization": "Bearer sandbox-alice"}
CHAT = "/raycast/api/v1/ai/chat_completions"
MODELS = "/raycast/api/v1/ai/models"
CAPTURES = Path(__file__, "../../../captures/raycast").resolve()
TOOL = {
    "type": "local_tool",
    "function": {
        "name": "get_weather",
        "description": "",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def turn(text: str = "Hi", author: str = "user", **beside) -> dict:
    """One entry of `messages`."""
    return {"author": author, "content": {"text": text, **beside}}


def body(*turns: dict, **fields) -> dict:
    """A body that is in order."""
    return {
        "debug": False, "locale": "en-US", "messages": list(turns) or [turn()], "model": "gpt-4o-mini",
        "provider": "openai", "source": "ai_chat", "system_instruction": "markdown",
    } | fields  # fmt: skip


def events(answer) -> list[dict]:
    """The events of a stream."""
    assert (answer.status, answer.headers["content-type"].partition(";")[0]) == (200, "text/event-stream")
    blocks = answer.body.decode().split("\n\n")
    assert blocks.pop() == ""
    return [json.loads(block.removeprefix("data: ")) for block in blocks]


def said(answer) -> str:
    """The words of a stream."""
    return "".join(event.get("text") or "" for event in events(answer))


def test_a_stream_is_deltas_and_ends_with_a_reason(ask, sandbox):
    """Byte for byte what the page shows; no counts, no [DONE]."""
    sandbox.script("raycast", chunks=["Hel", "lo"])
    assert ask("POST", CHAT, body(), ALICE).body == (CAPTURES / "greeting.sse").read_bytes()
    assert [entry.account for entry in sandbox.journal()] == ["sandbox-alice"]


def test_everything_the_newer_app_says_is_taken(ask):
    """All fields of the page, and the instructions reach the model."""
    noted = turn(system_instructions="", command_instructions="", temperature=0.5, model="gpt-4o-mini")
    answer = ask("POST", CHAT, body(
        noted, turn("Oh.", "assistant"), turn("And?"), system_instruction="be brief",
        additional_system_instructions="be kind", temperature=1, thread_id="0b6c0f3e-3f5e-4b0e-9b39-5a1f7d8c9e10",
        image_generation_tool=False, web_search_tool=True,
        tools=[TOOL, {"type": "remote_tool", "name": "web_search"}], tool_choice="auto",
    ), ALICE)  # fmt: skip
    text = said(answer)
    assert "You asked: “And?”" in text
    assert "My instructions hold 4 words." in text
    assert "user “Hi”, assistant “Oh.”" in text
    assert "I searched the web" in text


def test_the_word_for_no_instruction_is_none(ask):
    """`markdown` is not passed on to the model."""
    assert "instructions" not in said(ask("POST", CHAT, body(), ALICE))


def test_a_tool_is_called_in_fragments_and_once_more_whole(ask):
    """Name first, arguments in pieces; the last event repeats the call beside its reason."""
    *fragments, last = events(ask("POST", CHAT, body(turn("The weather?"), tools=[TOOL], tool_choice="auto"), ALICE))
    calls = [event["tool_calls"][0] for event in fragments]
    (whole,) = last["tool_calls"]
    assert last["finish_reason"] == "tool_calls"
    assert calls[0] == {"index": 0, "id": whole["id"], "function": {"name": "get_weather"}}
    assert "".join(call["function"].get("arguments", "") for call in calls) == whole["arguments"]
    assert list(json.loads(whole["arguments"])) == ["city"]


@pytest.mark.parametrize(
    ("scenario", "expected"),
    [
        ("reasoning=true", {"reasoning"}),
        ("notification=true", {"notification_type", "notification"}),
    ],
)
def test_events_without_text_can_be_had(ask, scenario, expected):
    """Thinking and notices are events of their own."""
    seen = events(ask("POST", CHAT, body(), {**ALICE, "x-sandbox-scenario": scenario}))
    assert expected in [event.keys() for event in seen]


def test_a_relays_end_can_be_had(ask):
    """[DONE], and no reason before it."""
    answer = ask("POST", CHAT, body(), {**ALICE, "x-sandbox-scenario": "done=true"})
    assert answer.body.endswith(b"data: [DONE]\n\n")
    assert b"finish_reason" not in answer.body


REFUSED = [
    ({"messages": []}, "messages"),
    ({"messages": [turn(author="system")]}, "author"),
    ({"messages": [{"author": "user", "content": "Hi"}]}, "content"),
    ({"messages": [{"author": "user", "content": {"text": ["Hi"]}}]}, "text"),
    ({"messages": [{"author": "user", "content": {"text": "Hi", "image": ""}}]}, "image"),
    ({"model": "gpt-5"}, "gpt-5"),
    ({"model": "openai-gpt-4o-mini"}, "openai-gpt-4o-mini"),
    ({"provider": "anthropic"}, "anthropic"),
    ({"source": "elsewhere"}, "source"),
    ({"stream": True}, "stream"),
    ({"thread_id": "7"}, "thread_id"),
    ({"tool_choice": "auto"}, "tool_choice"),
    ({"tools": [TOOL], "tool_choice": "required"}, "tool_choice"),
    ({"tools": [{"type": "function", "function": TOOL["function"]}]}, "local_tool"),
    ({"tools": [{"type": "local_tool", "name": "f"}]}, "local_tool"),
    ({"tools": [{"type": "remote_tool"}]}, "local_tool"),
    ({"tools": [{"type": "local_tool", "function": {"name": "f"}}]}, "function"),
]


@pytest.mark.parametrize(("change", "named"), REFUSED)
def test_a_body_that_breaks_the_rules_is_refused(ask, change, named):
    """400, and one sentence that names the fault."""
    answer = ask("POST", CHAT, body() | change, ALICE)
    assert answer.status == 400
    assert named in answer.json["error"]["message"]


@pytest.mark.parametrize("missing", ["system_instruction", "messages", "provider", "model"])
def test_a_missing_field_is_refused(ask, missing):
    """These have no default."""
    asked = body()
    del asked[missing]
    assert missing in ask("POST", CHAT, asked, ALICE).json["error"]["message"]


@pytest.mark.parametrize("data", [b"", b"{", b"\xff"])
def test_what_is_not_json_is_refused(ask, data):
    """400, not 500."""
    assert ask("POST", CHAT, data, ALICE).status == 400


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer nobody"}, {"cookie": "session=sandbox-alice"}])
@pytest.mark.parametrize(("method", "path"), [("POST", CHAT), ("GET", MODELS)])
def test_everything_needs_the_token(ask, method, path, headers):
    """401 and the service's form of an error."""
    answer = ask(method, path, body() if method == "POST" else None, headers)
    assert (answer.status, list(answer.json["error"])) == (401, ["message"])


def test_an_expired_token_is_refused_from_then_on(ask, sandbox):
    """An error inside the stream, then 401."""
    sandbox.fault("raycast", "expired_mid_stream", after=1, times=1)
    assert list(events(ask("POST", CHAT, body(), ALICE))[-1]) == ["error"]
    assert ask("POST", CHAT, body(), ALICE).status == 401
    assert ask("GET", MODELS, headers={"authorization": "Bearer sandbox-bob"}).status == 200


@pytest.mark.parametrize(("method", "path"), [("POST", CHAT), ("GET", MODELS)])
def test_a_signature_may_be_demanded(ask, sandbox, method, path):
    """Then a request without one is refused by name, and one with any is let through."""
    sandbox.knobs("raycast", signature="demanded")
    data = body() if method == "POST" else None
    answer = ask(method, path, data, ALICE)
    assert answer.status == 403
    assert "X-Raycast-Signature" in answer.json["error"]["message"]
    assert ask(method, path, data, {**ALICE, "x-raycast-signature": "of-the-app"}).status == 200


def test_the_list_names_every_model_with_its_provider(ask):
    """The fields of the page; among them one of the dearer tier and one that is being given up."""
    answer = ask("GET", MODELS, headers=ALICE).json
    listed = {one["id"]: one for one in answer["models"]}
    assert list(listed) == [f"{one['provider']}-{one['model']}" for one in answer["models"]]
    assert {frozenset(one) for one in answer["models"]} == {frozenset({
        "id", "model", "name", "provider", "provider_name", "requires_better_ai", "availability", "features",
        "abilities", "context_window",
    })}  # fmt: skip
    assert sum(one["requires_better_ai"] for one in answer["models"]) == 1
    assert [one["availability"] for one in answer["models"]].count("deprecated") == 1
    assert set(answer["default_models"]) == {"chat", "quick_ai", "commands", "api"}
    assert answer["default_models"]["chat"] in listed
    for one in answer["models"]:
        assert ask("POST", CHAT, body(model=one["model"], provider=one["provider"]), ALICE).status == 200


def test_the_list_may_be_absent(ask, sandbox):
    """As before there was one."""
    sandbox.knobs("raycast", models="absent")
    assert ask("GET", MODELS, headers=ALICE).status == 404


# ---------------------------------------------------------------- the client of 2023


def of_2023(*messages: tuple[str, object]) -> dict:
    """The body that the page shows for g4f."""
    turns = [{"author": role, "content": {"text": text}} for role, text in messages]
    return {
        "debug": False, "locale": "en-CN", "messages": turns, "model": "gpt-4-32k", "provider": "openai",
        "source": "ai_chat", "system_instruction": "markdown", "temperature": 0.5,
    }  # fmt: skip


def heard(data: bytes) -> list[str]:
    """What that client yields: of lines with `data: `, which is cut wherever it stands, the `text` of each."""
    lines = [line.decode() for line in data.splitlines() if line.startswith(b"data: ")]
    tokens = [json.loads(line.replace("data: ", ""))["text"] for line in lines]
    return [token for token in tokens if token is not None]


def test_the_client_of_2023_is_content(ask, sandbox):
    """It hears the deltas and the empty last one, whatever lies between, and may speak as the system."""
    sandbox.knobs("raycast", compat="g4f", notification=True, reasoning=True)
    sandbox.script("raycast", chunks=["Hel", "lo"])
    answer = ask("POST", CHAT, of_2023(("system", "be brief"), ("user", [{"type": "text", "text": "hi"}])), ALICE)
    assert heard(answer.body) == ["Hel", "lo", ""]


def test_the_client_of_2023_is_refused_without_the_knob(ask):
    """A system author and a model that is not on the list are not what the newer backend takes."""
    assert ask("POST", CHAT, of_2023(("system", "be brief"), ("user", "hi")), ALICE).status == 400
    assert ask("POST", CHAT, of_2023(("user", "hi")), ALICE).status == 400


def test_the_knob_keeps_to_the_one_provider(ask, sandbox):
    """There was no other then."""
    sandbox.knobs("raycast", compat="g4f")
    assert ask("POST", CHAT, of_2023(("user", "hi")) | {"provider": "anthropic"}, ALICE).status == 400
