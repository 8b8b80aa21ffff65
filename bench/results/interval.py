"""A figure with its low and its high: what a sum or a product of uncertain figures may be."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from bench.results.record import Estimate


@dataclass(frozen=True)
class Interval:
    """`value` between `low` and `high`, all in one unit and none below zero.

    Arithmetic takes everything at its low, and everything at its high: the widest that the parts
    allow. `high` may be infinite, where nothing bounds it.
    """

    value: float
    low: float
    high: float

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.value <= self.high:
            raise ValueError(f"a span needs 0 <= {self.low} <= {self.value} <= {self.high}")

    def __add__(self, other: Interval) -> Interval:
        return Interval(self.value + other.value, self.low + other.low, self.high + other.high)

    def __mul__(self, other: Interval | float) -> Interval:
        by = as_interval(other)
        return Interval(self.value * by.value, self.low * by.low, _times(self.high, by.high))

    def __truediv__(self, other: Interval | float) -> Interval:
        by = as_interval(other)
        if by.value == 0:
            raise ValueError("nothing can be divided by zero")
        high = self.high / by.low if by.low > 0 else math.inf
        return Interval(self.value / by.value, self.low / by.high, high)

    @property
    def exact(self) -> bool:
        """Whether it has no width."""
        return self.low == self.high


def as_interval(figure: Interval | Estimate | float) -> Interval:
    """A span from a number, an estimate (whose low is cut at zero) or a span."""
    if isinstance(figure, Interval):
        return figure
    if isinstance(figure, Estimate):
        return Interval(figure.value, max(0.0, figure.low), figure.high)
    return Interval(figure, figure, figure)


def sum_intervals(parts: Iterable[Interval]) -> Interval:
    """The sum of spans, 0 if there are none."""
    result = as_interval(0.0)
    for part in parts:
        result = result + part
    return result


def interval_json(figure: Interval | None) -> dict[str, Any] | None:
    """A span as JSON: an end that nothing bounds is null."""
    if figure is None:
        return None
    high = figure.high if math.isfinite(figure.high) else None
    return {"value": figure.value, "low": figure.low, "high": high}


def _times(a: float, b: float) -> float:
    return 0.0 if 0.0 in (a, b) else a * b
