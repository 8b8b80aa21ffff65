"""`Interval`: a value with its low and high end, and interval arithmetic."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

# 97.5 % quantile of the standard normal distribution, for two-sided 95 % intervals.
NORMAL_95 = 1.959964


@dataclass(frozen=True)
class Interval:
    """`value` between `low` and `high`, all in one unit and none below zero.

    Arithmetic combines low ends with low ends and high ends with high ends, which gives the widest
    interval that the operands allow. `high` is infinite where nothing bounds it. Raises ValueError
    where the three are out of order or `low` is below zero.
    """

    value: float
    low: float
    high: float

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.value <= self.high:
            raise ValueError(f"an interval needs 0 <= {self.low} <= {self.value} <= {self.high}")

    @classmethod
    def of(cls, figure: Interval | float) -> Interval:
        """An interval from a number (no width) or from an interval, such as a record's estimate.

        The low end of an estimate may be below zero; it becomes zero.
        """
        if not isinstance(figure, Interval):
            return Interval(figure, figure, figure)
        return Interval(figure.value, max(0.0, figure.low), figure.high)

    @staticmethod
    def sum(parts: Iterable[Interval]) -> Interval:
        """The sum of intervals; 0 if there are none."""
        return sum(parts, start=Interval(0.0, 0.0, 0.0))

    def __add__(self, other: Interval | float) -> Interval:
        a, b = Interval.of(self), Interval.of(other)
        return Interval(a.value + b.value, a.low + b.low, a.high + b.high)

    def __mul__(self, factor: Interval | float) -> Interval:
        a, b = Interval.of(self), Interval.of(factor)
        high = 0.0 if 0.0 in (a.high, b.high) else a.high * b.high  # 0 times infinity is 0
        return Interval(a.value * b.value, a.low * b.low, high)

    def __truediv__(self, divisor: Interval | float) -> Interval:
        a, b = Interval.of(self), Interval.of(divisor)
        if b.value == 0:
            raise ValueError("an interval cannot be divided by zero")
        high = a.high / b.low if b.low > 0 else math.inf
        return Interval(a.value / b.value, a.low / b.high, high)

    @property
    def exact(self) -> bool:
        """Whether the interval has no width."""
        return self.low == self.high


def json_default(value: Any) -> dict[str, Any] | None:
    """`default` of `json.dumps`: an interval, or the fields of another dataclass.

    The metadata "json" of a field is its name in JSON, where that is not its name in Python.

    Raises TypeError for any other value.
    """
    if isinstance(value, Interval):
        return interval_json(value)
    return {
        part.metadata.get("json", part.name): getattr(value, part.name) for part in fields(value)
    }


def interval_json(figure: Interval | None) -> dict[str, float | None] | None:
    """value, low and high of an interval for JSON; an infinite high end is null."""
    if figure is None:
        return None
    high = figure.high if math.isfinite(figure.high) else None
    return {"value": figure.value, "low": figure.low, "high": high}
