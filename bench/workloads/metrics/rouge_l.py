"""ROUGE-L: F1 of the longest common subsequence of words. Lin 2004, ROUGE.

A pair holds the reference, a text or a list of which the best counts, and the predicted text.
"""

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
        float(rouge_score(prediction, reference, rouge_keys="rougeL")["rougeL_fmeasure"])
        for reference, prediction in pairs
    ]
