"""Newservice over real HTTP: every promise of a provider, and what is its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from polychat import Client, Unavailable
from polychat.providers.base import Capability
from polychat.sandbox import Sandbox
from polychat.testing import PROVIDER_CHECKS, Bench, Check, Subject, engine_of_everything, found

MakeClient = Callable[..., Client]


@pytest.mark.parametrize("check", PROVIDER_CHECKS, ids=str)
def test_newservice(check: Check[Subject], sandbox: Sandbox) -> None:
    """Each promise of `polychat.testing.providers` holds for Newservice."""
    check(Subject("newservice", sandbox))


def test_the_question_arrives_whole(sandbox: Sandbox, sandbox_client: MakeClient) -> None:
    """Model, roles and words as asked, under the account's own key."""
    talk = [{"role": "system", "content": "be brief"}, {"role": "user", "content": "Good morning"}]
    answer = sandbox_client(provider="newservice").chat.completions.create(messages=talk)
    (asked,) = sandbox.journal(service="newservice")
    assert "You asked: “Good morning” (2 words). My instructions hold 2 words." in answer.text
    assert (asked.path, asked.account) == ("/v1/chat", "sandbox-alice")
    assert asked.json == {
        "model": "newservice-1",
        "messages": [{"role": "system", "text": "be brief"}, {"role": "user", "text": "Good morning"}],
    }


def test_a_conversation_takes_its_talk_along(sandbox: Sandbox, sandbox_client: MakeClient) -> None:
    """The service keeps none, so the second question holds the first and its answer."""
    client = sandbox_client(provider="newservice")
    first = client.chat.completions.create(messages="One")
    client.chat.completions.create(messages="Two", conversation=first.conversation)
    (_, asked) = sandbox.journal(service="newservice")
    assert [turn["text"] for turn in asked.json["messages"]] == ["One", first.text, "Two"]


@pytest.mark.parametrize(("counted", "tokens"), [(True, (1, 5)), (False, None)])
def test_tokens_are_told_where_the_service_counts(
    counted: bool, tokens: tuple[int, int] | None, sandbox: Sandbox, sandbox_client: MakeClient
) -> None:
    """As the service says, and nothing is made up where it does not."""
    sandbox.knobs("newservice", counted=counted)
    sandbox.script("newservice", chunks=["a", "b", "c", "d", "e"])
    usage = sandbox_client(provider="newservice").chat.completions.create(messages="Hello").usage
    assert (usage and (usage.prompt_tokens, usage.completion_tokens)) == tokens


def test_an_error_inside_an_answer_keeps_what_came(sandbox: Sandbox, sandbox_client: MakeClient) -> None:
    """The words before it are there, and the service's own sentence."""
    sandbox.script("newservice", chunks=["Once ", "upon "])
    sandbox.fault("newservice", "expired_mid_stream", after=1)
    with pytest.raises(Unavailable, match="broke its answer off: The access token has expired") as caught:
        sandbox_client(provider="newservice").chat.completions.create(messages="A story")
    assert caught.value.partial is not None
    assert caught.value.partial.text == "Once "


def test_it_can_what_it_says(sandbox: Sandbox) -> None:
    """Each capability is tried: what is claimed is there, and what is there is claimed."""
    bench = Bench(Subject("newservice", sandbox))

    async def tried() -> frozenset[Capability]:
        async with engine_of_everything(bench) as engine:
            return await found(bench, engine, bench.info.default_model)

    assert asyncio.run(tried()) == bench.info.capabilities
