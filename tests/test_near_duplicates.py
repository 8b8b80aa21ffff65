"""Near-duplicate texts: similarity, clusters, and splits that keep clusters on one side."""

from __future__ import annotations

import random

import pytest

from tools.embedded_training import near_duplicates

WORDS = [f"word{number}" for number in range(300)]


def random_texts(count: int, seed: int) -> list[str]:
    """Texts of 12 to 40 words; about half of them are edited copies of an earlier one."""
    rng = random.Random(seed)
    texts: list[list[str]] = []
    for _ in range(count):
        if texts and rng.random() < 0.5:
            words = list(rng.choice(texts))
            for _ in range(rng.randint(0, 4)):
                words[rng.randrange(len(words))] = rng.choice(WORDS)
        else:
            words = rng.choices(WORDS, k=rng.randint(12, 40))
        texts.append(words)
    return [" ".join(words) for words in texts]


def similarity(first: str, second: str) -> float:
    return near_duplicates.jaccard(
        near_duplicates.shingles(first), near_duplicates.shingles(second)
    )


def test_similarity_is_the_jaccard_index_of_five_word_shingles() -> None:
    first, second = "a b c d e f g", "A, b c d e f h!"
    assert len(near_duplicates.shingles(first)) == 3
    assert similarity(first, second) == pytest.approx(2 / 4)
    assert similarity("one two", "one two") == 1.0
    assert similarity("one two", "one three") == 0.0
    assert similarity("", "...") == 0.0


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.8])
def test_similar_pairs_are_those_of_a_comparison_of_all_pairs(threshold: float) -> None:
    texts = random_texts(150, seed=3)
    expected = {
        (one, two)
        for two in range(len(texts))
        for one in range(two)
        if similarity(texts[one], texts[two]) >= threshold
    }
    found = {(one, two) for one, two, _ in near_duplicates.similar_pairs(texts, threshold)}
    assert found == expected and len(found) > 20


def test_share_of_near_duplicates_is_that_of_a_comparison_of_all_pairs() -> None:
    texts = random_texts(200, seed=5)
    held, train = texts[1::2], texts[::2]
    expected = [max(similarity(one, two) for two in train) >= 0.5 for one in held]
    assert near_duplicates.near_duplicates(held, train) == expected
    assert near_duplicates.near_duplicate_share(held, iter(train)) == sum(expected) / len(held)
    assert 0.1 < sum(expected) / len(held) < 0.9
    kept = near_duplicates.without_near_duplicates(held, train, str)
    assert near_duplicates.near_duplicate_share(kept, train) == 0.0


def test_clusters_join_copies_of_copies_and_rows_of_one_group() -> None:
    base = WORDS[:20]
    edited = [*base[:18], "x", "y"]
    edited_twice = ["p", "q", "r", *edited[3:]]
    texts = [" ".join(words) for words in (base, edited, edited_twice, WORDS[50:70], WORDS[80:99])]
    assert similarity(texts[0], texts[2]) < 0.7
    assert len(set(near_duplicates.clusters(texts)[:3])) == 1
    assert len(set(near_duplicates.clusters(texts))) == 3
    assert len(set(near_duplicates.clusters(texts, [1, 2, 3, 4, 1]))) == 2


def test_split_keeps_near_duplicates_and_documents_on_one_side() -> None:
    texts = random_texts(300, seed=11)
    rows = [{"text": text, "document": place % 60} for place, text in enumerate(texts)]
    train, held = near_duplicates.split_by_cluster(rows, lambda row: str(row["text"]), 0.2, seed=1)
    assert len(held) >= 60 and len(train) + len(held) == 300
    assert (
        near_duplicates.near_duplicate_share(
            [str(row["text"]) for row in held], [str(row["text"]) for row in train]
        )
        == 0.0
    )
    rows = [{"text": " ".join(WORDS[n : n + 9]), "document": n // 10} for n in range(0, 290, 5)]
    train, held = near_duplicates.split_by_cluster(
        rows, lambda row: str(row["text"]), 0.2, seed=1, group_of=lambda row: row["document"]
    )
    assert not {row["document"] for row in train} & {row["document"] for row in held}
    assert train and held


def test_contained_texts_are_copies_at_any_place_of_a_document() -> None:
    document = " ".join(WORDS)
    held = [" ".join(WORDS[37:60]), " ".join(reversed(WORDS[37:60]))]
    assert near_duplicates.contained(held, [document]) == [True, False]
    assert near_duplicates.near_duplicate_share(held, [document]) == 0.0
