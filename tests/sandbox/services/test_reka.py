"""The emulated Reka does what the protocol page says, and refuses what the real one would."""

from __future__ import annotations

import base64
import hashlib
import io
import itertools
import json
import re

import pytest
from PIL import Image

ALICE = {"authorization": "Bearer sandbox-alice"}
BOB = {"authorization": "Bearer sandbox-bob"}
COOKIE = {"cookie": "appSession=sandbox-alice"}
TOKEN = "/reka/bff/auth/access_token"


def picture() -> bytes:
    """A small orange PNG."""
    file = io.BytesIO()
    Image.new("RGB", (32, 20), (245, 135, 30)).save(file, "PNG")
    return file.getvalue()


def form(data: bytes, name: str = "image", filename: str = "image.png") -> tuple[bytes, str]:
    """A multipart body with one file, and its content type."""
    head = f'--b\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\nContent-Type: image/png\r\n'
    return head.encode() + b"\r\n" + data + b"\r\n--b--\r\n", "multipart/form-data; boundary=b"


@pytest.fixture
def upload(ask):
    """upload(data, headers): store bytes, the whole answer."""

    def upload(data: bytes, headers: dict[str, str] = ALICE, name: str = "image"):
        body, content_type = form(data, name)
        return ask("POST", "/reka/api/upload-image", body, {**headers, "content-type": content_type})

    return upload


def turns(*texts: str) -> list[dict[str, str]]:
    """A history that alternates from human on."""
    return [{"type": "model" if index % 2 else "human", "text": text} for index, text in enumerate(texts)]


def events(body: bytes) -> list[dict]:
    """The events of a stream."""
    blocks = body.decode().split("\n\n")
    assert blocks.pop() == ""
    return [json.loads(block.removeprefix("event: message\ndata: ")) for block in blocks]


# ---------------------------------------------------------------- session and token


def test_a_session_cookie_buys_an_access_token(ask, sandbox):
    """A three-part JWT whose claims say who and until when, good for a chat."""
    now = sandbox.clock(set=1_900_000_000)
    token = ask("GET", TOKEN, headers=COOKIE).json["accessToken"]
    claims = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    assert claims["sub"] == "sandbox-alice"
    assert claims["exp"] - claims["iat"] == 3600
    assert 0 <= claims["iat"] - int(now) < 60
    answer = ask("POST", "/reka/api/chat", chat_body("Hi"), {"authorization": f"Bearer {token}"})
    assert answer.status == 200
    assert [entry.account for entry in sandbox.journal()] == ["sandbox-alice", "sandbox-alice"]


def test_an_access_token_ends_after_an_hour_of_the_sandbox_clock(ask, sandbox):
    """401 with `detail`, then a new one works."""
    token = {"authorization": f"Bearer {ask('GET', TOKEN, headers=COOKIE).json['accessToken']}"}
    sandbox.clock(advance_s=3590)
    assert ask("POST", "/reka/api/chat", chat_body("Hi"), token).status == 200
    sandbox.clock(advance_s=20)
    answer = ask("POST", "/reka/api/chat", chat_body("Hi"), token)
    assert (answer.status, list(answer.json)) == (401, ["detail"])
    assert ask("GET", TOKEN, headers=COOKIE).status == 200


def test_two_tokens_are_never_the_same(ask):
    """Also within one second."""
    assert ask("GET", TOKEN, headers=COOKIE).json != ask("GET", TOKEN, headers=COOKIE).json


def test_a_session_ends_after_three_days_unless_it_is_renewed(ask, sandbox):
    """`firebase_token` sets a new cookie that outlives the old one."""
    renewed = ask("GET", "/reka/bff/auth/firebase_token", headers=COOKIE).headers["set-cookie"]
    assert renewed.startswith("appSession=enc.")
    assert ask("GET", TOKEN, headers=COOKIE).status == 200
    sandbox.clock(advance_s=2 * 86_400)
    newest = ask("GET", "/reka/bff/auth/firebase_token", headers={"cookie": renewed.split(";")[0]})
    sandbox.clock(advance_s=2 * 86_400)
    assert ask("GET", TOKEN, headers=COOKIE).status == 302
    assert ask("GET", TOKEN, headers={"cookie": newest.headers["set-cookie"].split(";")[0]}).status == 200


@pytest.mark.parametrize("headers", [{}, {"cookie": "appSession=nobody"}, {"cookie": "other=sandbox-alice"}])
def test_without_a_session_the_token_path_leads_to_the_login(ask, sandbox, headers):
    """A redirect; nothing that looks like a token."""
    answer = ask("GET", TOKEN, headers=headers)
    assert (answer.status, answer.headers["location"]) == (302, f"{sandbox.url}/reka/bff/auth/login")


