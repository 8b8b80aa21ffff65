"""Accuracy: the share of answers that equal their reference. A pair holds two labels."""

from __future__ import annotations

from bench.workloads.metrics import Pairs

BETTER = "higher"
RANGE = (0.0, 1.0)


def value(pairs: Pairs) -> float:
    from sklearn.metrics import accuracy_score

    return float(accuracy_score([str(right) for right, _ in pairs], [str(got) for _, got in pairs]))


def rows(pairs: Pairs) -> list[float]:
    return [float(str(right) == str(got)) for right, got in pairs]
