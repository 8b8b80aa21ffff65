"""A figure that was derived from energy with a published fact, and which fact that was."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bench.facts import Fact, Range
from bench.results.record import Estimate


@dataclass(frozen=True)
class Quantity:
    """`value` with its interval, in `unit`, and the fact that it rests on.

    `low` and `high` carry over the interval of what it was derived from; the fact adds none of its
    own, unless it is a range.
    """

    value: float
    low: float
    high: float
    unit: str
    label: str
    edition: str
    basis: str
    source: str
    source_url: str


Amount = float | Estimate | Quantity


def derive(amount: Amount, factor: float, unit: str, fact: Fact) -> Quantity:
    """An amount (with or without an interval) times `factor`, in `unit`, resting on `fact`."""
    value, low, high = spread(amount)
    return Quantity(
        value=value * factor,
        low=low * factor,
        high=high * factor,
        unit=unit,
        label=fact.label,
        edition=fact.edition,
        basis=fact.basis,
        source=fact.source,
        source_url=fact.source_url,
    )


def widen(quantity: Quantity, factor: Range) -> Quantity:
    """A quantity times what several sources disagree on: its ends reach over both."""
    value, low, high = spread(quantity)
    return replace(
        quantity, value=value * factor.value, low=low * factor.low, high=high * factor.high
    )


def spread(amount: Amount) -> tuple[float, float, float]:
    """(value, low, high) of an amount, or three times the same number."""
    if isinstance(amount, float | int):
        return amount, amount, amount
    return amount.value, amount.low, amount.high
