"""Arguments become one request, or are refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from polychat.errors import BadOption
from polychat.g4f.questions import question
from polychat.types import Image, Text

HELLO: list[dict[str, Any]] = [{"role": "user", "content": "Hello"}]


def test_arguments_find_their_places(home: Path) -> None:
    """Known arguments are checked and placed, None means not given, and the rest are the service's options."""
    given = {"max_tokens": 5, "web_search": None, "stop": "END", "timeout": 3, "use_code_interpreter": True}
    asked = question("reka-core", HELLO, True, provider="reka", **given)
    request = asked.request
    assert (request.model, request.stream, request.max_tokens, request.web_search) == ("reka-core", True, 5, False)
    assert (request.stop, request.options, asked.timeout_s) == (("END",), {"use_code_interpreter": True}, 3.0)


@pytest.mark.parametrize(
    ("given", "field"),
    [({"max_tokens": "many"}, "max_tokens"), ({"stop": [1]}, "stop[0]"), ({"image": 7}, "image")],
)
def test_a_wrong_argument_is_named(home: Path, given: dict[str, Any], field: str) -> None:
    """The error knows the argument."""
    with pytest.raises(BadOption) as raised:
        question("reka-core", HELLO, True, provider="reka", **given)
    assert raised.value.field == field
    assert str(raised.value).startswith(field)


def test_pictures_go_with_the_last_user_message(home: Path) -> None:
    """They come before its words, `image` first, under their names; without a user message they are one."""
    gif, png = b"GIF89a", b"\x89PNG\r\n\x1a\n"
    talk = [{"role": "user", "content": "One"}, *HELLO, {"role": "assistant", "content": "Hi"}]
    first, second, third = question("m", talk, True, provider="reka", image=gif, images=[(png, "p")]).request.messages
    assert (first.attachments, third.attachments) == ((), ())
    assert second.parts == (Image(data=gif), Image(data=png, name="p"), Text(text="Hello"))
    alone = question("m", [{"role": "system", "content": "Look."}], True, provider="reka", image=gif).request.messages
    assert [(message.role, len(message.attachments)) for message in alone] == [("system", 0), ("user", 1)]
