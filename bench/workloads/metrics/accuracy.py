"""Accuracy: the share of answers that equal their reference. A pair holds two labels."""

from __future__ import annotations

from bench.workloads.metrics import Pairs

BETTER = "higher"
RANGE = (0.0, 1.0)


def value(pairs: Pairs) -> float:
    from sklearn.metrics import accuracy_score

    references, predictions = zip(*pairs, strict=True)
    return float(accuracy_score([*map(str, references)], [*map(str, predictions)]))


def rows(pairs: Pairs) -> list[float]:
    return [float(str(reference) == str(prediction)) for reference, prediction in pairs]
