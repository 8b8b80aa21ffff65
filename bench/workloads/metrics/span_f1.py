"""F1 over labelled spans: a span counts where both its words and its kind are right.

A pair holds two tuples of tags, one a word. Tags that begin with "B-", "I-", "E-" or "S-" mark the
spans of a chunked data set. Where the references mark none, every word is a span of its own, and F1
equals the accuracy over words.
"""

from __future__ import annotations

from bench.workloads.metrics import Pairs, Shares

BETTER = "higher"
RANGE = (0.0, 1.0)
MARKS = ("B-", "I-", "E-", "S-")


def value(pairs: Pairs) -> float:
    from seqeval.metrics import f1_score

    right, got = zip(*_marked(pairs), strict=True)
    return float(f1_score([*right], [*got], average="micro", zero_division=0))


def shares(pairs: Pairs) -> Shares:
    """Twice the spans that are right, over the spans of both sides."""
    from seqeval.metrics.sequence_labeling import get_entities

    found = [(set(get_entities(a)), set(get_entities(b))) for a, b in _marked(pairs)]
    return [(2.0 * len(right & got), float(len(right) + len(got))) for right, got in found]


def _marked(pairs: Pairs) -> list[tuple[list[str], list[str]]]:
    chunked = any(tag.startswith(MARKS) for right, _ in pairs for tag in right)
    if chunked:
        return [([*right], [*got]) for right, got in pairs]
    return [([f"B-{tag}" for tag in right], [f"B-{tag}" for tag in got]) for right, got in pairs]
