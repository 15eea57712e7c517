"""POST models/M:countTokens: how large contents, or a whole request, would be."""

from __future__ import annotations

from starlette.responses import Response

from polychat.sandbox.call import json
from polychat.sandbox.services.gemini import answers, contents, generate, refusals, transcript
from polychat.sandbox.services.gemini.bodies import read
from polychat.sandbox.services.gemini.contents import Content
from polychat.sandbox.services.gemini.gate import model as find
from polychat.sandbox.services.gemini.proto import Wire
from polychat.sandbox.services.gemini.state import ApiCall


class Asked(Wire, frozen=True, kw_only=True):
    """The body: one of both."""

    model: str = ""
    contents: tuple[Content, ...] = ()
    generate_content_request: generate.Asked | None = None


async def count(call: ApiCall) -> Response:
    """The tokens."""
    model = find(call, "countTokens")
    asked = read(call, Asked)
    whole = asked.generate_content_request
    if whole is not None and asked.contents:
        raise refusals.bad("contents", "it excludes generate_content_request.")
    if whole is None:
        runs = contents.runs(asked.contents, model)
        sizes = transcript.sizes(transcript.turns(runs), runs)
    else:
        if whole.model not in (model.id, f"models/{model.id}"):
            raise refusals.bad("generate_content_request.model", f"it is models/{model.id}, as in the path.")
        wish = generate.understood(call, whole, model)
        sizes = transcript.sizes(wish.turns, wish.runs)
    return json({"totalTokens": sum(sizes.values()), "promptTokensDetails": answers.details(sizes)})
