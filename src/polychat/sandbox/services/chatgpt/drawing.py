"""Pictures that the model makes: real PNG files, drawn from the prompt, so that the same prompt gives the same picture.

    dalle      a tool message whose part points at `file-service://...`, with the prompt in its metadata
    sediment   a tool message whose pointer is `sediment://...`: two previews, then the final one in their place
    task       a tool message that announces a task; the picture comes over a socket, or by reading the conversation

The knob `picture_form` chooses; by default the dialect does.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from PIL import Image, ImageDraw

from polychat.sandbox.services.chatgpt.bodies import Turn as Body
from polychat.sandbox.services.chatgpt.encodings import Change, Step
from polychat.sandbox.services.chatgpt.knobs import Knobs
from polychat.sandbox.services.chatgpt.patches import Patch
from polychat.sandbox.services.chatgpt.state import Task, Upload
from polychat.sandbox.services.chatgpt.turns import Turn, finished, speech

IMAGE_MODELS = ("gpt-image", "gpt-image-1", "dall-e-3")
SIZE = 64  # pixels a side at the least
_POINTER = "/message/content/parts/0/asset_pointer"
_LARGEST_STEP = 4  # times SIZE


def wanted(knobs: Knobs, body: Body) -> bool:
    """True when the turn asks for a picture."""
    return knobs.picture or body.model in IMAGE_MODELS or "picture_v2" in body.hints


def scene(turn: Turn) -> Iterator[Step]:
    """The picture, in the form that the knobs want."""
    form = turn.knobs.picture_form
    if form == "auto":
        form = "sediment" if turn.newest_dialect and turn.knobs.compat == "none" else "dalle"
    yield from {"dalle": _dalle, "sediment": _sediment, "task": _task}[form](turn)


@lru_cache(maxsize=32)
def png(prompt: str) -> bytes:
    """A picture for `prompt`: a ground, a disc and a bar whose colours and places come from its hash."""
    digest = hashlib.sha256(prompt.encode()).digest()
    width, height = (SIZE * (1 + byte % _LARGEST_STEP) for byte in digest[:2])
    picture = Image.new("RGB", (width, height), _colour(digest[2:5]))
    draw = ImageDraw.Draw(picture)
    x, y = digest[5] * width // 512, digest[6] * height // 512
    draw.ellipse((x, y, x + width // 2, y + height // 2), fill=_colour(digest[7:10]))
    draw.rectangle((0, height - 8, width * (1 + digest[10]) // 256, height), fill=_colour(digest[11:14]))
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def _colour(three: bytes) -> tuple[int, int, int]:
    return three[0], three[1], three[2]


def _stored(turn: Turn, prompt: str, prefix: str) -> Upload:
    """A picture of the service's own, complete."""
    data = png(prompt)
    upload = Upload(
        id=f"{prefix}{turn.state.world.ids.hex(24)}", owner=turn.owner, name=f"{turn.id}.png", size_bytes=len(data),
        use_case="generated", signature=turn.state.world.ids.hex(32), data=data, media_type="image/png", complete=True,
        conversation_id=turn.conversation.id,
    )  # fmt: skip
    turn.state.uploads[upload.id] = upload
    return upload


def _part(turn: Turn, upload: Upload, scheme: str, prompt: str) -> dict[str, Any]:
    with Image.open(io.BytesIO(upload.data or b"")) as picture:
        width, height = picture.size
    dalle = {"gen_id": upload.id[-8:], "prompt": prompt, "seed": 42, "parent_gen_id": None, "edit_op": None}
    return {
        "content_type": "image_asset_pointer", "asset_pointer": f"{scheme}://{upload.id}", "width": width,
        "height": height, "size_bytes": upload.size_bytes, "fovea": None, "metadata": {"dalle": dalle},
    }  # fmt: skip


def _pictures(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"content_type": "multimodal_text", "parts": list(parts)}


def _dalle(turn: Turn) -> Iterator[Step]:
    call = {"content_type": "code", "language": "json", "text": '{"prompt": "a picture", "size": "1024x1024"}'}
    yield turn.begin("assistant", call, recipient="dalle.text2im")
    part = _part(turn, _stored(turn, turn.prompt, "file-"), "file-service", turn.prompt)
    yield turn.begin("tool", _pictures(part), name="dalle.text2im")
    yield from speech(turn, ("Here", " it", " is."))


def _sediment(turn: Turn) -> Iterator[Step]:
    first, second, final = (
        _part(turn, _stored(turn, prompt, "file_"), "sediment", turn.prompt)
        for prompt in (f"sketch of {turn.prompt}", f"preview of {turn.prompt}", turn.prompt)
    )
    yield turn.begin(
        "tool", _pictures(first), name="t2uay3k.sj1i4kz", status="in_progress",
        image_gen_title="",
    )  # fmt: skip
    yield Change((Patch("/message/metadata/image_gen_title", "replace", turn.prompt[:40] or "A picture"),))
    yield Change((Patch(_POINTER, "replace", second["asset_pointer"]),))
    yield Change(
        (
            Patch(_POINTER, "replace", final["asset_pointer"]),
            *(
                Patch(f"/message/content/parts/0/{name}", "replace", final[name])
                for name in ("width", "height", "size_bytes")
            ),
            Patch("/message/status", "replace", "finished_successfully"),
        )
    )
    yield turn.begin("assistant", {"content_type": "text", "parts": [""]}, channel="final", status="in_progress")
    yield finished(end_turn=True, finish_details={"type": "stop", "stop_tokens": [200002]})


def _task(turn: Turn) -> Iterator[Step]:
    part = _part(turn, _stored(turn, turn.prompt, "file_"), "sediment", turn.prompt)
    task_id = f"imagegen_{turn.state.world.ids.hex(24)}"
    yield turn.begin(
        "tool", {"content_type": "text", "parts": ["Processing image. Lots of people are creating images right now."]},
        name="t2uay3k.sj1i4kz", status="in_progress", image_gen_task_id=task_id, image_gen_async=True,
        async_task_type="image_gen", async_task_title=turn.prompt[:40], ui_card_title="Processing image",
    )  # fmt: skip
    turn.state.tasks.append(
        Task(
            id=task_id, owner=turn.owner, conversation_id=turn.conversation.id, message_id=turn.tail,
            ready_at=turn.state.world.clock.now() + turn.knobs.picture_delay_s, final_parts=[part],
        )
    )  # fmt: skip
    yield turn.event("conversation_async_status", async_status=1)
