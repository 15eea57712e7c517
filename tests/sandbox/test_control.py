"""The control plane: everything that can be set is obeyed, and everything that makes no sense is refused."""

from __future__ import annotations

import hashlib
import time

import pytest

from polychat.sandbox.control import CONTROLS, Refusal
from polychat.sandbox.faults import NAMES


def test_the_overview_names_all_there_is(ask, sandbox):
    """Services with their knobs, people, controls and faults, in one readable page."""
    page = ask("GET", "/_sandbox/").json
    assert page["accounts"] == ["sandbox-alice", "sandbox-bob"]
    assert page["services"]["reka"]["url"] == f"{sandbox.url}/reka"
    assert page["services"]["reka"]["knobs"]["history"] == "strict"
    assert page["faults"].keys() == NAMES.keys()
    assert page["controls"].keys() == {f"{sandbox.url}/_sandbox/{name}" for name in CONTROLS}


@pytest.mark.parametrize("name", CONTROLS)
def test_every_control_that_is_advertised_is_there(ask, name):
    """No path of the overview leads nowhere."""
    method = CONTROLS[name].replace(":", " ").replace(";", " ").split()[0]
    assert ask(method, f"/_sandbox/{name}", {} if method == "POST" else None).status in (200, 422)


def test_an_account_is_cookie_and_bearer_from_the_moment_it_is_added(ask, sandbox):
    """Adding a person lets them in; removing shuts them out."""

    def token() -> int:
        return ask("GET", "/reka/bff/auth/access_token", headers={"cookie": "appSession=sandbox-carol"}).status

    assert token() == 302
    sandbox.add_account("sandbox-carol")
    assert sandbox.accounts() == ["sandbox-alice", "sandbox-bob", "sandbox-carol"]
    assert token() == 200
    sandbox.remove_account("sandbox-carol")
    assert token() == 302


def test_the_clock_moves_and_runs_on(sandbox):
    """It advances, is set, and goes on from there at the pace of the wall."""
    assert abs(sandbox.clock() - time.time()) < 60
    assert abs(sandbox.clock(advance_s=5000) - time.time() - 5000) < 60
    assert 0 <= sandbox.clock(set=2_000_000_000) - 2_000_000_000 < 60
    assert 0 < sandbox.clock() - 2_000_000_000 < 60


def test_a_seed_repeats_the_ids(ask, sandbox):
    """The same seed and the same requests give the same identifiers, another seed others."""

    def session(seed: int) -> str:
        sandbox.seed(seed)
        answer = ask("GET", "/reka/bff/auth/firebase_token", headers={"cookie": "appSession=sandbox-bob"})
        return answer.headers["set-cookie"]

    assert session(7) == session(7)
    assert session(7) != session(8)


def test_a_script_is_recited_and_then_forgotten(chat, sandbox):
    """Scripted answers come in order, as often as told, then the brain speaks again."""
    sandbox.script("reka", text="One.", times=2)
    sandbox.script("reka", text="Two.", finish_reason="length")
    answers = [chat(stream=False).json for _ in range(4)]
    assert [answer["text"] for answer in answers[:3]] == ["One.", "One.", "Two."]
    assert [answer["finish_reason"] for answer in answers[:3]] == ["stop", "stop", "length"]
    assert answers[3]["text"].startswith("You asked: “Hello”")


def test_a_script_for_one_account_waits_for_it(chat, sandbox):
    """Someone else does not use it up."""
    sandbox.script("reka", text="For Bob.", account="sandbox-bob")
    assert chat(stream=False).json["text"] != "For Bob."


def test_the_journal_tells_what_was_sent_without_secrets(ask, sandbox):
    """Cookie names, the scheme, hashes, sizes and bodies are there; values of credentials are nowhere."""
    body = b'{"api_token": "canary-body", "max_tokens": 5, "inner": [{"password": "canary-inner"}]}'
    headers = {
        "cookie": "appSession=canary-cookie; other=canary-other", "authorization": "Bearer canary-bearer",
        "x-api-key": "canary-key", "content-type": "application/json", "x-plain": "seen",
    }  # fmt: skip
    ask("POST", "/reka/api/chat?sig=canary-query&page=2", body, headers)
    listing = ask("GET", "/_sandbox/journal")
    assert b"canary" not in listing.body
    [entry] = listing.json
    assert entry["headers"]["cookie"] == "appSession=***; other=***"
    assert entry["headers"]["authorization"] == "Bearer ***"
    assert entry["headers"]["x-plain"] == "seen"
    assert entry["query"] == "sig=%2A%2A%2A&page=2"
    assert entry["json"] == {"api_token": "***", "max_tokens": 5, "inner": [{"password": "***"}]}
    assert entry["body_sha256"] == hashlib.sha256(body).hexdigest()
    assert entry["body_size_bytes"] == len(body)
    assert (entry["service"], entry["method"], entry["path"]) == ("reka", "POST", "/api/chat")
    assert (entry["status"], entry["ended"], entry["account"]) == (401, "complete", None)


