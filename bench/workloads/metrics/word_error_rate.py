"""Word error rate: words to change, add or take away, over words that were said.

A pair holds two texts, spelt alike (case and punctuation are the task's affair).
"""

from __future__ import annotations

from bench.workloads.metrics import Pairs, Shares

BETTER = "lower"
RANGE = (0.0, float("inf"))


def value(pairs: Pairs) -> float:
    import jiwer

    return float(jiwer.wer([right for right, _ in pairs], [got for _, got in pairs]))


def shares(pairs: Pairs) -> Shares:
    """The errors of each pair, over the words that were said."""
    import jiwer

    done = [jiwer.process_words(right, got) for right, got in pairs]
    errors = [one.substitutions + one.deletions + one.insertions for one in done]
    said = [one.substitutions + one.deletions + one.hits for one in done]
    return [(float(a), float(b)) for a, b in zip(errors, said, strict=True)]
