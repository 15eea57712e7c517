"""Answers as the service writes them: whole, or in the pieces of a stream.

A piece is a whole `GenerateContentResponse` with one part; the usage so far is in each, the reason of the end in the
last, which has no words of its own after the calls of a model that signs them. In a whole answer, pieces of text or of
sound are one part, and a signature on nothing belongs to the text before it. Token counts of 0 are left out, as every
default is; but the `index` of the one candidate is there.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from typing import Any

from polychat.sandbox.services.gemini.blobs import Modality
from polychat.sandbox.services.gemini.turn import Told, WirePart

Body = dict[str, Any]


def whole(told: Told, head: Body) -> Body:
    """The answer in one."""
    candidate = _candidate(list(_merged(told)), told)
    return {"candidates": [candidate], "usageMetadata": _usage(told, len(told.said)), **head}


def pieces(told: Told, head: Body) -> Iterator[Body]:
    """The answer as a stream."""
    last = len(told.said) - 1
    for index, said in enumerate(told.said):
        candidate = _candidate([said.part], told if index == last and not told.ends_apart else None)
        yield {"candidates": [candidate], "usageMetadata": _usage(told, index + 1), **head}
    if told.ends_apart or not told.said:
        parts: list[WirePart] = [{"text": ""}] if told.said else []
        yield {"candidates": [_candidate(parts, told)], "usageMetadata": _usage(told, len(told.said)), **head}


def blocked(reason: str, ratings: list[Body], prompt: Mapping[Modality, int], head: Body) -> Body:
    """What comes in place of an answer when the prompt is blocked."""
    feedback: Body = {"blockReason": reason} | ({"safetyRatings": ratings} if "SAFETY" in reason else {})
    size = sum(prompt.values())
    usage = {"promptTokenCount": size, "totalTokenCount": size, "promptTokensDetails": details(prompt)}
    return {"promptFeedback": feedback, "usageMetadata": usage, **head}


def _candidate(parts: list[WirePart], ending: Told | None) -> Body:
    content = {"parts": parts, "role": "model"} if parts else {"role": "model"}
    end = {"finishReason": ending.finish_reason, **ending.more} if ending else {}
    return {"content": content, "index": 0, **end}


def _merged(told: Told) -> Iterator[WirePart]:
    held: WirePart | None = None
    for said in told.said:
        part = said.part
        if held is not None and (joined := _joined(held, part)):
            held = joined
            continue
        if held is not None:
            yield held
        held = part
    if held is not None:
        yield held


def _joined(held: WirePart, part: WirePart) -> WirePart | None:
    """Two parts as one, if they are of a kind: texts, or sounds."""
    if "text" in held and "text" in part and held.get("thought") == part.get("thought"):
        return {**held, **part, "text": held["text"] + part["text"]}
    before, after = held.get("inlineData", {}), part.get("inlineData", {})
    if before and after and before["mimeType"].startswith("audio/"):
        data = b64encode(b64decode(before["data"]) + b64decode(after["data"])).decode()
        return {"inlineData": {**before, "data": data}}
    return None


def _usage(told: Told, count: int) -> Body:
    """What was used when `count` parts are out."""
    spent: dict[Modality, int] = {}
    for said in told.said[:count]:
        spent[said.modality] = spent.get(said.modality, 0) + said.tokens
    prompt, said_tokens = sum(told.prompt.values()), sum(spent.values())
    total = prompt + said_tokens + told.thoughts + told.found
    usage: Body = {"promptTokenCount": prompt, "totalTokenCount": total, "serviceTier": told.tier}
    usage["promptTokensDetails"] = details(told.prompt)
    if told.found:
        usage |= {"toolUsePromptTokenCount": told.found, "toolUsePromptTokensDetails": details({"TEXT": told.found})}
    if said_tokens:
        usage["candidatesTokenCount"] = said_tokens
    if told.thoughts:
        usage["thoughtsTokenCount"] = told.thoughts
    if told.cached:
        usage["cachedContentTokenCount"] = told.cached
        if set(told.prompt) == {"TEXT"}:  # else it is not known which of them
            usage["cacheTokensDetails"] = details({"TEXT": told.cached})
    media: dict[Modality, int] = {modality: count for modality, count in spent.items() if modality != "TEXT"}
    if media:
        usage["candidatesTokensDetails"] = details(media)
    return usage


def details(counts: Mapping[Modality, int]) -> list[Body]:
    """Tokens by sort, as the service lists them."""
    return [{"modality": modality, "tokenCount": count} for modality, count in counts.items() if count]
