"""What a request asks for, held against what the model can do, before anything is sent."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from polychat.errors import BadOption, UnsupportedFeature
from polychat.providers.base import Capability, Info, Model
from polychat.types import Attachment, Audio, Image, Request

_IN_WORDS: frozenset[Capability] = frozenset({"tools", "schema"})  # what emulation stands in for
_ARGUMENTS = tuple(name for name in Request.__struct_fields__ if name not in {"thread", "options"})  # of `create`


def check(info: Info, model: Model, request: Request) -> None:
    """Raises `UnsupportedFeature` for what the model cannot do and `BadOption` for an unknown or mistyped option."""
    can = info.capabilities if model.capabilities is None else model.capabilities
    emulated = _IN_WORDS if request.tool_mode == "emulate" else frozenset()
    for capability, asked in wanted(request):
        if capability not in can and capability not in emulated:
            words = ', or put it in words: tool_mode="emulate"' if capability in _IN_WORDS else ""
            raise UnsupportedFeature(
                f"{info.name}/{model.id} does not take {asked}",
                hint=f"leave it out, or choose another model: polychat models --cap {capability}{words}",
                provider=info.name,
            )
    _check_options(info, request)


def wanted(request: Request) -> Iterator[tuple[Capability, str]]:
    """Each capability the request needs, with the words the caller knows it by."""
    yield "text", "questions"
    if request.tools:
        yield "tools", "tools"
    if request.response_format and request.response_format.type != "text":
        yield "schema", "response_format"
    if request.reasoning_effort not in {None, "none"}:
        yield "reasoning", "reasoning_effort"
    if request.web_search:
        yield "web_search", "web_search"
    yield from _of_sampling(request)
    yield from _of_answer(request)
    for message in request.messages:
        for attachment in message.attachments:
            yield _of_attachment(attachment)


def _of_sampling(request: Request) -> Iterator[tuple[Capability, str]]:
    if request.temperature is not None:
        yield "sampling", "temperature"
    if request.top_p is not None:
        yield "sampling", "top_p"
    if request.max_tokens is not None:
        yield "max_tokens", "max_tokens"
    if request.seed is not None:
        yield "seed", "seed"
    if request.stop:
        yield "stop", "stop"


def _of_answer(request: Request) -> Iterator[tuple[Capability, str]]:
    if "image" in request.modalities:
        yield "image_out", "modalities with image"
    if "audio" in request.modalities:
        yield "audio_out", "modalities with audio"
    if request.thread is not None and request.thread.id is not None:
        yield "threads", "a conversation kept by a service"


def _of_attachment(attachment: Attachment) -> tuple[Capability, str]:
    if isinstance(attachment, Image):
        return "image_in", "pictures"
    if isinstance(attachment, Audio):
        return "audio_in", "sound"
    if (attachment.media_type or "").startswith("video/"):
        return "video_in", "video"
    return "file_in", "files"


def _check_options(info: Info, request: Request) -> None:
    for name, value in request.options.items():
        expected = info.options.get(name)
        if expected is None:
            hint = _instead(info, name)
            raise BadOption(f"{info.name} has no option {name!r}", field=name, hint=hint, provider=info.name)
        if not isinstance(value, expected):
            raise BadOption(
                f"{name} is {type(value).__name__}, not {expected.__name__}", field=name, provider=info.name
            )


def _instead(info: Info, name: str) -> str:
    """What the caller may have meant by an option that the service has not."""
    if name in _ARGUMENTS:
        return f"{name} is an argument of create, and cannot be given with -o or options"
    near = get_close_matches(name, [*info.options, *_ARGUMENTS], n=2)
    return f"did you mean {' or '.join(near)}?" if near else f"it takes: {', '.join(info.options) or 'none'}"
