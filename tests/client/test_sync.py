"""client/sync.py: the synchronous face over real HTTP."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from polychat import Client, Interrupted, RateLimited, UnknownModel
from polychat.sandbox.server import Sandbox

WAIT_S = 10.0


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Client]:
    """A client of the emulated services."""
    with Client(sandbox=sandbox.url, strict=True) as made:
        yield made


def test_the_first_thing_a_user_types(client: Client) -> None:
    """A plain question gets a plain answer."""
    answer = client.chat.completions.create(model="reka/reka-core", messages="Hello there")
    assert answer.choices[0].message.content == answer.text
    assert "Hello there" in answer.text
    assert (answer.provider, answer.account, answer.model) == ("reka", "sandbox-alice@reka", "reka-core")


def test_a_stream_joins_to_the_answer(client: Client, sandbox: Sandbox) -> None:
    """Chunks have OpenAI's names; the first names the role, the last the reason and the usage."""
    sandbox.script("reka", chunks=["a ", "cat"])
    with client.chat.completions.create(model="reka", messages="?", stream=True) as stream:
        chunks = list(stream)
    deltas = [chunk.choices[0].delta for chunk in chunks]
    assert "".join(delta.content or "" for delta in deltas) == "a cat"
    assert [delta.role for delta in deltas] == ["assistant"] + [None] * (len(deltas) - 1)
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [None] * (len(chunks) - 1) + ["stop"]
    assert chunks[-1].usage is not None
    assert stream.conversation is not None


def test_a_conversation_goes_on(client: Client, sandbox: Sandbox) -> None:
    """What `.conversation` gave is handed back, as itself, as plain data or as JSON."""
    first = client.chat.completions.create(model="reka", messages="one")
    assert first.conversation is not None
    import msgspec

    for form in (first.conversation, msgspec.to_builtins(first.conversation), msgspec.json.encode(first.conversation)):
        client.chat.completions.create(messages="two", model="reka-flash", conversation=form)
    *_, last = sandbox.journal(path="/api/chat")
    assert [(turn["type"], turn["text"]) for turn in last.json["conversation_history"]] == [
        ("human", "one"), ("model", first.text), ("human", "two"),
    ]  # fmt: skip


def test_leaving_a_stream_hangs_up(client: Client, sandbox: Sandbox) -> None:
    """`with` and `break`: the service sees the reader go, and the client answers on."""
    sandbox.fault("reka", "stall", path="/api/chat", after=1, times=1)
    with client.chat.completions.create(model="reka", messages="?", stream=True) as stream:
        for _ in stream:
            break
    assert sandbox.journal(path="/api/chat")[-1].ended in {"client left", "open"}
    assert client.chat.completions.create(model="reka", messages="again").text


def test_ctrl_c_during_a_stalled_stream_hangs_up(client: Client, sandbox: Sandbox) -> None:
    """KeyboardInterrupt comes out of the iteration and nothing stays open."""
    sandbox.fault("reka", "stall", path="/api/chat", after=2)
    stream = client.chat.completions.create(model="reka", messages="one two three four", stream=True)
    next(stream)
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        list(stream)
    assert list(stream) == []


@pytest.mark.parametrize("fault", ["cut_frame", "cut_character", "malformed_frame", "drop"])
def test_a_broken_answer_keeps_what_came(client: Client, sandbox: Sandbox, fault: str) -> None:
    """Streamed: the pieces were read before the error. Whole: the error holds them."""
    sandbox.script("reka", chunks=["один ", "два ", "три"], times=2)
    sandbox.fault("reka", fault, path="/api/chat", after=2)
    stream = client.chat.completions.create(model="reka", messages="?", stream=True)
    got: list[str] = []
    with pytest.raises(Interrupted):
        got.extend(chunk.choices[0].delta.content or "" for chunk in stream)
    with pytest.raises(Interrupted) as caught:
        client.chat.completions.create(model="reka", messages="?")
    assert caught.value.partial is not None
    assert (caught.value.partial.text, caught.value.provider) == ("один два ", "reka")
    assert "".join(got) == "один два "


def test_a_rate_limit_tells_the_seconds(client: Client, sandbox: Sandbox) -> None:
    """And where it came from, and who was asked before."""
    sandbox.fault("reka", "status", code=429, retry_after="90", path="/api/chat")
    with pytest.raises(RateLimited) as caught:
        client.chat.completions.create(model="reka", messages="?", stream=True)
    assert (caught.value.retry_after_s, caught.value.account) == (90.0, "sandbox-bob@reka")
    assert [(one.account, one.code) for one in caught.value.attempts] == [("sandbox-alice@reka", "rate_limited")]


def test_an_unknown_model_names_the_nearest(client: Client) -> None:
    """A slip of the finger is mended by reading the error."""
    with pytest.raises(UnknownModel, match="reka/reka-flash"):
        client.chat.completions.create(model="reka/reka-flsh", messages="?")


def test_models_are_listed_as_they_are_asked_for(client: Client) -> None:
    """Every listed id can be asked."""
    ids = [model.id for model in client.models.list() if model.owned_by == "reka"]
    assert ids == ["reka/reka-core", "reka/reka-flash", "reka/reka-edge"]
    assert all(client.chat.completions.create(model=name, messages="?").text for name in ids)


def test_many_threads_share_one_client(client: Client) -> None:
    """Each gets its own answer."""

    def ask(number: int) -> bool:
        return f"question-{number}" in client.chat.completions.create(model="reka", messages=f"question-{number}").text

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(24)))


def test_two_clients_with_two_accounts_never_mix(sandbox: Sandbox) -> None:
    """State lives in a session: two engines in one process share nothing."""
    with (
        Client(provider="reka", cookies={"appSession": "sandbox-alice"}, sandbox=sandbox.url) as alice,
        Client(provider="reka", cookies={"appSession": "sandbox-bob"}, sandbox=sandbox.url) as bob,
        ThreadPoolExecutor(8) as pool,
    ):
        people: list[Any] = [alice, bob] * 10
        list(pool.map(lambda pair: pair[1].chat.completions.create(messages=f"n{pair[0]}"), enumerate(people)))
    for chat in sandbox.journal(path="/api/chat"):
        number = int(chat.json["conversation_history"][0]["text"][1:])
        assert chat.account == ("sandbox-alice", "sandbox-bob")[number % 2]


def test_wrong_options_are_told_when_the_client_is_made() -> None:
    """Not at the first question."""
    with pytest.raises(TypeError, match="acount"):
        Client(acount="me")


def test_settings_are_read_anew_while_it_runs(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As those of the asynchronous client are."""
    monkeypatch.setenv("POLYCHAT_HOME", str(tmp_path))
    monkeypatch.setenv("POLYCHAT_SANDBOX", sandbox.url)
    (tmp_path / "config").mkdir()
    file = tmp_path / "config" / "config.toml"
    file.write_text('models.mine = "reka"')
    with Client(strict=True) as client:
        assert client.chat.completions.create(model="mine", messages="hi").provider == "reka"
        file.write_text('models.mine = "openai/gpt-4o"')
        client.reload()
        assert client.chat.completions.create(model="mine", messages="hi").provider == "openai"
