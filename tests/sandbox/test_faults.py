"""Every fault is on the wire what its name says; sockets are read where a client library would tidy up."""

from __future__ import annotations

import http.client
import json
import socket
import time

import pytest

from polychat.sandbox.faults import NAMES

END_OF_CHUNKS = b"\r\n0\r\n\r\n"


def everything(connection: socket.socket) -> bytes:
    """All bytes until the server closes or has ended its chunked body."""
    seen = b""
    while not seen.endswith(END_OF_CHUNKS) and (more := connection.recv(65536)):
        seen += more
    return seen


def frames(body: bytes) -> list[str]:
    """The events of a stream with LF line ends."""
    return [block for block in body.decode().split("\n\n") if block]


def test_without_a_fault_every_frame_is_a_write_of_its_own(raw):
    """One HTTP chunk per event, and the terminal chunk at the end."""
    seen = everything(raw("Hello"))
    _head, _blank, chunked = seen.partition(b"\r\n\r\n")
    chunks = unchunked(chunked)
    assert len(chunks) > 3
    assert all(chunk.startswith(b"event: message\ndata: ") and chunk.endswith(b"\n\n") for chunk in chunks)
    assert seen.endswith(END_OF_CHUNKS)


def unchunked(body: bytes) -> list[bytes]:
    """The chunks of a chunked body as they were sent; the last may be incomplete."""
    chunks = []
    while body:
        size, _crlf, rest = body.partition(b"\r\n")
        if not int(size, 16):
            break
        chunks.append(rest[: int(size, 16)])
        body = rest[int(size, 16) + 2 :]
    return chunks


@pytest.mark.parametrize(
    ("scenario", "status", "headers"),
    [
        ("status=429; retry_after=7", 429, {"retry-after": "7"}),
        ("status=503; retry_after_ms=250", 503, {"retry-after-ms": "250"}),
        ("status; code=418", 418, {}),
        ("status", 500, {}),
    ],
)
def test_status_has_the_code_and_headers_asked_for(chat, scenario, status, headers):
    """In the service's own error shape."""
    answer = chat(scenario=scenario)
    assert answer.status == status
    assert answer.json == {"detail": "The sandbox was told to fail."}
    assert headers.items() <= answer.headers.items()
    assert "retry-after" in headers or "retry-after" not in answer.headers


def test_status_can_bring_any_body(chat, sandbox):
    """Plain text instead of the service's own shape."""
    sandbox.fault("reka", "status", code=502, body="Bad gateway, sorry")
    answer = chat()
    assert (answer.status, answer.body) == (502, b"Bad gateway, sorry")


def test_error_200_is_an_error_that_looks_like_success(chat):
    """Status 200, JSON, no text."""
    answer = chat(scenario="error_200")
    assert (answer.status, answer.json) == (200, {"detail": "The sandbox was told to fail politely."})


def test_html_is_a_page_where_json_was_due(chat):
    """A login form with status 200."""
    answer = chat(scenario="html")
    assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert b"<form" in answer.body


def test_challenge_is_the_page_that_wants_a_person(chat):
    """403, HTML, and the header that says so."""
    answer = chat(scenario="challenge")
    assert (answer.status, answer.headers["cf-mitigated"]) == (403, "challenge")
    assert "Just a moment…" in answer.body.decode()


def test_too_large_is_413(chat):
    """Whatever the size."""
    assert chat(scenario="too_large").status == 413


def test_close_ends_the_connection_without_a_byte(raw, sandbox):
    """The client reads nothing at all."""
    assert everything(raw(scenario="close")) == b""
    [entry] = sandbox.journal()
    assert (entry.status, entry.ended) == (None, "cut")


def test_slow_first_byte_holds_the_head_back(raw):
    """Nothing comes within the delay, everything after it."""
    connection = raw(scenario="slow_first_byte=0.3")
    connection.settimeout(0.1)
    with pytest.raises(TimeoutError):
        connection.recv(1)
    connection.settimeout(10)
    assert everything(connection).endswith(END_OF_CHUNKS)


def test_pace_spreads_the_frames(chat):
    """At 100 tokens a second, n frames take at least (n - 1) / 100 seconds."""
    started = time.monotonic()
    answer = chat(scenario="pace=100")
    assert time.monotonic() - started >= (len(frames(answer.body)) - 1) / 100 * 0.9


