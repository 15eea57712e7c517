"""Which of OpenAI's two ways of chatting a question goes by: chat completions, or the Responses API.

Chat completions is what every service of the dialect speaks, and what is used unless a question asks for what only the
Responses API does: a search of the web, pictures in the answer, a conversation the service keeps, a file by its
address, a picture in an earlier answer or a tool's result, an option of that API. It is also used where it does better:
reasoning is told there, and files are read of more kinds. The option `api` decides where a question could go either
way. What the chosen one does not know is refused before anything is sent, and the error says why it was chosen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any, NamedTuple

import msgspec

from polychat.errors import BadOption, UnsupportedFeature
from polychat.net.session import Session
from polychat.providers import _reading
from polychat.types import File, Image, Message, Request, Thread, ToolResult
from polychat.wire import openai_responses, openai_responses_request

OPTIONS: Mapping[str, type] = {
    "api": str,  # "responses" or "chat", to have it so
    "store": bool,  # whether the service keeps the conversation, and the next question sends only what is new
    "prompt_cache_key": str,
    "safety_identifier": str,
    **openai_responses_request.OPTIONS,
}


class Post(NamedTuple):
    """What is posted where, and what reads the answer."""

    path: str
    body: dict[str, Any]
    decoder: _reading.Decoder


def cause(request: Request) -> str | None:
    """The field for which the question goes to the Responses API; None where chat completions will do.

    Raises: `BadOption` and `UnsupportedFeature` for `api="chat"` with what chat completions does not know.
    """
    match request.options.get("api"):
        case None:
            return next(chain(_needs(request), _prefers(request)), None)
        case "responses":
            return "api"
        case "chat":
            _refuse(next(_needs(request), None))
            return None
        case other:
            raise BadOption(f"api is {other!r}; it is one of chat, responses", field="api")


def post(session: Session, request: Request, why: str) -> Post:
    """The question for the Responses API, where it goes because of the field `why`.

    Raises: `UnsupportedFeature` for what that API does not know, `BadOption` for what is wrong.
    """
    thread = None
    if openai_responses_request.stored(request):
        account = session.account.name if session.account else None
        thread = Thread(provider=session.provider, account=account)
    try:
        body = openai_responses_request.body(request)
    except UnsupportedFeature as error:
        error.hinted(_way_out(request, why))
        raise
    return Post("/responses", body, openai_responses.Decoder(session.provider, thread))


def without_choice(request: Request) -> Request:
    """The question for chat completions, less the word that sent it there."""
    options = {name: value for name, value in request.options.items() if name != "api"}
    return msgspec.structs.replace(request, options=options)


def _needs(request: Request) -> Iterator[str]:
    """What only the Responses API does, by the caller's words."""
    if request.web_search:
        yield "web_search"
    if "image" in request.modalities:
        yield "modalities"
    if request.thread is not None and request.thread.id is not None:
        yield "conversation"
    if any(file.data is None for file in _files(request)):
        yield "files"
    if any(_shows(message) for message in request.messages):
        yield "messages"
    yield from (name for name in openai_responses_request.OPTIONS if name in request.options)


def _prefers(request: Request) -> Iterator[str]:
    """What chat completions does too, with less of an answer."""
    if openai_responses_request.reasons(request):
        yield "reasoning_effort"
    if any(_files(request)):
        yield "files"
    if request.options.get("store"):
        yield "store"


def _shows(message: Message) -> bool:
    """True for more than words where chat completions takes words alone: in an answer, or what a tool gave."""
    given = [part for result in message.parts if isinstance(result, ToolResult) for part in result.content]
    said = message.parts if message.role == "assistant" else ()
    return any(isinstance(part, Image | File) for part in (*said, *given))


def _files(request: Request) -> Iterator[File]:
    return (part for message in request.messages for part in message.attachments if isinstance(part, File))


def _refuse(field: str | None) -> None:
    if field is None:
        return
    what, hint = f"{field} is for the Responses API only, and api is 'chat'", f"leave out api or {field}"
    if field in openai_responses_request.OPTIONS:
        raise BadOption(what, field=field, hint=hint)
    raise UnsupportedFeature(what, hint=hint)


def _way_out(request: Request, why: str) -> str:
    needed = next(_needs(request), None)
    if needed is None:
        return "leave it out" if why == "api" else f'{why} goes there; leave out one of the two, or say api="chat"'
    return f"{needed} needs that API; leave out one of the two"
