"""Quantiles of Student's t distribution; scipy is no dependency."""

from __future__ import annotations

import math
from functools import lru_cache


@lru_cache(maxsize=256)
def student_quantile(confidence: float, degrees_of_freedom: int) -> float:
    """The t for which |T| stays below t with probability `confidence`, found by bisection."""
    low, high = 0.0, 1e6
    while high - low > 1e-12 * max(1.0, low):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        below = _student_probability(middle, degrees_of_freedom) < confidence
        low, high = (middle, high) if below else (low, middle)
    return low


def _student_probability(t: float, degrees_of_freedom: int) -> float:
    """P(|T| < t) for whole degrees of freedom (Abramowitz and Stegun 26.7.3 and 26.7.4)."""
    angle = math.atan(t / math.sqrt(degrees_of_freedom))
    cosine, sine = math.cos(angle), math.sin(angle)
    odd = degrees_of_freedom % 2
    if degrees_of_freedom == 1:
        return 2 * angle / math.pi
    term = total = cosine if odd else 1.0
    for k in range(3 if odd else 2, degrees_of_freedom - 1, 2):
        term *= cosine * cosine * (k - 1) / k
        total += term
    return 2 / math.pi * (angle + sine * total) if odd else sine * total
