"""engine/emulation/answers.py: calls, words and JSON are told apart the same way however they arrive."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polychat.engine.emulation.answers import Form, Reading, WrongAnswer, call_id, call_number, opening
from polychat.engine.emulation.schemas import checked
from polychat.fold import fold
from polychat.types import (
    Citation,
    Event,
    Finish,
    FinishReason,
    NamedTool,
    Reply,
    Revised,
    TextDelta,
    ThinkingDelta,
    Thread,
    ThreadMoved,
    ToolCall,
    Usage,
)

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = {"weather": checked(CITY, "t"), "clock": checked({}, "t")}
ANY = Form(tools=TOOLS)
JSON = Form(format=checked(CITY, "f"))
OSLO = '{"tool_calls":[{"name":"weather","arguments":{ "city" : "Oslo" }}]}'
END = Finish(reason="stop", raw="end")


def read(form: Form, *texts: str, finish: Finish = END) -> tuple[Reading, Reply]:
    """An answer that came in these pieces, and what went out of it."""
    reading = Reading(form)
    out: list[Event] = []
    for text in texts:
        out += reading.feed([TextDelta(text=text)])
    out += reading.feed([finish])
    return reading, fold([*out, *reading.close()])


def reason(form: Form, text: str) -> str:
    """What is wrong with an answer."""
    with pytest.raises(WrongAnswer) as caught:
        form.read(text)
    return str(caught.value)


def without_ids(reply: Reply) -> tuple[str, list[tuple[str, str]], Finish | None]:
    """All of a reply but the ids, which are new each time."""
    return reply.text, [(call.name, call.arguments) for call in reply.tool_calls], reply.finish


# ---------------------------------------------------------------- calls


@pytest.mark.parametrize(
    "text",
    [
        OSLO,
        f" \n\t{OSLO}\n",
        f"```json\n{OSLO}\n```",
        f"```\n{OSLO}\n```  ",
        f"``` JSON \r\n\n {OSLO}```",
        OSLO.replace("{", "{\n  ", 1),
        OSLO.replace('"weather",', '"weather", "id": "1", "type": "function",'),
    ],
)
def test_a_call_is_read_from_each_of_its_forms(text: str) -> None:
    """Bare or in one fence, whatever the space around; arguments stay as the model wrote them."""
    _, reply = read(ANY, text)
    (call,) = reply.tool_calls
    assert (call.name, call.arguments, reply.text) == ("weather", '{ "city" : "Oslo" }', "")
    assert reply.finish == Finish(reason="tool_calls", raw="end")


def test_each_call_has_an_id_of_its_own_that_tells_its_number() -> None:
    """Two answers never share one, and the number comes back; ids of others tell none."""
    calls = '{"tool_calls":[{"name":"clock","arguments":{}},{"name":"clock","arguments":{}}]}'
    ids = [call.id for _ in range(2) for call in read(ANY, calls)[1].tool_calls]
    assert len(set(ids)) == 4
    assert [call_number(one) for one in ids] == [1, 2, 1, 2]
    assert all(re.fullmatch(r"call_[0-9a-f]{16}_[12]", one) for one in ids)
    assert [call_number(one) for one in ("call_1", "call_0123456789abcdef_0", call_id(3) + "x", "toolu_1")] == [
        None
    ] * 4


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"tool_calls":[]}', "tool_calls is empty"),
        ('{"tool_calls":{}}', "tool_calls: expected `array`, got `object`"),
        ('{"tool_calls":[{"arguments":{}}]}', "tool_calls[0]: object missing required field `name`"),
        ('{"tool_calls":[{"name":"clock"}]}', "tool_calls[0]: object missing required field `arguments`"),
        ('{"tool_calls":[{"name":5,"arguments":{}}]}', "tool_calls[0].name: expected `str`, got `int`"),
        ('{"tool_calls":[{"name":"clock","arguments":"{}"}]}', "tool_calls[0].arguments is not an object"),
        ('{"tool_calls":[{"name":"clock","arguments":[]}]}', "tool_calls[0].arguments is not an object"),
        (
            '{"tool_calls":[{"name":"weather","arguments":{}}]}',
            "tool_calls[0].arguments: 'city' is a required property",
        ),
        (
            '{"tool_calls":[{"name":"clock","arguments":{}},{"name":"weather","arguments":{"city":1}}]}',
            "tool_calls[1].arguments.city: 1 is not of type 'string'",
        ),
        ('{"tool_calls":[{"name":"x","arguments":{}}]}', "tool_calls[0].name is 'x'; it is one of weather, clock"),
        (OSLO[:-1], "it is not the JSON asked for: input data was truncated"),
        (f"{OSLO} done", "it is not the JSON asked for: JSON is malformed: trailing characters (byte 69)"),
        (f"```json\n{OSLO}\n```\ndone", "it is not the JSON asked for: JSON is malformed: invalid character (byte 0)"),
        (
            OSLO[:-1] + ',"content":"words"}',
            "it is not the JSON asked for: object contains unknown field `content`",
        ),
        (
            '{"tool_calls":[{"name":"clock","arguments":{"n":1e999}}]}',
            "tool_calls[0].arguments[...]: number out of range",
        ),
    ],
)
def test_a_wrong_call_is_named_by_its_place(text: str, expected: str) -> None:
    """One sentence that begins with the path."""
    assert reason(ANY, text) == expected


@pytest.mark.parametrize(
    "text", ['{"tool_calls":' + "[" * 5000, '{"tool_calls":[{"name":"clock","arguments":' + '{"a":' * 5000]
)
def test_what_nests_without_end_is_a_wrong_answer(text: str) -> None:
    """Not a crash."""
    assert reason(ANY, text)


def test_a_wrong_answer_is_held_and_told() -> None:
    """Nothing of it goes out by itself; what remains is all of it."""
    reading, reply = read(ANY, '{"tool_calls":', "[]}")
    assert (reply, str(reading.wrong), reading.held) == (Reply(), "tool_calls is empty", '{"tool_calls":[]}')
    assert reading.remains() == [TextDelta(text='{"tool_calls":[]}')]
    again = Reading(ANY, after=reading)
    again.feed([TextDelta(text="{")])
    assert again.remains() == [TextDelta(text='{"tool_calls":[]}\n\n{')]


# ---------------------------------------------------------------- what was asked for


@pytest.mark.parametrize(
    ("form", "text", "expected"),
    [
        (Form(tools=TOOLS, choice="none"), OSLO, "tool_calls[0].name is 'weather'; no tool may be called now"),
        (Form(tools={}), OSLO, "tool_calls[0].name is 'weather'; no tool may be called now"),
        (Form(tools=TOOLS, choice="required"), "words", "it calls no tool, and it has to"),
        (Form(tools=TOOLS, choice=NamedTool(name="clock")), "", "it calls no tool, and it has to"),
        (
            Form(tools=TOOLS, choice=NamedTool(name="clock")),
            OSLO,
            "tool_calls[0].name is 'weather'; it is one of clock",
        ),
        (
            Form(tools=TOOLS, choice="required", format=TOOLS["weather"]),
            '{"city":"x"}',
            "it calls no tool, and it has to",
        ),
        (JSON, "Oslo", "it is not the JSON asked for: JSON is malformed: invalid character (byte 0)"),
        (JSON, 'so!\n{"city":"x"}```', "it is not the JSON asked for: JSON is malformed: invalid character (byte 0)"),
        (JSON, '```py\n{"city":"x"}```', "it is not the JSON asked for: JSON is malformed: invalid character (byte 0)"),
        (JSON, '```\n{"city":"x"}', "it is not the JSON asked for: JSON is malformed: invalid character (byte 0)"),
        (JSON, "", "it is not the JSON asked for: input data was truncated"),
        (JSON, '{"city":1}', "the answer.city: 1 is not of type 'string'"),
        (JSON, "[]", "the answer: [] is not of type 'object'"),
        (JSON, OSLO, "the answer: 'city' is a required property"),
    ],
)
def test_a_wish_that_is_not_met_is_told(form: Form, text: str, expected: str) -> None:
    """What has to be called, what may not be, and the format."""
    assert reason(form, text) == expected


@pytest.mark.parametrize("text", ['{"city":"x"}', '\n```json\n{"city":"x"}\n```\n', '```\n{"city":"x"}```'])
def test_json_comes_out_bare(text: str) -> None:
    """Without its fence and the space around it, in one piece at the end."""
    reading = Reading(JSON)
    assert reading.feed([TextDelta(text=text)]) == []
    assert reading.feed([END]) == []
    assert reading.close() == [TextDelta(text='{"city":"x"}'), END]


def test_only_one_call_at_a_time_where_that_was_asked() -> None:
    """One passes, two are wrong."""
    one = Form(tools=TOOLS, several=False)
    assert len(read(one, OSLO)[1].tool_calls) == 1
    two = OSLO.replace("]}", ',{"name":"clock","arguments":{}}]}')
    assert reason(one, two) == "tool_calls holds 2 calls, and one at a time is allowed"


# ---------------------------------------------------------------- the stream


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "open"),
        (" \n", "open"),
        ("{", "open"),
        ('{ "tool', "open"),
        ('{"tool_calls"', "call"),
        ('{"tool_call"', "words"),
        ('{"Tool_calls"', "words"),
        ("{'tool_calls'", "words"),
        ("[{", "words"),
        ("}", "words"),
        ("`", "open"),
        ("``", "open"),
        ("```", "open"),
        ("``x", "words"),
        ("```js", "open"),
        ("```Json", "open"),
        ("```json5", "words"),
        ("```js\n", "words"),
        ("```py", "words"),
        ("```json\n ", "open"),
        ('```json\n{\n"tool_calls"', "call"),
        ("```\n{}", "words"),
        ("```\nx", "words"),
        ('json\n{"tool_calls"', "words"),
        (" " * 1023, "open"),
        (" " * 1024, "words"),
        (" " * 1012 + '{"tool_calls"', "words"),
        (" " * 1011 + '{"tool_calls"', "call"),
    ],
)
def test_the_beginning_tells_calls_from_words(text: str, expected: str) -> None:
    """As early as it can be known."""
    assert opening(text) == expected


def test_words_go_out_as_soon_as_they_cannot_be_a_call() -> None:
    """What was held comes first, and from then on each piece passes as it is."""
    reading = Reading(ANY)
    assert reading.feed([TextDelta(text="`")]) == []
    assert reading.feed([TextDelta(text="a` ")]) == [TextDelta(text="`a` ")]
    batch: Sequence[Event] = [TextDelta(text='{"tool_calls"'), TextDelta(text="b")]
    assert reading.feed(batch) is batch
    assert reading.feed([]) == []
    assert reading.feed([TextDelta(text="c"), END]) == [TextDelta(text="c")]
    assert reading.close() == [END]


@pytest.mark.parametrize("form", [JSON, Form(tools=TOOLS, choice="required"), Form(tools=TOOLS, format=TOOLS["clock"])])
def test_nothing_of_an_answer_that_is_judged_whole_goes_out_before_its_end(form: Form) -> None:
    """Where a call is due, or a format."""
    reading = Reading(form)
    assert [*reading.feed([TextDelta(text="words")]), *reading.feed([TextDelta(text=" more")])] == []
    assert reading.held == "words more"


def test_without_talk_of_tools_nothing_is_a_call() -> None:
    """Every piece passes."""
    batch: Sequence[Event] = [TextDelta(text=OSLO)]
    assert Reading(Form()).feed(batch) is batch


def test_what_is_no_text_passes_at_once_and_in_order() -> None:
    """Reasoning, sources, places; only text is held back."""
    moved = ThreadMoved(thread=Thread(provider="p", id="c1"))
    others: list[Event] = [ThinkingDelta(text="hm"), Citation(url="https://x.example"), moved]
    reading = Reading(ANY)
    assert reading.feed([others[0], TextDelta(text=OSLO), *others[1:]]) == others
    assert (reading.thread, reading.held) == (moved.thread, OSLO)


def test_a_revision_takes_the_place_of_what_is_held() -> None:
    """A call that becomes words goes out as words, and words that went out are revised for all to see."""
    reading = Reading(ANY)
    assert reading.feed([TextDelta(text=OSLO), Revised(text="No")]) == [TextDelta(text="No")]
    assert reading.feed([Revised(text=OSLO)]) == [Revised(text=OSLO)]
    reading = Reading(ANY)
    assert reading.feed([TextDelta(text="{"), Revised(text=OSLO[:20]), TextDelta(text=OSLO[20:]), END]) == []
    assert [type(event).__name__ for event in reading.close()] == ["ToolCallDelta", "Finish"]
    reading = Reading(JSON)
    assert reading.feed([TextDelta(text="x"), Revised(text='{"city":"x"}'), END]) == []
    assert reading.close() == [TextDelta(text='{"city":"x"}'), END]


@pytest.mark.parametrize("why", ["length", "content_filter"])
@pytest.mark.parametrize("form", [ANY, JSON, Form(tools=TOOLS, choice="required")])
def test_an_answer_that_was_cut_short_is_not_judged(form: Form, why: FinishReason) -> None:
    """It goes out as it is; one that is whole all the same counts."""
    reading, reply = read(form, '{"tool_calls":[{', finish=Finish(reason=why))
    assert (reply.text, reply.finish, reading.wrong) == ('{"tool_calls":[{', Finish(reason=why), None)
    assert read(ANY, OSLO, finish=Finish(reason=why))[1].finish == Finish(reason="tool_calls")


def test_tokens_add_up() -> None:
    """A count that only one answer has is that one's; what neither has stays unknown; an estimate stays one."""
    first, second = Reading(ANY), Reading(ANY)
    first.feed([Usage(input_tokens=9, output_tokens=3, reasoning_tokens=1, estimated=True)])
    second = Reading(ANY, after=first)
    (total,) = second.feed([Usage(input_tokens=10, output_tokens=4, cached_input_tokens=9)])
    assert total == Usage(
        input_tokens=19, output_tokens=7, cached_input_tokens=9, reasoning_tokens=1, estimated=True
    )  # fmt: skip
    assert second.usage == total
    words = Reading(ANY, after=first)
    assert words.feed([TextDelta(text="a")]) == [TextDelta(text="a")]
    assert words.feed([Usage(output_tokens=4)]) == [
        Usage(input_tokens=9, output_tokens=7, reasoning_tokens=1, estimated=True)
    ]
    counted = Reading(ANY)
    counted.feed([Usage(output_tokens=1)])
    assert Reading(ANY, after=counted).feed([Usage(estimated=True)]) == [Usage(output_tokens=1, estimated=True)]
    untold = Reading(ANY, after=Reading(ANY))
    assert untold.feed([TextDelta(text="a"), Usage(output_tokens=4)])[-1] == Usage(output_tokens=4)


