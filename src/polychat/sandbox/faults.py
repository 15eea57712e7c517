"""What can go wrong on a wire, by name; every fault works on every service.

A fault takes the place of the answer (`instead`), delays its head (`head_delay_s`) or rewrites its frames (`frames`).
A frame is one piece of body as the service wrote it: one event of a stream, or a whole JSON document. `after` counts
the frames that pass untouched. Out come bytes, a `Pause`, or an `Ending` that says how the connection goes:

    END       a clean end of the body, early
    HANG_UP   the connection closes with the body unfinished
    STALL     nothing more comes and the connection stays, until the client leaves

A cut or stall that the answer was too short for happens at its end. Several faults apply in the order of `FAULTS`.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator
from fnmatch import fnmatch
from typing import Annotated, Any, ClassVar, get_args

import msgspec
from starlette.responses import Response

from polychat.sandbox import call as calls

Count = Annotated[int, msgspec.Meta(ge=0)]
Positive = Annotated[float, msgspec.Meta(gt=0)]
Status = Annotated[int, msgspec.Meta(ge=400, le=599)]


class Ending(enum.Enum):
    """How the rest of an answer does not come."""

    END = enum.auto()
    HANG_UP = enum.auto()
    STALL = enum.auto()


class Pause(msgspec.Struct, frozen=True):
    """Wait before the next bytes."""

    seconds: float


class Frame(msgspec.Struct, frozen=True):
    """One piece of an answer's body on its way out."""

    index: int
    data: bytes
    event_stream: bool
    call: calls.Call[Any, Any]


Output = Iterator[bytes | Pause | Ending]


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="fault"):
    """Nothing goes wrong; the base of what does."""

    at_end: ClassVar[Ending | None] = None  # what happens to an answer that ends before the fault's turn

    def instead(self, call: calls.Call[Any, Any]) -> Response | Ending | None:
        """What comes in place of the service's answer, if anything."""
        return None

    def head_delay_s(self) -> float:
        """How long status and headers are held back."""
        return 0.0

    def frames(self, frame: Frame) -> Output:
        """What goes out for one frame."""
        yield frame.data

    def joined(self) -> int:
        """How many frames go out in one write."""
        return 1


class Close(Fault, frozen=True, tag="close"):
    """The connection is closed before any answer."""

    def instead(self, call: calls.Call[Any, Any]) -> Ending:
        return Ending.HANG_UP


class StatusFault(Fault, frozen=True, tag="status"):
    """An error status, with or without Retry-After; `body` replaces the service's own error body."""

    code: Status = 500
    retry_after: str | None = None  # seconds or an HTTP date
    retry_after_ms: Count | None = None
    message: str = "The sandbox was told to fail."
    body: str | None = None

    def instead(self, call: calls.Call[Any, Any]) -> Response:
        headers = {}
        if self.retry_after is not None:
            headers["retry-after"] = self.retry_after
        if self.retry_after_ms is not None:
            headers["retry-after-ms"] = str(self.retry_after_ms)
        if self.body is not None:
            return Response(self.body, self.code, headers, media_type="text/plain")
        return calls.json(_error(call, self.code, self.message), self.code, headers)


class ErrorInOk(Fault, frozen=True, tag="error_200"):
    """Status 200 with an error body."""

    message: str = "The sandbox was told to fail politely."

    def instead(self, call: calls.Call[Any, Any]) -> Response:
        return calls.json(_error(call, 500, self.message))


class LoginPage(Fault, frozen=True, tag="html"):
    """A login page in HTML where JSON or a stream is expected."""

    status: Annotated[int, msgspec.Meta(ge=200, le=599)] = 200

    def instead(self, call: calls.Call[Any, Any]) -> Response:
        return calls.html("Log in", "<form method='post'><input name='name'></form>", self.status)


class Challenge(Fault, frozen=True, tag="challenge"):
    """The page that wants a person's browser: 403 "Just a moment…"."""

    def instead(self, call: calls.Call[Any, Any]) -> Response:
        headers = {"server": "cloudflare", "cf-mitigated": "challenge"}
        return calls.html("Just a moment…", "<p>Verifying you are human.</p>", 403, headers)


class TooLarge(Fault, frozen=True, tag="too_large"):
    """413 whatever the size."""

    def instead(self, call: calls.Call[Any, Any]) -> Response:
        return calls.json(_error(call, 413, "The upload is too large."), 413)


