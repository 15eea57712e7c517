"""What is written down of an exchange, and what is not."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polychat.credentials import Secret
from polychat.net.traffic.redaction import PLACEHOLDER, Redactor

SECRET = "caf3/of+canaries=Zo€"
PLAIN = "canary-0a1b2c3d4e5f"
FORMS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "percent": lambda text: quote(text, safe=""),
    "percent, lower case": lambda text: quote(text, safe="").replace("%2F", "%2f").replace("%2B", "%2b"),
    "percent twice": lambda text: quote(quote(text, safe=""), safe=""),
    "form": quote_plus,
    "json": lambda text: json.dumps(text)[1:-1],
    "json, slashes": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "json in json": lambda text: json.dumps(json.dumps(text).replace("/", "\\/")),
    "json for html": lambda text: text.replace("=", "\\u003d").replace("+", "\\u002B"),
    "html": lambda text: text.replace("=", "&#61;").replace("+", "&#x2B;"),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 of basic": lambda text: base64.b64encode(f"user:{text}".encode()).decode(),
    "base64 within": lambda text: base64.urlsafe_b64encode(f"xy{text}, and more".encode()).decode(),
    "base64 in a link": lambda text: quote(base64.b64encode(text.encode()).decode(), safe=""),
    "hex": lambda text: text.encode().hex(),
    "hex, upper case": lambda text: text.encode().hex().upper(),
}


def knowing(*secrets: str) -> Redactor:
    """A redactor that was told of these."""
    redactor = Redactor()
    for secret in secrets:
        redactor.learn(secret)
    return redactor


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("secret", [SECRET, PLAIN])
def test_a_known_secret_is_replaced_in_every_form(form: str, secret: str) -> None:
    """However a secret is written, a placeholder stands in its place, and what stands around it stays."""
    written = FORMS[form](secret)
    said = knowing(secret).body(f'{{"words": "before {written} after"}}'.encode()).data.decode()
    assert (said.startswith('{"words": "before '), said.endswith(' after"}')) == (True, True)
    assert ("REDACTED-1" in said, written in said, secret in said) == (True, False, False)


@given(st.data())
def test_a_secret_is_replaced_wherever_the_body_was_cut(data: st.DataObject) -> None:
    """Cuts keep their place between the words; one inside a secret falls into its placeholder, in order."""
    body = f'{{"a": "{PLAIN}", "b": "Grüße {PLAIN}{PLAIN}!"}}'.encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=12)))
    redacted = knowing(PLAIN).body(body, cuts=[*cuts, len(body)])
    pieces = [redacted.data[a:b] for a, b in zip([0, *redacted.cuts], redacted.cuts, strict=False)]
    assert b"".join(pieces).decode() == '{"a": "REDACTED-1", "b": "Grüße REDACTED-1REDACTED-1!"}'


def test_a_cut_outside_a_secret_stays_where_it_was() -> None:
    """Reads that hold no secret come out exactly as they were."""
    reads = [b"abc", PLAIN.encode() + b"d", b"ef"]
    ends = [3, 4 + len(PLAIN), 6 + len(PLAIN)]
    redacted = knowing(PLAIN).body(b"".join(reads), cuts=ends)
    assert (redacted.data, redacted.cuts) == (b"abcREDACTED-1def", [3, 14, 16])


def test_the_beginning_of_a_secret_at_the_end_of_a_cut_body_is_replaced() -> None:
    """What came of a secret before the connection broke is not kept either."""
    assert knowing(PLAIN).body(b'{"a": "' + PLAIN[:9].encode()).data == b'{"a": "REDACTED-1'


@pytest.mark.parametrize(
    "name",
    ["access_token", "accessToken", "refresh_token", "id_token", "sessionToken", "session_token", "api_key", "apiKey",
     "authorization", "password", "client_secret", "csrf", "csrfToken", "x-csrf-token", "cookie", "jwt"],
)  # fmt: skip
def test_a_text_under_the_name_of_a_secret_is_replaced(name: str) -> None:
    """By its name alone, also in a document within a document, also where the document was cut."""
    document = json.dumps({name: "p4ss w0rd!", "kept": "words"})
    assert json.loads(Redactor().body(document.encode()).data) == {name: "REDACTED-1", "kept": "words"}
    nested = json.loads(Redactor().body(json.dumps({"inner": document}).encode()).data)
    assert json.loads(nested["inner"]) == {name: "REDACTED-1", "kept": "words"}
    assert Redactor().body(f'{{"{name}": "p4ss w0r'.encode()).data == f'{{"{name}": "REDACTED-1'.encode()
    assert json.loads(Redactor().body(json.dumps({name: ["p4ss w0rd!", "an0ther"]}).encode()).data)[name] == [
        "REDACTED-1",
        "REDACTED-2",
    ]


@pytest.mark.parametrize(
    "document",
    [
        {"token": " Hello", "logprob": -0.1},
        {"max_tokens": 12, "prompt_tokens": 3},
        {"key": "value", "session": None, "secret": 5, "cookies": {}},
        {"type": "object", "properties": {"password": {"type": "string"}}},
        {"thoughtSignature": "c2lnbmF0dXJl", "signature": "ErUBCkYIChgCIkDs"},
        {"content": "eyJ is how a token begins; 'password' is a word; ?page=2&limit=5"},
    ],
)
def test_what_is_no_secret_stays(document: object) -> None:
    """Words, numbers, schemas and a model's own signatures are part of the format."""
    data = json.dumps(document).encode()
    assert Redactor().body(data, "application/json").data == data


