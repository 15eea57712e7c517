"""The picture that a response may hold: drawn for the question, or the last picture of the talk, changed.

While it is streamed, up to three previews come first, quarter-sized. GIF and SVG are not drawn here.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec

from polychat.sandbox import brain
from polychat.sandbox.services.openai import attachments, drawing, images, refusals
from polychat.sandbox.services.openai.bodies import Wire
from polychat.sandbox.services.openai.state import ApiCall

_UNPLAYED = {
    "svg": "pictures in SVG", "frame_count": "moving pictures", "frame_duration_ms": "moving pictures",
}  # fmt: skip


class Mask(Wire, frozen=True, kw_only=True):
    """Where the picture may be changed: where this one is transparent."""

    image_url: str | None = None
    file_id: str | None = None


class ImageTool(Wire, frozen=True, kw_only=True):
    """The drawing of pictures."""

    type: Literal["image_generation"]
    action: Literal["generate", "edit", "auto"] = "auto"
    background: Literal["transparent", "opaque", "auto"] = "auto"
    complexity: Literal["low", "medium", "high"] | None = None
    frame_count: int | None = None
    frame_duration_ms: int | None = None
    input_fidelity: Literal["high", "low"] | None = None
    input_image_mask: Mask | None = None
    model: str | None = None
    moderation: Literal["auto", "low"] = "auto"
    output_compression: Annotated[int, msgspec.Meta(ge=0, le=100)] = 100
    output_format: Literal["png", "webp", "jpeg", "gif", "svg"] = "png"
    partial_images: Annotated[int, msgspec.Meta(ge=0, le=3)] = 0
    quality: Literal["low", "medium", "high", "xhigh", "max", "auto"] = "auto"
    size: str = "auto"
    svg: Any = None


class Painted(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it."""

    data: bytes
    item: dict[str, Any]
    previews: tuple[dict[str, Any], ...]  # what the event of each says of it


def judge(call: ApiCall, tool: ImageTool, param: str) -> None:
    """Raises: Refusal for what makes no sense, whether a picture is drawn or not."""
    for field, what in _UNPLAYED.items():
        if getattr(tool, field) is not None:
            raise refusals.unplayed(f"{param}.{field}", what)
    if tool.output_format in ("gif", "svg"):
        raise refusals.unplayed(f"{param}.output_format", f"pictures in {tool.output_format.upper()}")
    if tool.background == "transparent" and tool.output_format == "jpeg":
        raise refusals.invalid_value(f"{param}.background", "a JPEG picture has no transparency.")
    if tool.model is not None:
        known = call.state.models.get(tool.model)
        if known is None or known.kind != "image" or known.links:
            raise refusals.invalid_value(f"{param}.model", f"'{tool.model}' is no model that draws here.")
    images.sized(tool.size, f"{param}.size")
    _mask(tool, param)


def paint(call: ApiCall, tool: ImageTool, param: str, turns: Sequence[brain.Turn]) -> Painted:
    """The picture that the last turn asks for. Raises: Refusal where there is none to change, or no fitting mask."""
    prompt = turns[-1].text if turns else ""
    source = None if tool.action == "generate" else _last_picture(turns)
    if source is None and (tool.action == "edit" or tool.input_image_mask is not None):
        raise refusals.invalid_value(f"{param}.action", "there is no picture in the talk that could be changed.")
    size = images.sized(tool.size, f"{param}.size") or (drawing.measure(source) if source else None) or images.USUAL
    about = {
        "background": "transparent" if tool.background == "transparent" else "opaque",
        "output_format": tool.output_format, "quality": "high" if tool.quality == "auto" else tool.quality,
        "size": f"{size[0]}x{size[1]}",
    }  # fmt: skip
    data = _drawn(tool, param, prompt, source, size)
    small = _encoded(_drawn(tool, param, prompt, source, images.preview(size)) if tool.partial_images else b"")
    item = {
        "id": f"ig_{call.world.ids.hex(48)}", "type": "image_generation_call", "status": "completed",
        "action": "edit" if source else "generate", **about, "result": _encoded(data), "revised_prompt": prompt,
    }  # fmt: skip
    previews = tuple(
        {"partial_image_index": index, "partial_image_b64": small, **about} for index in range(tool.partial_images)
    )
    return Painted(data=data, item=item, previews=previews)


def _drawn(tool: ImageTool, param: str, prompt: str, source: bytes | None, size: drawing.Size) -> bytes:
    form, quality = tool.output_format, tool.output_compression
    if source is None:
        return drawing.draw(prompt, size, form, transparent=tool.background == "transparent", quality=quality)
    try:
        return drawing.edit(prompt, source, _mask(tool, param), size, form, quality)
    except (ValueError, OSError) as mistake:
        raise refusals.invalid_value(f"{param}.input_image_mask", f"{mistake}.") from None


def _mask(tool: ImageTool, param: str) -> bytes | None:
    mask, place = tool.input_image_mask, f"{param}.input_image_mask"
    if mask is None:
        return None
    if mask.file_id is not None:
        raise refusals.invalid_value(f"{place}.file_id", f"there is no file '{mask.file_id}'.")
    if mask.image_url is None:
        raise refusals.missing(f"{place}.image_url")
    return attachments.picture(mask.image_url, f"{place}.image_url")


def _last_picture(turns: Sequence[brain.Turn]) -> bytes | None:
    shown = [data for turn in turns for data in turn.attachments if attachments.is_picture(data)]
    return next((data for data in reversed(shown) if drawing.measure(data) is not None), None)


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()
