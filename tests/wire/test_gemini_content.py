"""wire/gemini_content.py: streams and documents of the Gemini API, cut anywhere."""

from __future__ import annotations

import base64
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polychat.errors import (
    AuthExpired,
    BadRequest,
    FormatChanged,
    PolychatError,
    QuotaSpent,
    RateLimited,
    Refused,
    Unavailable,
)
from polychat.fold import fold
from polychat.types import (
    Audio,
    Citation,
    Event,
    File,
    Finish,
    HostedTool,
    Image,
    Media,
    Reply,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolCall,
    ToolCallDelta,
    Usage,
)
from polychat.wire.gemini_content import Decoder

USAGE = {"promptTokenCount": 9, "candidatesTokenCount": 3, "totalTokenCount": 12}
COUNTED = Usage(input_tokens=9, output_tokens=3)
STOP = Finish(reason="stop", raw="STOP")
GIF = b"GIF89a" + b"\1" * 8
OVERLOADED = {"error": {"code": 503, "message": "Too busy.", "status": "UNAVAILABLE"}}


def response(*parts: Any, usage: Any = None, **ending: Any) -> dict[str, Any]:
    """A response of one candidate, with fields beside those that matter."""
    content: dict[str, Any] = {"role": "model"} | ({"parts": list(parts)} if parts else {})
    counted = {"usageMetadata": usage} if usage else {}
    candidate = {"content": content, "index": 0, "safetyRatings": [], **ending}
    return {"candidates": [candidate], "modelVersion": "m", "responseId": "r1", **counted}


def framed(body: Any, end: bytes = b"\r\n\r\n") -> bytes:
    """An event of the stream."""
    return b"data: " + msgspec.json.encode(body) + end


def stream(*bodies: Any) -> bytes:
    """All of them."""
    return b"".join(map(framed, bodies))


def decoded(*reads: bytes) -> list[Event]:
    """The events of an answer that came in these reads."""
    decoder = Decoder("gemini")
    events = [event for read in reads for event in decoder.feed(read)]
    return events + decoder.close()


def said(*parts: Any, **ending: Any) -> list[Event]:
    """The events of one whole answer without its usage."""
    return decoded(stream(response(*parts, **({"finishReason": "STOP"} | ending))))


def reply(*reads: bytes) -> Reply:
    """The whole answer."""
    return fold(decoded(*reads))


def blob(data: bytes, media_type: str) -> dict[str, Any]:
    """Bytes on the wire."""
    return {"mimeType": media_type, "data": base64.b64encode(data).decode()}


STREAM = stream(
    response({"text": "Łódź?", "thought": True}, usage={"promptTokenCount": 9, "thoughtsTokenCount": 2}),
    response({"text": "Grüße, "}),
    response({"text": "мир"}),
    response(
        {"text": "", "thoughtSignature": "c2lnbg=="}, finishReason="STOP", usage=USAGE | {"thoughtsTokenCount": 2}
    ),
)
EXPECTED = [
    ThinkingDelta(text="Łódź?"), TextDelta(text="Grüße, "), TextDelta(text="мир"), ThinkingDelta(signature="c2lnbg=="),
    Usage(input_tokens=9, output_tokens=5, reasoning_tokens=2), STOP,
]  # fmt: skip


# ---------------------------------------------------------------- bytes


def test_a_stream_may_be_cut_anywhere() -> None:
    """Between characters, bytes and frames."""
    assert [at for at in range(len(STREAM) + 1) if decoded(STREAM[:at], STREAM[at:]) != EXPECTED] == []


@given(st.lists(st.integers(0, len(STREAM)), max_size=8))
def test_a_stream_may_come_in_any_pieces(cuts: list[int]) -> None:
    """Also in empty ones."""
    places = sorted({0, *cuts, len(STREAM)})
    assert decoded(*(STREAM[a:b] for a, b in pairwise(places))) == EXPECTED


@pytest.mark.parametrize("newline", [b"\n", b"\r"])
def test_lines_may_end_as_they_like(newline: bytes) -> None:
    """And the body byte by byte."""
    body = STREAM.replace(b"\r\n", newline)
    assert decoded(*(body[at : at + 1] for at in range(len(body)))) == EXPECTED