@pytest.mark.parametrize(
    "secret",
    ["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
     "sk-ABCDEFGHIJKLMNOPQRST", "AIza" + "x" * 35, "ghp_" + "a1" * 12,
     "AKIAABCDEFGHIJKLMNOP", "xoxb-1234567890-abc", "ya29.a0ABCDEFGHIJKLMNOPQ"],
)  # fmt: skip
def test_the_shape_of_a_secret_is_enough(secret: str) -> None:
    """JWTs and keys with a known prefix are replaced wherever they stand."""
    assert Redactor().body(f'data: {{"words": "take {secret}, please"}}\n\n'.encode()).data == (
        b'data: {"words": "take REDACTED-1, please"}\n\n'
    )


def test_signed_links_lose_their_signatures() -> None:
    """In bodies the suspect parameters, in addresses all that are not allowed; the rest stays."""
    link = "https://files.example/a.png?X-Amz-Signature=0f0f0f0f&sig=abc%2Fdef&width=3&se=2026"
    shown = "https://files.example/a.png?X-Amz-Signature=REDACTED-1&sig=REDACTED-2&width=3&se=REDACTED-3"
    assert Redactor().body(json.dumps({"url": link}).encode()).data == json.dumps({"url": shown}).encode()
    assert Redactor().body(link.replace("&", "\\u0026").encode()).data.decode() == shown.replace("&", "\\u0026")
    assert Redactor().url("https://me:pass@host.example/a?limit=3&whatever=x1#part") == (
        "https://host.example/a?limit=3&whatever=REDACTED-1"
    )


def test_headers_are_kept_by_an_allow_list() -> None:
    """Of a header that is not on it, the name and the scheme of an authorization are all that stays."""
    said = Redactor().headers(
        {
            "accept": "*/*", "authorization": "Bearer b-1", "cookie": "a=1; b=2=3", "x-api-key": "k-1",
            "x-anything": "k-1", "location": "/next?state=s-1&page=2", "x-ratelimit-limit-requests": "5",
            "user-agent": Secret("mine").reveal(),
        }
    )  # fmt: skip
    assert said == {
        "accept": "*/*", "authorization": "Bearer REDACTED-1", "cookie": "a=REDACTED-2; b=REDACTED-3",
        "x-api-key": "REDACTED-4", "x-anything": "REDACTED-4", "location": "/next?state=REDACTED-5&page=2",
        "x-ratelimit-limit-requests": "5", "user-agent": "REDACTED-6",
    }  # fmt: skip


def test_a_cookie_that_is_set_keeps_its_name_and_rules() -> None:
    """The value goes, and every attribute that is none."""
    said = Redactor().set_cookie("session=abc; Path=/; HttpOnly; Secret=1; Max-Age=5")
    assert said == "session=REDACTED-1; Path=/; HttpOnly; Max-Age=5"


def test_what_one_place_shows_to_be_a_secret_is_hidden_in_the_others() -> None:
    """A cookie's value is looked for in bodies, a token that an answer hands out in later links."""
    redactor = Redactor()
    redactor.set_cookie(f"session={PLAIN}; Path=/")
    assert redactor.body(f"you are {PLAIN}".encode()).data == b"you are REDACTED-1"
    redactor.study(b'{"accessToken": "tok3n-0123456789"}')
    assert redactor.url("https://h.example/with/tok3n-0123456789") == "https://h.example/with/REDACTED-2"


def test_pages_and_forms_have_secrets_of_their_own() -> None:
    """Tags, names in scripts and a form's fields."""
    page = b'<meta name="csrf-token" content="abc"><input value=\'def\' name=authToken><script>apiKey = "ghi"</script>'
    assert Redactor().body(page, "text/html; charset=utf-8").data == (
        b'<meta name="csrf-token" content="REDACTED-1"><input value=\'REDACTED-2\' name=authToken>'
        b'<script>apiKey = "REDACTED-3"</script>'
    )
    form = b"name=alice&login=x&password=a+b%21"
    assert Redactor().body(form, "application/x-www-form-urlencoded").data == (
        b"name=alice&login=REDACTED-1&password=REDACTED-2"
    )


@given(st.binary(max_size=300))
def test_what_holds_no_secret_is_not_touched(data: bytes) -> None:
    """Bytes that are not text pass as they are."""
    assert knowing(PLAIN).body(data, "image/png").data == data


def test_redacting_twice_changes_nothing() -> None:
    """Placeholders are not secrets."""
    once = Redactor().body(b'{"access_token": "abc", "u": "https://h/p?sig=x"}').data
    assert Redactor().body(once).data == once
    assert PLACEHOLDER.findall(once.decode()) == ["REDACTED-1", "REDACTED-2"]


def test_a_secret_across_the_windows_of_the_search_is_found() -> None:
    """Large bodies are searched in pieces that overlap; what is nothing but base64 is passed over."""
    for size in (65530, 65536, 131_060):
        body = b" " * size + PLAIN.encode() + b" " * 70_000
        assert knowing(PLAIN).body(body).data == b" " * size + b"REDACTED-1" + b" " * 70_000
    blob = b"A" * 300_000
    assert knowing(PLAIN).body(b'{"b64": "' + blob + b'", "s": "' + PLAIN.encode() + b'"}').data == (
        b'{"b64": "' + blob + b'", "s": "REDACTED-1"}'
    )
