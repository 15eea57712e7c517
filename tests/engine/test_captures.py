"""engine/captures.py: what is kept of an answer we do not know, for a report that may be shown."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polychat import AsyncClient, FormatChanged, Interrupted
from polychat.engine import captures
from polychat.engine.settings import load
from polychat.sandbox.server import Sandbox

SECRET = "sandbox-canary of mine"
JSON = st.recursive(st.sampled_from([SECRET, 1, True, None]), lambda inner: st.lists(inner) | st.dictionaries(
    st.sampled_from(["text", "type", "id", SECRET, "0d1f-11ee-be56-0242"]), inner), max_leaves=8)  # fmt: skip


@given(JSON)
def test_no_word_of_a_document_survives(document: object) -> None:
    """Texts become lengths, also under the fields of the format and as keys."""
    kept = json.dumps(captures.shape(json.dumps(document).encode()))
    assert "canary" not in kept
    assert "0d1f" not in kept


def test_the_shape_survives() -> None:
    """What a maintainer needs to see: keys, nesting, numbers, and the values that are the format itself."""
    document = {
        "type": "delta",
        "v": {"message": {"status": "in_progress", "parts": ["hi", 3]}},
        "p": "/message/content",
    }
    assert captures.shape(json.dumps(document).encode()) == {
        "type": "delta",
        "v": {"message": {"status": "in_progress", "parts": ["<2 characters>", 3]}},
        "p": "/message/content",
    }


@given(st.binary(max_size=200))
def test_anything_at_all_has_a_shape(evidence: bytes) -> None:
    """Damaged bytes are no reason to fail twice."""
    json.dumps(captures.shape(evidence + b" canary"))
    assert "canary" not in json.dumps(captures.shape(evidence + b"\ncanary {"))


def test_captures_are_few_and_their_owners_own(tmp_path: Path) -> None:
    """0600, and the oldest go."""
    error = FormatChanged("x", provider="p", evidence=b'{"a": 1}')
    paths = [captures.keep(error, tmp_path / "captures") for _ in range(captures.KEPT + 3)]
    assert paths[-1] is not None
    assert stat.S_IMODE(paths[-1].stat().st_mode) == 0o600
    assert sorted((tmp_path / "captures").iterdir()) == sorted(path for path in paths[3:] if path)


def test_without_a_place_nothing_else_fails(tmp_path: Path) -> None:
    """A report is a help."""
    (tmp_path / "file").touch()
    assert captures.keep(FormatChanged("x", evidence=b"{}"), tmp_path / "file") is None
    assert captures.keep(FormatChanged("x"), tmp_path) is None


@pytest.mark.parametrize("service", ["reka", "chatgpt"])
def test_an_answer_we_do_not_know_is_kept_and_the_hint_says_where(
    sandbox: Sandbox, service: str, tmp_path: Path
) -> None:
    """The person can send it with a report; the words of the talk are not in it."""
    import asyncio

    path, after = {"reka": ("/api/chat", 0), "chatgpt": ("/backend-api/f/conversation", 6)}[service]
    sandbox.fault(service, "malformed_frame", after=after, path=path)
    settings = load(environ={"POLYCHAT_SANDBOX": sandbox.url, "POLYCHAT_HOME": str(tmp_path)})

    async def main() -> None:
        async with AsyncClient(settings=settings) as client:
            await client.chat.completions.create(model=service, messages="canary canary")

    with pytest.raises((FormatChanged, Interrupted)) as caught:
        asyncio.run(main())
    (kept,) = (tmp_path / "state" / "captures").iterdir()
    assert str(kept) in (caught.value.hint or "")
    assert "canary" not in kept.read_text()
