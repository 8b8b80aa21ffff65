"""Spearman's rank correlation of two scores. A pair holds two numbers."""

from __future__ import annotations

from bench.workloads.metrics import Pairs

BETTER = "higher"
RANGE = (-1.0, 1.0)


def value(pairs: Pairs) -> float:
    import torch
    from torchmetrics.functional.regression import spearman_corrcoef

    references, predictions = torch.tensor([*pairs], dtype=torch.float64).T
    if len(references.unique()) < 2 or len(predictions.unique()) < 2:
        return float("nan")  # a constant has no ranks
    return float(spearman_corrcoef(predictions, references))
