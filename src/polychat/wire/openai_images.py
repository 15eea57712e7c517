"""Pictures in the OpenAI dialect: drawn from words (JSON), or changed (a form with files).

    {"model": "gpt-image-1", "prompt": "a fox", "n": 2, "size": "1024x1024"}
    {"created": 1, "data": [{"b64_json": "iVBOR..."}, {"url": "https://...", "revised_prompt": "..."}], "usage": {...}}

A service gives bytes or a link as it likes. `response_format` is said only by who insists on a link, because the newer
models refuse the field. Shapes as in the types of OpenAI's own Python package 3.52; 2026-11.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

import msgspec

from polychat.errors import BadOption, FormatChanged
from polychat.types import Drawing, Drawn, Image, Usage
from polychat.wire.openai_messages import data_uri

OPTIONS: Mapping[str, type] = {
    "quality": str,
    "background": str,
    "output_format": str,
    "output_compression": int,
    "moderation": str,
    "style": str,
    "input_fidelity": str,
    "user": str,
    "safety_identifier": str,
    "extra_body": dict,  # fields of the service's own, as they are
}
_FACTS = ("size", "quality", "background", "output_format")


class _Picture(msgspec.Struct):
    b64_json: bytes | None = None  # decoded with the JSON
    url: str | None = None
    revised_prompt: str | None = None


class _Usage(msgspec.Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None


class Answer(msgspec.Struct):
    """The answer as it stands on the wire."""

    data: list[_Picture]
    size: str | None = None
    quality: str | None = None
    background: str | None = None
    output_format: str | None = None
    usage: _Usage | None = None


def check_options(options: Mapping[str, Any], provider: str) -> None:
    """Raise `BadOption` for one that there is not, or of the wrong type."""
    for name, value in options.items():
        expected = OPTIONS.get(name)
        if expected is None:
            near = get_close_matches(name, [*OPTIONS, "size", "n", "mask"], n=2)
            hint = f"did you mean {' or '.join(near)}?" if near else f"a picture takes: {', '.join(OPTIONS)}"
            raise BadOption(f"{provider} has no option {name!r} for a picture", field=name, hint=hint)
        if not isinstance(value, expected):
            raise BadOption(f"{name} is {type(value).__name__}, not {expected.__name__}", field=name)


def body(drawing: Drawing) -> dict[str, Any]:
    """The JSON that asks for a picture from words."""
    asked: dict[str, Any] = {"model": drawing.model, "prompt": drawing.prompt}
    if drawing.n != 1:
        asked["n"] = drawing.n
    if drawing.size is not None:
        asked["size"] = drawing.size
    if drawing.linked:
        asked["response_format"] = "url"
    own = dict(drawing.options)
    extra: dict[str, Any] = own.pop("extra_body", {})
    return asked | own | extra


def fields(drawing: Drawing) -> list[tuple[str, str]]:
    """The same as the fields of a form: text as it is, all else as JSON."""
    return [(name, _written(value)) for name, value in body(drawing).items()]


def files(drawing: Drawing) -> Iterator[tuple[str, Image]]:
    """The files of that form. Several pictures are a list, whose fields end in brackets."""
    name = "image" if len(drawing.images) == 1 else "image[]"
    for image in drawing.images:
        yield name, image
    if drawing.mask is not None:
        yield "mask", drawing.mask


def drawn(answer: Answer) -> Drawn:
    """What was drawn. Raises: `FormatChanged` for no picture, or one that is nowhere."""
    if not answer.data:
        raise FormatChanged("the service says that it drew, and gives no picture")
    usage = answer.usage
    return Drawn(
        images=tuple(map(_image, answer.data)),
        facts={name: value for name in _FACTS if (value := getattr(answer, name)) is not None},
        usage=Usage(input_tokens=usage.input_tokens, output_tokens=usage.output_tokens) if usage else None,
    )


def _image(picture: _Picture) -> Image:
    if not picture.b64_json and not picture.url:
        raise FormatChanged("a picture of the answer has neither bytes nor a link")
    data, url = picture.b64_json or None, picture.url or None
    if url is not None and url.startswith("data:"):
        data, url = _inside(url), None
    return Image(data=data, url=url, prompt=picture.revised_prompt)


def _inside(uri: str) -> bytes:
    try:
        return data_uri(uri, "url")
    except BadOption as error:
        raise FormatChanged("a picture of the answer is a damaged data URI") from error


def _written(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