def test_a_document_is_the_same_answer() -> None:
    """Whole, pretty-printed and in pieces."""
    whole = response({"text": "Łódź?", "thought": True}, {"text": "Grüße"}, finishReason="STOP", usage=USAGE)
    body = msgspec.json.format(msgspec.json.encode(whole), indent=2)
    expected = [ThinkingDelta(text="Łódź?"), TextDelta(text="Grüße"), COUNTED, STOP]
    assert decoded(body) == expected
    assert decoded(*(body[at : at + 1] for at in range(len(body)))) == expected


def test_a_large_picture_is_one_event() -> None:
    """Of more bytes than other events have."""
    picture = GIF + b"\0" * (9 * 2**20)
    (media, _) = said({"inlineData": blob(picture, "image/gif")})
    assert media == Media(part=Image(data=picture), id="picture-0")


@pytest.mark.parametrize(
    "payload",
    [
        b"{",
        b"[1]",
        b'{"candidates": 1}',
        b'{"responseId": "r"}',
        b'{"candidates":[{"content":{"parts":[{"text":1}]}}]}',
    ],
)
def test_anything_else_is_a_changed_format(payload: bytes) -> None:
    """Told with what showed it, once the words before it are out."""
    decoder = Decoder("gemini")
    with pytest.raises(FormatChanged, match=r"^gemini sent an event .* \(\d+ bytes(: .*)?\)\n") as caught:
        decoder.feed(stream(response({"text": "hi"})) + b"data: " + payload + b"\n\n")
    assert decoder.salvage() == [TextDelta(text="hi")]
    assert caught.value.evidence is not None
    assert caught.value.evidence.data == payload


def test_a_damaged_picture_is_a_changed_format() -> None:
    """Base64 that is none."""
    with pytest.raises(FormatChanged):
        said({"inlineData": {"mimeType": "image/png", "data": "no base64!"}})


# ---------------------------------------------------------------- the end


@pytest.mark.parametrize(
    "bodies",
    [
        [response({"text": "hi"}, finishReason="STOP", usage=USAGE)],
        [response({"text": "hi"}, finishReason="STOP"), {"usageMetadata": USAGE, "modelVersion": "m"}],
        [response({"text": "hi"}, usage={"promptTokenCount": 9}), response(finishReason="STOP", usage=USAGE)],
        [response({"text": "h"}, finishReason="MAX_TOKENS"), response({"text": "i"}, finishReason="STOP", usage=USAGE)],
    ],
    ids=["together", "usage after the finish", "usage in each", "a reason in each"],
)
def test_the_end_is_told_once_when_the_stream_is_over(bodies: list[Any]) -> None:
    """With the last reason and the last usage."""
    decoder = Decoder("gemini")
    words = decoder.feed(stream(*bodies))
    assert not decoder.finished
    assert fold(words).text == "hi"
    assert decoder.close() == [COUNTED, STOP]
    assert decoder.finished
    assert decoder.close() == []
    assert decoder.salvage() == []
    assert decoder.resume() is None


def test_a_stream_that_is_cut_has_no_end() -> None:
    """So that nobody takes a part for the whole; what was counted is kept."""
    decoder = Decoder("gemini")
    assert decoder.feed(stream(response({"text": "hi"}, usage=USAGE))) == [TextDelta(text="hi")]
    assert decoder.close() == []
    assert not decoder.finished
    assert decoder.resume() is None
    assert decoder.salvage() == [COUNTED]


def test_a_body_without_anything_has_no_end() -> None:
    """Nor one of white space."""
    assert decoded(b"") == decoded(b" \n\n") == []