PIECES = st.text(alphabet=st.sampled_from('`{}"tool_calsjn: \n[]😀é'), max_size=40)
ANSWERS = st.one_of(
    PIECES,
    st.text(max_size=40),
    st.builds(lambda head, tail: head + OSLO + tail, st.sampled_from(["", " ", "```json\n", "so: "]), PIECES),
    st.sampled_from([OSLO, f"```json\n{OSLO}\n```"]),
)


@given(text=ANSWERS, data=st.data())
def test_every_split_gives_the_same(text: str, data: st.DataObject) -> None:
    """Pieces are an accident of the network."""
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=5)))
    pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    whole, cut, single = (read(ANY, *parts) for parts in ([text], pieces, list(text)))
    assert without_ids(whole[1]) == without_ids(cut[1]) == without_ids(single[1])
    assert str(whole[0].wrong) == str(cut[0].wrong) == str(single[0].wrong)


@given(text=st.one_of(PIECES, st.text()), data=st.data())
def test_what_is_no_call_comes_out_unchanged(text: str, data: st.DataObject) -> None:
    """Nothing is added, taken or asked again."""
    cut = data.draw(st.integers(0, len(text)))
    reading, reply = read(ANY, text[:cut], text[cut:])
    assert (reading.wrong is not None) or without_ids(reply) == (text, [], END)
    assert reading.wrong is None or '"tool_calls"' in text


ARGUMENTS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(
    arguments=st.dictionaries(st.text(), ARGUMENTS, max_size=3), indent=st.sampled_from([None, 2]), ascii=st.booleans()
)
def test_any_arguments_arrive_whole(arguments: dict[str, Any], indent: int | None, ascii: bool) -> None:  # noqa: A002
    """However the model lays out its JSON."""
    text = json.dumps({"tool_calls": [{"name": "clock", "arguments": arguments}]}, indent=indent, ensure_ascii=ascii)
    (call,) = read(ANY, text)[1].tool_calls
    assert isinstance(call, ToolCall)
    assert json.loads(call.arguments) == arguments
