"""Speeches and chapters as plain text: training and test split, and requests from the latter."""

from __future__ import annotations

import random
from pathlib import Path

from tools.embedded_training import common, sources

ROWS = 1200

# Typographic quotes and dashes take several byte tokens each, ASCII ones take one.
PLAIN = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"', "—": "-", "–": "-"})


def documents(raw: Path) -> tuple[list[str], list[str]]:
    """Training texts, and held-out texts: every tenth speech and every tenth chapter."""
    train: list[str] = []
    held: list[str] = []
    for collection in (sources.speeches(raw), sources.chapters(raw)):
        for place, (_, text) in enumerate(sorted(collection.items())):
            clean = " ".join(text.translate(PLAIN).split())
            (held if place % 10 == 5 else train).append(clean)
    return train, held


def make_rows(held: list[str]) -> list[dict[str, str]]:
    """Prompts of 20 to 60 words, each with the 20 words that follow, without overlaps."""
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
    return rows[:ROWS]
