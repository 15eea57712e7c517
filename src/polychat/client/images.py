"""Pictures: `client.images.generate`, under the names that users of the OpenAI SDK know.

    picture = client.images.generate(model="chatgpt/gpt-image", prompt="a red fox").data[0]
    picture.save("fox.png")

The bytes are always at hand. `url` is the service's own link as it gave it, and may end soon; `b64_json` is filled only
when asked for. What a service cannot choose is refused before anything is sent, and never put into words instead.
"""

from __future__ import annotations

import base64
import builtins
import io
import os
import textwrap
import time
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, TypedDict, Unpack, get_args

from polychat.client import questions
from polychat.client.shapes import Shape
from polychat.errors import BadOption, Refused, UnsupportedFeature
from polychat.types import Image, Reply, Thread

if TYPE_CHECKING:
    from polychat.client.aio import AsyncClient
    from polychat.engine.portal import Portal
    from polychat.engine.turn import Turn

ResponseFormat = Literal["url", "b64_json", "bytes"]
_QUOTED = 300  # characters of what a service said instead of drawing


class Wish(TypedDict, total=False):
    """Everything `generate` takes beside `prompt` and `model`. Unset means: left to the service."""

    image: Any  # to edit or vary: path, open binary file, bytes, data URI, http(s) URL or PIL picture
    images: Sequence[Any]
    size: str | None  # "1024x1024", where the service lets it be chosen
    response_format: ResponseFormat | None
    conversation: Thread | Mapping[str, Any] | str | bytes | None  # to go on from an earlier answer
    account: str | None
    timeout: float | None  # seconds for the whole answer
    n: Literal[1]
    user: str
    options: Mapping[str, Any]  # the service's own; any other keyword counts as one too


class ImageData(Shape, kw_only=True, dict=True):
    """One picture. Its bytes are no part of the dump."""

    url: str | None = None  # the service's own link
    b64_json: str | None = None
    revised_prompt: str | None = None  # what the service says it drew

    @classmethod
    def of(cls, part: Image, *, with_base64: bool) -> Self:
        """A picture of an answer."""
        made = cls(url=part.url, revised_prompt=part.prompt)
        made.__dict__["part"] = part
        if with_base64:
            made.b64_json = base64.b64encode(made.bytes).decode()
        return made

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the bytes to `path`, over what is there; the path."""
        Path(path).write_bytes(self.bytes)
        return Path(path)

    @property
    def media_type(self) -> str | None:
        """What the bytes are."""
        return self._part.media_type

    @property
    def width(self) -> int | None:
        """In pixels; None where the bytes do not tell."""
        return self._pixels[0]

    @property
    def height(self) -> int | None:
        """In pixels; None where the bytes do not tell."""
        return self._pixels[1]

    @property
    def bytes(self) -> builtins.bytes:
        """The picture itself. Raises: `UnsupportedFeature` where the service gave a link only."""
        if self._part.data is None:
            raise UnsupportedFeature("the service gave a link to the picture and not its bytes", hint="open its url")
        return self._part.data

    @property
    def _part(self) -> Image:
        part: Image = self.__dict__["part"]
        return part

    @cached_property
    def _pixels(self) -> tuple[int | None, int | None]:
        from PIL import Image as Picture
        from PIL import UnidentifiedImageError

        try:
            with Picture.open(io.BytesIO(self.bytes)) as picture:
                return picture.size
        except (UnidentifiedImageError, Picture.DecompressionBombError, OSError):
            return None, None


class ImagesResponse(Shape, kw_only=True):
    """The pictures of one answer, in the order they were made."""

    created: int  # Unix seconds
    data: list[ImageData]
    provider: str
    account: str
    conversation: Thread | None = None  # hand it back as conversation= to have them changed
    text: str = ""  # what was said beside them


class AsyncImages:
    """`client.images`."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def generate(self, *, prompt: str, model: str | None = None, **wish: Unpack[Wish]) -> ImagesResponse:
        """Have a picture drawn, or with `image` or `images` have those changed; see `Wish` for the rest.

        Raises: `ConfigError` before anything is sent; `Refused` with the service's words when no picture came; any
        other `PolychatError` of what happened then.
        """
        given: dict[str, Any] = dict(wish)
        form = _response_format(given.pop("response_format", None))
        size = given.pop("size", None)
        if not (prompt and prompt.strip()):
            raise BadOption("prompt is empty", field="prompt")
        question = given | {"modalities": ("image",)} | self._sized(size, model, given.get("conversation"))
        turn = await self._client.ask(model, prompt, False, question)
        reply = await turn.reply()
        pictures = [part for part in reply.media if isinstance(part, Image)]
        if not pictures:
            raise _refused(turn, reply)
        return ImagesResponse(
            created=int(time.time()),
            data=[ImageData.of(picture, with_base64=form == "b64_json") for picture in pictures],
            provider=turn.provider,
            account=turn.account,
            conversation=reply.thread,
            text=reply.text,
        )

    def _sized(self, size: str | None, model: str | None, conversation: Any) -> dict[str, Any]:
        """The size as an option of the service. Raises: `UnsupportedFeature` where it draws nothing or has no such."""
        chosen = self._client.route(model, questions.thread(conversation))
        info = self._client.engine.service(chosen.provider).info
        if "image_out" not in info.capabilities:
            raise UnsupportedFeature(
                f"{info.name} makes no pictures", hint="who does: polychat models --cap image_out", provider=info.name
            )
        if size in {None, "auto"}:
            return {}
        if "size" not in info.options:
            raise UnsupportedFeature(
                f"{info.name} does not let the size of a picture be chosen (size {size})",
                hint="leave size out",
                provider=info.name,
            )
        return {"size": size}


class Images:
    """`client.images` of the synchronous client."""

    def __init__(self, portal: Portal[AsyncClient]) -> None:
        self._portal = portal

    def generate(self, *, prompt: str, model: str | None = None, **wish: Unpack[Wish]) -> ImagesResponse:
        """Have a picture drawn or changed; see `AsyncImages.generate`."""
        return self._portal.call(lambda client: client.images.generate(prompt=prompt, model=model, **wish))


def _response_format(given: Any) -> ResponseFormat | None:
    if given is not None and given not in get_args(ResponseFormat):
        raise BadOption(f"response_format is not one of {', '.join(get_args(ResponseFormat))}", field="response_format")
    form: ResponseFormat | None = given
    return form


def _refused(turn: Turn, reply: Reply) -> Refused:
    said = textwrap.shorten(reply.text, _QUOTED, placeholder="…")
    return Refused(
        f"{turn.provider} made no picture; it said: {said}" if said else f"{turn.provider} made no picture",
        hint="put the prompt another way",
        provider=turn.provider,
        account=turn.account,
        partial=reply,
    )
