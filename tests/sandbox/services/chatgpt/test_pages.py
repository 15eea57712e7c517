"""What a person's browser sees."""

from __future__ import annotations

import json
import re

FORM = {"content-type": "application/x-www-form-urlencoded"}


def test_the_page_names_its_build_and_sets_a_device(ask):
    """To anybody; a device that is known stays; nobody's page has no token."""
    page = ask("GET", "/chatgpt/")
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert re.search(rb'<html lang="en" data-build="[^"]+">', page.body)
    assert re.fullmatch(r"oai-did=[0-9a-f-]{36}; Path=/chatgpt; SameSite=lax", page.headers["set-cookie"])
    assert b'"accessToken":' not in page.body
    assert "set-cookie" not in ask("GET", "/chatgpt/", headers={"cookie": "oai-did=known"}).headers


def test_a_person_signs_in_by_a_form(ask, sandbox):
    """The form lists who is known; it sets a cookie a browser keeps over plain HTTP, and leads to the page."""
    page = ask("GET", "/chatgpt/auth/login").body.decode()
    assert re.findall(r'<option value="([^"]+)"', page) == ["sandbox-alice", "sandbox-bob"]
    answer = ask("POST", "/chatgpt/auth/login", b"name=sandbox-bob", FORM)
    assert (answer.status, answer.headers["location"]) == (302, f"{sandbox.url}/chatgpt/")
    cookie = {"cookie": answer.headers["set-cookie"].split(";")[0]}
    assert cookie["cookie"].startswith("session-token=")
    assert "Secure" not in answer.headers["set-cookie"]
    assert ask("GET", "/chatgpt/api/auth/session", headers=cookie).json["user"]["name"] == "sandbox bob"
    assert ask("POST", "/chatgpt/auth/login", b"name=mallory", FORM).status == 401


def test_the_page_of_somebody_carries_what_a_sign_in_looks_for(ask, sandbox):
    """The token in the text, the elements by name, a script that asks the session and `me`."""
    page = ask("GET", "/chatgpt/", headers={"cookie": "session-token=sandbox-alice"}).body.decode()
    (token,) = re.findall(r'"accessToken":"([^"]+)"', page)
    bearer = {"authorization": f"Bearer {token}"}
    assert ask("GET", "/chatgpt/backend-api/me", headers=bearer).json["name"] == "sandbox alice"
    assert "sandbox-alice" not in page
    for name in ('data-testid="accounts-profile-button"', 'id="prompt-textarea"', 'data-testid="send-button"'):
        assert name in page
    assert "/api/auth/session" in page
    assert "/backend-api/me" in page
    assert json.loads(re.search(r"const base = (.*);", page)[1]) == f"{sandbox.url}/chatgpt"