@pytest.mark.parametrize(("way", "status", "start"), [("html", 200, b"<!doctype"), ("unauthorized", 401, b'{"detail"')])
def test_an_expired_session_can_show_in_other_ways(ask, sandbox, way, status, start):
    """A login page with status 200, or an honest 401."""
    sandbox.knobs("reka", expired_session=way)
    answer = ask("GET", TOKEN)
    assert (answer.status, answer.body[: len(start)]) == (status, start)


def test_a_session_cookie_may_come_in_pieces(ask):
    """As its framework splits large ones: appSession.0, appSession.1, ..."""
    assert ask("GET", TOKEN, headers={"cookie": "appSession.1=-alice; appSession.0=sandbox"}).status == 200


def test_a_person_can_log_in_with_a_browser(ask, sandbox):
    """A form with the known people; choosing one sets the cookie and leads to the chat page."""
    page = ask("GET", "/reka/bff/auth/login").body.decode()
    assert re.findall(r'<option value="([^"]+)"', page) == ["sandbox-alice", "sandbox-bob"]
    form_type = {"content-type": "application/x-www-form-urlencoded"}
    answer = ask("POST", "/reka/bff/auth/login", b"name=sandbox-bob", form_type)
    assert (answer.status, answer.headers["location"]) == (302, f"{sandbox.url}/reka/chat")
    cookie = {"cookie": answer.headers["set-cookie"].split(";")[0]}
    assert "logged in as sandbox-bob" in ask("GET", "/reka/chat", headers=cookie).body.decode()
    assert ask("GET", "/reka/bff/auth/me", headers=cookie).json["name"] == "sandbox-bob"
    assert ask("POST", "/reka/bff/auth/login", b"name=mallory", form_type).status == 401


# ---------------------------------------------------------------- uploads


def test_an_upload_comes_back_whole_from_its_signed_link(ask, upload, sandbox):
    """Both names of the link, built from the address the client used; anyone with the link may read."""
    data = picture()
    answer = upload(data).json
    assert answer["media_url"] == answer["image_url"]
    assert answer["media_url"].startswith(f"{sandbox.url}/reka/media/sandbox-alice/vlm/")
    stored = ask("GET", answer["media_url"].removeprefix(sandbox.url))
    assert (stored.status, stored.headers["content-type"], stored.body) == (200, "image/png", data)
    [part] = sandbox.journal(path="/api/upload-image")[0].parts
    assert (part.name, part.filename, part.media_type) == ("image", "image.png", "image/png")
    assert (part.sha256, part.size_bytes) == (hashlib.sha256(data).hexdigest(), len(data))


def test_a_link_ends_after_an_hour_and_needs_its_signature(ask, upload, sandbox):
    """403 as from an object store."""
    link = upload(picture()).json["media_url"].removeprefix(sandbox.url)
    assert ask("GET", link.replace("sig=", "sig=0")).status == 403
    assert ask("GET", link.partition("?")[0]).status == 403
    sandbox.clock(advance_s=3601)
    assert ask("GET", link).status == 403


@pytest.mark.parametrize(
    ("data", "ending", "media_type"),
    [
        (b"%PDF-1.7", "pdf", "application/pdf"),
        (b"\x00\x00\x00\x18ftypmp42", "mp4", "video/mp4"),
        (b"?", "bin", "application/octet-stream"),
    ],
)
def test_any_bytes_may_be_uploaded(ask, upload, sandbox, data, ending, media_type):
    """The same path takes video and PDF."""
    link = upload(data).json["media_url"].removeprefix(sandbox.url)
    assert link.partition("?")[0].endswith(f".{ending}")
    assert ask("GET", link).headers["content-type"] == media_type


def test_uploads_that_make_no_sense_are_refused(ask, upload, sandbox):
    """Without a bearer 401; empty, misnamed or formless 422; too large 413."""
    assert upload(picture(), headers={}).status == 401
    assert upload(picture(), headers={"authorization": "Bearer nobody"}).status == 401
    assert upload(picture(), headers=COOKIE).status == 401
    assert upload(b"").status == 422
    assert upload(picture(), name="file").status == 422
    assert ask("POST", "/reka/api/upload-image", b"bytes", {**ALICE, "content-type": "image/png"}).status == 422
    sandbox.knobs("reka", upload_limit_bytes=10)
    assert upload(b"x" * 10).status == 200
    assert upload(b"x" * 11).status == 413


def test_two_parts_are_one_too_many(ask):
    """Exactly one part named `image`."""
    part = b'--b\r\nContent-Disposition: form-data; name="image"\r\n\r\n1\r\n'
    headers = {**ALICE, "content-type": "multipart/form-data; boundary=b"}
    assert ask("POST", "/reka/api/upload-image", part + part + b"--b--\r\n", headers).status == 422