FILTERED = (
    "SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "ESCALATION", "MODEL_ARMOR",
    "IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION",
)  # fmt: skip


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("STOP", "stop"),
        ("MAX_TOKENS", "length"),
        *((raw, "content_filter") for raw in FILTERED),
        ("OTHER", "stop"),
        ("SOMETHING_NEW", "stop"),
    ],
)
def test_why_it_ended_is_told_in_both_words(raw: str, reason: Any) -> None:
    """The service's own, and the one that all share."""
    assert said({"text": "hi"}, finishReason=raw)[-1] == Finish(reason=reason, raw=raw)


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        ("MALFORMED_FUNCTION_CALL", Unavailable),
        ("UNEXPECTED_TOOL_CALL", Unavailable),
        ("TOO_MANY_TOOL_CALLS", Unavailable),
        ("MALFORMED_RESPONSE", Unavailable),
        ("MISSING_THOUGHT_SIGNATURE", BadRequest),
        ("PUP_LIMITED_DISABLED", AuthExpired),
    ],
)
def test_an_end_that_is_no_answer_is_an_error(raw: str, kind: type[PolychatError]) -> None:
    """With the service's words; what had been said is kept."""
    decoder = Decoder("gemini")
    decoder.feed(stream(response(finishReason=raw, finishMessage="Malformed:\nf(" + "x" * 900, usage=USAGE)))
    with pytest.raises(kind, match=rf"gemini broke the answer off \({raw}\): Malformed: f\(x+") as caught:
        decoder.close()
    assert len(caught.value.message) < 280
    assert decoder.salvage() == [COUNTED]


def test_an_end_without_a_word_is_told_all_the_same() -> None:
    """The service need not say more."""
    with pytest.raises(Unavailable, match=r"\(MALFORMED_RESPONSE\): nothing more\nhint: "):
        said(finishReason="MALFORMED_RESPONSE")


def test_a_blocked_question_is_refused() -> None:
    """It is no answer, though the status says so."""
    body = {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": {"promptTokenCount": 4}}
    for reads in (stream(body), msgspec.json.encode(body)):
        with pytest.raises(Refused, match=r"\(PROHIBITED_CONTENT\)"):
            decoded(reads)


def test_a_block_after_words_is_an_end() -> None:
    """The words stand."""
    events = decoded(stream(response({"text": "hi"}), {"promptFeedback": {"blockReason": "SAFETY"}}))
    assert events == [TextDelta(text="hi"), Finish(reason="content_filter", raw="SAFETY")]


def test_feedback_without_a_block_is_none() -> None:
    """Ratings alone change nothing."""
    body = response({"text": "hi"}, finishReason="STOP") | {"promptFeedback": {"safetyRatings": []}}
    assert decoded(stream(body)) == [TextDelta(text="hi"), STOP]


def test_another_candidate_is_passed_over() -> None:
    """There is one answer."""
    body = response({"text": "hi"}, finishReason="STOP")
    body["candidates"].append({"index": 1, "content": {"parts": [{"text": "other"}]}, "finishReason": "SAFETY"})
    assert decoded(stream(body)) == [TextDelta(text="hi"), STOP]


# ---------------------------------------------------------------- errors inside


PRETTY = msgspec.json.format(msgspec.json.encode(OVERLOADED), indent=2)


@pytest.mark.parametrize(
    "body",
    [
        stream(OVERLOADED),
        PRETTY,
        b"[" + PRETTY + b"\n]\n",
        msgspec.json.encode([OVERLOADED]),
        b"data: " + msgspec.json.encode(response({"text": "hi"})) + b"\n\n" + PRETTY,
        b"data: " + msgspec.json.encode(response({"text": "hi"})) + b"\r\n\r\n,\r\n" + PRETTY + b"\r\n]",
    ],
    ids=["event", "document", "list", "list in a line", "bare after events", "bare in a list after events"],
)
def test_an_error_inside_a_success_is_the_error_it_is(body: bytes) -> None:
    """Wherever it stands, and however the body is cut."""
    for at in range(0, len(body), 7):
        decoder = Decoder("gemini")
        with pytest.raises(Unavailable, match=r"gemini says: Too busy \(inside a successful answer\)"):
            [*decoder.feed(body[:at]), *decoder.feed(body[at:]), *decoder.close()]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"code": 429, "status": "RESOURCE_EXHAUSTED"}, RateLimited),
        ({"code": 402}, QuotaSpent),
        ({"code": 401, "status": "UNAUTHENTICATED"}, AuthExpired),
        ({"message": "?"}, Unavailable),
    ],
)
def test_an_error_inside_has_a_class(error: dict[str, Any], kind: type[PolychatError]) -> None:
    """That its word or its code says."""
    with pytest.raises(kind):
        decoded(stream({"error": error}))


