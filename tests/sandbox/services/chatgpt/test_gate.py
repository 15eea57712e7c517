"""A turn must have passed the gate."""

from __future__ import annotations

import pytest

UNUSUAL = "Unusual activity has been detected"
TOKENS = {
    "proof_of_work": ("proofofwork", "openai_sentinel_proof_token"),
    "turnstile": ("turnstile", "openai_sentinel_turnstile_token"),
    "arkose": ("arkose", "openai_sentinel_arkose_token"),
}


def test_the_gate_gives_a_token_for_a_while(web, sandbox):
    """Persona, token, expiry, and three challenges of which none is required."""
    gate = web.ask("POST", "/sentinel/chat-requirements", {"p": None}).json
    assert (gate["persona"], gate["expire_after"]) == ("chatgpt-freeaccount", 540)
    assert gate["proofofwork"] == {"required": False, "seed": None, "difficulty": None}
    assert gate["arkose"] == gate["turnstile"] == {"required": False, "dx": None}
    token = {"openai_sentinel_chat_requirements_token": gate["token"]}
    assert web.send(web.body("Hi"), **token).status == 200
    sandbox.clock(advance_s=541)
    refused = web.send(web.body("Hi"), **token)
    assert refused.status == 403
    assert refused.json["detail"].startswith(UNUSUAL)


def test_a_token_is_good_for_its_account_only(web, bob):
    """Missing, made up, or somebody else's: 403."""
    for token in ("", "made-up", bob.pass_gate()):
        assert web.send(web.body("Hi"), openai_sentinel_chat_requirements_token=token).status == 403


@pytest.mark.parametrize("challenge", TOKENS)
def test_a_challenge_that_is_required_must_be_answered(web, sandbox, challenge):
    """The gate says so; without the header 403, with any value through."""
    sandbox.knobs("chatgpt", **{challenge: True})
    name, header = TOKENS[challenge]
    assert web.ask("POST", "/sentinel/chat-requirements", {"p": None}).json[name]["required"] is True
    assert web.send(web.body("Hi")).json["detail"].startswith(UNUSUAL)
    assert web.send(web.body("Hi"), **{header: "forwarded"}).status == 200


def test_the_gate_may_have_two_steps(web, bob, sandbox):
    """The second wants the token of the first, of the same account, and the answers."""
    sandbox.knobs("chatgpt", proof_of_work=True)
    first = web.ask("POST", "/sentinel/chat-requirements/prepare", {"p": "x"}).json
    assert first["proofofwork"]["required"] is True
    finalize = "/sentinel/chat-requirements/finalize"
    body = {"prepare_token": first["prepare_token"], "proofofwork": "forwarded"}
    assert bob.ask("POST", finalize, body).status == 403
    assert web.ask("POST", finalize, body | {"proofofwork": ""}).status == 403
    assert web.ask("POST", finalize, {}).json["detail"][0]["loc"] == ["body", "prepare_token"]
    token = web.ask("POST", finalize, body).json["token"]
    headers = {"openai_sentinel_chat_requirements_token": token, "openai_sentinel_proof_token": "forwarded"}
    assert web.send(web.body("Hi"), **headers).status == 200


def test_a_conduit_may_be_missing_but_not_wrong(web, bob, sandbox):
    """`f/conversation/prepare` gives one; `no-token` is none."""
    asked = {"action": "next", "parent_message_id": "client-created-root", "model": "auto"}
    conduit = web.ask("POST", "/f/conversation/prepare", asked).json
    assert conduit["status"] == "ok"
    statuses = [
        web.send(web.body("Hi"), x_conduit_token=token).status
        for token in (conduit["conduit_token"], "no-token", "made-up", bob_conduit(bob, asked))
    ]
    assert statuses == [200, 200, 403, 403]
    assert web.ask("POST", "/f/conversation/prepare", {}).status == 422


def bob_conduit(bob, asked: dict) -> str:
    """Somebody else's."""
    return bob.ask("POST", "/f/conversation/prepare", asked).json["conduit_token"]


def test_a_session_may_not_be_accepted(web):
    """`force_login`: the persona of nobody."""
    gate = web.ask("POST", "/sentinel/chat-requirements", {"p": None}, x_sandbox_scenario="force_login").json
    assert (gate["persona"], gate["force_login"]) == ("chatgpt-noauth", True)


def test_nobody_passes_on_the_logged_out_routes(ask, web):
    """The twins under `/backend-anon` want no bearer, and their conversations are not anybody else's."""
    mine = web.turn("Mine")
    web.api, web.person = "/backend-anon", ""
    gate = web.ask("POST", "/sentinel/chat-requirements", {"p": None}).json
    assert gate["persona"] == "chatgpt-noauth"
    told = web.turn("Hi")
    assert told.text == "You asked: “Hi” (1 word)."
    assert "user “Hi”" in web.go_on(told, "More").text
    assert web.send(web.body("Hi", conversation_id=mine.conversation_id)).status == 404
