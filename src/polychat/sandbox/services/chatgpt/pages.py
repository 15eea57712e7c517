"""The pages a person's browser sees: the chat page and the login form.

The chat page carries what a sign-in looks for: `data-build`, the access token, and the elements named by `data-testid`.
Its script fetches the session and asks `me` with the token; its button sends one turn.
"""

from __future__ import annotations

from html import escape

import msgspec
from starlette.responses import HTMLResponse, RedirectResponse, Response

from polychat.sandbox.call import login_form, nobody
from polychat.sandbox.services.chatgpt import identity
from polychat.sandbox.services.chatgpt.identity import ChatCall

DEVICE_COOKIE = "oai-did"
_BUILD = "prod-sandbox"
_SCRIPT = """
const base = %s;
const ask = (path, token, body) => fetch(base + path, {
  method: body ? "POST" : "GET",
  headers: {...(token && {authorization: `Bearer ${token}`}), "content-type": "application/json"},
  body: body && JSON.stringify(body),
});
const token = ask("/api/auth/session").then((answer) => answer.json()).then((session) => session.accessToken);
token.then((value) => value && ask("/backend-api/me", value));
async function send() {
  const text = document.getElementById("prompt-textarea").innerText;
  const value = await token;
  const gate = await (await ask("/backend-api/sentinel/chat-requirements", value, {p: null})).json();
  const answer = await fetch(base + "/backend-api/f/conversation", {
    method: "POST",
    headers: {
      authorization: `Bearer ${value}`, "content-type": "application/json", accept: "text/event-stream",
      "openai-sentinel-chat-requirements-token": gate.token, "openai-sentinel-proof-token": "sandbox",
      "openai-sentinel-turnstile-token": "sandbox", "openai-sentinel-arkose-token": "sandbox",
    },
    body: JSON.stringify({
      action: "next", parent_message_id: "client-created-root", model: "auto", supported_encodings: ["v1"],
      messages: [{id: crypto.randomUUID(), author: {role: "user"}, content: {content_type: "text", parts: [text]}}],
    }),
  });
  document.getElementById("answer").textContent = await answer.text();
}
"""
_SIGNED_IN = """<button data-testid="accounts-profile-button">{name}</button>
<div id="prompt-textarea" contenteditable="true" aria-label="Message"></div>
<button data-testid="send-button" onclick="send()">Send</button><pre id="answer"></pre>"""


async def chat_page(call: ChatCall) -> Response:
    """The page of the chat; anybody may see it."""
    grant = identity.session(call)
    if grant is None:
        content = f'<a data-testid="login-button" href="{call.base_url}/auth/login">Log in</a>'
        context = {}
    else:
        content = _SIGNED_IN.format(name=escape(identity.display_name(grant.owner)))
        context = {"accessToken": call.state.access_token(grant.owner, call.knobs.token_ttl_s)}
    script = f"window.__remixContext = {_literal(context)};{_SCRIPT % _literal(call.base_url)}"
    answer = HTMLResponse(
        f'<!doctype html><html lang="en" data-build="{_BUILD}"><meta charset="utf-8"><title>ChatGPT (sandbox)</title>'
        f"<body>{content}<script>{script}</script></body></html>"
    )
    if DEVICE_COOKIE not in call.cookies:
        answer.set_cookie(DEVICE_COOKIE, call.state.uuid(), path=identity.cookie_path(call), samesite="lax")
    return answer


async def login_page(call: ChatCall) -> Response:
    """Ask who is there."""
    return login_form(call, "ChatGPT")


async def log_in(call: ChatCall) -> Response:
    """Open a session for a known person and lead on to the chat page."""
    person = call.recognise(call.world.person(call.form().get("name")))
    if person is None:
        return nobody("ChatGPT")
    answer = RedirectResponse(f"{call.base_url}/", 302)
    identity.open_session(call, answer, person)
    return answer


def _literal(value: object) -> str:
    """A JavaScript literal that ends no script element. The separator after keys is as the real page has it: none."""
    return msgspec.json.encode(value).decode().replace("<", "\\u003c")
