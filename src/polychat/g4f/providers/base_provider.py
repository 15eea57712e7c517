"""What a provider class of this face is: the name of a service of ours, and the pages' way to ask it.

A subclass sets `service` and the attributes its page names, and adds the methods its page has beyond chat. Nothing of
a person is ever written on a class.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from functools import partial, wraps
from typing import Any, ClassVar, TypeVar

from polychat.g4f import engines, questions
from polychat.g4f.callers import Caller, caller
from polychat.g4f.typing import Cookies, CreateResult, ImageType, Messages
from polychat.types import TextDelta

R = TypeVar("R")


def class_first(method: Callable[..., R]) -> Callable[..., R]:
    """Under `@classmethod`: let a method also be given its class as the first argument, as some pages do."""

    @wraps(method)
    def call(cls: type, *args: Any, **kwargs: Any) -> R:
        if args and isinstance(args[0], type):
            cls, *args = args  # type: ignore[assignment]  # a tuple before, a list after
        return method(cls, *args, **kwargs)

    return call


class AbstractProvider:
    """A service under the name that the pages give it."""

    service: ClassVar[str]  # its name among polychat.providers
    url: ClassVar[str]
    working: ClassVar[bool] = False
    needs_auth: ClassVar[bool] = False
    supports_stream: ClassVar[bool] = False
    cookies: ClassVar[Cookies]  # used when none are set for its domains

    @classmethod
    def create_completion(
        cls,
        model: str,
        messages: Messages,
        stream: bool = True,
        proxy: str | None = None,
        api_key: str | None = None,
        image: ImageType | None = None,
        **kwargs: Any,
    ) -> CreateResult:
        """The answer's pieces of text. Nothing happens before the first is asked for.

        model: the service's own id, or its bare name for the default one.
        stream: a wish; what comes is as the service cuts it.
        proxy: an http(s) or socks URL.
        api_key: a key or access token, instead of cookies.
        image: goes with the last user message.
        kwargs: those of `Client`, then the service's own options.

        Raises: `ValueError` (and `NoAccount`, `AuthExpired` or why else there is no token) without a usable account;
        `BadOption`, `UnsupportedFeature` for wrong arguments; any other `PolychatError`.
        """
        question = questions.question(
            model, messages, stream, provider=cls, proxy=proxy, api_key=api_key or None, image=image, **kwargs
        )
        with closing(engines.portal().feed(partial(engines.ask, question))) as feed:
            for events in iter(feed.take, None):
                yield from (event.text for event in events if isinstance(event, TextDelta))

    @classmethod
    def caller(cls, api_key: str | None = None) -> Caller:
        """Who asks when a method is called without a question. Raises: `ConfigError`."""
        return caller(cls, api_key=api_key, proxy=None)