# ---------------------------------------------------------------- chat


def chat_body(text: str = "Hi", **fields) -> dict:
    """A body that is in order."""
    return {"conversation_history": turns(text), "model_name": "reka-core", "stream": False} | fields


def test_a_stream_is_cumulative_and_ends_with_a_reason(ask):
    """Every text begins with the one before; counts run; only the last event has `finish_reason`; no [DONE]."""
    answer = ask("POST", "/reka/api/chat", chat_body("Where to?", stream=True), ALICE)
    assert answer.headers["content-type"].startswith("text/event-stream")
    seen = events(answer.body)
    texts = [event["text"] for event in seen]
    assert len(texts) > 3
    assert all(later.startswith(earlier) for earlier, later in itertools.pairwise(texts))
    assert [event["metadata"]["generated_tokens"] for event in seen] == list(range(1, len(seen) + 1))
    assert ["finish_reason" in event for event in seen] == [False] * (len(seen) - 1) + [True]
    assert seen[-1] == {
        "type": "model", "text": "You asked: “Where to?” (2 words).", "finish_reason": "stop",
        "metadata": {"input_tokens": 2, "generated_tokens": len(seen)},
    }  # fmt: skip
    assert b"[DONE]" not in answer.body


def test_without_a_stream_one_document_says_the_same(ask):
    """Same shape as the last event."""
    streamed = events(ask("POST", "/reka/api/chat", chat_body(stream=True), ALICE).body)[-1]
    assert ask("POST", "/reka/api/chat", chat_body(), ALICE).json == streamed


def test_roles_of_the_history_arrive(ask):
    """`human` is the user, `model` the assistant."""
    body = chat_body(conversation_history=turns("Hi", "Oh.", "And?"))
    text = ask("POST", "/reka/api/chat", body, ALICE).json["text"]
    assert "Before that I was given 2 turns: user “Hi”, assistant “Oh.”." in text


@pytest.mark.parametrize("place", [0, 2])
def test_the_picture_is_seen_on_whichever_turn_it_came_with(ask, upload, place):
    """Described from its real bytes."""
    data = picture()
    history = turns("See?", "Yes.", "Well?")
    history[place] |= {"image_url": upload(data).json["media_url"], "media_type": "image"}
    text = ask("POST", "/reka/api/chat", chat_body(conversation_history=history), ALICE).json["text"]
    verb = "Earlier you showed" if place == 0 else "I see"
    assert f"{verb} a PNG picture, 32 × 20 pixels, mostly orange" in text
    assert hashlib.sha256(data).hexdigest() in text


def test_nobody_sees_the_uploads_of_another(ask, upload):
    """Bob cannot ask about Alice's picture, nor about any address that is no upload."""
    link = upload(picture()).json["media_url"]
    for url in (link, "https://example.com/cat.png", "data:image/png;base64,AAAA", link.partition("?")[0]):
        history = [{"type": "human", "text": "See?", "image_url": url, "media_type": "image"}]
        answer = ask("POST", "/reka/api/chat", chat_body(conversation_history=history), BOB)
        assert answer.status == 422
        assert answer.json["detail"][0]["loc"] == ["body", "conversation_history", 0, "image_url"]


def test_it_says_that_it_searched(ask):
    """With `use_search_engine`."""
    answer = ask("POST", "/reka/api/chat", chat_body(use_search_engine=True), ALICE)
    assert "I searched the web" in answer.json["text"]


def test_scripts_may_say_anything(ask, sandbox):
    """Exact pieces, a revision of the whole text, and the service's own finish word."""
    sandbox.script("reka", chunks=["Hel", "lo"], revisions=["Goodbye"], finish_reason="context")
    seen = events(ask("POST", "/reka/api/chat", chat_body(stream=True), ALICE).body)
    assert [event["text"] for event in seen] == ["Hel", "Hello", "Goodbye"]
    assert seen[-1]["finish_reason"] == "context"


