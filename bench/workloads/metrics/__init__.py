"""Metrics: how well the answers of a whole run fit, computed by libraries, one file a metric.

A room takes `pairs` of (reference, prediction), as `Metric.answer` of a task made them. It has

* `BETTER`, "higher" or "lower", and `RANGE`, the least and the greatest value there can be;
* `value(pairs) -> float` over all pairs, not a number where it is not defined;
* where the value is the mean of a score in [0, 1] for each pair, `rows(pairs) -> list[float]`;
* where it is a ratio of sums over the pairs, `shares(pairs)`, what each adds above and below;
* else, where a value takes long, `RESAMPLES`, how often the bootstrap of its interval may ask.

It imports its library inside its functions: whoever only measures energy needs none of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Pairs = Sequence[tuple[Any, Any]]
Shares = list[tuple[float, float]]


class MetricUnavailable(RuntimeError):
    """What a metric needs beside its library and does not have; the message is one sentence."""
