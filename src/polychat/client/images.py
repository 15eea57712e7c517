"""Pictures: `client.images.generate` and `edit`, under the names that users of the OpenAI SDK know.

    picture = client.images.generate(model="openai/gpt-image-2", prompt="a red fox").data[0]
    picture.save("fox.png")
    client.images.edit(model="openai/gpt-image-2", prompt="in blue", image="fox.png").data[0].save("blue.png")

A model that draws outside conversations is asked there; any other draws as part of its answer. The bytes are always at
hand, unless a service's link cannot be read. `url` is that link as the service gave it, and may end soon; `b64_json` is
filled only when asked for. What a service cannot choose is refused before anything is sent, and never put into words.
"""

from __future__ import annotations

import textwrap
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypedDict, Unpack, get_args

import msgspec

from polychat.client import questions
from polychat.client.arguments import checked, named
from polychat.client.pictures import ImageData, ImagesResponse, ImagesUsage
from polychat.engine import attachments
from polychat.engine.calling import unable
from polychat.errors import BadOption, Refused, UnsupportedFeature
from polychat.providers.base import Capability, Info, Model
from polychat.types import Drawing, Image, Reply, Thread

if TYPE_CHECKING:
    from polychat.client.aio import AsyncClient
    from polychat.engine.portal import Portal
    from polychat.engine.turn import Turn

ResponseFormat = Literal["url", "b64_json", "bytes"]
_QUOTED = 300  # characters of what a service said instead of drawing


class Change(TypedDict, total=False):
    """Everything `edit` takes beside `image`, `prompt` and `model`. Unset means: left to the service."""

    mask: Any  # a picture; where it is transparent, the first one may change
    n: int | None  # how many, 1 to 10
    size: str | None  # "1024x1024"
    quality: str | None
    background: str | None  # "transparent"
    output_format: str | None  # "png"
    output_compression: int | None  # percent
    input_fidelity: str | None
    response_format: ResponseFormat | None
    conversation: Thread | Mapping[str, Any] | str | bytes | None  # to go on from an earlier answer
    account: str | None
    timeout: float | None  # seconds for the whole answer
    user: str | None
    extra_body: Mapping[str, Any]  # fields of the service's own, as they are
    options: Mapping[str, Any]  # the service's own; any other keyword counts as one too


class Wish(Change, total=False):
    """Everything `generate` takes beside `prompt` and `model`."""

    image: Any  # to edit or vary: path, open binary file, bytes, data URI, http(s) URL or PIL picture
    images: Sequence[Any]
    moderation: str | None
    style: str | None


class _Plain(msgspec.Struct, kw_only=True):
    """Arguments of a drawing that only need their type checked."""

    n: Annotated[int, msgspec.Meta(ge=1, le=10)] = 1
    size: str | None = None
    options: dict[str, Any] = {}
    account: str | None = None
    timeout: float | None = None


class AsyncImages:
    """`client.images`."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def generate(self, *, prompt: str, model: str | None = None, **wish: Unpack[Wish]) -> ImagesResponse:
        """Have a picture drawn, or with `image` or `images` have those changed; see `Wish` for the rest.

        Raises: `ConfigError` before anything is sent; `Refused` with the service's words when no picture came; any
        other `PolychatError` of what happened then.
        """
        return await self._answered(prompt, model, dict(wish))

    async def edit(
        self, *, image: Any, prompt: str, model: str | None = None, **change: Unpack[Change]
    ) -> ImagesResponse:
        """Have a picture changed: any that `Wish.image` may be, or a list of them. Raises: as `generate`."""
        several = isinstance(image, list | tuple) and named(image)[0] is None
        if image is None or (several and not image):
            raise BadOption("image is missing", field="image", hint="to have one drawn from words: images.generate")
        return await self._answered(prompt, model, {**change, "images" if several else "image": image})

    async def _answered(self, prompt: str, model: str | None, given: dict[str, Any]) -> ImagesResponse:
        """In whichever of the two ways the model draws."""
        given = {name: value for name, value in given.items() if value is not None}
        form = _response_format(given.pop("response_format", None))
        if not (prompt and prompt.strip()):
            raise BadOption("prompt is empty", field="prompt")
        thread = questions.thread(given.get("conversation"))
        needed: Capability = "image_edit" if "image" in given or given.get("images") else "drawing"
        chosen = self._client.route(model, thread, to=needed)
        info = self._client.engine.service(chosen.provider).info
        if info.can(chosen.model, needed):
            if thread is not None:
                raise _no_conversation(info, chosen.model)
            return await self._drawn(prompt, model, form, given)
        if not info.can(chosen.model, "image_out"):
            raise unable(info, chosen.model, needed).hinted("who does: polychat models --cap drawing, or image_out")
        given |= {"modalities": ("image",)} | self._sized(given.pop("size", None), info)
        return await self._said(prompt, model, form, given)

    async def _drawn(
        self, prompt: str, model: str | None, form: ResponseFormat | None, given: dict[str, Any]
    ) -> ImagesResponse:
        """Drawn outside conversations."""
        images, mask = _shown(given), given.pop("mask", None)
        if mask is not None and not images:
            raise BadOption("mask says where a picture may change, and there is none", field="image")
        plain = checked({name: given.pop(name) for name in _Plain.__struct_fields__ if name in given}, _Plain)
        drawing = Drawing(
            model=self._client.named(model),
            prompt=prompt,
            images=images,
            mask=None if mask is None else attachments.picture(named(mask)[1], field="mask"),
            n=plain.n,
            size=plain.size,
            linked=form == "url",
            options=plain.options | given,
        )
        made = await self._client.engine.calls.draw(
            drawing,
            account=plain.account or self._client.account,
            provider=self._client.provider,
            waits=self._client.waits(plain.timeout),
        )
        facts: dict[str, Any] = dict(made.value.facts)
        return ImagesResponse(
            created=int(time.time()),
            data=[ImageData.of(picture, with_base64=form == "b64_json") for picture in made.value.images],
            provider=made.provider,
            account=made.account,
            usage=ImagesUsage.of(made.value.usage),
            **facts,
        )

    async def _said(
        self, prompt: str, model: str | None, form: ResponseFormat | None, given: dict[str, Any]
    ) -> ImagesResponse:
        """Drawn as part of an answer."""
        turn = await self._client.ask(model, prompt, False, given)
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

    def _sized(self, size: str | None, info: Info) -> dict[str, Any]:
        """The size as an option of the service. Raises: `UnsupportedFeature` where it has no such."""
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

    def edit(self, *, image: Any, prompt: str, model: str | None = None, **change: Unpack[Change]) -> ImagesResponse:
        """Have a picture changed; see `AsyncImages.edit`."""
        return self._portal.call(lambda client: client.images.edit(image=image, prompt=prompt, model=model, **change))


def _shown(given: dict[str, Any]) -> tuple[Image, ...]:
    """The pictures to be changed, taken out of `given`."""
    one, several = given.pop("image", None), given.pop("images", ())
    if isinstance(several, str | bytes | Mapping):
        raise BadOption("images is not a list; for one picture say image=", field="images")
    first = () if one is None else (attachments.picture(named(one)[1]),)
    return (*first, *attachments.gathered((named(each)[1] for each in several), field="images"))


def _no_conversation(info: Info, model: Model) -> UnsupportedFeature:
    return UnsupportedFeature(
        f"{info.name}/{model.id} draws outside conversations",
        hint="leave conversation out, and give the picture itself as image",
        provider=info.name,
    )


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
