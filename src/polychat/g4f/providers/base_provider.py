"""What a provider class of this face is: the name of a service of ours, and the pages' way to ask it.

A subclass sets `service` and the attributes its page names, and adds the methods its page has beyond chat. Nothing of
a person is ever written on a class.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, closing
from functools import partial, wraps
from typing import Any, ClassVar, TypeVar

from polychat import providers
from polychat.credentials import Credential
from polychat.engine import routing
from polychat.errors import UnknownModel
from polychat.g4f import engines, questions
from polychat.g4f.callers import Caller, caller, cookie_session
from polychat.g4f.providers.response import AuthResult, Response
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
    def own_credential(cls) -> Credential | None:
        """What the class was given for calls that bring nothing."""
        return cookie_session(cls.cookies)

    @classmethod
    def caller(cls, api_key: str | None = None) -> Caller:
        """Who asks when a method is called without a question. Raises: `ConfigError`."""
        return caller(cls, api_key=api_key, proxy=None)


class AsyncAuthedProvider(AbstractProvider, ABC):
    """One that is told at each call who asks."""

    needs_auth = True

    @classmethod
    @abstractmethod
    def on_auth_async(cls, proxy: str | None = None, **kwargs: Any) -> AsyncGenerator[AuthResult]:
        """Sign in; yields one `AuthResult`."""

    @classmethod
    @abstractmethod
    def create_authed(
        cls, model: str, messages: Messages, auth_result: AuthResult, **kwargs: Any
    ) -> AsyncGenerator[Response]:
        """The answer to `messages`, asked by the account of `auth_result`."""

    @classmethod
    async def create_async_generator(
        cls, model: str, messages: Messages, proxy: str | None = None, api_key: str | None = None, **kwargs: Any
    ) -> AsyncGenerator[Response]:
        """Sign in, then ask: `on_auth_async` and `create_authed`. Raises as they do."""
        async with aclosing(cls.on_auth_async(proxy=proxy, api_key=api_key)) as sign_in:
            auth_result = await anext(sign_in)
        async with aclosing(cls.create_authed(model, messages, auth_result, proxy=proxy, **kwargs)) as answer:
            async for chunk in answer:
                yield chunk


class ProviderModelMixin:
    """What a class says of its models: those of its service."""

    service: ClassVar[str]
    default_model: ClassVar[str]
    models: ClassVar[tuple[str, ...]]

    @classmethod
    def get_models(cls) -> list[str]:
        """Their names."""
        return list(cls.models)

    @classmethod
    def get_model(cls, model: str) -> str:
        """The service's own name of `model`: an alias, or empty for the default. Raises: `UnknownModel`."""
        found = routing.find(providers.load(cls.service).info, model or cls.default_model)
        if found is None:
            raise UnknownModel(f"{cls.__name__} has no model {model!r}", provider=cls.service)
        return found.id
