"""The gate before each turn.

    POST sentinel/chat-requirements              -> token, good for this account until `expire_at`
    POST sentinel/chat-requirements/prepare      -> prepare_token and the challenges
    POST sentinel/chat-requirements/finalize     prepare_token and the answers -> token
    POST f/conversation/prepare                  -> conduit_token; on the turn it may be missing, but not be wrong

Challenges are demanded by knob and never judged: any answer passes that is not empty.
"""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from polychat.sandbox.call import json
from polychat.sandbox.services.chatgpt import bodies, refusals
from polychat.sandbox.services.chatgpt.identity import ChatCall, signed_in
from polychat.sandbox.services.chatgpt.knobs import Knobs
from polychat.sandbox.services.chatgpt.state import ANONYMOUS

_CONDUIT_TTL_S = 300.0
_NO_CONDUIT = "no-token"


async def requirements(call: ChatCall) -> Response:
    """The gate in one step."""
    owner = signed_in(call)
    bodies.read(call.body, bodies.Requirements)
    if call.knobs.force_login:
        return json({**_persona(ANONYMOUS), "force_login": True, **_challenges(call.knobs), **_token(call, owner)})
    return json({**_persona(owner), **_token(call, owner), **_challenges(call.knobs)})


async def prepare(call: ChatCall) -> Response:
    """The first of two steps."""
    owner = signed_in(call)
    bodies.read(call.body, bodies.Requirements)
    name = f"prep-{call.world.ids.hex(32)}"
    call.state.grant(call.state.prepared, name, owner, call.knobs.gate_ttl_s)
    return json({**_persona(owner), "prepare_token": name, **_challenges(call.knobs)})


async def finalize(call: ChatCall) -> Response:
    """The second."""
    owner = signed_in(call)
    asked = bodies.read(call.body, bodies.Finalize)
    if not call.state.holds(call.state.prepared, asked.prepare_token, owner):
        raise refusals.unusual_activity()
    if (call.knobs.proof_of_work and not asked.proofofwork) or (call.knobs.turnstile and not asked.turnstile):
        raise refusals.unusual_activity()
    return json({**_persona(owner), **_token(call, owner), "so": {"required": False, "collector_dx": None}})


async def conduit(call: ChatCall) -> Response:
    """A ticket for the turn that will follow."""
    owner = signed_in(call)
    bodies.read(call.body, bodies.Prepare)
    name = f"conduit-{call.world.ids.hex(32)}"
    call.state.grant(call.state.conduits, name, owner, _CONDUIT_TTL_S)
    return json({"status": "ok", "conduit_token": name})


def check(call: ChatCall, owner: str) -> None:
    """Refuse a turn that has not passed. Raises: Refusal."""
    needed = {
        "openai-sentinel-proof-token": call.knobs.proof_of_work,
        "openai-sentinel-turnstile-token": call.knobs.turnstile,
        "openai-sentinel-arkose-token": call.knobs.arkose,
    }
    passed = call.state.holds(call.state.gate, call.headers.get("openai-sentinel-chat-requirements-token"), owner)
    if not passed or any(required and not call.headers.get(name) for name, required in needed.items()):
        raise refusals.unusual_activity()
    ticket = call.headers.get("x-conduit-token", _NO_CONDUIT)
    if ticket != _NO_CONDUIT and not call.state.holds(call.state.conduits, ticket, owner):
        raise refusals.plain(403, "The conduit token is unknown or has expired.")


def _persona(owner: str) -> dict[str, Any]:
    return {"persona": "chatgpt-noauth" if owner == ANONYMOUS else "chatgpt-freeaccount"}


def _token(call: ChatCall, owner: str) -> dict[str, Any]:
    name = f"gAAAAAB{call.world.ids.hex(48)}"
    grant = call.state.grant(call.state.gate, name, owner, call.knobs.gate_ttl_s)
    return {"token": name, "expire_after": int(call.knobs.gate_ttl_s), "expire_at": int(grant.expires_at)}


def _challenges(knobs: Knobs) -> dict[str, Any]:
    proof = ("0.42", "0fffff") if knobs.proof_of_work else (None, None)
    return {
        "arkose": {"required": knobs.arkose, "dx": "sandbox-arkose" if knobs.arkose else None},
        "turnstile": {"required": knobs.turnstile, "dx": "sandbox-turnstile" if knobs.turnstile else None},
        "proofofwork": {"required": knobs.proof_of_work, "seed": proof[0], "difficulty": proof[1]},
    }