def test_words_of_an_error_that_are_said_are_words() -> None:
    """And an answer that is whole looks no further."""
    text = 'so:\n{"error": {"code": 503}}'
    assert fold(said({"text": text})).text == text
    assert decoded(stream(response({"text": "hi"}, finishReason="STOP")) + PRETTY) == [TextDelta(text="hi"), STOP]


def test_the_end_of_a_long_stream_is_remembered() -> None:
    """Not the whole of it."""
    words = stream(*[response({"text": "x" * 500})] * 400)
    with pytest.raises(Unavailable):
        decoded(*(words[at : at + 1000] for at in range(0, len(words), 1000)), PRETTY)


# ---------------------------------------------------------------- calls


def test_a_call_comes_whole() -> None:
    """Its arguments as the service wrote them, its signature with it."""
    body = (
        b'data: {"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{"a": 1.0,"b":"\xc3\xa9"},'
        b'"id":"i1"},"thoughtSignature":"c2k="}]},"finishReason":"STOP"}]}\n\n'
    )
    assert decoded(body) == [
        ToolCallDelta(index=0, id="i1", name="f", arguments='{"a": 1.0,"b":"é"}', signature="c2k="),
        Finish(reason="tool_calls", raw="STOP"),
    ]


def test_several_calls_have_their_own_places_and_ids() -> None:
    """In one response or in several; the ids of the service's making are kept, and the rest are no one else's."""
    calls = reply(
        stream(
            response({"functionCall": {"name": "f"}}, {"functionCall": {"name": "f", "args": {"a": 1}, "id": "own"}}),
            response({"functionCall": {"name": "g", "args": None}}, finishReason="STOP"),
        )
    ).tool_calls
    assert calls == (
        ToolCall(id="call_r1_0", name="f", arguments="{}"),
        ToolCall(id="own", name="f", arguments='{"a":1}'),
        ToolCall(id="call_r1_2", name="g", arguments="{}"),
    )


def test_a_call_of_nobody_has_an_id_too() -> None:
    """Where the service names neither the call nor the answer."""
    body = {"candidates": [{"content": {"parts": [{"functionCall": {"name": "f"}}]}, "finishReason": "STOP"}]}
    assert [call.id for call in reply(stream(body)).tool_calls] == ["call_gemini_0"]


def test_a_call_that_ran_out_of_tokens_was_no_call() -> None:
    """The reason says so."""
    assert said({"functionCall": {"name": "f"}}, finishReason="MAX_TOKENS")[-1] == Finish(
        reason="length", raw="MAX_TOKENS"
    )


def test_a_call_without_a_name_is_a_changed_format() -> None:
    """Nobody could answer it."""
    with pytest.raises(FormatChanged):
        said({"functionCall": {"args": {}}})


# ---------------------------------------------------------------- thoughts


def test_a_signature_closes_what_it_stands_on() -> None:
    """On words it follows them, and on a thought it is the thought's."""
    thought, words = {"text": "hm", "thought": True}, {"text": "so"}
    assert said(thought | {"thoughtSignature": "YQ=="}, words | {"thoughtSignature": "Yg=="}) == [
        ThinkingDelta(text="hm"),
        ThinkingDelta(signature="YQ=="),
        TextDelta(text="so"),
        ThinkingDelta(signature="Yg=="),
        STOP,
    ]
    assert reply(STREAM).thoughts == (Thinking(text="Łódź?", signature="c2lnbg=="),)


# ---------------------------------------------------------------- bytes of the answer


