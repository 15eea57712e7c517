"""What a provider of the pages yields: text is `str`, and everything else is one of these.

A thing that is made once is a record; what a caller fills or keeps (`AuthResult`, a conversation, sources) is JSON in
and JSON out: `get_dict()` and back by keyword. An `AuthResult` never shows what it holds.
"""

from __future__ import annotations

from typing import Any

import msgspec


class JsonMixin:
    """Keyword arguments as attributes; those with a leading underscore are nobody else's business."""

    def __init__(self, **values: Any) -> None:
        vars(self).update(values)

    def get_dict(self) -> dict[str, Any]:
        """The attributes that were set."""
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(other) == vars(self)

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in self.get_dict().items())
        return f"{type(self).__name__}({values})"


class AuthResult(JsonMixin):
    """Who asks. An `api_key` (an access token) alone is enough; a browser's session brings the rest."""

    api_key: str | None = None
    cookies: dict[str, str] | None = None
    headers: dict[str, str] | None = None  # what the browser said of itself
    expires: float | None = None  # of `api_key`, Unix seconds; found in the token itself where it says so
    proof_token: str | None = None  # as the browser sent it; none is ever computed
    turnstile_token: str | None = None

    def __repr__(self) -> str:
        return f"AuthResult({', '.join(self.get_dict())})"


class JsonConversation(JsonMixin):
    """Where a talk stands; hand it back to go on."""


class Conversation(JsonConversation):
    """A ChatGPT conversation. The next question answers `parent_message_id`."""

    def __init__(
        self,
        conversation_id: str | None = None,
        message_id: str | None = None,
        *,
        parent_message_id: str | None = None,
        finish_reason: str | None = None,
        is_thinking: bool = False,
        **more: Any,
    ) -> None:
        self.conversation_id = conversation_id
        self.message_id = message_id  # of the last answer
        self.parent_message_id = parent_message_id or message_id
        self.finish_reason = finish_reason
        self.is_thinking = is_thinking
        super().__init__(**more)


class ImageRequest(JsonMixin):
    """A picture that the service holds for an account: file_id, file_name, file_size, mime_type, width, height."""

    def get(self, name: str) -> Any:
        """One of them, or None."""
        return self.get_dict().get(name)


class Sources:
    """The pages an answer speaks of, each once."""

    def __init__(self, sources: list[dict[str, str]] | None = None) -> None:
        self.list: list[dict[str, str]] = []
        for source in sources or ():
            self.add_source(source)

    def add_source(self, source: dict[str, str] | str) -> None:
        """Note {"url": ..., "title": ...} or a bare URL."""
        added = {"url": source} if isinstance(source, str) else source
        if all(known["url"] != added["url"] for known in self.list):
            self.list.append(added)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sources) and other.list == self.list

    __hash__ = None  # type: ignore[assignment]  # it grows

    def __repr__(self) -> str:
        return f"Sources({self.list!r})"


class ResponseType(msgspec.Struct, frozen=True):
    """What is made once."""

    def get_dict(self) -> dict[str, Any]:
        """Its fields."""
        fields: dict[str, Any] = msgspec.to_builtins(self)
        return fields


class FinishReason(ResponseType, frozen=True):
    """The end: "stop", "max_tokens", or whatever word the service has."""

    reason: str

    @property
    def finish_reason(self) -> str:
        """The same, as page 003 calls it."""
        return self.reason


class Reasoning(ResponseType, frozen=True):
    """More words of the reasoning."""

    token: str
    is_thinking: bool = True


class TitleGeneration(ResponseType, frozen=True):
    """The service named the conversation."""

    title: str


class Usage(ResponseType, frozen=True):
    """Tokens of the whole turn."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class SynthesizeData(ResponseType, frozen=True):
    """What `synthesize` of that provider has to be given to read the answer aloud."""

    provider: str
    data: dict[str, str]


class Picture(ResponseType, frozen=True):
    """A picture: where it lies for a while, and its bytes."""

    url: str
    data: bytes

    def __repr__(self) -> str:
        return f"Picture({self.url.partition('?')[0]!r}, {len(self.data)} bytes)"


class ImagePreview(ResponseType, frozen=True):
    """A generated picture as soon as it is there; the `ImageResponse` at the end has it again."""

    picture: Picture
    alt: str = ""


class ImageResponse(ResponseType, frozen=True):
    """All pictures that an answer consists of, once."""

    pictures: tuple[Picture, ...]
    alt: str = ""  # what they were drawn from

    @property
    def urls(self) -> list[str]:
        """Where they lie. Signed addresses end soon, and some open for the account alone; `pictures` has the bytes."""
        return [picture.url for picture in self.pictures]

    def get_list(self) -> list[str]:
        """The same."""
        return self.urls


Response = (
    str | Reasoning | TitleGeneration | ImagePreview | ImageResponse | Sources | Usage | JsonConversation
    | SynthesizeData | FinishReason | AuthResult
)  # fmt: skip
