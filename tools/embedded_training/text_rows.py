"""Speeches and chapters as plain text: training and test split, and requests from the latter."""

from __future__ import annotations

import random
from pathlib import Path

from tools.embedded_training import common, near_duplicates, sources

ROWS = 1200


def documents(raw: Path) -> tuple[list[str], list[str]]:
    """Training texts, and held-out texts: every tenth speech and every tenth chapter."""
    train: list[str] = []
    held: list[str] = []
    for collection in (sources.speeches(raw), sources.chapters(raw)):
        for place, (_, text) in enumerate(sorted(collection.items())):
            clean = " ".join(text.translate(sources.PLAIN).split())
            (held if place % 10 == 5 else train).append(clean)
    return train, held


def make_rows(held: list[str], train: list[str]) -> list[dict[str, str]]:
    """Prompts of 20 to 60 words, each with the 20 words that follow, without overlaps.

    Rows are left out if half of their 5-word shingles stand in one training text.
    """
    rng = random.Random(common.SEED)
    rows = []
    for text in held:
        words = text.split()
        at = 0
        while True:
            length = rng.randint(20, 60)
            if at + length + 20 > len(words):
                break
            prompt = " ".join(words[at : at + length])
            follows = " ".join(words[at + length : at + length + 20])
            rows.append({"text": prompt, "continuation": follows})
            at += length + 20
    rng.shuffle(rows)
    copied = near_duplicates.contained(texts(rows), train)
    return [row for row, known in zip(rows, copied, strict=True) if not known][:ROWS]


def texts(rows: list[dict[str, str]]) -> list[str]:
    """Prompt and continuation of each row as one text."""
    return [f"{row['text']} {row['continuation']}" for row in rows]
