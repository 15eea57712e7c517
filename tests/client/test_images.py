"""client/images.py: pictures over real HTTP, whole and as what they are."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from PIL import Image as Picture

from polychat import AsyncClient, BadOption, Client, RateLimited, Refused, UnsupportedFeature
from polychat.sandbox.server import Sandbox

TURN = "/backend-api/f/conversation"


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Client]:
    """A client of the emulated services whose links anyone may open."""
    sandbox.knobs("chatgpt", links="foreign")
    with Client(sandbox=sandbox.url, strict=True) as made:
        yield made


def served(url: str) -> str:
    """The sha256 of what lies behind a link."""
    with urlopen(url) as answer:
        return hashlib.sha256(answer.read()).hexdigest()


def turns(sandbox: Sandbox) -> list[Any]:
    """The bodies of the questions, as the service got them."""
    return [entry.json for entry in sandbox.journal(service="chatgpt", path=TURN)]


@pytest.mark.parametrize("form", ["dalle", "sediment", "task"])
def test_a_saved_picture_is_the_very_one_that_was_served(
    client: Client, sandbox: Sandbox, tmp_path: Path, form: str
) -> None:
    """It opens, has the dimensions told, and is what lies behind its link; previews are none of the pictures."""
    sandbox.knobs("chatgpt", picture_form=form)
    answer = client.images.generate(model="chatgpt/gpt-image", prompt="a red fox")
    (made,) = answer.data
    path = made.save(tmp_path / "fox.png")
    assert made.url is not None
    assert hashlib.sha256(path.read_bytes()).hexdigest() == hashlib.sha256(made.bytes).hexdigest() == served(made.url)
    with Picture.open(path) as picture:
        assert (picture.format, picture.size) == ("PNG", (made.width, made.height))
    assert (made.media_type, made.revised_prompt, made.b64_json) == ("image/png", "a red fox", None)
    assert (answer.provider, answer.account) == ("chatgpt", "sandbox-alice@chatgpt")


def test_base64_is_there_when_asked_for(client: Client) -> None:
    """And is the picture; the dump is JSON data under OpenAI's names."""
    answer = client.images.generate(model="chatgpt", prompt="a fox", response_format="b64_json")
    assert base64.b64decode(answer.data[0].b64_json or "") == answer.data[0].bytes
    dumped = json.loads(answer.model_dump_json())
    assert dumped == json.loads(json.dumps(answer.model_dump()))
    assert set(dumped["data"][0]) == {"url", "b64_json", "revised_prompt"}


def test_a_picture_is_shown_to_be_changed(client: Client, sandbox: Sandbox) -> None:
    """Its bytes go out whole, and the conversation goes on where the first picture was made."""
    first = client.images.generate(model="chatgpt", prompt="a fox")
    second = client.images.generate(prompt="in blue", image=first.data[0].bytes, conversation=first.conversation)
    uploaded = sandbox.journal(service="chatgpt")
    sent = hashlib.sha256(first.data[0].bytes).hexdigest()
    assert [entry.body_sha256 for entry in uploaded if entry.method == "PUT"] == [sent]
    assert first.conversation is not None
    assert [turn.get("conversation_id") for turn in turns(sandbox)] == [None, first.conversation.id]
    assert turns(sandbox)[1]["parent_message_id"] == first.conversation.parent_id
    assert second.data[0].bytes != first.data[0].bytes


@pytest.mark.parametrize(
    ("wish", "kind", "complaint"),
    [
        ({"n": 2}, BadOption, "n is not 1"),
        ({"size": "1024x1024"}, UnsupportedFeature, "chatgpt does not let the size of a picture be chosen"),
        ({"quality": "hd"}, BadOption, "chatgpt has no option 'quality'"),
        ({"response_format": "gif"}, BadOption, "response_format is not one of url, b64_json, bytes"),
        ({"prompt": " "}, BadOption, "prompt is empty"),
        ({"image": b"words"}, BadOption, "image is text/plain, not a picture"),
        ({"model": "reka"}, UnsupportedFeature, "reka makes no pictures"),
        ({"model": None}, BadOption, "model is missing"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_cannot_be_had_is_refused_before_anything_is_sent(
    client: Client, sandbox: Sandbox, wish: dict[str, Any], kind: type[Exception], complaint: str
) -> None:
    """One sentence names it, and the service hears nothing."""
    with pytest.raises(kind, match=complaint):
        client.images.generate(**{"model": "chatgpt", "prompt": "a fox"} | wish)
    assert sandbox.journal() == []


def test_words_instead_of_a_picture_are_quoted(client: Client, sandbox: Sandbox) -> None:
    """An answer without a picture is no success: the error says what the service said."""
    sandbox.knobs("chatgpt", picture_form="dalle")
    sandbox.fault("chatgpt", "changed_field", field="asset_pointer", to="gone", path=TURN)
    with pytest.raises(Refused, match=r"chatgpt made no picture; it said: Here it is\.") as caught:
        client.images.generate(model="chatgpt", prompt="a fox")
    assert caught.value.partial is not None
    assert (caught.value.partial.text, caught.value.account) == ("Here it is.", "sandbox-alice@chatgpt")


def test_a_spent_quota_keeps_its_name(client: Client, sandbox: Sandbox) -> None:
    """Failures are those of every other question."""
    sandbox.knobs("chatgpt", picture_cap=1)
    who = "sandbox-alice@chatgpt"
    client.images.generate(model="chatgpt", prompt="a fox", account=who)
    with pytest.raises(RateLimited) as caught:
        client.images.generate(model="chatgpt", prompt="another fox", account=who)
    assert caught.value.account == "sandbox-alice@chatgpt"


def test_the_asynchronous_client_does_the_same(sandbox: Sandbox) -> None:
    """With `await`."""

    async def main() -> bytes:
        async with AsyncClient(provider="chatgpt", sandbox=sandbox.url, strict=True) as client:
            return (await client.images.generate(prompt="a fox")).data[0].bytes

    with Picture.open(io.BytesIO(asyncio.run(main()))) as picture:
        assert picture.format == "PNG"
