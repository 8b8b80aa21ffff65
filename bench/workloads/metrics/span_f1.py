"""F1 over labelled spans: a span is correct if its words and its label are.

A pair holds two tuples of tags, one a word. Tags with the prefix "B-", "I-", "E-" or "S-" mark the
spans of a chunked data set. If no reference has a prefix, every word is one span, and F1 equals
the accuracy over words.
"""

from __future__ import annotations

from bench.workloads.metrics import Pairs, Shares

BETTER = "higher"
RANGE = (0.0, 1.0)
PREFIXES = ("B-", "I-", "E-", "S-")


def value(pairs: Pairs) -> float:
    from seqeval.metrics import f1_score

    references, predictions = zip(*_prefixed(pairs), strict=True)
    return float(f1_score([*references], [*predictions], average="micro", zero_division=0))


def shares(pairs: Pairs) -> Shares:
    """Twice the correct spans, and the spans of reference and prediction together."""
    from seqeval.metrics.sequence_labeling import get_entities

    spans = [(set(get_entities(a)), set(get_entities(b))) for a, b in _prefixed(pairs)]
    return [(2.0 * len(a & b), float(len(a) + len(b))) for a, b in spans]


def _prefixed(pairs: Pairs) -> list[tuple[list[str], list[str]]]:
    """The tags of each pair, all with prefixes."""
    if any(tag.startswith(PREFIXES) for reference, _ in pairs for tag in reference):
        return [([*reference], [*prediction]) for reference, prediction in pairs]
    return [([f"B-{tag}" for tag in a], [f"B-{tag}" for tag in b]) for a, b in pairs]
