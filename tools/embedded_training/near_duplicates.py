"""Near-duplicate texts: exact Jaccard similarity of 5-word shingles, clusters, and splits.

Two texts are near-duplicates if the Jaccard similarity of their sets of 5-word shingles is at
least 0.5 (Broder 1997, "On the resemblance and containment of documents"). All pairs at or above
the threshold are found, without sampling, by prefix filtering (Bayardo, Ma and Srikant 2007,
"Scaling up all pairs similarity search"): two sets of similarity t share at least one of the
n - ceil(t n) + 1 rarest shingles of each.
"""

from __future__ import annotations

import math
import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from hashlib import blake2b
from typing import TypeVar

Row = TypeVar("Row")

SHINGLE_WORDS = 5
THRESHOLD = 0.5
WORD = re.compile(r"\w+")


def shingles(text: str) -> frozenset[int]:
    """The 5-word shingles of a text, each as a 64-bit hash that is the same in every process.

    Case and punctuation are ignored. A text of fewer than five words is one shingle; a text
    without words has none.
    """
    words = WORD.findall(text.lower())
    if not words:
        return frozenset()
    last = max(1, len(words) - SHINGLE_WORDS + 1)
    return frozenset(_hash(" ".join(words[at : at + SHINGLE_WORDS])) for at in range(last))


def jaccard(first: frozenset[int], second: frozenset[int]) -> float:
    """Size of the intersection divided by that of the union; 0 for two empty sets."""
    union = len(first | second)
    return len(first & second) / union if union else 0.0


def similar_pairs(
    texts: Sequence[str], threshold: float = THRESHOLD
) -> Iterator[tuple[int, int, float]]:
    """All pairs (index, higher index, similarity) of texts at or above `threshold` (above 0)."""
    sets = [shingles(text) for text in texts]
    frequency = Counter(shingle for found in sets for shingle in found)
    index: dict[int, list[int]] = defaultdict(list)
    for place, found in enumerate(sets):
        prefix = _rarest(found, frequency, threshold)
        for other in sorted({one for shingle in prefix for one in index[shingle]}):
            similarity = jaccard(found, sets[other])
            if similarity >= threshold:
                yield other, place, similarity
        for shingle in prefix:
            index[shingle].append(place)


def clusters(
    texts: Sequence[str], groups: Sequence[Hashable] | None = None, threshold: float = THRESHOLD
) -> list[int]:
    """Cluster number of every text: near-duplicates, and near-duplicates of these, share one.

    Args:
        groups: one value for each text; texts of the same group share a cluster too.
    """
    parent = list(range(len(texts)))

    def root(place: int) -> int:
        while parent[place] != place:
            parent[place] = parent[parent[place]]
            place = parent[place]
        return place

    for first, second, _ in similar_pairs(texts, threshold):
        parent[root(second)] = root(first)
    first_of: dict[Hashable, int] = {}
    for place, group in enumerate(groups or ()):
        parent[root(place)] = root(first_of.setdefault(group, place))
    return [root(place) for place in range(len(texts))]


def split_by_cluster(
    rows: Sequence[Row],
    text_of: Callable[[Row], str],
    held_share: float,
    seed: int,
    group_of: Callable[[Row], Hashable] | None = None,
) -> tuple[list[Row], list[Row]]:
    """Training and held-out rows in their given order; no cluster is on both sides.

    Args:
        held_share: smallest share of the rows to hold out, 0 to 1; whole clusters are drawn until
            it is reached.
        group_of: a value that rows of one document share, to keep documents on one side.
    """
    groups = [group_of(row) for row in rows] if group_of else None
    members: dict[int, list[int]] = defaultdict(list)
    for place, cluster in enumerate(clusters([text_of(row) for row in rows], groups)):
        members[cluster].append(place)
    order = sorted(members)
    random.Random(seed).shuffle(order)
    held: set[int] = set()
    for cluster in order:
        if len(held) >= held_share * len(rows):
            break
        held.update(members[cluster])
    return (
        [row for place, row in enumerate(rows) if place not in held],
        [row for place, row in enumerate(rows) if place in held],
    )


def near_duplicates(
    held: Sequence[str], train: Iterable[str], threshold: float = THRESHOLD
) -> list[bool]:
    """For every held-out text, whether a training text has at least `threshold` similarity."""
    sets = [shingles(text) for text in held]
    wanted = {shingle for found in sets for shingle in found}
    frequency: Counter[int] = Counter()
    train_sets = []
    for text in train:
        found = shingles(text)
        frequency.update(found & wanted)
        train_sets.append(found)
    index: dict[int, list[int]] = defaultdict(list)
    for place, found in enumerate(sets):
        for shingle in _rarest(found, frequency, threshold):
            index[shingle].append(place)
    duplicate = [False] * len(sets)
    for found in train_sets:
        for place in {one for shingle in found if shingle in index for one in index[shingle]}:
            if not duplicate[place]:
                duplicate[place] = jaccard(sets[place], found) >= threshold
    return duplicate


def near_duplicate_share(
    held: Sequence[str], train: Iterable[str], threshold: float = THRESHOLD
) -> float:
    """Share of held-out texts (0 to 1) that have a near-duplicate among the training texts."""
    return sum(near_duplicates(held, train, threshold)) / len(held)


def without_near_duplicates(
    rows: Sequence[Row], others: Sequence[Row], text_of: Callable[[Row], str]
) -> list[Row]:
    """The rows that have no near-duplicate among `others`."""
    duplicate = near_duplicates([text_of(row) for row in rows], map(text_of, others))
    return [row for row, same in zip(rows, duplicate, strict=True) if not same]


def contained(
    held: Sequence[str], documents: Iterable[str], threshold: float = THRESHOLD
) -> list[bool]:
    """For every held-out text, whether one document has at least `threshold` of its shingles.

    For training documents much longer than the held-out texts, of which training takes windows at
    any place. Every text with a near-duplicate among these windows is contained.
    """
    sets = [shingles(text) for text in held]
    index: dict[int, list[int]] = defaultdict(list)
    for place, found in enumerate(sets):
        for shingle in found:
            index[shingle].append(place)
    copied = [False] * len(sets)
    for document in documents:
        shared = Counter(
            place for shingle in shingles(document) if shingle in index for place in index[shingle]
        )
        for place, count in shared.items():
            copied[place] |= count >= threshold * len(sets[place])
    return copied


def _hash(words: str) -> int:
    return int.from_bytes(blake2b(words.encode(), digest_size=8).digest(), "big")


def _rarest(found: frozenset[int], frequency: Counter[int], threshold: float) -> list[int]:
    """The prefix of which two sets of at least `threshold` similarity share one shingle."""
    ordered = sorted(found, key=lambda shingle: (frequency[shingle], shingle))
    return ordered[: len(ordered) - math.ceil(threshold * len(ordered)) + 1]
