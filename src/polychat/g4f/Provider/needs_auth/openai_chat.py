"""ChatGPT accounts as their page has them. Source: the project's page on the class `OpenaiChat`, 2026-11.

Who asks is said by an `AuthResult`, and each keeps to itself: any number may be in use at once. The page's quirk, that
an account is also written on the class (`_api_key`, `_headers`, `_cookies`, `_expires`, `request_config`), is kept for
callers who write there, by the methods that the page names or by hand: it is the account of calls that bring none and
of `Client(provider=OpenaiChat)`. Nothing else here writes there.

A method that takes a `session` wants one of `OpenaiChat.session(auth_result)`; with None it uses the account's own.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any, ClassVar

from polychat import providers
from polychat.credentials import Credential, Secret, token_expiry
from polychat.errors import AuthExpired, BadOption, NoAccount, UnsupportedFeature
from polychat.g4f import authentication, engines, questions, turns
from polychat.g4f.callers import Caller, caller
from polychat.g4f.errors import value_errors
from polychat.g4f.providers.base_provider import AsyncAuthedProvider, ProviderModelMixin
from polychat.g4f.providers.response import (
    AuthResult,
    Conversation,
    ImageRequest,
    ImageResponse,
    Response,
    Sources,
)
from polychat.g4f.typing import Cookies, ImageType, Messages
from polychat.net.session import Session, user_agent
from polychat.providers.base import SignsIn
from polychat.providers.chatgpt import ChatGPT
from polychat.signin.browser import sign_in
from polychat.signin.sighting import login_page
from polychat.types import Request, Thread, Utterance
from polychat.wire import chatgpt_messages, chatgpt_request, openai_messages
from polychat.wire.chatgpt_messages import Pointer
from polychat.wire.chatgpt_request import PICTURE_MODELS, Place

_INFO = ChatGPT.info


class OpenaiChat(AsyncAuthedProvider, ProviderModelMixin):
    """The account is an `AuthResult`, cookies set for chatgpt.com, or one that `polychat login chatgpt` kept."""

    service = _INFO.name
    label: ClassVar[str] = "OpenAI ChatGPT"
    url = "https://chatgpt.com"
    working = True
    supports_stream = True
    supports_gpt_4: ClassVar[bool] = True
    supports_message_history: ClassVar[bool] = True
    supports_system_message: ClassVar[bool] = True
    default_model = _INFO.default_model
    default_image_model: ClassVar[str] = "gpt-image"
    models = tuple(model.id for model in _INFO.models)
    image_models: ClassVar[tuple[str, ...]] = tuple(model.id for model in _INFO.models if model.id in PICTURE_MODELS)
    vision_models: ClassVar[tuple[str, ...]] = tuple(
        model.id for model in _INFO.models if model.id not in PICTURE_MODELS
    )
    synthesize_content_type: ClassVar[str] = "audio/aac"
    request_config: ClassVar[AuthResult] = AuthResult()
    _api_key: ClassVar[str | None] = None
    _headers: ClassVar[dict[str, str] | None] = None
    _cookies: ClassVar[Cookies | None] = None
    _expires: ClassVar[float | None] = None

    # ------------------------------------------------------------ signing in

    @classmethod
    def on_auth_async(cls, proxy: str | None = None, **kwargs: Any) -> AsyncGenerator[AuthResult]:
        """Sign in as `login` does."""
        return cls.login(proxy, **kwargs)

    @classmethod
    async def login(
        cls,
        proxy: str | None = None,
        api_key: str | None = None,
        proof_token: str | None = None,
        cookies: Cookies | None = None,
        headers: dict[str, str] | None = None,
        **kwargs: Any,
    ) -> AsyncGenerator[AuthResult]:
        """Sign in with what is given, or else with the account that is set or kept; yields one `AuthResult`.

        Cookies are exchanged for an access token. No browser is opened.

        kwargs: other fields of an `AuthResult`, such as turnstile_token and expires.

        Raises: `ValueError` (and `NoAccount`, `AuthExpired`) without a usable account; any other `PolychatError`.
        """
        given = {"api_key": api_key, "proof_token": proof_token, "cookies": cookies, "headers": headers, **kwargs}
        known = {name: value for name, value in given.items() if value is not None}
        provider = providers.load(cls.service)
        assert isinstance(provider, SignsIn)
        async with cls.session(AuthResult(**known) if known else None, proxy) as session:
            found = authentication.auth_result(session, await provider.access_token(session))
        yield found

    @classmethod
    async def nodriver_auth(cls, proxy: str | None = None, **kwargs: Any) -> AuthResult:
        """Sign in in a window of the person's own browser; nothing here calls it, and nothing is written on the class.

        The person logs in; the result is what `login` gives for the cookies that this brought.

        kwargs: as `polychat.signin.browser.sign_in`: timeout_s, executable, headless, opened.

        Raises: as `login`; `ConfigError` without Playwright (extra `browser`), a browser or a display.
        """
        asking, here, recipe = cls._asking(None, proxy), await engines.here(), _INFO.sign_in
        async with here.lent(asking) as engine:
            hosts = tuple(engine.hosts(_INFO).values())
        page = login_page(recipe, hosts[0])
        with value_errors(AuthExpired):
            found = await sign_in(recipe, url=page, hosts=hosts, proxy=asking.settings.proxy, **kwargs)
        async with engines.session(
            caller(cls, api_key=None, proxy=proxy, credential=found), cls.service, here, AuthExpired
        ) as session:
            return authentication.auth_result(session, await ChatGPT().access_token(session))

    @classmethod
    @asynccontextmanager
    async def session(cls, auth_result: AuthResult | None = None, proxy: str | None = None) -> AsyncIterator[Session]:
        """The account's connection to the service. Raises as `login`."""
        here = await engines.here()
        async with engines.session(cls._asking(auth_result, proxy), cls.service, here, NoAccount, AuthExpired) as own:
            yield own

    # ------------------------------------------------------------ asking

    @classmethod
    async def create_authed(
        cls,
        model: str,
        messages: Messages,
        auth_result: AuthResult,
        proxy: str | None = None,
        timeout: float | None = None,
        auto_continue: bool | None = None,
        action: str = "next",
        conversation: Conversation | None = None,
        media: Sequence[ImageType | tuple[ImageType, str]] | None = None,
        return_conversation: bool = True,
        **kwargs: Any,
    ) -> AsyncGenerator[Response]:
        """One turn, asked by the account of `auth_result`. Nothing happens before the first thing is asked for.

        Yields text, `Reasoning`, `ImagePreview` and `TitleGeneration` as they come; then `Sources`, `ImageResponse`,
        `Conversation`, `SynthesizeData`, each if there is any; last `FinishReason`.

        model: a name of `models`, or empty for the default.
        timeout: seconds for the whole answer.
        auto_continue: False ends an answer where its length cut it, with "max_tokens".
        action: "next", or "variant" to have the last question of `conversation` answered again.
        conversation: where to go on; of `messages` it is told what came after the last answer.
        media: pictures or (picture, name) pairs for the last user message.
        kwargs: web_search, reasoning_effort, and the service's own options: temporary, gpt, edit.

        Raises: `ValueError` (and `NoAccount`, `AuthExpired`) without a usable account; `BadOption`,
        `UnsupportedFeature` for wrong arguments; any other `PolychatError`.
        """
        question = questions.question(
            model,
            messages if conversation is None else turns.fresh(messages),
            True,
            provider=cls,
            proxy=proxy,
            credential=cls._credential(auth_result),
            thread=None if conversation is None else turns.thread(conversation, provider=cls.service),
            images=media or (),
            timeout=timeout,
            auto_continue=auto_continue,
            regenerate=_again(action),
            **kwargs,
        )
        telling = turns.Telling(cls.__name__)
        async with await engines.ask(question, await engines.here()) as answer, aclosing(answer.batches()) as batches:
            async for events in batches:
                for response in telling.responses(events):
                    if return_conversation or not isinstance(response, Conversation):
                        yield response

    @classmethod
    async def iter_messages_line(
        cls,
        session: Session | None,
        auth_result: AuthResult,
        line: bytes,
        fields: Conversation,
        sources: Sources,
    ) -> AsyncGenerator[Response]:
        """What one line of the service's event stream says; pictures are downloaded.

        `fields` follows the turn, from its first line to its last; `sources` gathers what the answer speaks of.

        Raises: `FormatChanged`, `Refused`, `Unavailable` for a line that says so, and as `get_generated_image`.
        """
        decoder = turns.decoder(fields)
        async with cls._used(session, auth_result) as own:
            events = decoder.feed(turns.record(line))
            pointers, decoder.pictures = decoder.pictures, []
            pictures = [await cls._downloaded(own, pointer, decoder.conversation_id) for pointer in pointers]
        turns.follow(fields, decoder, events)
        for response in turns.Telling(cls.__name__, sources).responses(events):
            yield response
        for picture in pictures:
            yield picture

    @classmethod
    def create_messages(
        cls,
        messages: Messages,
        image_requests: Sequence[ImageRequest] | None = None,
        system_hints: Sequence[str] | None = None,
    ) -> list[dict[str, Any]]:
        """The talk as the service takes it, with fresh ids; pictures and hints go with the last message.

        system_hints: "search", "picture_v2", "reason", or others that the service knows.
        """
        place = Place(action="next", conversation_id=None, parent_id=str(uuid.uuid4()), question_id=str(uuid.uuid4()))
        uploads = tuple(turns.uploaded(one) for one in image_requests or ())
        request = Request(model=cls.default_model, messages=openai_messages.messages(messages))
        chatgpt_request.check(request.messages)
        created: list[dict[str, Any]] = chatgpt_request.turn(request, place, uploads, time.time())["messages"]
        if system_hints:
            created[-1]["metadata"]["system_hints"] = list(system_hints)
        return created

    # ------------------------------------------------------------ pictures and sound

    @classmethod
    async def upload_images(
        cls,
        session: Session | None,
        auth_result: AuthResult,
        media: Sequence[ImageType | tuple[ImageType, str]],
    ) -> list[ImageRequest]:
        """Store pictures, or (picture, name) pairs, for this account's questions; all of them, or an error."""
        pictures = questions.pictures(media, field="media")
        if linked := next((picture for picture in pictures if picture.data is None), None):
            raise BadOption(f"{linked.url} is a URL; give the picture itself", field="media")
        async with cls._used(session, auth_result) as own:
            return [turns.image_request(upload) for upload in await ChatGPT().upload(own, pictures)]

    @classmethod
    async def get_generated_image(
        cls,
        session: Session | None,
        auth_result: AuthResult,
        element: Mapping[str, Any] | str,
        prompt: str | None = None,
        conversation_id: str | None = None,
    ) -> ImageResponse:
        """A picture that the service made, downloaded.

        element: a part of its message, or the part's `asset_pointer`. prompt: what it was drawn from, if the part does
        not say. conversation_id: where it was made; needed for a `sediment://` pointer.
        """
        part = {"asset_pointer": element} if isinstance(element, str) else element
        pointer = next(chatgpt_messages.pointers({"content": {"parts": [part]}}), None)
        if pointer is None:
            raise BadOption("element points to no picture", field="element")
        async with cls._used(session, auth_result) as own:
            return await cls._downloaded(own, pointer, conversation_id, prompt or "")

    @classmethod
    async def synthesize(
        cls, params: Mapping[str, str], auth_result: AuthResult | None = None, proxy: str | None = None
    ) -> AsyncGenerator[bytes]:
        """An answer read aloud, as it comes.

        params: the data of a `SynthesizeData`: conversation_id, message_id, voice. auth_result: who got that answer.
        """
        if missing := {"conversation_id", "message_id"} - params.keys():
            raise BadOption(f"params has no {' and no '.join(sorted(missing))}", field="params")
        thread = Thread(provider=cls.service, id=params["conversation_id"], parent_id=params["message_id"])
        asking, here = cls._asking(auth_result, proxy), await engines.here()
        with value_errors(NoAccount, AuthExpired):
            async with here.lent(asking) as engine:
                asked = Utterance(
                    model=cls.service,
                    thread=thread,
                    voice=params.get("voice"),
                    media_type=cls.synthesize_content_type,
                )
                async with await engine.calls.speak(asked) as sound:
                    async for piece in sound:
                        yield piece

    # ------------------------------------------------------------ the account on the class

    @classmethod
    def own_credential(cls) -> Credential | None:
        """The account that a caller wrote on the class, or None."""
        written = {"api_key": cls._api_key, "cookies": cls._cookies, "headers": cls._headers, "expires": cls._expires}
        known = cls.request_config.get_dict() | {name: value for name, value in written.items() if value is not None}
        return cls._credential(AuthResult(**known)) if known.get("api_key") or known.get("cookies") else None

    @classmethod
    def get_default_headers(cls) -> dict[str, str]:
        """What calls say of themselves when the `AuthResult` has no headers: polychat's own name, no browser's."""
        return {
            "accept": "*/*",
            "content-type": "application/json",
            "referer": f"{cls.url}/",
            "user-agent": user_agent(),
        }

    @classmethod
    def _create_request_args(
        cls, cookies: Cookies | None = None, headers: dict[str, str] | None = None, user_agent: str | None = None
    ) -> None:
        """Write headers (the default ones unless given) and cookies on the class."""
        own = {} if user_agent is None else {"user-agent": user_agent}
        cls._headers = {**(cls.get_default_headers() if headers is None else headers), **own}
        cls._cookies = dict(cookies or {})
        cls._update_cookie_header()

    @classmethod
    def _update_request_args(cls, auth_result: AuthResult, session: Session) -> None:
        """Write the session's cookies, as the service last set them, into an `AuthResult` that has cookies."""
        if auth_result.cookies is not None:
            auth_result.cookies = authentication.cookies(session)

    @classmethod
    def _set_api_key(cls, api_key: str | None) -> bool:
        """Write a token on the class, with its header; None forgets it. False for one that is no longer valid."""
        others = {name: value for name, value in (cls._headers or {}).items() if name != "authorization"}
        cls._api_key = api_key or None
        cls._expires = token_expiry(Secret(api_key)) if api_key else None
        cls._headers = {**others, "authorization": f"Bearer {api_key}"} if api_key else others or None
        return bool(api_key) and (cls._expires is None or cls._expires > time.time())

    @classmethod
    def _update_cookie_header(cls) -> None:
        """Let the class's cookie header say what its cookies are."""
        others = {name: value for name, value in (cls._headers or {}).items() if name != "cookie"}
        text = "; ".join(f"{name}={value}" for name, value in (cls._cookies or {}).items())
        cls._headers = others | ({"cookie": text} if text else {})

    # ------------------------------------------------------------ steps

    @classmethod
    def _credential(cls, auth_result: AuthResult) -> Credential:
        with value_errors(NoAccount):
            return authentication.credential(auth_result, provider=cls.service)

    @classmethod
    def _asking(cls, auth_result: AuthResult | None, proxy: str | None) -> Caller:
        credential = None if auth_result is None else cls._credential(auth_result)
        return caller(cls, api_key=None, proxy=proxy, credential=credential)

    @classmethod
    @asynccontextmanager
    async def _used(cls, session: Session | None, auth_result: AuthResult) -> AsyncIterator[Session]:
        """The session to use. Raises: `BadOption` for one whose token is another account's."""
        if session is None:
            async with cls.session(auth_result) as own:
                yield own
            return
        if not authentication.same_account(session.credential, cls._credential(auth_result)):
            raise BadOption("the session is of another account than auth_result", field="session")
        with value_errors(AuthExpired), session.owning():
            yield session

    @classmethod
    async def _downloaded(
        cls, session: Session, pointer: Pointer, conversation_id: str | None, prompt: str = ""
    ) -> ImageResponse:
        image = await ChatGPT().download(session, pointer, conversation_id)
        return ImageResponse((turns.picture(image),), image.prompt or prompt)


def _again(action: str) -> bool | None:
    """The option that `action` means."""
    if action == "continue":
        raise UnsupportedFeature(
            "an answer that its length cut is gone on with by itself",
            hint="leave action and auto_continue as they are",
            provider=_INFO.name,
        )
    if action not in {"next", "variant"}:
        raise BadOption(f"action is {action!r}; it is next or variant", field="action")
    return True if action == "variant" else None
