"""Calls and what answers them: order, names, ids and signatures."""

from __future__ import annotations

import base64

import pytest

ASKED = {"role": "user", "parts": [{"text": "The weather and a hotel?"}]}
STRICT = "gemini-3.1-pro-preview"
LOOSE = "gemini-2.5-flash"


def model(*names, **more):
    """A turn of calls."""
    return {"role": "model", "parts": [{"functionCall": {"name": name, "args": {}}} | more for name in names]}


def results(*names, **more):
    """A turn that answers."""
    parts = [{"functionResponse": {"name": name, "response": {"result": name}} | more} for name in names]
    return {"role": "user", "parts": parts}


@pytest.fixture
def called(post, functions):
    """called(model): the model's turn with two calls, as it came, and the tools of the request."""

    def called(model):
        body = {"contents": [ASKED], "tools": functions("get_weather", "find_hotel")}
        content = post(f"{model}:generateContent", body).json["candidates"][0]["content"]
        assert [part["functionCall"]["name"] for part in content["parts"]] == ["get_weather", "find_hotel"]
        return content

    return called


def test_only_the_first_of_several_calls_is_signed(called):
    """In models that sign, and in older ones that think; only the former have ids."""
    for name, has_ids in ((STRICT, True), (LOOSE, False)):
        first, second = called(name)["parts"]
        assert ("thoughtSignature" in first, "thoughtSignature" in second) == (True, False)
        assert ("id" in first["functionCall"], "id" in second["functionCall"]) == (has_ids, has_ids)
    first, _ = called("gemini-2.5-flash-lite")["parts"]
    assert "thoughtSignature" not in first


@pytest.mark.parametrize("name", [STRICT, LOOSE])
def test_calls_that_come_back_as_they_were_are_answered(called, answered, name):
    """In any order of the answers."""
    contents = [ASKED, called(name), results("find_hotel", "get_weather")]
    told = answered({"contents": contents}, name)["content"]["parts"][0]["text"]
    assert told.startswith('The tool answered: “{"result":"get_weather"}” (1 word).')


def test_a_call_without_its_signature_is_refused_where_models_sign(called, wrong, answered):
    """In the current turn only; other models do not mind."""
    content = called(STRICT)
    del content["parts"][0]["thoughtSignature"]
    contents = [ASKED, content, results("get_weather", "find_hotel")]
    assert wrong({"contents": contents}, STRICT) == ["contents[1].parts[0].thought_signature"]
    assert answered({"contents": contents}, LOOSE)["finishReason"] == "STOP"
    later = [
        *contents,
        {"role": "model", "parts": [{"text": "Sunny"}]},
        {"role": "user", "parts": [{"text": "Thanks"}]},
    ]
    assert answered({"contents": later}, STRICT)["finishReason"] == "STOP"


def test_every_step_of_the_current_turn_is_signed(called, wrong):
    """Also a second one, without words of the user between."""
    steps = [ASKED, called(STRICT), results("get_weather", "find_hotel"), model("get_weather"), results("get_weather")]
    assert wrong({"contents": steps}, STRICT) == ["contents[3].parts[0].thought_signature"]


def test_words_beside_the_results_begin_a_new_turn(called, answered):
    """So that the steps before it need no signature."""
    words = results("get_weather")
    words["parts"].append({"text": "And now?"})
    told = answered({"contents": [ASKED, model("get_weather"), words]}, STRICT)["content"]["parts"][0]["text"]
    assert told.startswith("You asked: “And now?” (2 words).")
    assert 'tool “{"result":"get_weather"}”' in told


@pytest.mark.parametrize("signature", ["Y29udGV4dA==", "", "c2tpcA"])
def test_a_signature_that_was_not_given_here_is_refused(wrong, signature):
    """On whatever part it is, with whatever model."""
    call = model("get_weather", thoughtSignature=signature)
    text = {"role": "model", "parts": [{"text": "x", "thoughtSignature": signature}]}
    for content, answer in ((call, results("get_weather")), (text, ASKED)):
        assert wrong({"contents": [ASKED, content, answer]}, LOOSE) == ["contents[1].parts[0].thought_signature"]


