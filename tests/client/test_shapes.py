"""client/shapes.py: OpenAI's names for our events."""

from __future__ import annotations

import json

from polychat.client.shapes import Chunker, Heading, completion
from polychat.fold import fold
from polychat.types import (
    Citation,
    Event,
    Finish,
    Image,
    Media,
    Revised,
    TextDelta,
    ThinkingDelta,
    Thread,
    ThreadMoved,
    Title,
    ToolCallDelta,
    Usage,
)

HEADING = Heading(id="chatcmpl-1", created=1, model="m", provider="p", account="a")
PICTURE, SOURCE, THREAD = Image(data=b"GIF89a"), Citation(url="https://x.example"), Thread(provider="p", id="c")
EVENTS: list[Event] = [
    ThinkingDelta(text="hm"), TextDelta(text="a "), TextDelta(text="cat"), Media(part=PICTURE), SOURCE,
    Title(title="T"),
    ToolCallDelta(index=0, id="t1", name="f", arguments="{"), ToolCallDelta(index=0, arguments="}"),
    ThreadMoved(thread=THREAD), Usage(input_tokens=2, output_tokens=3, reasoning_tokens=1), Finish(reason="tool_calls"),
]  # fmt: skip


def test_a_whole_answer_has_openais_shape_and_ours_beside_it() -> None:
    """The dump is plain JSON data under the names of the SDK."""
    answer = completion(HEADING, fold(EVENTS))
    dumped = answer.model_dump()
    assert json.loads(answer.model_dump_json()) == json.loads(json.dumps(dumped))
    assert dumped["object"] == "chat.completion"
    assert dumped["choices"] == [
        {
            "index": 0, "finish_reason": "tool_calls", "logprobs": None,
            "message": {
                "role": "assistant", "content": "a cat", "reasoning_content": "hm", "refusal": None,
                "tool_calls": [{"id": "t1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
                "images": dumped["choices"][0]["message"]["images"],
            },
        }
    ]  # fmt: skip
    assert dumped["usage"] == {
        "prompt_tokens": 2, "completion_tokens": 3, "total_tokens": 5, "cached_tokens": None, "reasoning_tokens": 1,
    }  # fmt: skip
    assert (answer.text, answer.reasoning, answer.images) == ("a cat", "hm", [PICTURE])
    assert (answer.conversation, answer.sources, answer.title) == (THREAD, [SOURCE], "T")


def test_a_call_without_words_has_no_content() -> None:
    """As the SDK has it: None and not an empty text."""
    reply = fold([ToolCallDelta(index=0, id="t", name="f", arguments="{}"), Finish(reason="tool_calls")])
    assert completion(HEADING, reply).choices[0].message.content is None


def test_batches_do_not_change_the_chunks() -> None:
    """One event at a time or all at once: the same chunks."""
    whole, single = Chunker(HEADING), Chunker(HEADING)
    assert whole.chunks(EVENTS) == [chunk for event in EVENTS for chunk in single.chunks([event])]


def test_each_content_event_is_a_chunk_and_notices_ride_along() -> None:
    """Sources and the conversation are on every chunk after they are known; usage is on the last."""
    chunks = Chunker(HEADING).chunks(EVENTS)
    assert [chunk.choices[0].delta.content for chunk in chunks] == [None, "a ", "cat", None, None, None, None]
    assert [bool(chunk.sources) for chunk in chunks] == [False] * 4 + [True] * 3
    assert chunks[-1].conversation == THREAD
    assert [chunk.usage is not None for chunk in chunks] == [False] * 6 + [True]


def test_a_revision_is_a_chunk_that_adds_nothing_and_says_the_whole() -> None:
    """A reader that only joins contents is not given the text twice."""
    (chunk,) = Chunker(HEADING).chunks([Revised(text="better")])
    assert (chunk.choices[0].delta.content, chunk.revised) == (None, "better")
