"""Raycast AI as its page has it. Source: the project's page on the class `Raycast`, 2026-11."""

from __future__ import annotations

from typing import Any, ClassVar

from polychat.errors import NoAccount
from polychat.g4f.errors import value_errors
from polychat.g4f.providers.base_provider import AbstractProvider
from polychat.g4f.typing import CreateResult, ImageType, Messages


class Raycast(AbstractProvider):
    """The account is the session token of the person's own app, given at each call as `auth` (or `api_key`).

    `working` stays False, as at this address: nobody has confirmed it live.
    """

    service = "raycast"
    url = "https://raycast.com"
    needs_auth = True
    supports_stream = True
    models: ClassVar[tuple[str, ...]] = ("gpt-3.5-turbo", "gpt-4")

    @classmethod
    def create_completion(
        cls,
        model: str,
        messages: Messages,
        stream: bool = True,
        proxy: str | None = None,
        api_key: str | None = None,
        image: ImageType | None = None,
        auth: str | None = None,
        **kwargs: Any,
    ) -> CreateResult:
        """The answer's pieces of text; nothing is sent before the first is asked for.

        auth: the token; without it this raises at once, also where an account is kept (the page's quirk).

        Raises: `ValueError` (and `NoAccount`) without a token; else as `AbstractProvider.create_completion`.
        """
        token = auth or api_key
        if not token:
            with value_errors(NoAccount):
                raise NoAccount("Raycast needs a token", hint="give auth=, the app's session token", provider="raycast")
        return super().create_completion(model, messages, stream, proxy, token, image, **kwargs)