class SlowFirstByte(Fault, frozen=True, tag="slow_first_byte"):
    """Status and headers come late."""

    delay_s: Annotated[float, msgspec.Meta(ge=0)] = 1.0

    def head_delay_s(self) -> float:
        return self.delay_s


class ChangedField(Fault, frozen=True, tag="changed_field"):
    """A field of the JSON has another name than yesterday."""

    field: str = "text"
    to: str = "body"

    def frames(self, frame: Frame) -> Output:
        yield frame.data.replace(f'"{self.field}":'.encode(), f'"{self.to}":'.encode())


class MalformedFrame(Fault, frozen=True, tag="malformed_frame"):
    """One frame holds half of its JSON."""

    after: Count = 1

    def frames(self, frame: Frame) -> Output:
        yield _halved(frame.data) if frame.index == self.after else frame.data


class DuplicateFrame(Fault, frozen=True, tag="duplicate_frame"):
    """One frame comes twice."""

    after: Count = 1

    def frames(self, frame: Frame) -> Output:
        yield frame.data
        if frame.index == self.after:
            yield frame.data


class Expired(Fault, frozen=True, tag="expired_mid_stream"):
    """The bearer expires while the answer comes: an error frame, a clean end, and 401 for that token from now on."""

    after: Count = 1

    def frames(self, frame: Frame) -> Output:
        if frame.index < self.after:
            yield frame.data
            return
        call = frame.call
        expire = call.world.services[call.service].service.expire
        if expire is not None and call.bearer is not None:
            expire(call.state, call.bearer)
        error = msgspec.json.encode(_error(call, 401, "The access token has expired."))
        yield b"data: " + error + b"\n\n" if frame.event_stream else error
        yield Ending.END


class Drop(Fault, frozen=True, tag="drop"):
    """The body ends cleanly, but early: no finish."""

    after: Count = 1

    def frames(self, frame: Frame) -> Output:
        yield frame.data if frame.index < self.after else Ending.END


class Stall(Fault, frozen=True, tag="stall"):
    """Silence after some frames; the connection stays open until the client leaves."""

    at_end = Ending.STALL
    after: Count = 1

    def frames(self, frame: Frame) -> Output:
        yield frame.data if frame.index < self.after else Ending.STALL


