"""How accounts are doing, in words; every state there is."""

from __future__ import annotations

from typing import Any

import click
import pytest

from polychat.cli.account_table import listed, shown
from polychat.cli.standing import Standing, again
from polychat.engine import health
from polychat.engine.health import Health, Hold, Trouble
from polychat.types import QuotaSeen
from polychat.vault.base import Entry

NOW = 1_800_000_000.0
HOUR_S, DAY_S = 3_600.0, 86_400.0
LIMITED = Trouble(code="rate_limited", message="reka is asked too often", hint="wait", at=NOW - 60.0)


def standing(name: str = "work", *, default: bool = False, known: Health | None = None, **facts: Any) -> Standing:
    """An account of which this is known."""
    given: dict[str, Any] = {"provider": "reka", "kind": "cookies", "created_at": NOW - DAY_S, "source": "file"}
    entry = Entry(name=name, **(given | facts))
    known = known or Health()
    state = health.state(known, expires_at=entry.expires_at, now=NOW)
    return Standing(entry, known, state, default, NOW)


def resting(kind: Any = "cooling", *, left_s: float = 270.0) -> Health:
    """A health with one wait."""
    return Health(holds={"reka-core": Hold(kind=kind, until=NOW + left_s)}, trouble=LIMITED)


LOGIN = "polychat login reka --name work --browser"
PROLONG = f"polychat accounts test work has it last longer; if not: {LOGIN}"
RESUME = "polychat accounts resume work"


@pytest.mark.parametrize(
    ("one", "words", "level", "trouble", "mend"),
    [
        (standing(), "ok", "good", None, None),
        (standing(expires_at=NOW + 5 * HOUR_S), "expiring", "notice", "its sign-in expires in 5 hours", PROLONG),
        (standing(expires_at=NOW - 2 * HOUR_S), "needs sign-in", "broken", "its sign-in expired 2 hours ago", LOGIN),
        (
            standing(known=Health(standing="needs_sign_in", trouble=LIMITED)),
            "needs sign-in", "broken", LIMITED.message, LOGIN,
        ),
        (
            standing(known=resting()),
            "cooling, 4 minutes left", "notice", LIMITED.message, f"wait; to have it asked at once: {RESUME}",
        ),
        (
            standing(known=resting(left_s=-1.0)),
            "cooling, next question tries it", "notice", LIMITED.message, "the wait is over: ask again",
        ),
        (
            standing(known=resting("quota_spent", left_s=2 * HOUR_S)),
            "quota spent, 2 hours left", "notice", LIMITED.message, f"wait; to have it asked at once: {RESUME}",
        ),
        (
            standing(known=Health(standing="challenged", trouble=LIMITED)),
            "challenged", "broken", LIMITED.message,
            f"pass the check in your browser at https://space.reka.ai/chat, then: {LOGIN}",
        ),
        (standing(known=Health(paused=True)), "paused", "notice", "it is not asked, as you said", RESUME),
    ],
)  # fmt: skip
def test_every_state_has_its_words_and_its_mend(
    one: Standing, words: str, level: str, trouble: str | None, mend: str | None
) -> None:
    """What it is called, how grave it is, why, and what to type."""
    assert (one.words, one.level, one.trouble, one.mend) == (words, level, trouble, mend)


@pytest.mark.parametrize(
    ("facts", "command"),
    [
        ({"name": "reka"}, "polychat login reka --browser"),
        ({"kind": "bearer"}, "polychat login reka --name work --key -"),
        ({"name": "env:REKA_API_KEY", "source": "environment"}, "set REKA_API_KEY to a key that the service accepts"),
        ({"provider": "gone", "kind": "api_key"}, "polychat login gone --name work --key -"),
    ],
)
def test_signing_in_again_keeps_the_name(facts: dict[str, Any], command: str) -> None:
    """The command replaces the account instead of adding another."""
    assert again(standing(**facts).entry) == command


@pytest.mark.parametrize(
    ("seen", "brief", "whole"),
    [
        ({"remaining": 12, "limit": 40, "resets_at": NOW + 3 * HOUR_S}, "12 of 40 messages", ", resets in 3 hours"),
        ({"remaining": 12}, "12 messages left", ""),
        ({"limit": 40}, "at most 40 messages", ""),
        ({}, "messages", ""),
    ],
)
def test_quotas(seen: dict[str, Any], brief: str, whole: str) -> None:
    """As much as the service told, and when it is renewed."""
    quota = QuotaSeen(feature="messages", **seen)
    one = standing()
    assert (one.quota(quota, brief=True), one.quota(quota)) == (brief, brief + whole)


def test_the_scarcest_quota_comes_first_and_a_renewed_one_not_at_all() -> None:
    """What is left of an allowance is not known any more once it was renewed."""
    seen = (
        QuotaSeen(feature="messages", remaining=30, limit=40),
        QuotaSeen(feature="pictures", remaining=1, limit=40),
        QuotaSeen(feature="files", remaining=0, limit=40, resets_at=NOW - 1.0),
    )
    one = standing(known=Health(quotas={quota.feature: quota for quota in seen}))
    assert [quota.feature for quota in one.quotas] == ["pictures", "messages"]


