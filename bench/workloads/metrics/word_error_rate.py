"""Word error rate: substituted, inserted and deleted words per word of the reference.

A pair holds two texts, of which the task has normalised case and punctuation.
"""

from __future__ import annotations

from bench.workloads.metrics import Pairs, Shares

BETTER = "lower"
RANGE = (0.0, float("inf"))


def value(pairs: Pairs) -> float:
    import jiwer

    references, predictions = zip(*pairs, strict=True)
    return float(jiwer.wer([*references], [*predictions]))


def shares(pairs: Pairs) -> Shares:
    """The errors, and the words of the reference, of each pair."""
    import jiwer

    alignments = [jiwer.process_words(*pair) for pair in pairs]
    return [
        (
            float(a.substitutions + a.deletions + a.insertions),
            float(a.substitutions + a.deletions + a.hits),
        )
        for a in alignments
    ]
