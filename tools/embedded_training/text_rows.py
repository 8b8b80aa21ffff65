"""Speeches and chapters as plain text: which are held out, and the requests cut from those."""

from __future__ import annotations

import random
from pathlib import Path

from tools.embedded_training import common, sources

ROWS = 1200

# Typographic quotes and dashes cost several byte tokens each and say nothing more here.
PLAIN = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"', "—": "-", "–": "-"})


def documents(raw: Path) -> tuple[list[str], list[str]]:
    """Texts to learn from and texts held out: every tenth speech and every tenth chapter."""
    train: list[str] = []
    held: list[str] = []
    for collection in (sources.speeches(raw), sources.chapters(raw)):
        for place, (_, text) in enumerate(sorted(collection.items())):
            clean = " ".join(text.translate(PLAIN).split())
            (held if place % 10 == 5 else train).append(clean)
    return train, held


def make_rows(held: list[str]) -> list[dict[str, str]]:
    """Prompts of 20 to 60 words, each with the 20 words that truly follow; no overlaps."""
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
