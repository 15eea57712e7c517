"""Answers in OpenAI's names."""

from __future__ import annotations

import json

from polychat.g4f.shapes import Chunker, completion, heading
from polychat.types import Finish, Reply, Revised, TextDelta, Usage

USAGE = Usage(input_tokens=3, output_tokens=2)


def test_a_completion_dumps_as_dict_and_json() -> None:
    """Both dumps say the same, and it is what OpenAI's clients read."""
    answer = completion(heading("reka-core", "reka"), Reply(text="Hi", usage=USAGE, finish=Finish(reason="length")))
    dumped = answer.model_dump()
    assert json.loads(answer.to_json()) == json.loads(answer.model_dump_json()) == dumped
    assert dumped["choices"] == [
        {"message": {"content": "Hi", "role": "assistant"}, "finish_reason": "length", "index": 0}
    ]
    assert dumped["usage"] == {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    assert dumped["object"] == "chat.completion"


def test_chunks_carry_text_and_end_with_the_reason() -> None:
    """The role comes once, notices make no chunk, and the usage rides on the last one."""
    events = [TextDelta(text="H"), Revised(text="Ha"), TextDelta(text="i"), USAGE, Finish(reason="stop")]
    chunks = list(Chunker(heading("reka-core", "reka")).chunks(events))
    deltas = [(chunk.choices[0].delta.role, chunk.choices[0].delta.content) for chunk in chunks]
    assert deltas == [("assistant", "H"), (None, "i"), (None, None)]
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [None, None, "stop"]
    assert [chunk.usage is None for chunk in chunks] == [True, True, False]
    assert len({chunk.id for chunk in chunks}) == 1