PLACE = ["body", "conversation_history"]
REFUSED = [
    ({"conversation_history": []}, PLACE),
    ({"conversation_history": "Hi"}, PLACE),
    ({"conversation_history": [{"type": "model", "text": "a"}]}, [*PLACE, 0, "type"]),
    ({"conversation_history": [{"type": "human", "text": "a"}] * 2}, [*PLACE, 1, "type"]),
    ({"conversation_history": turns("a", "b")}, [*PLACE, 1, "type"]),
    ({"conversation_history": [{"type": "system", "text": "a"}]}, [*PLACE, 0, "type"]),
    ({"conversation_history": [{"type": "human", "text": ["a"]}]}, [*PLACE, 0, "text"]),
    ({"conversation_history": [{"type": "human", "text": "a", "name": "b"}]}, [*PLACE, 0]),
    ({"conversation_history": [{"type": "human", "text": "a", "media_type": "image"}]}, [*PLACE, 0]),
    (
        {"conversation_history": [{"type": "human", "text": "a", "image_url": "u", "media_type": "audio"}]},
        [*PLACE, 0, "media_type"],
    ),
    ({"model_name": "gpt-4"}, ["body", "model_name"]),
    ({"temperature": 1}, ["body"]),
    ({"stream": "yes"}, ["body", "stream"]),
    ({"random_seed": "x"}, ["body", "random_seed"]),
]


@pytest.mark.parametrize(("change", "loc"), REFUSED)
def test_a_body_that_breaks_the_rules_is_refused_with_its_place(ask, change, loc):
    """422 and a `detail` list that points at the fault."""
    answer = ask("POST", "/reka/api/chat", chat_body() | change, ALICE)
    assert answer.status == 422
    assert answer.json["detail"][0]["loc"] == loc
    assert answer.json["detail"][0].keys() == {"loc", "msg", "type"}


def test_a_missing_field_is_refused(ask):
    """`model_name` has no default."""
    body = chat_body()
    del body["model_name"]
    assert ask("POST", "/reka/api/chat", body, ALICE).json["detail"][0]["msg"].endswith("`model_name`")


@pytest.mark.parametrize("body", [b"", b"{", b"\xff"])
def test_what_is_not_json_is_refused(ask, body):
    """422, not 500."""
    assert ask("POST", "/reka/api/chat", body, ALICE).status == 422


@pytest.mark.parametrize("headers", [{}, COOKIE, {"authorization": "Bearer nobody"}, {"authorization": "Basic x"}])
def test_a_chat_needs_a_bearer(ask, headers):
    """A cookie alone does not do."""
    assert ask("POST", "/reka/api/chat", chat_body(), headers).status == 401


def test_lenient_history_takes_what_strict_refuses(ask, sandbox):
    """Only human turns, other models, lists for text, pictures that cannot be opened, unknown fields."""
    sandbox.knobs("reka", history="lenient")
    history = [{"type": "human", "text": "a"}, {"type": "human", "text": ["b"], "image_url": "https://example.com/x"}]
    body = {"conversation_history": history, "model_name": "reka-core-2", "colour": "red"}
    assert 'You asked: “["b"]” (1 word).' in ask("POST", "/reka/api/chat", body, ALICE).json["text"]


# ---------------------------------------------------------------- knobs of the stream


def told(ask, **knobs) -> list[str]:
    """The texts of a stream under the given knobs."""
    scenario = ", ".join(f"{name}={value}" for name, value in knobs.items())
    answer = ask("POST", "/reka/api/chat", chat_body(stream=True), {**ALICE, "x-sandbox-scenario": scenario})
    return [event["text"] for event in events(answer.body)]


def test_the_separator_tail_grows_and_is_trimmed(ask):
    """Newline, space and more and more of `<sep`, then the text without it; or it stays."""
    whole = told(ask)[-1]
    tails = [f"{whole}\n {tail}" for tail in ("<", "<s", "<se", "<sep")]
    assert told(ask, separator_tail="trimmed")[-6:] == [whole, *tails, whole]
    assert told(ask, separator_tail="kept")[-5:] == [whole, *tails]


def test_a_revision_replaces_what_was_said(ask):
    """The first text is no beginning of the second."""
    texts = told(ask, revision="true")
    assert texts[0] == "Let me guess: nothing"
    assert texts[-1] == told(ask)[-1]


def test_repeated_text_is_told_as_it_grows(ask):
    """The case that finds clients who replace substrings."""
    assert told(ask, repeated="true") == ["ha", "haha", "hahaha!"]


def test_a_stream_may_be_a_bare_document(ask):
    """JSON although a stream was asked for."""
    answer = ask("POST", "/reka/api/chat", chat_body(stream=True), {**ALICE, "x-sandbox-scenario": "bare_json=true"})
    assert answer.headers["content-type"] == "application/json"
    assert answer.json["text"] == told(ask)[-1]


def test_the_finish_can_be_missing(ask, sandbox):
    """From the stream and from the document."""
    sandbox.knobs("reka", finish=False)
    assert b"finish_reason" not in ask("POST", "/reka/api/chat", chat_body(stream=True), ALICE).body
    assert "finish_reason" not in ask("POST", "/reka/api/chat", chat_body(), ALICE).json