def test_stall_goes_silent_and_stays_until_the_client_leaves(raw, sandbox):
    """The frames before it arrive, the connection stays open, and the journal sees the client go."""
    connection = raw(scenario="stall; after=2")
    seen = b""
    while seen.count(b"event: message") < 2:
        seen += connection.recv(65536)
    connection.settimeout(0.2)
    with pytest.raises(TimeoutError):
        connection.recv(1)
    assert sandbox.journal()[0].ended == "open"
    connection.close()
    _await(lambda: sandbox.journal()[0].ended == "client left")


def test_a_stall_longer_than_the_answer_comes_at_its_end(raw):
    """The finish arrives, the terminal chunk does not."""
    connection = raw(scenario="stall=1000")
    seen = b""
    while b"finish_reason" not in seen:
        seen += connection.recv(65536)
    assert not seen.endswith(END_OF_CHUNKS)
    connection.settimeout(0.2)
    with pytest.raises(TimeoutError):
        connection.recv(1)


def test_cut_frame_breaks_off_in_the_middle_of_a_frame(raw, sandbox):
    """Whole frames first, then half of one, then the connection is gone without the terminal chunk."""
    seen = everything(raw(scenario="cut_frame; after=2"))
    *whole, half = unchunked(seen.partition(b"\r\n\r\n")[2])
    assert [chunk[-2:] for chunk in whole] == [b"\n\n", b"\n\n"]
    assert half.startswith(b"event: message\ndata: {")
    assert not half.endswith(b"\n\n")
    assert not seen.endswith(b"0\r\n\r\n")
    assert sandbox.journal()[0].ended == "cut"


def test_a_cut_is_an_error_to_an_http_client(chat):
    """Not a clean end of file."""
    with pytest.raises(http.client.IncompleteRead):
        chat(scenario="cut_frame=1")


def test_a_cut_json_document_is_shorter_than_promised(chat):
    """Also an answer that is no stream breaks off audibly."""
    with pytest.raises(http.client.IncompleteRead):
        chat(stream=False, scenario="cut_frame=0")


def test_cut_character_breaks_off_inside_a_character(raw):
    """The last byte begins a multi-byte character that never ends."""
    last = unchunked(everything(raw("Grüße", scenario="cut_character")).partition(b"\r\n\r\n")[2])[-1]
    with pytest.raises(UnicodeDecodeError, match="unexpected end of data"):
        last.decode()


def test_split_character_parts_every_frame_and_loses_nothing(raw):
    """Chunks are not valid UTF-8 each, their sum is the answer."""
    chunks = unchunked(everything(raw("Grüße", scenario="split_character")).partition(b"\r\n\r\n")[2])
    split = [chunk for chunk in chunks if b"\xe2" in chunk[-1:] or b"\xc3" in chunk[-1:]]
    assert split
    for chunk in split:
        with pytest.raises(UnicodeDecodeError, match="unexpected end of data"):
            chunk.decode()
    assert "finish_reason" in b"".join(chunks).decode()


def test_chunk_bytes_is_the_size_of_every_write(raw):
    """One byte a chunk gives the same body."""
    chunks = unchunked(everything(raw(scenario="chunk_bytes=1")).partition(b"\r\n\r\n")[2])
    assert {len(chunk) for chunk in chunks} == {1}
    assert frames(b"".join(chunks))[-1].startswith("event: message\ndata: ")


@pytest.mark.parametrize(("name", "line_end"), [("crlf", b"\r\n"), ("cr", b"\r")])
def test_line_ends_of_an_event_stream(chat, name, line_end):
    """CR LF, or CR alone, everywhere."""
    body = chat(scenario=name).body
    assert body.startswith(b"event: message" + line_end + b"data: {")
    assert body.endswith(line_end * 2)
    assert body.replace(line_end, b"").count(b"\n") == 0


def test_no_space_after_the_colon(chat):
    """In every field of every event."""
    assert all(block.startswith("event:message\ndata:{") for block in frames(chat(scenario="no_space").body))


def test_malformed_frame_is_half_a_document_in_a_whole_frame(chat):
    """The frame ends properly, its JSON does not; the others are untouched."""
    blocks = frames(chat(scenario="malformed_frame; after=1").body)
    broken = []
    for index, block in enumerate(blocks):
        try:
            json.loads(block.removeprefix("event: message\ndata: "))
        except json.JSONDecodeError:
            broken.append(index)
    assert broken == [1]


