"""F1 of SQuAD: words shared by an answer and its best reference, without articles.

A pair holds a tuple of accepted texts and the predicted text. Rajpurkar et al. 2016, SQuAD.
"""

from __future__ import annotations

import math
from typing import Any

from bench.workloads.metrics import Pairs

BETTER = "higher"
RANGE = (0.0, 1.0)


def value(pairs: Pairs) -> float:
    return math.fsum(rows(pairs)) / len(pairs)


def rows(pairs: Pairs) -> list[float]:
    from torchmetrics.functional.text import squad

    def score(accepted: tuple[str, ...], prediction: str) -> float:
        answers: Any = {"text": list(accepted), "answer_start": [0] * len(accepted)}
        target = {"answers": answers, "id": "0"}
        return float(squad([{"prediction_text": prediction, "id": "0"}], [target])["f1"]) / 100

    return [score(accepted, prediction) for accepted, prediction in pairs]
