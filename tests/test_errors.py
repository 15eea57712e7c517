"""errors.py: named by what to do next."""

from __future__ import annotations

import inspect
import pickle
import re

import pytest

from polychat import errors
from polychat.errors import (
    AuthExpired,
    BadOption,
    FormatChanged,
    Interrupted,
    Overloaded,
    PolychatError,
    RateLimited,
    Unavailable,
)
from polychat.types import Reply

CLASSES = [thing for thing in vars(errors).values() if inspect.isclass(thing) and issubclass(thing, PolychatError)]
FAMILIES = ("ConfigError", "RequestRejected", "AccountProblem", "ServiceProblem", "TransportProblem")


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_class_is_drawn_in_the_tree_of_the_docstring(cls: type[PolychatError]) -> None:
    """The drawing at the top of the module is complete."""
    assert cls.__name__ in (errors.__doc__ or "")


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_class_belongs_to_one_family_and_has_a_status_and_a_code(cls: type[PolychatError]) -> None:
    """Who catches a family knows what to do next."""
    families = [base.__name__ for base in cls.__mro__ if base.__name__ in FAMILIES]
    assert len(families) == (0 if cls is PolychatError else 1)
    assert 400 <= cls.status < 600
    assert cls.code.replace("_", "") == cls.__name__.lower()


def test_the_statuses_drawn_in_the_tree_are_the_ones_in_force() -> None:
    """Who reads the drawing knows what a server will answer."""
    drawn = dict(re.findall(r"(\w+) +(\d{3})\b", errors.__doc__ or ""))
    assert len(drawn) >= 14
    assert {name: getattr(errors, name).status for name in drawn} == {name: int(code) for name, code in drawn.items()}


def test_text_is_one_sentence_then_a_hint() -> None:
    """What a person reads."""
    error = BadOption("n is 0", field="n", hint="leave it out")
    assert str(error) == "n is 0\nhint: leave it out"
    assert error.field == "n"


def test_a_class_knows_how_it_is_usually_mended() -> None:
    """The default hint names the service the error came from."""
    assert AuthExpired("gone").located("reka", "me").hint == "sign in again: polychat login reka"


@pytest.mark.parametrize("cls", [RateLimited, Unavailable, Overloaded])
def test_what_passes_by_itself_says_so(cls: type[PolychatError]) -> None:
    """Where nobody knows how long it takes."""
    assert cls("busy").hint == "wait a little and ask again, or ask another service"
    assert cls("busy", hint="try again in 3 s").hint == "try again in 3 s"


def test_advice_does_not_replace_what_the_raiser_knew() -> None:
    """Only what a class says of all its errors."""
    assert AuthExpired("gone").advised("give another key").hint == "give another key"
    assert AuthExpired("gone", hint="wait").advised("give another key").hint == "wait"


def test_where_it_came_from_is_filled_in_once() -> None:
    """An outer room does not overwrite what an inner one knew."""
    error = RateLimited("slow down", provider="reka", retry_after_s=3.0).located("other", "me")
    assert (error.provider, error.account, error.retry_after_s) == ("reka", "me", 3.0)


def test_after_content_is_what_decides_about_trying_elsewhere() -> None:
    """Only an answer of which something came is after content."""
    assert not Interrupted("cut").after_content
    assert not Interrupted("cut", partial=Reply()).after_content
    assert Interrupted("cut", partial=Reply(text="Hel")).after_content


def test_evidence_is_for_a_capture_and_for_nothing_else() -> None:
    """What a service sent stays out of reprs, pickles and the error's own fields as they are printed."""
    error = FormatChanged("new form", evidence=b"canary")
    assert error.evidence is not None
    assert error.evidence.data == b"canary"
    assert "canary" not in f"{error!r} {error} {vars(error)}"
    assert b"canary" not in pickle.dumps(error.evidence)
