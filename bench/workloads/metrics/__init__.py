"""Quality metrics, one file a metric. A metric scores all answers of a run together.

Its module takes `pairs` of (reference, prediction), as `Metric.answer` of a task returns, and has

* `BETTER`, "higher" or "lower", and `RANGE`, the least and the greatest possible value;
* `value(pairs) -> float` over all pairs; NaN where the metric is not defined;
* `rows(pairs) -> list[float]`, one score a pair, if the value is the mean of scores;
* `shares(pairs) -> list[(float, float)]`, the numerator and the denominator of each pair, if the
  value is a ratio of their sums;
* `RESAMPLES`, the number of bootstrap samples for its interval, if neither `rows` nor `shares` is
  defined and `value` is slow.

A metric imports its library inside its functions, so that measuring energy needs no such library.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Pairs = Sequence[tuple[Any, Any]]
Shares = list[tuple[float, float]]


class MetricUnavailable(RuntimeError):
    """A metric lacks a model that it needs; the message is one sentence."""
