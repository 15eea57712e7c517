"""POST /images/generations and /images/edits: real pictures in base64, or by address where the model gives addresses.

As a stream there are up to three previews, quarter-sized, and then the picture. SVG and GIF are not drawn here.
"""

from __future__ import annotations

import base64
import re
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Annotated, Any, Literal

import msgspec
from starlette.responses import Response

from polychat.sandbox import brain
from polychat.sandbox.call import EventStream, json
from polychat.sandbox.services.openai import drawing, refusals
from polychat.sandbox.services.openai.attachments import is_picture
from polychat.sandbox.services.openai.bodies import Wire, convert, read, read_form
from polychat.sandbox.services.openai.gate import model as find
from polychat.sandbox.services.openai.gate import spend
from polychat.sandbox.services.openai.models import Model
from polychat.sandbox.services.openai.refusals import Refusal
from polychat.sandbox.services.openai.state import ApiCall

USUAL = (1024, 1024)
_LARGEST = 3840 * 2160  # pixels
_GRID = 16  # pixels that width and height are multiples of
_TOKEN = 1024  # pixels that cost one token
_PREVIEW = 4  # times smaller
_UNPLAYED = ("svg", "frame_count", "frame_duration_ms")
Draw = Callable[[str, drawing.Size | None], bytes]  # prompt and size -> the picture, encoded


class Asked(Wire, frozen=True, kw_only=True):
    """What both endpoints take."""

    prompt: Annotated[str, msgspec.Meta(min_length=1, max_length=32_000)]
    model: str | None = None
    n: Annotated[int, msgspec.Meta(ge=1, le=10)] | None = None
    size: str | None = None
    quality: Literal["low", "medium", "high", "xhigh", "max", "auto", "standard", "hd"] | None = None
    background: Literal["transparent", "opaque", "auto"] | None = None
    output_format: Literal["png", "webp", "jpeg", "gif", "svg"] | None = None
    output_compression: Annotated[int, msgspec.Meta(ge=0, le=100)] | None = None
    response_format: Literal["url", "b64_json"] | None = None
    stream: bool | None = None
    partial_images: Annotated[int, msgspec.Meta(ge=0, le=3)] | None = None
    complexity: Literal["low", "medium", "high"] | None = None
    frame_count: int | None = None
    frame_duration_ms: int | None = None
    svg: Any = None
    safety_identifier: str | None = None
    user: str = ""

    @property
    def form(self) -> str:
        """The format of the picture."""
        return self.output_format or "png"


class Generation(Asked, frozen=True, kw_only=True):
    """The body of a generation."""

    moderation: Literal["low", "auto"] | None = None
    style: Literal["vivid", "natural"] | None = None


class Edit(Asked, frozen=True, kw_only=True):
    """The fields of an edit."""

    input_fidelity: Literal["high", "low"] | None = None


async def generate(call: ApiCall) -> Response:
    """Pictures from words."""
    asked = read(call, Generation)
    model = _judged(call, asked)
    if asked.style is not None and not model.links:
        raise refusals.unsupported("style", model.id)
    size = sized(asked.size, "size") or USUAL
    clear = asked.background == "transparent"
    compression = 100 if asked.output_compression is None else asked.output_compression

    def draw(prompt: str, wanted: drawing.Size | None) -> bytes:
        return drawing.draw(prompt, wanted or size, asked.form, transparent=clear, quality=compression)

    return _answer(call, asked, model, "image_generation", draw, size, 0)


async def edit(call: ApiCall) -> Response:
    """Pictures from words and pictures; the first is the one that is changed."""
    form = read_form(call, "image", "mask")
    asked = convert(form.fields, Edit)
    model = _judged(call, asked)
    if not model.edits:
        raise refusals.invalid_value("model", f"{model.id} changes no pictures.")
    source = _opened(form.file("image").data, "image")
    for extra in form.files["image"][1:]:
        _opened(extra.data, "image")
    mask = form.file("mask").data if "mask" in form.files else None
    size = sized(asked.size, "size") or drawing.measure(source) or USUAL
    compression = 100 if asked.output_compression is None else asked.output_compression

    def draw(prompt: str, wanted: drawing.Size | None) -> bytes:
        try:
            return drawing.edit(prompt, source, mask, wanted or size, asked.form, compression)
        except (ValueError, OSError) as mistake:
            raise refusals.invalid_value("mask", f"{mistake}.") from None

    return _answer(call, asked, model, "image_edit", draw, size, len(form.files["image"]))


async def fetch(call: ApiCall) -> Response:
    """A picture by its address."""
    found = call.state.pictures.get(call.path["name"])
    if found is None:
        raise Refusal("There is no such picture.", status=404)
    return Response(found[0], media_type=found[1])


