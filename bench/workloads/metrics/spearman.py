"""Spearman's rank correlation of two scores. A pair holds two numbers."""

from __future__ import annotations

from bench.workloads.metrics import Pairs

BETTER = "higher"
RANGE = (-1.0, 1.0)


def value(pairs: Pairs) -> float:
    import torch
    from torchmetrics.functional.regression import spearman_corrcoef

    right, got = torch.tensor([*pairs], dtype=torch.float64).T
    if len(right.unique()) < 2 or len(got.unique()) < 2:
        return float("nan")  # nothing to rank
    return float(spearman_corrcoef(got, right))
