"""The one place where an error becomes words on stderr and an exit code.

    0 ok                    4 sign-in needed or expired
    1 provider or internal  5 quota or rate limit        8 batch with failures
    2 usage                 6 refused
    3 config or vault       7 network or timeout         130 interrupted

A person reads `error: SENTENCE` and `hint: ...`, and above them who was asked before in vain. Where an account is in
trouble, its name stands before the sentence, unless the sentence has it. With --json the same is one line of JSON. A
traceback is shown only where POLYCHAT_DEBUG=1 asks for it.
"""

from __future__ import annotations

import os
import re
import traceback
from types import TracebackType
from typing import Any

import click

from polychat.cli.terminal import note
from polychat.errors import (
    AccountProblem,
    Attempt,
    AuthExpired,
    BadOption,
    ChallengeRequired,
    ConfigError,
    NoAccount,
    PolychatError,
    QuotaSpent,
    RateLimited,
    Refused,
    TransportProblem,
    UnknownModel,
    UnsupportedFeature,
)

USAGE = 2
INTERRUPTED = 130

_CODES: tuple[tuple[type[PolychatError], int], ...] = (
    (BadOption, USAGE),
    (UnknownModel, USAGE),
    (UnsupportedFeature, USAGE),
    (NoAccount, 4),
    (ConfigError, 3),
    (AuthExpired, 4),
    (ChallengeRequired, 4),
    (QuotaSpent, 5),
    (RateLimited, 5),
    (Refused, 6),
    (TransportProblem, 7),
    (PolychatError, 1),
)


def exit_code(error: PolychatError) -> int:
    """What a script is told about `error`."""
    return next(code for kind, code in _CODES if isinstance(error, kind))


def debugging() -> bool:
    """True when tracebacks are wanted."""
    return os.environ.get("POLYCHAT_DEBUG") == "1"


def failed(error: PolychatError, *, as_json: bool) -> int:
    """Tell `error`; its exit code."""
    if debugging():
        traceback.print_exception(error)
    facts: dict[str, Any] = {
        "code": error.code,
        "message": error.message,
        "hint": error.hint,
        "provider": error.provider,
        "account": error.account,
        "retry_after_s": error.retry_after_s,
    }
    if error.partial is not None and error.after_content:
        facts["partial"] = error.partial.text
    if error.attempts:
        facts["attempts"] = [attempt._asdict() for attempt in error.attempts]
    if not as_json:
        for attempt in error.attempts:
            note(click.style(_tried(attempt), dim=True))
        facts["message"] = _whose(error)
    _tell(facts, as_json=as_json)
    return exit_code(error)


def _tried(attempt: Attempt) -> str:
    who = f"{attempt.provider}/{attempt.model} ({attempt.account})"
    return f"tried {who}: {attempt.code}, {attempt.seconds:.1f} s"


def _whose(error: PolychatError) -> str:
    """The sentence, with the account in front where the trouble is its own and the sentence does not name it."""
    name = error.account
    if not isinstance(error, AccountProblem) or name is None:
        return error.message
    is_named = re.search(rf"(?<![\w@.:-]){re.escape(name)}(?![\w@-])", error.message)
    return error.message if is_named else f"account {name}: {error.message}"


def misused(error: click.ClickException, *, as_json: bool) -> int:
    """Tell what was wrong with the command line; its exit code."""
    sentence = error.format_message().strip().rstrip(".")
    sentence = sentence[:1].lower() + sentence[1:]
    context = getattr(error, "ctx", None)
    hint = f"see {context.command_path if context else 'polychat'} --help"
    if isinstance(error, click.NoSuchOption):
        hint += "; a question that begins with a dash goes after --"
    _tell({"code": "usage", "message": sentence, "hint": hint}, as_json=as_json)
    return USAGE


def broken(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Tell of a mistake inside polychat, as `sys.excepthook`: where it is, and nothing of the values involved."""
    place = traceback.extract_tb(trace)[-1:]
    where = f" at {os.path.basename(place[0].filename)}:{place[0].lineno}" if place else ""  # noqa: PTH119 - a name only
    sentence = f"something inside polychat went wrong ({kind.__name__}{where})"
    _tell({"message": sentence, "hint": "run it again with POLYCHAT_DEBUG=1 and report what it shows"}, as_json=False)


def _tell(facts: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        import json

        note(json.dumps({"error": facts}, ensure_ascii=False))
        return
    note(f"{click.style('error:', fg='red', bold=True)} {facts['message']}")
    if facts["hint"]:
        note(f"{click.style('hint:', fg='cyan')} {facts['hint']}")