def _judged(call: ApiCall, asked: Asked) -> Model:
    """The model that draws, if it draws that. Raises: Refusal."""
    usual = next(name for name, model in call.state.models.items() if model.kind == "image")
    model = find(call, asked.model or usual, "image")
    for field in _UNPLAYED:
        if getattr(asked, field) is not None:
            raise refusals.unplayed(field, f"'{field}'")
    if asked.form not in ("png", "jpeg", "webp"):
        raise refusals.unplayed("output_format", f"the format '{asked.form}', only png, jpeg and webp")
    if asked.response_format is not None and not model.links:
        raise refusals.unsupported("response_format", model.id, "It always gives base64.")
    if asked.background == "transparent" and asked.form == "jpeg":
        raise refusals.invalid_value("background", "JPEG has no transparency.")
    if asked.output_compression not in (None, 100) and asked.form == "png":
        raise refusals.invalid_value("output_compression", "PNG is not compressed with loss.")
    if asked.partial_images and not asked.stream:
        raise Refusal("'partial_images' is only taken when 'stream' is true.", param="partial_images")
    if asked.stream and asked.n not in (None, 1):
        raise refusals.invalid_value("n", "a stream holds one picture.")
    return model


def preview(size: drawing.Size) -> drawing.Size:
    """The size of a picture that is not done yet."""
    return max(1, size[0] // _PREVIEW), max(1, size[1] // _PREVIEW)


def sized(size: str | None, param: str) -> drawing.Size | None:
    """Width and height, or None for whatever fits. Raises: Refusal."""
    if size in (None, "auto"):
        return None
    parts = re.fullmatch(r"([1-9][0-9]{1,3})x([1-9][0-9]{1,3})", size or "")
    if parts is None:
        raise refusals.invalid_value(param, f"expected auto or WIDTHxHEIGHT, not '{size}'.")
    width, height = int(parts[1]), int(parts[2])
    if width % _GRID or height % _GRID or not 1 / 3 <= width / height <= 3 or width * height > _LARGEST:
        raise refusals.invalid_value(param, f"the sides must be multiples of {_GRID}, at most 3:1 and 3840x2160.")
    return width, height


def _opened(data: bytes, param: str) -> bytes:
    """The bytes of a picture that can be opened. Raises: Refusal."""
    if not is_picture(data) or drawing.measure(data) is None:
        message = "The file is no picture that can be opened: PNG, JPEG, GIF or WebP."
        raise Refusal(message, param=param, code="invalid_image_file")
    return data


def _answer(
    call: ApiCall, asked: Asked, model: Model, event: str, draw: Draw, size: drawing.Size, shown: int
) -> Response:
    prompts = [asked.prompt, *(f"{asked.prompt} ({number})" for number in range(2, (asked.n or 1) + 1))]
    pictures = [draw(prompt, None) for prompt in prompts]
    usage = _usage(asked.prompt, size, len(pictures), shown)
    spend(call, usage["total_tokens"])
    about = {
        "background": asked.background if asked.background in ("transparent", "opaque") else "opaque",
        "output_format": asked.form, "quality": asked.quality if asked.quality not in (None, "auto") else "high",
        "size": f"{size[0]}x{size[1]}",
    }  # fmt: skip
    created = int(call.now)
    if asked.stream:
        previews = [draw(asked.prompt, preview(size))] * (asked.partial_images or 0)
        return EventStream(_frames(event, previews, pictures[0], {"created_at": created, **about}, usage))
    told = [_told(call, asked, model, picture) for picture in pictures]
    return json({"created": created, "data": told, **({} if model.links else about | {"usage": usage})})


def _told(call: ApiCall, asked: Asked, model: Model, picture: bytes) -> dict[str, str]:
    if not model.links or asked.response_format == "b64_json":
        return {"b64_json": base64.b64encode(picture).decode()}
    name = f"{call.world.ids.hex(24)}.{asked.form}"
    call.state.keep_picture(name, picture, f"image/{asked.form}")
    return {"url": f"{call.foreign_url}/pictures/{name}", "revised_prompt": asked.prompt}


def _usage(prompt: str, size: drawing.Size, count: int, shown: int) -> dict[str, Any]:
    text, seen = len(brain.pieces(prompt)), 256 * shown
    drawn = count * (size[0] * size[1] // _TOKEN)
    return {
        "input_tokens": text + seen, "input_tokens_details": {"text_tokens": text, "image_tokens": seen},
        "output_tokens": drawn, "output_tokens_details": {"text_tokens": 0, "image_tokens": drawn},
        "total_tokens": text + seen + drawn,
    }  # fmt: skip


async def _frames(
    event: str, previews: Sequence[bytes], picture: bytes, about: dict[str, Any], usage: dict[str, Any]
) -> AsyncIterator[bytes]:
    for index, preview in enumerate(previews):
        yield _frame(f"{event}.partial_image", preview, {**about, "partial_image_index": index})
    yield _frame(f"{event}.completed", picture, {**about, "usage": usage})


def _frame(kind: str, picture: bytes, about: dict[str, Any]) -> bytes:
    data = msgspec.json.encode({"type": kind, "b64_json": base64.b64encode(picture).decode(), **about})
    return b"event: " + kind.encode() + b"\ndata: " + data + b"\n\n"
