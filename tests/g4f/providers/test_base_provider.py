"""What every provider class of this face does: whose account asks, what arrives, and what happens on the way out."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, ClassVar

import pytest

from polychat.errors import BadOption, UnsupportedFeature
from polychat.g4f.cookies import set_cookies
from polychat.g4f.Provider import Reka
from polychat.g4f.providers.base_provider import class_first
from polychat.sandbox.server import Sandbox

HELLO: list[dict[str, Any]] = [{"role": "user", "content": "Hello"}]


def askers(sandbox: Sandbox) -> list[str | None]:
    """Whose questions arrived, in order."""
    return [entry.account for entry in sandbox.journal(service="reka", path="/api/chat")]


def test_nothing_is_sent_before_the_first_piece(reka: Sandbox) -> None:
    """`create_completion` is lazy: the question goes out when somebody reads."""
    completion = Reka.create_completion("reka-core", HELLO, True)
    assert reka.journal(service="reka") == []
    assert next(completion)
    assert askers(reka) == ["sandbox-alice"]


def test_pieces_join_to_the_answer(reka: Sandbox) -> None:
    """The text comes in pieces that are joined without anything between them."""
    reka.script("reka", chunks=["ha", "ha", "ha!"])
    assert list(Reka.create_completion("reka-core", HELLO, stream=True)) == ["ha", "ha", "ha!"]
    reka.script("reka", chunks=["ha", "ha", "ha!"])
    assert "".join(Reka.create_completion("reka-core", HELLO, stream=False)) == "hahaha!"


def test_leaving_early_hangs_up(reka: Sandbox) -> None:
    """Dropping a half-read completion closes the call to the service."""
    reka.fault("reka", "stall", after=2, path="/api/chat")
    completion = Reka.create_completion("reka-core", HELLO, True)
    assert next(completion)
    completion.close()  # type: ignore[attr-defined]
    deadline = threading.Event()
    for _ in range(200):
        (entry,) = reka.journal(service="reka", path="/api/chat")
        if entry.ended != "open" or deadline.wait(0.02):
            break
    assert entry.ended == "client left"


def test_roles_and_model_reach_the_service(reka: Sandbox) -> None:
    """System, user and assistant arrive as what they are, and the model asked for is the one that answers."""
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "One?"},
        {"role": "assistant", "content": "1"},
        {"role": "user", "content": [{"type": "text", "text": "Two?"}]},
    ]
    list(Reka.create_completion("reka-flash", messages, True))
    (entry,) = reka.journal(service="reka", path="/api/chat")
    assert entry.json["model_name"] == "reka-flash"
    assert entry.json["conversation_history"] == [
        {"type": "human", "text": "Be brief.\n\nOne?"},
        {"type": "model", "text": "1"},
        {"type": "human", "text": "Two?"},
    ]


@pytest.mark.parametrize("model", ["reka", "", Reka.default_vision_model])
def test_the_bare_name_is_the_default_model(reka: Sandbox, model: str) -> None:
    """The service's own name, or none, asks its default model."""
    list(Reka.create_completion(model, HELLO, True))
    (entry,) = reka.journal(service="reka", path="/api/chat")
    assert entry.json["model_name"] == "reka-core"


def test_a_picture_goes_with_the_last_user_message(reka: Sandbox, home: Path) -> None:
    """`image` is uploaded and named in the last turn."""
    list(Reka.create_completion("reka-core", HELLO, True, image=home / "docs/images/cat.jpeg"))
    (entry,) = reka.journal(service="reka", path="/api/chat")
    assert [turn.get("media_type") for turn in entry.json["conversation_history"]] == ["image"]


def test_further_arguments_are_not_dropped(reka: Sandbox) -> None:
    """What the service takes reaches it; what it does not take is refused by name before anything is sent."""
    list(Reka.create_completion("reka-core", HELLO, True, seed=7, web_search=True, use_code_interpreter=True))
    (entry,) = reka.journal(service="reka", path="/api/chat")
    sent = [entry.json[name] for name in ("random_seed", "use_search_engine", "use_code_interpreter")]
    assert sent == [7, True, True]
    with pytest.raises(UnsupportedFeature, match="temperature"):
        list(Reka.create_completion("reka-core", HELLO, True, temperature=0.5))
    with pytest.raises(BadOption, match="'colour'"):
        list(Reka.create_completion("reka-core", HELLO, True, colour="red"))
    assert len(askers(reka)) == 1


def test_a_refused_question_is_not_even_signed_in(reka: Sandbox) -> None:
    """What the service does not take costs no request at all."""
    with pytest.raises(UnsupportedFeature):
        list(Reka.create_completion("reka-core", HELLO, True, max_tokens=5))
    assert reka.journal() == []


def test_a_key_beats_cookies_and_cookies_beat_what_is_kept(reka: Sandbox) -> None:
    """The account is the call's key, else the cookies set for the domain, else the class's, else a kept one."""

    class Mine(Reka):
        cookies: ClassVar[dict[str, str]] = {"appSession": "your_access_token"}

    list(Mine.create_completion("reka-core", HELLO, True))
    set_cookies(".space.reka.ai", {"appSession": "sandbox-bob"})
    list(Mine.create_completion("reka-core", HELLO, True))
    list(Mine.create_completion("reka-core", HELLO, True, api_key="your_api_key"))
    set_cookies("space.reka.ai")
    list(Reka.create_completion("reka-core", HELLO, True, api_key=""))
    assert askers(reka) == ["your_access_token", "sandbox-bob", "your_api_key", "sandbox-alice"]
    assert Reka.cookies == {}


def test_two_accounts_in_two_threads_never_mix(reka: Sandbox) -> None:
    """Each thread's questions arrive under its own account, each picture under its owner's, whatever runs beside."""
    started = threading.Barrier(2)
    said: dict[str, list[str]] = {"sandbox-alice": [], "sandbox-bob": []}

    def talk(person: str) -> None:
        started.wait()
        for number in range(10):
            question = [{"role": "user", "content": f"{person} asks {number}"}]
            said[person].append("".join(Reka.create_completion("reka-core", question, True, api_key=person)))
            said[person].append(Reka.upload_image(person, f"{person} {number}".encode()))

    threads = [threading.Thread(target=talk, args=(person,)) for person in said]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for person, answers in said.items():
        assert [person in answer for answer in answers] == [True] * 20
    for entry in reka.journal(service="reka", path="/api/chat"):
        assert entry.json["conversation_history"][0]["text"].startswith(f"{entry.account} asks")


def test_class_first_hands_on_the_class() -> None:
    """A method that is given a class as its first argument works for that class."""

    class Base:
        @classmethod
        @class_first
        def name(cls, suffix: str = "") -> str:
            return cls.__name__ + suffix

    class Other(Base):
        pass

    assert [Base.name("!"), Base.name(Base, "!"), Base.name(Other), Base().name()] == [
        "Base!",
        "Base!",
        "Other",
        "Base",
    ]