def test_pictures_sounds_and_files_are_told_apart() -> None:
    """Each by the type that the service names; where they lie is enough."""
    wav = b"RIFF\0\0\0\0WAVE"
    assert said(
        {"inlineData": blob(GIF, "image/gif")}, {"inlineData": blob(wav, "audio/wav")},
        {"inlineData": blob(b"%PDF-1", "application/pdf")}, {"inlineData": {"mimeType": "image/png"}},
        {"fileData": {"fileUri": "https://example.com/f", "mimeType": "video/mp4"}},
    ) == [
        Media(part=Image(data=GIF), id="picture-0"), Media(part=Audio(data=wav), id="picture-1"),
        Media(part=File(data=b"%PDF-1"), id="picture-2"),
        Media(part=File(url="https://example.com/f", media_type="video/mp4")), STOP,
    ]  # fmt: skip


def test_a_picture_among_the_thoughts_is_a_preview() -> None:
    """The one that comes of it takes its place; another one has its own."""
    other = GIF + b"other"
    whole = reply(
        stream(
            response({"inlineData": blob(GIF + b"draft", "image/gif"), "thought": True}),
            response({"inlineData": blob(GIF, "image/gif"), "thoughtSignature": "YQ=="}),
            response({"inlineData": blob(other, "image/gif")}, finishReason="STOP"),
        )
    )
    assert whole.media == (Image(data=GIF), Image(data=other))
    assert whole.thoughts == (Thinking(signature="YQ=="),)


def test_raw_sound_is_one_file_in_the_end() -> None:
    """With a header that tells its rate; what came of a cut one is kept."""
    import io
    import wave

    pieces = [response({"inlineData": blob(bytes([n, 0] * 8), "audio/L16;codec=pcm;rate=16000")}) for n in (1, 2)]
    whole = decoded(stream(*pieces, response(finishReason="STOP", usage=USAGE)))
    (media, counted, finish) = whole
    assert (counted, finish) == (COUNTED, STOP)
    assert isinstance(media, Media)
    assert media.part.media_type == "audio/wav"
    with wave.open(io.BytesIO(media.part.data or b"")) as sound:
        form = (sound.getframerate(), sound.getnchannels(), sound.getsampwidth(), sound.readframes(99))
    assert form == (16000, 1, 2, bytes([1, 0] * 8 + [2, 0] * 8))
    decoder = Decoder("gemini")
    assert decoder.feed(stream(*pieces)) == []
    assert decoder.salvage() == [media]
    assert decoder.salvage() == []


# ---------------------------------------------------------------- tools of the service's own


