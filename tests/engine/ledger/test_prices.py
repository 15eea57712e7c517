"""What tokens cost."""

from __future__ import annotations

import datetime
import math

import pytest

from polychat.engine.ledger import prices
from polychat.engine.ledger.prices import cost
from polychat.types import Usage

MILLION = 1_000_000


def close(one: float | None, other: float) -> bool:
    """Whether two amounts are the same but for rounding."""
    return one is not None and math.isclose(one, other, rel_tol=1e-9)


def test_a_cost_is_of_input_cache_and_output() -> None:
    """What was in the cache costs its own price, everything else the usual one."""
    assert close(cost("openai", "gpt-4o", Usage(input_tokens=MILLION, output_tokens=0)), 2.50)
    assert close(cost("openai", "gpt-4o", Usage(input_tokens=0, output_tokens=MILLION)), 10.00)
    half = Usage(input_tokens=MILLION, cached_input_tokens=MILLION // 2, output_tokens=1_000)
    assert close(cost("openai", "gpt-4o", half), 1.25 + 0.625 + 0.01)


@pytest.mark.parametrize(
    ("provider", "model"), [("reka", "reka-core"), ("openai", "gpt-0"), ("chatgpt", "gpt-4o"), ("anthropic", "gpt-4o")]
)
def test_a_model_without_a_price_has_no_cost(provider: str, model: str) -> None:
    """None and not 0: a web account's model has no price by the token, nor has one that is not in the table."""
    assert cost(provider, model, Usage(input_tokens=5, output_tokens=5)) is None


@pytest.mark.parametrize("usage", [Usage(), Usage(input_tokens=5), Usage(output_tokens=5)])
def test_unknown_tokens_have_no_cost(usage: Usage) -> None:
    """Half of a bill is no bill."""
    assert cost("openai", "gpt-4o", usage) is None


def test_a_long_question_costs_more() -> None:
    """Above the service's limit all of the request is charged at the higher price."""
    at_limit = Usage(input_tokens=272_000, output_tokens=0)
    above = Usage(input_tokens=272_001, output_tokens=0)
    assert close(cost("openai", "gpt-5.5", at_limit), 0.272 * 5)
    assert close(cost("openai", "gpt-5.5", above), 0.272001 * 10)


def test_a_cache_without_a_price_has_no_cost() -> None:
    """Where the price of cached input is not known, a request that used it has none."""
    usual, cached = (
        Usage(input_tokens=10, output_tokens=1),
        Usage(input_tokens=10, output_tokens=1, cached_input_tokens=1),
    )
    assert cost("gemini", "gemini-3.1-pro-preview", usual) is not None
    assert cost("gemini", "gemini-3.1-pro-preview", cached) is None


def test_more_cached_than_asked_is_no_negative_cost() -> None:
    """A service that miscounts does not owe us anything."""
    assert close(cost("openai", "gpt-4o", Usage(input_tokens=10, output_tokens=0, cached_input_tokens=99)), 12.5e-6)


def test_every_price_says_where_it_is_from() -> None:
    """A source and a day for each, output dearer than input, and no model twice."""
    table = prices._prices()
    for price in table.values():
        assert price.source.startswith("https://")
        assert price.date > datetime.date(2026, 1, 1)
        assert 0 < (price.cached or price.input) <= price.input < price.output
    assert len(table) == sum(len(price.models) for price in {id(price): price for price in table.values()}.values())
