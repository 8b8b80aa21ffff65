"""A figure with its low and its high: what a sum or a product of uncertain figures may be."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from bench.footprint import words
from bench.records import Estimate


@dataclass(frozen=True)
class Span:
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

    def __add__(self, other: Span) -> Span:
        return Span(self.value + other.value, self.low + other.low, self.high + other.high)

    def __mul__(self, other: Span | float) -> Span:
        by = span(other)
        return Span(self.value * by.value, self.low * by.low, _times(self.high, by.high))

    def __truediv__(self, other: Span | float) -> Span:
        by = span(other)
        if by.value == 0:
            raise ValueError("nothing can be divided by zero")
        high = self.high / by.low if by.low > 0 else math.inf
        return Span(self.value / by.value, self.low / by.high, high)

    @property
    def exact(self) -> bool:
        """Whether it has no width."""
        return self.low == self.high


def span(figure: Span | Estimate | float) -> Span:
    """A span from a number, an estimate (whose low is cut at zero) or a span."""
    if isinstance(figure, Span):
        return figure
    if isinstance(figure, Estimate):
        return Span(figure.value, max(0.0, figure.low), figure.high)
    return Span(figure, figure, figure)


def total(parts: Iterable[Span]) -> Span:
    """The sum of spans, 0 if there are none."""
    result = span(0.0)
    for part in parts:
        result = result + part
    return result


def say(figure: Span, unit: str = "", digits: int = 3) -> str:
    """A span in words: "24.7 t", "19.2 (12.4 to 26.1) t", "592,570,000"."""
    tail = f" {unit}" if unit else ""
    if figure.exact:
        large = 10**digits <= abs(figure.value) < 1e12
        return (
            f"{figure.value:,.0f}{tail}" if large else f"{words.number(figure.value, digits)}{tail}"
        )
    value, low, high = (words.number(e, digits) for e in (figure.value, figure.low, figure.high))
    ends = f"{low} to {high}" if math.isfinite(figure.high) else f"{low} or more"
    return f"{value} ({ends}){tail}"


def as_json(figure: Span | None) -> dict[str, Any] | None:
    """A span as JSON: an end that nothing bounds is null."""
    if figure is None:
        return None
    high = figure.high if math.isfinite(figure.high) else None
    return {"value": figure.value, "low": figure.low, "high": high}


def _times(a: float, b: float) -> float:
    return 0.0 if 0.0 in (a, b) else a * b