def test_duplicate_frame_comes_twice(chat):
    """Once more, byte for byte, right behind itself."""
    once, twice = frames(chat().body), frames(chat(scenario="duplicate_frame=1").body)
    assert twice == [once[0], once[1], *once[1:]]


def test_changed_field_has_another_name(chat):
    """`text` is gone, its value is under the new name."""
    event = json.loads(frames(chat(scenario="changed_field").body)[0].partition("data: ")[2])
    assert event["body"] == "You"
    assert "text" not in event
    event = chat(stream=False, scenario="changed_field=finish_reason; to=end").json
    assert event["end"] == "stop"


def test_drop_ends_cleanly_but_early(raw):
    """The terminal chunk is there, the finish is not."""
    seen = everything(raw(scenario="drop; after=2"))
    assert seen.endswith(END_OF_CHUNKS)
    assert len(unchunked(seen.partition(b"\r\n\r\n")[2])) == 2
    assert b"finish_reason" not in seen


def test_expired_mid_stream_ends_the_answer_and_the_token(ask, chat, sandbox):
    """An error frame instead of the rest, then 401 for that bearer, until a new one is fetched."""
    sandbox.fault("reka", "expired_mid_stream", path="/api/chat", times=1, after=2)
    cookie = {"cookie": "appSession=sandbox-alice"}

    def once(token: str) -> tuple[int, bytes]:
        answer = ask("POST", "/reka/api/chat", _question(), {"authorization": f"Bearer {token}"})
        return answer.status, answer.body

    token = ask("GET", "/reka/bff/auth/access_token", headers=cookie).json["accessToken"]
    status, body = once(token)
    assert (status, frames(body)[-1]) == (200, 'data: {"detail":"The access token has expired."}')
    assert len(frames(body)) == 3
    assert once(token)[0] == 401
    assert once(ask("GET", "/reka/bff/auth/access_token", headers=cookie).json["accessToken"])[0] == 200


def test_a_fault_happens_as_often_as_told_and_where(ask, chat, sandbox):
    """`skip` lets requests pass, `times` counts, `path` and `method` narrow."""
    sandbox.fault("reka", "status", code=401, path="/api/*", method="POST", skip=1, times=1)
    assert ask("GET", "/reka/chat").status == 302
    assert [chat().status for _ in range(3)] == [200, 401, 200]
    assert [entry.faults for entry in sandbox.journal(path="/api/chat")] == [[], ["status"], []]


def test_faults_add_up(chat, sandbox):
    """Standing faults and those of the request apply together."""
    sandbox.fault("*", "no_space")
    assert chat(scenario="crlf, chunk_bytes=3").body.startswith(b"event:message\r\ndata:{")
    sandbox.clear_faults()
    assert chat().body.startswith(b"event: message\ndata: {")


def test_a_scenario_sets_knobs_for_one_request(chat):
    """The next request is as before."""
    assert "finish_reason" not in chat(stream=False, scenario="finish=false").json
    assert "finish_reason" in chat(stream=False).json


@pytest.mark.parametrize(
    ("scenario", "sentence"),
    [
        ("earthquake", "'earthquake' is neither a fault nor a knob of this service"),
        ("stall; colour=red", "unknown field `colour`"),
        ("stall=often", "Expected `int`"),
        ("close=1", "unknown field"),
        ("history=relaxed", "Invalid enum value 'relaxed'"),
    ],
)
def test_a_scenario_that_makes_no_sense_is_refused(chat, scenario, sentence):
    """422 with one sentence that names the header."""
    answer = chat(scenario=scenario)
    assert answer.status == 422
    assert answer.json["error"].startswith("x-sandbox-scenario: ")
    assert sentence in answer.json["error"]


def test_a_client_that_leaves_ends_the_work(raw, sandbox):
    """The service is cancelled and the journal says so."""
    connection = raw(scenario="pace=5")
    connection.recv(100)
    connection.close()
    _await(lambda: sandbox.journal()[0].ended == "client left")


@pytest.mark.parametrize("name", NAMES)
def test_every_fault_says_what_it_is(name):
    """The overview shows the first line of its docstring."""
    assert NAMES[name].__doc__


def _question() -> dict[str, object]:
    return {"conversation_history": [{"type": "human", "text": "Hi"}], "model_name": "reka-core", "stream": True}


def _await(condition) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
