"""Pictures are real, come in three forms, and belong to their conversation."""

from __future__ import annotations

import http.client
import io
import json
from urllib.parse import urlsplit

import pytest
from PIL import Image

ALICE = {"authorization": "Bearer sandbox-alice"}


def fetch(url: str, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
    """Whatever a link leads to."""
    link = urlsplit(url)
    connection = http.client.HTTPConnection(link.netloc, timeout=10)
    connection.request("GET", f"{link.path}?{link.query}", headers=headers or {})
    with connection.getresponse() as answer:
        said = answer.read()
    connection.close()
    return answer.status, said


def drawn(told) -> dict:
    """The one picture of a turn, as its message shows it in the end."""
    (part,) = [
        part
        for message in told.messages.values()
        if message["author"]["role"] == "tool" and message["content"]["content_type"] == "multimodal_text"
        for part in message["content"]["parts"]
    ]
    return part


def check(part: dict, data: bytes) -> None:
    """The bytes are what the part says, and a picture."""
    with Image.open(io.BytesIO(data)) as picture:
        picture.load()
        assert (picture.format, picture.size) == ("PNG", (part["width"], part["height"]))
        assert min(picture.size) >= 64
    assert len(data) == part["size_bytes"]


@pytest.mark.parametrize("asked", [{"system_hints": ["picture_v2"]}, {"model": "gpt-image"}, {"scenario": "picture"}])
def test_a_picture_is_drawn_when_asked_for(web, asked):
    """By hint, by model, by knob: a `sediment` pointer that the attachment route resolves on the own origin."""
    told = web.turn("A cat", **asked)
    part = drawn(told)
    file_id = part["asset_pointer"].removeprefix("sediment://")
    path = f"/conversation/{told.conversation_id}/attachment/{file_id}/download"
    url = web.ask("GET", path).json["download_url"]
    assert "/backend-api/estuary/content?" in url
    status, data = fetch(url, ALICE)
    assert status == 200
    check(part, data)
    assert web.ask("GET", f"/files/{file_id}/download").status == 404
    assert web.ask("GET", f"/conversation/other/attachment/{file_id}/download").status == 404
    newer = web.ask("GET", f"/files/download/{file_id}?conversation_id={told.conversation_id}&inline=false")
    assert fetch(newer.json["download_url"], ALICE) == (200, data)


def test_previews_are_replaced(web):
    """Three pointers in a row, the last one together with the status."""
    told = web.turn("A cat", scenario="picture, addressing=explicit")
    records = [json.loads(data) for name, data in told.records if name == "delta"]
    place = "/message/content/parts/0/asset_pointer"
    (single,) = [record["v"] for record in records if record["p"] == place]
    (closing,) = [record["v"] for record in records if record["o"] == "patch" and record["v"][0]["p"] == place]
    (first,) = [
        part["asset_pointer"]
        for record in records
        if "c" in record
        for part in record["v"]["message"]["content"]["parts"]
        if isinstance(part, dict)
    ]
    assert len({first, single, closing[0]["v"]}) == 3
    assert {"p": "/message/status", "o": "replace", "v": "finished_successfully"} in closing
    assert drawn(told)["asset_pointer"] == closing[0]["v"]


def test_the_older_form_is_one_message(web, sandbox):
    """`file-service` with the prompt in its metadata, resolved to a foreign origin that wants no bearer."""
    told = web.turn("A cat", scenario="picture, picture_form=dalle")
    part = drawn(told)
    assert part["metadata"]["dalle"]["prompt"] == "A cat"
    file_id = part["asset_pointer"].removeprefix("file-service://")
    url = web.ask("GET", f"/files/{file_id}/download").json["download_url"]
    assert url.startswith(sandbox.foreign_url)
    assert fetch(url, ALICE)[0] == 400
    check(part, fetch(url)[1])
    assert told.text == "Here it is."


def test_the_same_prompt_gives_the_same_picture(web):
    """And another one another."""

    def picture(prompt: str) -> bytes:
        told = web.turn(prompt, scenario="picture, picture_form=dalle")
        file_id = drawn(told)["asset_pointer"].removeprefix("file-service://")
        return fetch(web.ask("GET", f"/files/{file_id}/download").json["download_url"])[1]

    assert picture("A cat") == picture("A cat") != picture("A dog")


def test_a_task_is_ready_after_a_while(web, sandbox):
    """The turn ends with a note; the conversation, read again and again, has the picture when its time has come."""
    sandbox.knobs("chatgpt", picture_form="task", picture_delay_s=100)
    told = web.turn("A cat", model="gpt-image")
    note = list(told.messages.values())[-1]
    assert note["metadata"]["async_task_type"] == "image_gen"
    assert "conversation_async_status" in told.types()

    def last() -> dict:
        tree = web.tree(told)
        return tree["mapping"][tree["current_node"]]["message"]

    assert last() == note
    sandbox.clock(advance_s=101)
    message = last()
    assert (message["id"], message["status"]) == (note["id"], "finished_successfully")
    (part,) = message["content"]["parts"]
    assert part["asset_pointer"].startswith("sediment://")


def test_nobody_sees_somebody_else_s_picture(web, bob):
    """404 for the link, and for the bytes."""
    told = web.turn("A cat", scenario="picture")
    file_id = drawn(told)["asset_pointer"].removeprefix("sediment://")
    path = f"/conversation/{told.conversation_id}/attachment/{file_id}/download"
    assert bob.ask("GET", path).status == 404
    url = web.ask("GET", path).json["download_url"]
    assert fetch(url, {"authorization": "Bearer sandbox-bob"})[0] == 404
