"""Writes docs/providers/index.md: which service can what, the test that proves it, and how it was verified.

    python docs/provider_index.py [FILE]

Everything on the page comes from the providers' own statements; a test holds each of them true, and the page in step.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, get_args

from polychat import providers
from polychat.providers.base import Capability, Info

PAGE = Path(__file__).parent / "providers" / "index.md"
PROOF = "tests/testing/test_capabilities.py"
MEANING: dict[Capability, str] = {
    "text": "answers questions",
    "stream": "answers in pieces",
    "system": "takes orders (system messages)",
    "image_in": "sees pictures",
    "audio_in": "hears sound",
    "video_in": "sees video",
    "file_in": "reads files, PDF among them",
    "image_out": "draws inside its answer",
    "audio_out": "speaks its answer",
    "tools": "calls your tools",
    "schema": "answers in JSON of your schema",
    "reasoning": "reasons as hard as told",
    "web_search": "searches the web",
    "threads": "keeps the conversation on its side",
    "remote_media": "fetches what is named by URL itself",
    "seed": "takes a seed",
    "sampling": "takes temperature and top_p",
    "stop": "stops at your words",
    "max_tokens": "keeps to a length",
    "embeddings": "turns texts into vectors",
    "drawing": "draws pictures (`images.generate`)",
    "image_edit": "changes pictures (`images.edit`)",
    "speech": "reads aloud (`audio.speech`)",
    "transcription": "writes down speech (`audio.transcriptions`)",
}


class Judge(NamedTuple):
    """Another's program that an emulation was tried with, unmodified."""

    package: str
    tests: str


JUDGES = {
    "openai": Judge("openai", "tests/sandbox/services/openai"),
    "anthropic": Judge("anthropic", "tests/sandbox/services/anthropic"),
    "gemini": Judge("google-genai", "tests/sandbox/services/gemini"),
}


def page() -> str:
    """The whole page."""
    infos = [providers.load(name).info for name in providers.names()]
    emulated = [info for info in infos if _emulated_as(info) == info.name]
    rows = [info for info in infos if _emulated_as(info) != info.name]
    parts = (_HEAD, _capabilities(emulated), _BORROWED, _borrowed(rows), _HOW, _verified(emulated))
    return "\n".join("\n".join(part) if not isinstance(part, str) else part for part in parts)


def _emulated_as(info: Info) -> str:
    return (info.emulation or info.name).partition("/")[0]


def _capabilities(infos: list[Info]) -> Iterator[str]:
    yield _row("", "", *(info.name for info in infos))
    yield _row(*["---"] * (len(infos) + 2))
    for capability in get_args(Capability):
        yield _row(f"`{capability}`", MEANING[capability], *(_cell(info, capability) for info in infos))


def _cell(info: Info, capability: Capability) -> str:
    able = sum(info.can(model, capability) for model in info.models)
    if not able:
        return "-"
    return "yes" if able == len(info.models) else f"{able} of {len(info.models)}"


def _borrowed(infos: list[Info]) -> Iterator[str]:
    yield _row("service", "address", "can, as its documentation says")
    yield _row(*["---"] * 3)
    for info in infos:
        yield _row(info.name, next(iter(info.hosts.values())), ", ".join(sorted(info.capabilities)))


def _verified(infos: list[Info]) -> Iterator[str]:
    yield _row("service", "facts from", "verified", "the emulation judged by")
    yield _row(*["---"] * 4)
    for info in infos:
        judge = JUDGES.get(info.name)
        said = (
            f"the `{judge.package}` package, unmodified: `{judge.tests}`" if judge else "wire samples: `tests/captures`"
        )
        yield _row(info.label, info.source, info.verified, said)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


_HEAD = f"""# Which service can what
Written by `docs/provider_index.py` from the providers' own statements. *yes*: every model that is listed; *2 of 5*: so
many of them (`polychat models --provider NAME` tells which); *-*: none, and asking for it is refused before anything is
sent.

Each cell is a test: `{PROOF}`, case `[SERVICE-CAPABILITY]`. It asks every model that the
emulation has, with the statement out of force, and fails where a statement claims too much or too little. One alone:
`python -m pytest "{PROOF}::test_a_statement_is_true[openai-tools]"`.
"""
_BORROWED = """
## Services that speak OpenAI's dialect
What each can is from its own documentation; the way there is proven with the emulated OpenAI API, which answers in
their place (`tests/providers/test_openai_compatible.py`). A model that is not listed is asked for as it is.
"""
_HOW = """
## How it was verified
Nobody's account was used, so *live* is nowhere. The emulations are written apart from the decoders, and share no code
with them.
"""

if __name__ == "__main__":
    Path(sys.argv[1] if len(sys.argv) > 1 else PAGE).write_text(page() + "\n", encoding="utf-8")
