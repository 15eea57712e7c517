"""What the service made and gets back: reasoning it sealed itself, items it kept, and nothing else."""

from __future__ import annotations

import openai
import pytest

INCLUDE = ["reasoning.encrypted_content"]
QUESTION = {"role": "user", "content": "Hello there"}
NEXT = {"role": "user", "content": "And?"}


@pytest.fixture
def reason(client):
    """reason(input, **fields): a response of a model that reasons, kept by nobody."""

    def reason(asked, **fields):
        return client.responses.create(**{"model": "gpt-5.5", "input": asked, "store": False} | fields)

    return reason


def test_reasoning_is_sealed_when_that_is_asked_for(reason):
    """With its summary or without one; unasked, it is not."""
    sealed = reason([QUESTION], include=INCLUDE).output[0]
    shown = reason([QUESTION], include=INCLUDE, reasoning={"summary": "auto"}).output[0]
    assert (sealed.encrypted_content[:5], sealed.summary) == ("gAAAA", [])
    assert (shown.encrypted_content[:5], len(shown.summary)) == ("gAAAA", 1)
    assert "question" not in sealed.encrypted_content
    assert sealed.encrypted_content != shown.encrypted_content
    assert reason([QUESTION]).output[0].encrypted_content is None


def test_a_stream_has_the_seal_whole_only_at_the_end(post, events):
    """Of the item that is done; what has begun has its beginning."""
    body = {"model": "gpt-5.5", "input": "Hi", "stream": True, "store": False, "include": INCLUDE}
    told = events(post("/responses", body).body)
    begun, done = told[2]["item"], told[3]["item"]
    assert told[-1]["response"]["output"][0] == done
    assert done["encrypted_content"].startswith(begun["encrypted_content"])
    assert len(begun["encrypted_content"]) < len(done["encrypted_content"])


def test_the_package_gathers_a_seal(client, reason):
    """And hands it back."""
    with client.responses.stream(model="gpt-5.5", input=[QUESTION], store=False, include=INCLUDE) as stream:
        told = stream.get_final_response()
    assert reason([QUESTION, *told.output, NEXT]).output_text.startswith("You asked: “And?”")


def test_a_seal_comes_back(reason):
    """With its id or without; again and again."""
    first = reason([QUESTION], include=INCLUDE)
    thought = first.output[0].to_dict()
    nameless = {name: value for name, value in thought.items() if name != "id"}
    for item in (thought, nameless, thought):
        told = reason([QUESTION, item, first.output[1], NEXT])
        assert told.output_text.startswith("You asked: “And?” (1 word). Before that I was given 2 turns")


@pytest.mark.parametrize(
    "change",
    [
        lambda seal: "gAAAAABforeign",
        lambda seal: "",
        lambda seal: "Łódź",
        lambda seal: seal[:-4],
        lambda seal: seal[:-8] + ("AAAA" if seal[-8:-4] != "AAAA" else "BBBB") + seal[-4:],
        lambda seal: seal[:20] + ("A" if seal[20] != "A" else "B") + seal[21:],
        lambda seal: seal + "AAAA",
    ],
    ids=["foreign", "empty", "letters", "cut", "proof", "named", "longer"],
)
def test_a_seal_that_is_not_the_service_s_own_is_refused(reason, change):
    """400, as the real one does."""
    first = reason([QUESTION], include=INCLUDE)
    thought = first.output[0].to_dict()
    thought["encrypted_content"] = change(thought["encrypted_content"])
    with pytest.raises(openai.BadRequestError, match="cannot be verified") as caught:
        reason([QUESTION, thought, first.output[1], NEXT])
    assert (caught.value.code, caught.value.param) == ("invalid_encrypted_content", None)


def test_a_seal_is_of_one_account_and_one_item(client, reason):
    """No other may use it."""
    first, second = (reason([QUESTION], include=INCLUDE) for _ in range(2))
    moved = first.output[0].to_dict() | {"id": second.output[0].id}
    with pytest.raises(openai.BadRequestError, match="it was not made for the item") as caught:
        reason([QUESTION, moved, first.output[1], NEXT])
    assert caught.value.code == "invalid_encrypted_content"
    bob = client.with_options(api_key="sandbox-bob")
    with pytest.raises(openai.BadRequestError, match="for another organization") as caught:
        bob.responses.create(model="gpt-5.5", input=[QUESTION, *first.output, NEXT])
    assert caught.value.code == "invalid_encrypted_content"


def test_reasoning_that_is_not_sealed_was_kept(client, reason):
    """By the service, for this account; otherwise there is no such item."""
    kept, lost = reason([QUESTION], store=True), reason([QUESTION])
    assert reason([QUESTION, *kept.output, NEXT]).status == "completed"
    with pytest.raises(openai.NotFoundError, match="nothing is kept while 'store' is false") as caught:
        reason([QUESTION, *lost.output, NEXT])
    assert (caught.value.type, caught.value.param) == ("invalid_request_error", "input")
    bob = client.with_options(api_key="sandbox-bob")
    with pytest.raises(openai.NotFoundError):
        bob.responses.create(model="gpt-5.5", input=[QUESTION, *kept.output, NEXT])


def test_reasoning_is_followed_by_what_came_of_it(reason):
    """A message, a call or a picture of the model; not by the person's words, nor by nothing."""
    first = reason([QUESTION], include=INCLUDE)
    for items in ([first.output[0]], [first.output[0], NEXT]):
        with pytest.raises(openai.BadRequestError, match="without the item that must follow") as caught:
            reason([QUESTION, *items])
        assert (caught.value.code, caught.value.param) == (None, "input")


def test_searches_and_pictures_come_back_as_they_were(client, reason):
    """Beside the reasoning and the words."""
    tools = [{"type": "web_search"}, {"type": "image_generation"}]
    first = reason("Draw a fox", include=[*INCLUDE, "web_search_call.action.sources"], tools=tools)
    assert [item.type for item in first.output] == [
        "reasoning", "web_search_call", "image_generation_call", "message",
    ]  # fmt: skip
    told = reason([{"role": "user", "content": "Draw a fox"}, *first.output, NEXT], include=INCLUDE, tools=tools)
    assert "Earlier you showed a PNG picture, 1024 × 1024 pixels" in told.output_text


def test_a_picture_without_its_bytes_was_kept(reason):
    """Or there is no such item; one that failed has none."""
    for item_id in ("ig_1", reason("Draw", tools=[{"type": "image_generation"}]).output[1].id):
        with pytest.raises(openai.NotFoundError, match=f"no item '{item_id}'"):
            reason([{"type": "image_generation_call", "id": item_id}, NEXT])
    failed = {"type": "image_generation_call", "id": "ig_1", "status": "failed", "result": None}
    assert reason([failed, NEXT]).status == "completed"


def test_an_item_is_known_by_its_id(refused):
    """Without one, and without a seal or bytes, it is nothing."""
    for item in ({"type": "reasoning", "summary": []}, {"type": "image_generation_call"}):
        body = {"model": "gpt-5.5", "input": [item, QUESTION]}
        assert refused("/responses", body) == (400, "input[0].id", "missing_required_parameter")
