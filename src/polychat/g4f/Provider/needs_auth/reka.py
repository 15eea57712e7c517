"""Reka's web chat as its page has it. Source: the project's page on the class `Reka`, 2026-11."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from polychat import media
from polychat.engine import attachments
from polychat.errors import BadOption
from polychat.g4f import engines
from polychat.g4f.providers.base_provider import AbstractProvider, class_first
from polychat.g4f.typing import Cookies, ImageType

_UNKNOWN = frozenset({media.OCTETS, media.TEXT})


class Reka(AbstractProvider):
    """The account is an access token (`api_key`), cookies with `appSession`, or one that `polychat login reka` kept."""

    service = "reka"
    domain: ClassVar[str] = "space.reka.ai"
    url = f"https://{domain}"
    working = True
    needs_auth = True
    supports_stream = True
    default_vision_model: ClassVar[str] = "reka"
    cookies: ClassVar[Cookies] = Cookies()  # the page's quirk: a caller may put his own there; nothing here does

    @classmethod
    @class_first
    def upload_image(cls, access_token: str, image: ImageType) -> str:
        """Store `image` with Reka; its URL there, for this account's questions.

        Bytes of no known type go out as they are and are called image/png, as the page has it.

        Raises: `BadOption` for an empty picture; `ValueError` (and `AuthExpired`) for a token that is not accepted; any
        other `PolychatError`.
        """
        found = attachments.attachment(image, field="image")
        if found.data is None:
            raise BadOption("image is a URL; give the picture itself", field="image")
        media_type = "image/png" if found.media_type in {None, *_UNKNOWN} else str(found.media_type)
        name = f"image.{media.extension(media_type)}"
        asking = cls.caller(access_token)
        return engines.portal().call(partial(engines.upload, asking, cls.service, found.data, media_type, name))

    @classmethod
    @class_first
    def get_access_token(cls) -> str:
        """The access token of the session whose cookies are set or kept.

        Raises: `ValueError`, whatever the reason (and the `PolychatError` that tells it).
        """
        return engines.portal().call(partial(engines.token, cls.caller(), cls.service))
