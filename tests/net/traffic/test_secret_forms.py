"""Escapes are undone the same way whoever wrote them, and the way back leads to the bytes they were."""

from __future__ import annotations

import html
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

from hypothesis import given
from hypothesis import strategies as st

from polychat.net.traffic.secret_forms import Forms, canonical, traced

WRITTEN: list[Callable[[str], str]] = [
    lambda text: quote(text, safe=""),
    quote_plus,
    lambda text: json.dumps(text)[1:-1],
    lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    lambda text: "".join(f"\\u{ord(char):04X}" for char in text),
    html.escape,
]
SECRETS = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=8, max_size=40)


@given(SECRETS, st.lists(st.sampled_from(WRITTEN), max_size=3), st.text("ab %\\&;", max_size=9))
def test_a_secret_is_found_however_it_was_escaped(secret: str, ways: list[Callable[[str], str]], around: str) -> None:
    """Any escapes, in any order, one in the other; cutting its span out leaves nothing of it."""
    forms = Forms(secret)
    written = secret
    for way in ways:
        written = way(written)
    data = f"{around.strip('%&')} {written} {around}".encode()
    if len(canonical(secret.encode())) >= 6:
        assert forms.is_in(canonical(data))
        view = traced(data)
        for low, high in sorted(map(view.span, forms.places(view.data)), reverse=True):
            data = data[:low] + b"#" + data[high:]
        assert not forms.is_in(canonical(data))


@given(st.binary(max_size=80) | st.text("%2u0&#;\\+4b", max_size=40).map(str.encode))
def test_the_way_back_is_in_order_and_in_bounds(data: bytes) -> None:
    """Tracing gives the canonical bytes, each from somewhere, never running backwards."""
    view = traced(data)
    assert view.data == canonical(data)
    assert len(view.starts) == len(view.ends) == len(view.data)
    assert view.starts == sorted(view.starts)
    assert all(0 <= low < high <= len(data) for low, high in zip(view.starts, view.ends, strict=True))