def test_code_that_ran_there_is_shown_and_kept() -> None:
    """Each step as it goes, and whole for the next question."""
    events = said(
        {"executableCode": {"language": "PYTHON", "code": "print(1)"}, "thoughtSignature": "YQ=="},
        {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1\n"}},
        {"executableCode": {"language": "PYTHON", "code": "1/0", "id": "x"}},
        {"codeExecutionResult": {"outcome": "OUTCOME_FAILED", "id": "x"}},
        {"text": "1"},
    )
    assert [event for event in events if isinstance(event, HostedTool)] == [
        HostedTool(id="0", name="code_execution", arguments="print(1)"),
        HostedTool(id="0", name="code_execution", arguments="print(1)", output="1\n"),
        HostedTool(id="x", name="code_execution", arguments="1/0"),
        HostedTool(id="x", name="code_execution", arguments="1/0", output="OUTCOME_FAILED"),
    ]
    kept = [msgspec.json.decode(thought.redacted or "") for thought in fold(events).thoughts]
    assert kept[0] == {
        "executableCode": {"language": "PYTHON", "code": "print(1)"}, "thoughtSignature": "YQ==",
    }  # fmt: skip
    assert [next(iter(part)) for part in kept] == ["executableCode", "codeExecutionResult"] * 2


def test_a_search_that_is_told_is_shown_and_kept() -> None:
    """Under its own id."""
    call = {"toolCall": {"id": "t", "toolType": "GOOGLE_SEARCH_WEB", "args": {"queries": ["q"]}}}
    response_part = {"toolResponse": {"id": "t", "toolType": "GOOGLE_SEARCH_WEB", "response": {"found": 1}}}
    whole = fold(said(call, response_part, {"functionCall": {"name": "f"}}))
    assert whole.hosted_tools == (
        HostedTool(id="t", name="google_search_web", arguments='{"queries":["q"]}', output='{"found":1}'),
    )
    assert [msgspec.json.decode(thought.redacted or "") for thought in whole.thoughts] == [call, response_part]


def test_a_result_of_nothing_is_kept_alone() -> None:
    """There is no step to show it with."""
    events = said({"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}})
    assert [type(event) for event in events] == [ThinkingDelta, Finish]


# ---------------------------------------------------------------- sources


def test_sources_come_before_the_end_with_places_in_characters() -> None:
    """The service counts bytes, over all words of the answer."""
    grounding = {
        "groundingChunks": [{"web": {"uri": "https://a.example", "title": "A"}}],
        "groundingSupports": [
            {"segment": {"startIndex": 7, "endIndex": 14, "text": " nie ś"}, "groundingChunkIndices": [0]}
        ],
        "webSearchQueries": ["q"],
    }
    events = decoded(
        stream(
            response({"text": "Łódź "}), response({"text": "nie ś"}),
            response({"text": "pi"}, groundingMetadata=grounding),
            response(finishReason="STOP", groundingMetadata={"webSearchQueries": ["q"]}, usage=USAGE),
        )
    )  # fmt: skip
    text = fold(events).text
    citation = events[-3]
    assert events[-2:] == [COUNTED, STOP]
    assert citation == Citation(url="https://a.example", title="A", start=4, end=10)
    assert text[4:10].encode() == text.encode()[7:14]


def test_quotations_are_sources_too() -> None:
    """Told with the words or after them."""
    quoted = {"citationSources": [{"endIndex": 3, "uri": "https://a.example"}]}
    events = decoded(stream(response({"text": "żab"}, citationMetadata=quoted), response(finishReason="STOP")))
    assert events == [TextDelta(text="żab"), Citation(url="https://a.example", start=0, end=2), STOP]


# ---------------------------------------------------------------- going on


def test_an_answer_at_its_limit_goes_on() -> None:
    """With the token it gave; words, calls and usage are of one answer."""
    decoder = Decoder("gemini")
    first = decoder.feed(
        stream(
            response({"text": "one "}, usage=USAGE | {"thoughtsTokenCount": 1}),
            response(finishReason="CONTINUATION", continuationToken="dG9r", usage=USAGE | {"thoughtsTokenCount": 1}),
        )
    )
    assert first == [TextDelta(text="one ")]
    assert decoder.close() == []
    assert decoder.salvage() == [Usage(input_tokens=9, output_tokens=4, reasoning_tokens=1)]
    assert not decoder.finished
    assert decoder.resume() == "dG9r"
    assert decoder.resume() is None
    rest = decoder.feed(stream(response({"text": "two"}), response(finishReason="STOP", usage=USAGE)))
    assert rest == [TextDelta(text="two")]
    assert decoder.close() == [Usage(input_tokens=18, output_tokens=7, reasoning_tokens=1), STOP]


def test_an_answer_that_does_not_get_on_ends() -> None:
    """The same token again, or none, is the limit."""
    decoder = Decoder("gemini")
    limit = stream(response({"text": "x"}, finishReason="CONTINUATION", continuationToken="dG9r"))
    decoder.feed(limit)
    decoder.close()
    assert decoder.resume() == "dG9r"
    decoder.feed(limit)
    assert decoder.close() == [Finish(reason="length", raw="CONTINUATION")]
    assert decoder.resume() is None
    assert said({"text": "x"}, finishReason="CONTINUATION")[-1] == Finish(reason="length", raw="CONTINUATION")


# ---------------------------------------------------------------- usage


def test_every_token_is_counted_once() -> None:
    """Thoughts are made, what tools bring is given, and the cached ones are part of those."""
    usage = {
        "promptTokenCount": 10, "toolUsePromptTokenCount": 5, "candidatesTokenCount": 3, "thoughtsTokenCount": 2,
        "cachedContentTokenCount": 4,
    }  # fmt: skip
    assert reply(stream(response({"text": "x"}, finishReason="STOP", usage=usage))).usage == Usage(
        input_tokens=15, output_tokens=5, cached_input_tokens=4, reasoning_tokens=2
    )
