"""client/images.py over the endpoints that draw outside conversations, beside the `openai` package."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Picture

from polychat import AsyncClient, BadOption, Client, UnsupportedFeature
from polychat.engine.settings import load
from polychat.errors import BadRequest
from polychat.sandbox import Sandbox

DRAW, EDIT = "/v1/images/generations", "/v1/images/edits"
SMALL = "64x32"


def png(width: int = 64, height: int = 32, colour: Any = "red") -> bytes:
    """A picture."""
    file = io.BytesIO()
    Picture.new("RGBA", (width, height), colour).save(file, "PNG")
    return file.getvalue()


CLEAR = png(colour=(0, 0, 0, 0))


@pytest.fixture
def generate(sandbox_client: Callable[..., Client]) -> Callable[..., Any]:
    """generate(**wish): small pictures of a fox by gpt-image-2."""
    usual = {"model": "openai/gpt-image-2", "prompt": "a fox", "size": SMALL}
    client = sandbox_client()
    return lambda **wish: client.images.generate(**usual | wish)


@pytest.fixture
def edit(sandbox_client: Callable[..., Client]) -> Callable[..., Any]:
    """edit(**change): a red picture with a fox in it."""
    usual = {"model": "openai/gpt-image-2", "prompt": "a fox", "image": png()}
    client = sandbox_client()
    return lambda **change: client.images.edit(**usual | change)


def form(sandbox: Sandbox) -> list[str]:
    """The names of the fields of the last form."""
    return [part.name for part in sandbox.journal(path=EDIT)[-1].parts or ()]


def test_a_picture_is_the_one_of_the_official_package(generate: Any, sandbox: Sandbox, tmp_path: Path) -> None:
    """Byte for byte, with what it cost, what it is and who drew it."""
    import openai

    with openai.OpenAI(base_url=f"{sandbox.url}/openai/v1", api_key="sandbox-alice") as official:
        theirs = official.images.generate(model="gpt-image-2", prompt="a fox", size="64x32")  # type: ignore[call-overload,unused-ignore]
    ours = generate()
    (made,) = ours.data
    assert base64.b64decode(theirs.data[0].b64_json) == made.bytes == made.save(tmp_path / "fox.png").read_bytes()
    assert (made.width, made.height, made.media_type, made.url, made.b64_json) == (64, 32, "image/png", None, None)
    for name in ("size", "quality", "background", "output_format"):
        assert getattr(ours, name) == getattr(theirs, name)
    assert ours.usage.model_dump() == {
        name: getattr(theirs.usage, name) for name in ("input_tokens", "output_tokens", "total_tokens")
    }
    assert (ours.provider, ours.account, ours.conversation) == ("openai", "sandbox-alice@openai", None)


def test_every_wish_reaches_the_service(generate: Any, sandbox: Sandbox) -> None:
    """In its words; what is not wished for is left to it."""
    wish = {
        "n": 2, "quality": "low", "background": "opaque", "output_format": "jpeg", "output_compression": 50,
        "moderation": "low", "user": "me",
    }  # fmt: skip
    made = generate(**wish, style=None, options={"safety_identifier": "x"}, extra_body={"complexity": "low"})
    (entry,) = sandbox.journal(path=DRAW)
    assert entry.json == {
        "model": "gpt-image-2", "prompt": "a fox", "size": SMALL, "safety_identifier": "x", "complexity": "low",
    } | wish  # fmt: skip
    assert {one.media_type for one in made.data} == {"image/jpeg"}
    assert len({one.bytes for one in made.data}) == 2


def test_a_link_comes_with_its_bytes(generate: Any, sandbox: Sandbox) -> None:
    """Where the service gives links; `url` insists on one, `b64_json` fills that field."""
    (made,) = generate(model="openai/dall-e-3").data
    assert made.url.startswith(f"{sandbox.foreign_url}/openai/pictures/")
    assert (made.width, made.revised_prompt, made.b64_json) == (64, "a fox", None)
    (linked,) = generate(model="openai/dall-e-3", response_format="url").data
    (coded,) = generate(model="openai/dall-e-3", response_format="b64_json").data
    assert base64.b64decode(coded.b64_json) == coded.bytes == linked.bytes == made.bytes
    asked = [entry.json.get("response_format") for entry in sandbox.journal(path=DRAW)]
    assert asked == [None, "url", None]


def test_base64_is_there_of_every_model(generate: Any) -> None:
    """Also of one that refuses to be told so."""
    answer = generate(response_format="b64_json")
    assert base64.b64decode(answer.data[0].b64_json) == answer.data[0].bytes
    dumped = json.loads(answer.model_dump_json())
    assert set(dumped["data"][0]) == {"url", "b64_json", "revised_prompt"}
    with pytest.raises(BadRequest, match="openai says: 'response_format' is not supported"):
        generate(response_format="url")


def test_a_link_that_cannot_be_read_is_not_lost(generate: Any, sandbox: Sandbox) -> None:
    """The picture was paid for: its address is there, and the error that says so tells it."""
    sandbox.fault("openai", "status", code=404, path="/pictures/*")
    (made,) = generate(model="openai/dall-e-3").data
    with pytest.raises(UnsupportedFeature, match="it could not be read") as caught:
        _ = made.bytes
    assert caught.value.hint == f"open it: {made.url}"


def test_a_picture_is_changed(edit: Any, sandbox: Sandbox) -> None:
    """Its bytes go out whole; with a mask, only where that is clear."""
    changed = edit()
    (entry,) = sandbox.journal(path=EDIT)
    (file,) = [part for part in entry.parts or () if part.filename]
    assert (file.name, file.sha256) == ("image", hashlib.sha256(png()).hexdigest())
    assert changed.data[0].bytes != png()
    kept = edit(mask=png(colour="black")).data[0].bytes
    with Picture.open(io.BytesIO(kept)) as picture:
        assert picture.getcolors() == [(64 * 32, (255, 0, 0, 255))]
    assert edit(mask=("mask.png", CLEAR)).data[0].bytes == changed.data[0].bytes


def test_pictures_may_be_given_in_every_form(edit: Any, generate: Any, sandbox: Sandbox, tmp_path: Path) -> None:
    """One or a list: path, bytes, open file, PIL picture, with a name."""
    path = tmp_path / "red.png"
    path.write_bytes(png())
    pillow = Picture.open(io.BytesIO(png()))
    with path.open("rb") as file:
        for one in (path, str(path), file, ("red.png", png()), ("red.png", io.BytesIO(png()), "image/png"), pillow):
            edit(image=one)
            assert form(sandbox)[-1] == "image"
    for several in ([png(), path], (png(), pillow), [("a.png", png()), str(path)]):
        edit(image=several)
        assert form(sandbox)[-2:] == ["image[]", "image[]"]
    generate(image=png())
    assert form(sandbox)[-1] == "image"
    generate(image=png(), images=[path], mask=CLEAR)
    assert form(sandbox)[-3:] == ["image[]", "image[]", "mask"]


def test_a_service_alone_is_asked_with_its_first_model_that_can(generate: Any, edit: Any, sandbox: Sandbox) -> None:
    """For drawing and for changing."""
    generate(model="openai")
    edit(model="openai")
    assert sandbox.journal(path=DRAW)[0].json["model"] == "gpt-image-2"
    assert [entry.path for entry in sandbox.journal()] == [DRAW, EDIT]


@pytest.mark.parametrize(
    ("wish", "kind", "field", "complaint"),
    [
        ({"n": 0}, BadOption, "n", "n: expected `int` >= 1"),
        ({"n": 11}, BadOption, "n", "n: expected `int` <= 10"),
        ({"size": 64}, BadOption, "size", "size: expected `str | null`, got `int`"),
        ({"qualty": "low"}, BadOption, "qualty", "openai has no option 'qualty' for a picture"),
        ({"quality": 3}, BadOption, "quality", "quality is int, not str"),
        ({"stream": True}, BadOption, "stream", "openai has no option 'stream' for a picture"),
        ({"options": "low"}, BadOption, "options", "options: expected `object`, got `str`"),
        ({"response_format": "gif"}, BadOption, "response_format", "response_format is not one of url"),
        ({"prompt": " "}, BadOption, "prompt", "prompt is empty"),
        ({"image": b"words"}, BadOption, "image", "image is text/plain, not a picture"),
        ({"image": b""}, BadOption, "image", "image is empty (0 bytes)"),
        ({"images": b"GIF89a"}, BadOption, "images", "images is not a list"),
        ({"images": [png(), b"words"]}, BadOption, "images[1]", "images[1] is text/plain, not a picture"),
        ({"image": png(), "mask": b"words"}, BadOption, "mask", "mask is text/plain, not a picture"),
        ({"mask": CLEAR}, BadOption, "image", "mask says where a picture may change, and there is none"),
        ({"model": "openai/tts-1"}, UnsupportedFeature, None, "openai/tts-1 makes no pictures"),
        ({"model": "openai/dall-e-3", "image": png()}, UnsupportedFeature, None, "openai/dall-e-3 changes no pictures"),
        ({"model": "groq/x"}, UnsupportedFeature, None, "groq makes no pictures"),
        ({"conversation": {"provider": "openai"}}, UnsupportedFeature, None, "draws outside conversations"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_cannot_be_had_is_refused_before_anything_is_sent(
    generate: Any, sandbox: Sandbox, wish: dict[str, Any], kind: type[Exception], field: str | None, complaint: str
) -> None:
    """One sentence names it, and the service hears nothing."""
    with pytest.raises(kind) as caught:
        generate(**wish)
    assert complaint in str(caught.value)
    assert getattr(caught.value, "field", None) == field
    assert sandbox.journal() == []


@pytest.mark.parametrize("image", [None, [], ()])
def test_to_change_nothing_is_refused(edit: Any, sandbox: Sandbox, image: Any) -> None:
    """With the way to have one drawn."""
    with pytest.raises(BadOption, match="image is missing") as caught:
        edit(image=image)
    assert (caught.value.field, sandbox.journal()) == ("image", [])


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"mask": png(8, 8)}, "Invalid 'mask': the mask has 8x8 pixels, the picture 64x32"),
        ({"image": png()[:40]}, "(image): The file is no picture that can be opened"),
        ({"size": "big"}, "'size'"),
        ({"quality": "best"}, "'quality'"),
    ],
    ids=["mask of another size", "broken picture", "size", "quality"],
)
def test_the_rest_is_the_services_word(edit: Any, change: dict[str, Any], complaint: str) -> None:
    """One sentence with the field."""
    with pytest.raises(BadRequest, match="openai says") as caught:
        edit(**change)
    assert complaint in caught.value.message


def test_a_web_account_changes_pictures_in_a_conversation(sandbox_client: Any, sandbox: Sandbox) -> None:
    """As it draws them; what it does not know is refused."""
    images = sandbox_client().images
    changed = images.edit(model="chatgpt", prompt="in blue", image=[png()])
    assert changed.conversation is not None
    (sent,) = [entry for entry in sandbox.journal(service="chatgpt") if entry.method == "PUT"]
    assert sent.body_sha256 == hashlib.sha256(png()).hexdigest()
    sandbox.reset()
    for wish, complaint in (({"mask": CLEAR}, "chatgpt has no option 'mask'"), ({"n": 2}, "n is not 1")):
        with pytest.raises(BadOption, match=complaint):
            images.edit(model="chatgpt", prompt="in blue", image=png(), **wish)
    assert sandbox.journal() == []


def test_the_asynchronous_client_does_the_same(sandbox: Sandbox, tmp_path: Path) -> None:
    """At any address, and its links are read too."""
    settings = load(environ={"POLYCHAT_HOME": str(tmp_path)})

    async def main() -> list[tuple[int | None, int | None]]:
        url = f"{sandbox.url}/openai/v1"
        async with AsyncClient(base_url=url, api_key="sandbox-alice", settings=settings) as client:
            drawn = await client.images.generate(model="gpt-image-2", prompt="a fox", size=SMALL)
            linked = await client.images.generate(model="dall-e-3", prompt="a fox", size=SMALL)
            changed = await client.images.edit(model="gpt-image-2", prompt="a fox", image=png())
        return [(one.data[0].width, one.data[0].height) for one in (drawn, linked, changed)]

    assert asyncio.run(main()) == [(64, 32)] * 3
