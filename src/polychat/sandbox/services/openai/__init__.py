"""The official OpenAI API, `/openai/v1/...`: chat completions, responses, embeddings, pictures, speech, transcripts.

    GET  /v1/models, /v1/models/ID       `dialect`
    POST /v1/chat/completions            `completions`: request; `messages`, `tools`: its parts; `chunks`: the stream
    POST /v1/responses, GET, DELETE ID   `responses`: request; `items`, `returned`, `sealing`: its input; `hosted`,
                                         `searching`, `painting`: its tools; `events`: the stream
    POST /v1/embeddings                  `embeddings`
    POST /v1/images/generations, edits   `images`; `drawing` paints
    POST /v1/audio/speech                `speech`
    POST /v1/audio/transcriptions        `transcriptions`; `sound` makes and measures sounds
    GET  /pictures/NAME                  pictures by address, without a key

`gate` stands before all of them: key, limits, headers. `bodies` reads requests and refuses by field; `refusals` says
how. A model's turn is `turn`, whichever endpoint asks for it. Which models there are and what they can do is data
(`models`, `catalogue`), so that the same code answers as any service of the dialect (`dialect.emulate`).

Source: the types of the `openai` package 3.52 and public knowledge of the API's answers, November 2026; nothing was
tried against the live service. Where that leaves a shape open this package chooses: the codes of fields out of range
and the texts of errors are its own.
"""

from __future__ import annotations

from polychat.sandbox.services.openai.catalogue import MODELS
from polychat.sandbox.services.openai.dialect import emulate

__all__ = ["State", "routes", "service"]

State, routes, service = emulate("OpenAI, the official API (api.openai.com)", MODELS, with_responses=True)
