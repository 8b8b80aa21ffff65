"""ROUGE-L: F1 of the longest common subsequence of words. A pair holds two texts."""

from __future__ import annotations

import math

from bench.workloads.metrics import Pairs

BETTER = "higher"
RANGE = (0.0, 1.0)


def value(pairs: Pairs) -> float:
    return math.fsum(rows(pairs)) / len(pairs)


def rows(pairs: Pairs) -> list[float]:
    from torchmetrics.functional.text import rouge_score

    return [
        float(rouge_score(got, right, rouge_keys="rougeL")["rougeL_fmeasure"])
        for right, got in pairs
    ]
