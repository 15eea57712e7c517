"""What tokens cost, in US dollars, as the services publish it; `prices.toml` has the numbers, their source and date.

A model that is not in the table has no price: its cost is None, never 0. So is that of cached input where the price of
it is not known. Services charge for more than tokens (searches, storage, writing to a cache); that is not in here.
"""

from __future__ import annotations

import datetime
import tomllib
from functools import cache
from pathlib import Path

import msgspec

from polychat.types import Usage

_MILLION = 1_000_000


class Rates(msgspec.Struct, frozen=True, kw_only=True):
    """US dollars for a million tokens."""

    input: float
    output: float
    cached: float | None = None  # of input that the service had in its cache


class Price(Rates, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What models cost, and who says so."""

    models: tuple[str, ...]  # the service's own ids
    source: str
    date: datetime.date  # when the source said so
    long_above: int | None = None  # input tokens from which all of a request is charged as `long`
    long: Rates | None = None


def cost(provider: str, model: str, usage: Usage) -> float | None:
    """What a turn cost in US dollars; None where a price or a number is not known."""
    if usage.input_tokens is None or usage.output_tokens is None:
        return None
    charged = rates(provider, model, usage.input_tokens)
    cached = min(usage.cached_input_tokens or 0, usage.input_tokens)
    if charged is None or (cached and charged.cached is None):
        return None
    whole = (usage.input_tokens - cached) * charged.input + usage.output_tokens * charged.output
    return (whole + cached * (charged.cached or 0.0)) / _MILLION


def rates(provider: str, model: str, input_tokens: int = 0) -> Rates | None:
    """What a million tokens of a model cost in a request with so many of input; None where that is not known."""
    price = _prices().get((provider, model))
    is_long = price is not None and price.long_above is not None and input_tokens > price.long_above
    return price.long if price is not None and is_long else price


@cache
def _prices() -> dict[tuple[str, str], Price]:
    text = Path(__file__).with_name("prices.toml").read_text("utf-8")
    table = msgspec.convert(tomllib.loads(text), dict[str, list[Price]])
    return {
        (provider, model): price for provider, prices in table.items() for price in prices for model in price.models
    }
