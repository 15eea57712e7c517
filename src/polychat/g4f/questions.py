"""The pages' arguments as one `Request`; refused by name before anything is sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from polychat.credentials import Credential
from polychat.engine import attachments
from polychat.errors import BadOption
from polychat.g4f.callers import Caller, NamesService, caller
from polychat.g4f.typing import ImageType
from polychat.types import Image, ReasoningEffort, Request, Thread
from polychat.wire import openai_messages


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A request and who sends it."""

    caller: Caller
    request: Request
    timeout_s: float | None = None  # for the whole answer


class _Plain(msgspec.Struct, kw_only=True):
    """Arguments that only need their type checked."""

    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    stop: str | tuple[str, ...] = ()
    web_search: bool = False
    reasoning_effort: ReasoningEffort | None = None
    timeout: float | None = None


def question(
    model: str | None,
    messages: Any,
    stream: bool,
    *,
    provider: NamesService | str | None = None,
    api_key: str | None = None,
    proxy: str | None = None,
    credential: Credential | None = None,
    thread: Thread | None = None,
    image: ImageType | None = None,
    images: Sequence[ImageType | tuple[ImageType, str]] = (),
    **given: Any,
) -> Question:
    """The question that these arguments mean; what else is `given` is an option of the service.

    `images` takes pictures or (picture, name) pairs. Raises: `ConfigError`, mostly `BadOption` naming the argument.
    """
    asking = caller(provider, api_key=api_key, proxy=proxy, credential=credential)
    model = model or asking.service or asking.settings.model
    if not model:
        raise BadOption("model is missing", field="model", hint="see what there is: polychat models")
    plain, options = _plain({name: value for name, value in given.items() if value is not None})
    request = Request(
        model=model,
        messages=attachments.shown(openai_messages.messages(messages), _pictures(image, images)),
        stream=stream,
        thread=thread,
        max_tokens=plain.max_tokens,
        temperature=plain.temperature,
        top_p=plain.top_p,
        seed=plain.seed,
        stop=(plain.stop,) if isinstance(plain.stop, str) else plain.stop,
        web_search=plain.web_search,
        reasoning_effort=plain.reasoning_effort,
        options=options,
    )
    return Question(caller=asking, request=request, timeout_s=plain.timeout)


def _plain(given: dict[str, Any]) -> tuple[_Plain, dict[str, Any]]:
    taken = {name: given.pop(name) for name in _Plain.__struct_fields__ if name in given}
    return openai_messages.converted(taken, _Plain), given


def _pictures(image: ImageType | None, images: Sequence[ImageType | tuple[ImageType, str]]) -> tuple[Image, ...]:
    first = () if image is None else (attachments.picture(image, field="image"),)
    return (*first, *pictures(images, field="images"))


def pictures(images: Sequence[ImageType | tuple[ImageType, str]], *, field: str) -> tuple[Image, ...]:
    """Pictures or (picture, name) pairs, in order. Raises: `BadOption` naming `field`."""
    pairs = [one if isinstance(one, tuple | list) else (one, None) for one in images]
    found = attachments.gathered([picture for picture, _ in pairs], field=field)
    return tuple(
        msgspec.structs.replace(picture, name=name or picture.name)
        for picture, (_, name) in zip(found, pairs, strict=True)
    )
