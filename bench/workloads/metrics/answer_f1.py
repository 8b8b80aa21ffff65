"""F1 of SQuAD: the words that an answer shares with the best reference, articles aside.

A pair holds the texts that count as right, a tuple, and the text that was given.
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

    def score(right: tuple[str, ...], got: str) -> float:
        answers: Any = {"text": list(right), "answer_start": [0] * len(right)}
        asked = {"answers": answers, "id": "0"}
        return float(squad([{"prediction_text": got, "id": "0"}], [asked])["f1"]) / 100

    return [score(right, got) for right, got in pairs]