def test_facts_say_all_of_it() -> None:
    """In Unix seconds, and in words."""
    seen = QuotaSeen(feature="messages", remaining=12, limit=40, resets_at=NOW + 60.0)
    known = Health(holds=resting().holds, trouble=LIMITED, quotas={"messages": seen}, answered_at=NOW - 5.0)
    assert standing(known=known, default=True, expires_at=NOW + 3 * DAY_S).facts == {
        "name": "work",
        "provider": "reka",
        "kind": "cookies",
        "source": "file",
        "default": True,
        "state": "cooling",
        "state_words": "cooling, 4 minutes left",
        "until": NOW + 270.0,
        "created_at": NOW - DAY_S,
        "expires_at": NOW + 3 * DAY_S,
        "expires": "in 3 days",
        "answered_at": NOW - 5.0,
        "holds": {"reka-core": {"kind": "cooling", "until": NOW + 270.0, "failures": 1}},
        "quotas": [
            {
                "type": "quota", "feature": "messages", "remaining": 12, "limit": 40, "resets_at": NOW + 60.0,
                "words": "12 of 40 messages, resets in 1 minute",
            }
        ],
        "last_error": {"code": "rate_limited", "message": LIMITED.message, "hint": "wait", "at": NOW - 60.0},
        "mend": "wait; to have it asked at once: polychat accounts resume work",
    }  # fmt: skip


def test_one_account_in_full() -> None:
    """Each wait, each quota, the last error, and of what it holds the names."""
    seen = QuotaSeen(feature="messages", remaining=12, limit=40)
    known = Health(holds=resting().holds, trouble=LIMITED, quotas={"messages": seen}, answered_at=NOW - 300.0)
    held: dict[str, list[str]] = {"cookies": ["appSession", "theme"], "headers": []}
    lines = [click.unstyle(line) for line in shown(standing(known=known, default=True), held, None)]
    assert lines == [
        "name         work, the default of reka",
        "provider     reka",
        "kind         cookies",
        "created      2027-01-14 08:00 UTC, 1 day ago",
        "expires      -",
        "state        cooling, 4 minutes left",
        "  reka-core  cooling, asked again in 4 minutes",
        "quota        12 of 40 messages",
        "answered     2027-01-15 07:55 UTC, 5 minutes ago",
        "last error   reka is asked too often (2027-01-15 07:59 UTC, 1 minute ago)",
        "hint         wait",
        "mend         wait; to have it asked at once: polychat accounts resume work",
        "cookies      appSession, theme",
    ]


# ---------------------------------------------------------------- the table

SCENE = (
    standing("work", default=True, known=Health(quotas={"m": QuotaSeen(feature="m", remaining=1, limit=2)})),
    standing("sandbox-alice@chatgpt", provider="chatgpt", source="memory", default=True),
    standing("a-very-long-name-that-somebody-gave-to-it", known=resting(left_s=-1.0), expires_at=NOW + 3 * DAY_S),
)


def table(columns: int | None) -> list[str]:
    """The scene's table, without what stands below it."""
    lines = [click.unstyle(line) for line in listed(SCENE, columns)]
    return lines[: lines.index("")]


def test_without_a_terminal_nothing_is_left_out() -> None:
    """Every column, every name, those of a service together, the first one marked."""
    assert [" ".join(line.split()) for line in table(None)] == [
        "NAME PROVIDER KIND STATE EXPIRES QUOTA LAST ERROR",
        "* work reka cookies ok - 1 of 2 m -",
        f"{SCENE[2].entry.name} reka cookies cooling, next question tries it in 3 days - rate limited",
        "* sandbox-alice@chatgpt chatgpt cookies (sandbox) ok - - -",
    ]


@pytest.mark.parametrize("columns", [80, 100, 120, 160])
def test_no_line_is_wider_than_the_terminal(columns: int) -> None:
    """Columns go, then names are cut; each account keeps its line."""
    lines = table(columns)
    assert (len(lines), max(map(len, lines)) <= columns) == (4, True)


def test_what_has_no_room_in_the_table_stands_below() -> None:
    """A quota that has no column, and the last error in any case."""
    lines = [click.unstyle(line) for line in listed(SCENE, 80)]
    assert "  work: 1 of 2 m" in lines
    assert f"! {SCENE[2].entry.name}: {LIMITED.message}" in lines
    assert lines[-1] == "* is asked first; sandbox-... are the sandbox's own people"


def test_a_table_says_the_same_without_colour() -> None:
    """Colour is only on the word it belongs to."""
    assert click.style("cooling, next question tries it", fg="yellow") in "".join(listed(SCENE, 160))
