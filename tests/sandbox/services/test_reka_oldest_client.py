"""The oldest known client of Reka's web chat, re-enacted from the protocol page, gets along with the emulation."""

from __future__ import annotations

import http.client
import io
import json
import urllib.parse

import pytest
from PIL import Image

ALICE = {"authorization": "Bearer sandbox-alice"}
COOKIE = {"cookie": "appSession=sandbox-alice"}


def picture() -> bytes:
    """A small orange PNG."""
    file = io.BytesIO()
    Image.new("RGB", (32, 20), (245, 135, 30)).save(file, "PNG")
    return file.getvalue()


def form(data: bytes) -> tuple[bytes, str]:
    """A multipart body with one picture, and its content type."""
    head = (
        b'--b\r\nContent-Disposition: form-data; name="image"; filename="image.png"\r\nContent-Type: image/png\r\n\r\n'
    )
    return head + data + b"\r\n--b--\r\n", "multipart/form-data; boundary=b"


def chat_body() -> dict:
    """A body that is in order."""
    return {"conversation_history": [{"type": "human", "text": "Hi"}], "model_name": "reka-core", "stream": True}


class OldClient:
    """Does what the protocol page tells of the client of the seed.

    It never looks at a status, types every turn `human`, hangs the picture on the last one, and takes any line with the
    letters `data` for five characters and a document.
    """

    def __init__(self, url: str) -> None:
        self.base = urllib.parse.urlsplit(url)
        self.calls: list[str] = []

    def send(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> bytes:
        """One call, whatever it answers."""
        self.calls.append(path)
        connection = http.client.HTTPConnection(self.base.netloc, timeout=10)
        connection.request(method, f"{self.base.path}{path}", body, headers)
        with connection.getresponse() as answer:
            said = answer.read()
        connection.close()
        return said

    def complete(self, messages: list[dict[str, str]], image: bytes | None = None) -> list[str]:
        """Token, upload, chat; the answer in pieces."""
        token = json.loads(self.send("GET", "/bff/auth/access_token", None, COOKIE))["accessToken"]
        headers = {**COOKIE, "authorization": f"Bearer {token}", "origin": "https://space.reka.ai"}
        history = [{"type": "human", "text": message["content"]} for message in messages]
        if image is not None:
            body, content_type = form(image)
            stored = self.send("POST", "/api/upload-image", body, {**headers, "content-type": content_type})
            history[-1] |= {"image_url": json.loads(stored)["media_url"], "media_type": "image"}
        question = {
            "conversation_history": history, "stream": True, "use_search_engine": False, "use_code_interpreter": False,
            "model_name": "reka-core", "random_seed": 1_735_000_000_000,
        }  # fmt: skip
        said, pieces = "", []
        body = self.send(
            "POST", "/api/chat", json.dumps(question).encode(), {**headers, "content-type": "application/json"}
        )
        for line in body.splitlines():
            if b"data" in line:
                text = json.loads(line[5:])["text"]
                pieces.append(text.replace(said, ""))
                said = text
        return pieces


@pytest.mark.parametrize("scenario", ["", "no_space", "crlf"])
def test_the_oldest_client_completes_with_a_picture(sandbox, scenario):
    """Three calls in its order, and an answer whose pieces are deltas."""
    if scenario:
        sandbox.fault("reka", scenario)
    client = OldClient(f"{sandbox.url}/reka")
    answer = "".join(client.complete([{"role": "user", "content": "What is it?"}], picture()))
    assert answer.startswith("You asked: “What is it?” (3 words). I see a PNG picture, 32 × 20 pixels, mostly orange")
    assert client.calls == ["/bff/auth/access_token", "/api/upload-image", "/api/chat"]


def test_the_oldest_client_can_hold_a_talk_only_with_lenient_history(sandbox):
    """Its turns are all `human`: refused by the rules (an empty answer to it), taken by the knob."""
    talk = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Oh."},
        {"role": "user", "content": "So?"},
    ]
    client = OldClient(f"{sandbox.url}/reka")
    assert client.complete(talk) == []
    sandbox.knobs("reka", history="lenient")
    assert "Before that I was given 2 turns: user “Hi”, user “Oh.”." in "".join(client.complete(talk))


def test_the_oldest_client_loses_repeated_text(sandbox):
    """The knob shows the defect it is for."""
    sandbox.knobs("reka", repeated=True)
    client = OldClient(f"{sandbox.url}/reka")
    assert client.complete([{"role": "user", "content": "Laugh"}]) == ["ha", "", "ha!"]


def test_no_answer_holds_a_line_that_would_trip_it(ask):
    """The letters `data` occur only where a document follows, also in refusals."""
    answers = [
        ask("POST", "/reka/api/chat", chat_body(), ALICE),
        ask("POST", "/reka/api/chat", chat_body(), {}),
        ask("POST", "/reka/api/chat", chat_body() | {"model_name": "x"}, ALICE),
        ask("POST", "/reka/api/chat", chat_body() | {"conversation_history": []}, ALICE),
    ]
    for answer in answers:
        assert [line for line in answer.body.splitlines() if b"data" in line and line[:5] != b"data:"] == []