def test_the_journal_can_be_narrowed(ask, sandbox):
    """By service and by path."""
    ask("GET", "/reka/chat")
    ask("GET", "/reka/bff/auth/login")
    assert [entry.path for entry in sandbox.journal(path="/chat")] == ["/chat"]
    assert [entry["seq"] for entry in ask("GET", "/_sandbox/journal?service=reka&path=/bff/auth/login").json] == [2]
    assert sandbox.journal(service="nobody") == []


def test_the_journal_takes_the_sandbox_time(ask, sandbox):
    """Entries carry the clock that expiry obeys."""
    sandbox.clock(set=2_000_000_000)
    ask("GET", "/reka/chat")
    assert int(sandbox.journal()[0].at) in range(2_000_000_000, 2_000_000_060)


def test_reset_empties_everything(ask, chat, sandbox):
    """Accounts, clock, faults, scripts, knobs, journal and the services' memory."""
    sandbox.add_account("sandbox-carol")
    sandbox.clock(advance_s=1e6)
    sandbox.fault("reka", "status")
    sandbox.script("reka", text="Mine.")
    sandbox.knobs("reka", finish=False)
    chat()
    sandbox.reset()
    assert sandbox.accounts() == ["sandbox-alice", "sandbox-bob"]
    assert abs(sandbox.clock() - time.time()) < 60
    assert ask("GET", "/_sandbox/faults").json == []
    assert ask("GET", "/_sandbox/script").json == []
    assert sandbox.knobs("reka")["finish"] is True
    assert sandbox.journal() == []


def test_knobs_stay_until_changed(sandbox):
    """Setting one leaves the others alone."""
    sandbox.knobs("reka", token_ttl_s=5.0)
    assert sandbox.knobs("reka", history="lenient")["token_ttl_s"] == 5.0


REFUSED = [
    ("faults", {"service": "reka", "fault": "earthquake"}, "no fault is called 'earthquake'; there are close, status,"),
    ("faults", {"service": "nowhere", "fault": "stall"}, "no service is called 'nowhere'; there are "),
    ("faults", {"service": "reka", "fault": "stall", "after": -1}, "Expected `int` >= 0 - at `$.fault.after`"),
    ("faults", {"service": "reka", "fault": "stall", "colour": "red"}, "unknown field `colour`"),
    ("faults", {"service": "reka", "fault": "status", "code": 200}, "Expected `int` >= 400"),
    ("script", {"service": "reka", "text": "a", "chunks": ["a"]}, "give either text or chunks"),
    ("script", {"text": "a"}, "missing required field `service`"),
    ("knobs", {"service": "reka", "history": "relaxed"}, "Invalid enum value 'relaxed'"),
    ("knobs", {"service": "reka", "histroy": "strict"}, "unknown field `histroy`"),
    ("knobs", {"history": "strict"}, "no service is called None"),
    ("clock", {}, "give either advance_s or set"),
    ("clock", {"advance_s": "soon"}, "Expected `float | null`, got `str`"),
    ("accounts", {"name": "two words"}, "matching regex"),
    ("seed", {"seed": "x"}, "Expected `int`"),
]


@pytest.mark.parametrize(("control", "body", "sentence"), REFUSED)
def test_nonsense_is_refused_in_one_sentence(ask, control, body, sentence):
    """422, and the sentence names the control and the trouble."""
    answer = ask("POST", f"/_sandbox/{control}", body)
    assert answer.status == 422
    assert answer.json["error"].startswith(f"/_sandbox/{control}: ")
    assert sentence in answer.json["error"]


def test_a_body_that_is_not_json_is_refused(ask):
    """422, not 500."""
    assert ask("POST", "/_sandbox/clock", b"{").status == 422


def test_the_python_face_raises_what_the_plane_refuses(sandbox):
    """The sentence arrives as a `Refusal`."""
    with pytest.raises(Refusal, match="nobody is called 'sandbox-zoe'"):
        sandbox.remove_account("sandbox-zoe")


def test_the_control_plane_is_not_journaled_and_not_faulty(ask, sandbox):
    """It is about the emulation, not part of it."""
    sandbox.fault("*", "status", code=500)
    assert ask("GET", "/_sandbox/health").status == 200
    assert sandbox.journal() == []
