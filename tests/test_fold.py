"""fold.py: events in, one reply out."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from polychat.fold import Fold, fold
from polychat.types import (
    Citation,
    Event,
    Finish,
    HostedTool,
    Image,
    Media,
    QuotaSeen,
    Reply,
    Revised,
    TextDelta,
    Thinking,
    ThinkingDelta,
    Thread,
    ThreadMoved,
    Title,
    ToolCall,
    ToolCallDelta,
    Usage,
)

PREVIEW, FINAL = Image(data=b"GIF89a-preview"), Image(data=b"GIF89a-final")


def test_every_kind_of_event_has_its_place_in_the_reply() -> None:
    """Nothing a service said is lost in the fold."""
    thread, finish = Thread(provider="p", id="c1"), Finish(reason="stop", raw="done")
    source, quota, usage = (
        Citation(url="https://x.example"),
        QuotaSeen(feature="f", remaining=1.0),
        Usage(input_tokens=1),
    )
    tool = HostedTool(id="t", name="python", output="4")
    events: list[Event] = [
        ThinkingDelta(text="hm"), ThinkingDelta(signature="s"), TextDelta(text="a "), TextDelta(text="cat"),
        Media(part=FINAL), source, HostedTool(id="t", name="python"), tool, quota, Title(title="Cats"),
        ThreadMoved(thread=thread), usage, finish,
    ]  # fmt: skip
    assert fold(events) == Reply(
        text="a cat", thoughts=(Thinking(text="hm", signature="s"),), media=(FINAL,), citations=(source,),
        hosted_tools=(tool,),
        quotas=(quota,), title="Cats", thread=thread, usage=usage, finish=finish,
    )  # fmt: skip


def test_fragments_of_parallel_tool_calls_are_joined_by_index() -> None:
    """Interleaved fragments end in two whole calls, in order of index."""
    events = [
        ToolCallDelta(index=1, id="b", name="g", arguments='{"y"'),
        ToolCallDelta(index=0, id="a", name="f", arguments="{"),
        ToolCallDelta(index=1, arguments=":2}"),
        ToolCallDelta(index=0, arguments="}"),
    ]
    assert fold(events).tool_calls == (
        ToolCall(id="a", name="f", arguments="{}"),
        ToolCall(id="b", name="g", arguments='{"y":2}'),
    )


def test_a_revision_replaces_the_text_and_later_deltas_extend_it() -> None:
    """The reply equals what the service last said."""
    reply = fold([TextDelta(text="wrong"), Revised(text="rig"), TextDelta(text="ht")])
    assert (reply.text, reply.revised) == ("right", True)


def test_a_final_picture_replaces_its_preview() -> None:
    """Media of one id is one picture; without an id each counts."""
    reply = fold([Media(id="1", part=PREVIEW), Media(part=PREVIEW), Media(id="1", part=FINAL)])
    assert reply.media == (FINAL, PREVIEW)


@given(st.lists(st.text(max_size=5)), st.data())
def test_batches_do_not_matter_and_a_fold_can_be_read_halfway(words: list[str], data: st.DataObject) -> None:
    """However events are batched, the reply is the same, and half an answer is a reply too."""
    events = [TextDelta(text=word) for word in words]
    cut = data.draw(st.integers(0, len(events)))
    folding = Fold()
    folding.add(events[:cut])
    assert folding.reply().text == "".join(words[:cut])
    folding.add(events[cut:])
    assert folding.reply() == fold(events)


def test_each_block_of_reasoning_keeps_its_own_signature() -> None:
    """Reasoning can be handed back exactly as the service closed it, hidden blocks in their place."""
    events = [
        ThinkingDelta(text="a"), ThinkingDelta(text="b"), ThinkingDelta(signature="1"), ThinkingDelta(redacted="x"),
        ThinkingDelta(signature="2"), ThinkingDelta(text="c"), ThinkingDelta(redacted="y"), ThinkingDelta(text="d"),
    ]  # fmt: skip
    reply = fold(events)
    assert reply.thoughts == (
        Thinking(text="ab", signature="1"), Thinking(redacted="x"), Thinking(signature="2"),
        Thinking(text="c"), Thinking(redacted="y"), Thinking(text="d"),
    )  # fmt: skip
    assert (reply.thinking, reply.message().parts) == ("abcd", reply.thoughts)
