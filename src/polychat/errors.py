"""What can go wrong, named by what to do next.

    PolychatError
      ConfigError         the caller changes something; never retried
        UnknownModel      NoAccount  BadOption  UnsupportedFeature
      RequestRejected     the same answer anywhere; never failed over
        BadRequest 400    ContextTooLong 400  Refused 400  ConversationNotFound 404
      AccountProblem      the next account, then the next service
        AuthExpired 401   QuotaSpent 402  ChallengeRequired 403  RateLimited 429
      ServiceProblem      back off, then the next service
        FormatChanged 502 Unavailable 503  Overloaded 529
      TransportProblem    retried only if no content went out
        ConnectFailed 502 IdleTimeout 504  Interrupted 502

A failure is classified by HTTP status first and by the body's own code second, never by the text of a
message. The text of an error is one sentence; `hint` says how to mend it and is printed on a line of its own.
No error ever holds a secret: raisers pass ids, sizes and names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

if TYPE_CHECKING:
    from polychat.types import Reply

_LATER = "wait a little and ask again, or ask another service"


class Attempt(NamedTuple):
    """One that was asked before, and came to nothing."""

    provider: str
    model: str
    account: str
    code: str  # of the error
    message: str
    seconds: float


class PolychatError(Exception):
    """Every failure polychat raises on purpose.

    `status` is the HTTP status a gateway answers with; `upstream_status` the one the service gave, if it gave one.
    `partial` is what had been received of the answer, so that nothing is lost; `attempts` are those who were asked
    before the one that this error is of.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "polychat_error"  # stable, machine-readable; snake_case of the class
    mend: ClassVar[str | None] = None  # the hint when the raiser has no better one; {provider} is filled in

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        provider: str | None = None,
        account: str | None = None,
        upstream_status: int | None = None,
        request_id: str | None = None,
        retry_after_s: float | None = None,
        partial: Reply | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self._hint = hint
        self.provider = provider
        self.account = account
        self.upstream_status = upstream_status
        self.request_id = request_id
        self.retry_after_s = retry_after_s
        self.partial = partial
        self.attempts: tuple[Attempt, ...] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        words = "".join(f"_{c.lower()}" if c.isupper() else c for c in cls.__name__)
        cls.code = words.lstrip("_")

    def __str__(self) -> str:
        return f"{self.message}\nhint: {self.hint}" if self.hint else self.message

    @property
    def hint(self) -> str | None:
        """How to mend it, in a few words, or None."""
        if self._hint or not self.mend:
            return self._hint
        return self.mend.format(provider=self.provider or "PROVIDER")

    @property
    def after_content(self) -> bool:
        """True when part of the answer had already reached the caller."""
        return self.partial is not None and not self.partial.empty

    def hinted(self, hint: str) -> PolychatError:
        """The same error with another hint."""
        self._hint = hint
        return self

    def advised(self, hint: str) -> PolychatError:
        """The same error with that hint, where the raiser gave none."""
        self._hint = self._hint or hint
        return self

    def informed(self, usual: PolychatError) -> PolychatError:
        """The same error, knowing what the status line and headers said, where its own words did not."""
        self.upstream_status = self.upstream_status or usual.upstream_status
        self.request_id = self.request_id or usual.request_id
        self.retry_after_s = usual.retry_after_s if self.retry_after_s is None else self.retry_after_s
        self._hint = self._hint or usual._hint
        return self

    def reworded(self, message: str) -> PolychatError:
        """The same error saying `message`."""
        self.message = message
        self.args = (message,)
        return self

    def located(self, provider: str | None, account: str | None) -> PolychatError:
        """The same error, knowing which service and account it came from (kept where already known)."""
        self.provider = self.provider or provider
        self.account = self.account or account
        return self


class ConfigError(PolychatError):
    """The caller has to change something: an argument, a setting, a file."""

    status = 400


class UnknownModel(ConfigError):
    """No service offers a model of that name."""

    status = 404
    mend = "see what there is: polychat models"


class NoAccount(ConfigError):
    """The service needs an account and none was given or kept."""

    status = 401
    mend = "sign in: polychat login {provider}"


class BadOption(ConfigError):
    """An argument has the wrong type, range or name; `field` says which."""

    def __init__(self, message: str, *, field: str | None = None, **details: Any) -> None:
        super().__init__(message, **details)
        self.field = field


class UnsupportedFeature(ConfigError):
    """The service or model cannot do what was asked; raised before anything is sent."""


class RequestRejected(PolychatError):
    """The service understood and declined; asking again or elsewhere gives the same answer."""

    status = 400


class BadRequest(RequestRejected):
    """The service calls the request malformed."""


class ContextTooLong(RequestRejected):
    """Messages or attachments are larger than the service takes."""


class Refused(RequestRejected):
    """Moderation stopped the question or the answer."""


class ConversationNotFound(RequestRejected):
    """The thread does not exist, or belongs to another account."""

    status = 404


class AccountProblem(PolychatError):
    """This account cannot answer now; another one might."""

    status = 401


class AuthExpired(AccountProblem):
    """The session, token or key is not accepted (any more)."""

    mend = "sign in again: polychat login {provider}"


class QuotaSpent(AccountProblem):
    """The account's allowance is used up."""

    status = 402


class ChallengeRequired(AccountProblem):
    """The service wants proof that a person is there; only the person's own browser can give it."""

    status = 403
    mend = "open the service in your browser, pass its check there, then: polychat login {provider}"


class RateLimited(AccountProblem):
    """Too many requests; `retry_after_s` says when to come back, if the service said."""

    status = 429
    mend = _LATER


class ServiceProblem(PolychatError):
    """The service itself is in trouble."""

    status = 502


class Evidence:
    """What a service sent that we do not know: for a redacted capture, and never shown, copied or pickled along."""

    __slots__ = ("data",)

    def __init__(self, data: bytes = b"") -> None:
        self.data = data

    def __repr__(self) -> str:
        return f"Evidence({len(self.data)} bytes)"

    def __reduce__(self) -> tuple[type[Evidence], tuple[()]]:
        return Evidence, ()


class FormatChanged(ServiceProblem):
    """The service answered in a form we do not know; `evidence` is the piece that showed it, never printed."""

    mend = "the service may have changed; look for a newer polychat, and report it if there is none"

    def __init__(self, message: str, *, evidence: bytes | None = None, **details: Any) -> None:
        super().__init__(message, **details)
        self.evidence = Evidence(evidence) if evidence else None


class Unavailable(ServiceProblem):
    """The service answers 5xx."""

    status = 503
    mend = _LATER


class Overloaded(ServiceProblem):
    """The service says that it is too busy for anyone."""

    status = 529
    mend = _LATER


class TransportProblem(PolychatError):
    """The connection, not the service, failed."""

    status = 502


class ConnectFailed(TransportProblem):
    """No connection: name, port, proxy or TLS."""


class IdleTimeout(TransportProblem):
    """A clock ran out before any content; `clock` names it: connect, first_event, between_events, total, pool."""

    status = 504

    def __init__(self, message: str, *, clock: str = "first_event", **details: Any) -> None:
        super().__init__(message, **details)
        self.clock = clock


class Interrupted(TransportProblem):
    """The answer began and did not end: cut, stalled or damaged. `partial` holds what came."""
