"""Words, numbers and sentences of the made problems, for training and held out."""

from __future__ import annotations

import random
import tomllib
from pathlib import Path
from typing import Any

TEMPLATES: dict[str, Any] = tomllib.loads(
    Path(__file__).with_name("chat_templates.toml").read_text(encoding="utf-8")
)
WORDS: dict[str, list[str]] = TEMPLATES["words"]
SPLITS = ("train", "held_out")

# Two-digit numbers of held-out prompts; training prompts have all others.
HELD_OUT_NUMBERS = frozenset((*range(14, 18), *range(35, 45), *range(65, 75), *range(86, 89)))
NUMBERS = {
    "held_out": sorted(HELD_OUT_NUMBERS),
    "train": [number for number in range(10, 100) if number not in HELD_OUT_NUMBERS],
}


class Source:
    """Random words, numbers and sentences of one split."""

    def __init__(self, split: str, rng: random.Random) -> None:
        self.split = split
        self.rng = rng
        self.names = _combinations("onsets", "endings", split)
        self.towns = _combinations("places", "suffixes", split)

    def template(self, *path: str) -> str:
        """A sentence of this split from the table at `path`, with fields in braces."""
        *tables, last = path
        table: Any = TEMPLATES
        for key in tables:
            table = table[key]
        return self.rng.choice(table[self.split][last])

    def sentence(self, *path: str, **fields: object) -> str:
        """A sentence of this split with its fields filled in."""
        return self.template(*path).format(**fields)

    def line(self, *path: str) -> str:
        """A sentence of this split where the table has no fields."""
        table: Any = TEMPLATES
        for key in path:
            table = table[key]
        return self.rng.choice(table[self.split])

    def number(self, low: int = 10, high: int = 99) -> int:
        """A two-digit number of this split within the limits."""
        fit = [number for number in NUMBERS[self.split] if low <= number <= high]
        return self.rng.choice(fit)

    def numbers(self, count: int) -> list[int]:
        return self.rng.sample(NUMBERS[self.split], count)

    def people(self, count: int) -> list[str]:
        """Names of which no two begin with the same two letters."""
        found: dict[str, str] = {}
        while len(found) < count:
            name = self.rng.choice(self.names)
            found.setdefault(name[:2], name)
        return list(found.values())

    def thing(self) -> str:
        return self.rng.choice(WORDS["things"])

    def items(self, count: int) -> list[str]:
        return self.rng.sample(WORDS["items"], count)


def _combinations(first: str, second: str, split: str) -> list[str]:
    """All pairs of two word parts of which every fifth is held out."""
    made = []
    for row, start in enumerate(WORDS[first]):
        for column, end in enumerate(WORDS[second]):
            if ((row + 2 * column) % 5 == 0) == (split == "held_out"):
                made.append(start + end)
    return made
