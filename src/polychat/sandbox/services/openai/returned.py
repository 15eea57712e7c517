"""What the service made and is handed back: each item must be one of its own.

Reasoning comes sealed, or by the id of an item that was kept, and is followed by what the model made of it. A picture
comes with its bytes, or by the id of one that was kept. A client that keeps its talk itself, with `store` false, thus
has to ask for sealed reasoning.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from polychat.sandbox.services.openai import refusals, sealing
from polychat.sandbox.services.openai.items import FunctionCall, ImageCall, Item, Message, Reasoning, WebSearchCall
from polychat.sandbox.services.openai.refusals import Refusal
from polychat.sandbox.services.openai.state import ApiCall, account


def judged(call: ApiCall, items: Sequence[Item]) -> tuple[Item, ...]:
    """The same items, pictures with their bytes. Raises: Refusal for what is not the service's own."""
    for index, item in enumerate(items):
        if isinstance(item, Reasoning):
            _reasoning(call, item, index)
            _followed(item, items[index + 1 : index + 2])
    return tuple(_whole(call, item, index) if isinstance(item, ImageCall) else item for index, item in enumerate(items))


def _reasoning(call: ApiCall, item: Reasoning, index: int) -> None:
    if item.encrypted_content is not None:
        sealing.judge(account(call), item.id, item.encrypted_content)
    else:
        _kept(call, item, index)


def _followed(item: Reasoning, after: Sequence[Item]) -> None:
    for following in after:
        spoken = isinstance(following, Message) and following.role == "assistant"
        if spoken or isinstance(following, FunctionCall | WebSearchCall | ImageCall | Reasoning):
            return
    message = f"The item '{item.id}' of the type 'reasoning' comes without the item that must follow it."
    raise Refusal(message, param="input")


def _whole(call: ApiCall, item: ImageCall, index: int) -> ImageCall:
    if item.result is not None or item.status == "failed":
        return item
    kept = _kept(call, item, index)
    return msgspec.structs.replace(item, result=kept["result"], revised_prompt=kept["revised_prompt"])


def _kept(call: ApiCall, item: Item, index: int) -> dict[str, Any]:
    if item.id is None:
        raise refusals.missing(f"input[{index}].id")
    kept = call.state.kept_item(account(call), item.id)
    if kept is None or kept["type"] != item.type:
        message = (
            f"There is no item '{item.id}' here: nothing is kept while 'store' is false. Keep it, or leave it out."
        )
        raise Refusal(message, status=404, param="input")
    return kept