class CutFrame(Fault, frozen=True, tag="cut_frame"):
    """The connection breaks in the middle of a frame."""

    at_end = Ending.HANG_UP
    after: Count = 1

    def frames(self, frame: Frame) -> Output:
        if frame.index < self.after:
            yield frame.data
        else:
            yield frame.data[: len(frame.data) // 2]
            yield Ending.HANG_UP


class CutCharacter(Fault, frozen=True, tag="cut_character"):
    """The connection breaks inside the first multi-byte UTF-8 character after some frames."""

    at_end = Ending.HANG_UP
    after: Count = 0

    def frames(self, frame: Frame) -> Output:
        inside = _inside_character(frame.data)
        if frame.index < self.after or inside is None:
            yield frame.data
        else:
            yield frame.data[:inside]
            yield Ending.HANG_UP


class CarriageReturnLineFeed(Fault, frozen=True, tag="crlf"):
    """Lines of an event stream end with CR LF."""

    def frames(self, frame: Frame) -> Output:
        yield frame.data.replace(b"\n", b"\r\n") if frame.event_stream else frame.data


class CarriageReturn(Fault, frozen=True, tag="cr"):
    """Lines of an event stream end with CR alone."""

    def frames(self, frame: Frame) -> Output:
        yield frame.data.replace(b"\n", b"\r") if frame.event_stream else frame.data


class NoSpace(Fault, frozen=True, tag="no_space"):
    """Fields of an event stream have no space after the colon."""

    def frames(self, frame: Frame) -> Output:
        yield re.sub(rb"(?m)^(\w+): ", rb"\1:", frame.data) if frame.event_stream else frame.data


class Pace(Fault, frozen=True, tag="pace"):
    """Frames come at a steady pace, one token each."""

    tokens_per_s: Positive = 20.0

    def frames(self, frame: Frame) -> Output:
        if frame.index:
            yield Pause(1 / self.tokens_per_s)
        yield frame.data


class SplitCharacter(Fault, frozen=True, tag="split_character"):
    """Every frame goes out in two writes, parted inside its first multi-byte UTF-8 character; nothing is lost."""

    pause_s: Annotated[float, msgspec.Meta(ge=0)] = 0.002

    def frames(self, frame: Frame) -> Output:
        inside = _inside_character(frame.data)
        if inside is None:
            yield frame.data
        else:
            yield frame.data[:inside]
            yield Pause(self.pause_s)
            yield frame.data[inside:]


class ChunkBytes(Fault, frozen=True, tag="chunk_bytes"):
    """The body goes out in writes of at most so many bytes."""

    size_bytes: Annotated[int, msgspec.Meta(ge=1)] = 1

    def frames(self, frame: Frame) -> Output:
        for start in range(0, len(frame.data), self.size_bytes):
            yield frame.data[start : start + self.size_bytes]


class Coalesce(Fault, frozen=True, tag="coalesce"):
    """Several frames go out in one write; nothing is lost."""

    count: Annotated[int, msgspec.Meta(ge=1)] = 8

    def joined(self) -> int:
        return self.count


AnyFault = (
    Close | StatusFault | ErrorInOk | LoginPage | Challenge | TooLarge | SlowFirstByte
    | ChangedField | MalformedFrame | DuplicateFrame | Expired | Drop
    | CarriageReturnLineFeed | CarriageReturn | NoSpace
    | Stall | CutFrame | CutCharacter
    | Pace | SplitCharacter | ChunkBytes | Coalesce
)  # fmt: skip
FAULTS: tuple[type[Fault], ...] = get_args(AnyFault)
NAMES = {str(kind.__struct_config__.tag): kind for kind in FAULTS}


class Rule(msgspec.Struct, kw_only=True):
    """A fault waiting for requests that match."""

    id: int
    fault: AnyFault
    service: str = "*"
    path: str = "*"  # below the service, `*` for anything
    method: str | None = None
    skip: Count = 0  # matching requests that pass first
    times: Annotated[int, msgspec.Meta(ge=1)] | None = None  # None: until cleared

    def matches(self, service: str, method: str, path: str) -> bool:
        """True when the rule is about such a request."""
        return fnmatch(service, self.service) and fnmatch(path, self.path) and self.method in (None, method)


def due(rules: list[Rule], service: str, method: str, path: str) -> list[Fault]:
    """The faults for one request. Counts them, and takes used-up rules off the list."""
    found: list[Fault] = []
    for rule in [rule for rule in rules if rule.matches(service, method, path)]:
        if rule.skip:
            rule.skip -= 1
            continue
        found.append(rule.fault)
        if rule.times is not None:
            rule.times -= 1
            if not rule.times:
                rules.remove(rule)
    return found


def ordered(faults: list[Fault]) -> list[Fault]:
    """In the order in which they are applied."""
    return sorted(faults, key=lambda fault: FAULTS.index(type(fault)))


def through(faults: list[Fault], frame: Frame) -> Output:
    """What is left of `frame` after every fault, each applied to what the one before let out."""
    if not faults:
        yield frame.data
        return
    first, *others = faults
    for output in first.frames(frame):
        if isinstance(output, bytes):
            yield from through(others, msgspec.structs.replace(frame, data=output))
        else:
            yield output


def named(name: str, arguments: dict[str, str]) -> Fault:
    """The fault called `name`, its arguments read from text. Raises: msgspec.ValidationError, KeyError."""
    kind = NAMES[name]
    if "" in arguments:
        first = msgspec.structs.fields(kind)[0].name if msgspec.structs.fields(kind) else ""
        arguments = {first if key == "" else key: value for key, value in arguments.items()}
    fault: Fault = msgspec.convert(arguments, kind, strict=False)
    return fault


def _error(call: calls.Call[Any, Any], status: int, message: str) -> Any:
    return call.world.services[call.service].service.error(status, message)


def _halved(data: bytes) -> bytes:
    """Half of the payload, with everything around it as it was."""
    match = re.search(rb"(?m)^data: ?(.*)$", data)
    start, end = match.span(1) if match else (0, len(data))
    return data[: start + (end - start) // 2] + data[end:]


def _inside_character(data: bytes) -> int | None:
    """An offset inside the first multi-byte character, or None when all is ASCII."""
    match = re.search(rb"[\xc2-\xf4][\x80-\xbf]", data)
    return match.start() + 1 if match else None