def test_a_signature_belongs_to_its_call(called, wrong, answered):
    """Not to one of another name or other arguments, nor to a text."""
    content = called(STRICT)
    signed, other = content["parts"]
    signature = signed["thoughtSignature"]
    swapped = [
        {"functionCall": other["functionCall"], "thoughtSignature": signature},
        {"functionCall": signed["functionCall"]},
    ]
    changed = [{"functionCall": signed["functionCall"] | {"args": {}}, "thoughtSignature": signature}, other]
    for parts in (swapped, changed):
        contents = [ASKED, {"role": "model", "parts": parts}, results("get_weather", "find_hotel")]
        assert wrong({"contents": contents}, STRICT) == ["contents[1].parts[0].thought_signature"]
    text = {"role": "model", "parts": [{"text": "x", "thoughtSignature": signature}]}
    assert wrong({"contents": [ASKED, text, ASKED]}, STRICT) == ["contents[1].parts[0].thought_signature"]


def test_a_signature_is_known_in_both_alphabets(called, answered):
    """And without its padding, as the package writes bytes."""
    content = called(STRICT)
    signature = content["parts"][0]["thoughtSignature"]
    content["parts"][0]["thoughtSignature"] = signature.replace("+", "-").replace("/", "_").rstrip("=")
    assert (
        answered({"contents": [ASKED, content, results("get_weather", "find_hotel")]}, STRICT)["finishReason"] == "STOP"
    )


def test_a_signature_on_a_text_is_known_again(answered):
    """On whatever is left of the text."""
    parts = answered({"contents": [ASKED]}, STRICT)["content"]["parts"]
    parts[0]["text"] = "shortened"
    assert answered({"contents": [ASKED, {"role": "model", "parts": parts}, ASKED]}, STRICT)["finishReason"] == "STOP"


@pytest.mark.parametrize("waiver", ["context_engineering_is_the_way_to_go", "skip_thought_signature_validator"])
def test_who_has_no_signature_may_say_so(answered, waiver):
    """With the words that the public pages name, bare or as base64."""
    for said in (waiver, base64.b64encode(waiver.encode()).decode()):
        contents = [ASKED, model("f", thoughtSignature=said), results("f")]
        assert answered({"contents": contents}, STRICT)["finishReason"] == "STOP"


@pytest.mark.parametrize(
    ("contents", "fields"),
    [
        ([model("f"), results("f")], []),
        ([ASKED, model("f"), ASKED], []),
        ([ASKED, model("f", "g"), results("f")], []),
        ([ASKED, model("f"), results("f", "f")], []),
        ([ASKED, results("f")], []),
        ([results("f")], []),
        ([ASKED, model("f"), results("g")], ["contents[2].parts[0].function_response.name"]),
        ([ASKED, model("f", "f"), results("f", "g")], ["contents[2].parts[1].function_response.name"]),
    ],
)
def test_calls_and_answers_must_fit_together(wrong, contents, fields):
    """Right after a turn of the user, answered right away, one each."""
    assert wrong({"contents": contents}) == fields


def test_an_id_must_fit_where_there_is_one(answered, wrong):
    """Of the call and of what answers it."""
    call = {"role": "model", "parts": [{"functionCall": {"name": "f", "id": "a"}}]}
    assert answered({"contents": [ASKED, call, results("f")]})["finishReason"] == "STOP"
    assert answered({"contents": [ASKED, call, results("f", id="a")]})["finishReason"] == "STOP"
    assert wrong({"contents": [ASKED, call, results("f", id="b")]}) == ["contents[2].parts[0].function_response.name"]


def test_calls_in_pieces_are_one_turn(answered):
    """As a stream gives them."""
    assert answered({"contents": [ASKED, model("f"), model("g"), results("f", "g")]})["finishReason"] == "STOP"


def test_a_talk_may_end_with_a_call(answered):
    """It waits for nobody."""
    assert answered({"contents": [ASKED, model("f")]})["finishReason"] == "STOP"
