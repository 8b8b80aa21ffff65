"""Passages of State of the Union addresses with the half-century in which they were delivered."""

from __future__ import annotations

import random
from bisect import bisect
from pathlib import Path

from tools.embedded_training import common, near_duplicates, sources

PERIODS = ("1790-1849", "1850-1899", "1900-1949", "1950-2021")
FIRST_YEARS = (1850, 1900, 1950)  # of the periods after the first
HELD_PER_PERIOD = 275
HELD_SHARE = 0.1
Row = dict[str, str]


def period_of(year: int) -> str:
    """The label of a year."""
    return PERIODS[bisect(FIRST_YEARS, year)]


def split(raw: Path) -> tuple[list[Row], list[Row]]:
    """Training rows, and held-out rows that ship, equally many of every period.

    All speeches of a year and all near-duplicates of their passages are on the same side.
    """
    train: list[Row] = []
    held: list[Row] = []
    passages = [found for found in sources.passages(raw) if found.collection == "sotu"]
    for period in PERIODS:
        rows = [found for found in passages if period_of(int(found.document[:4])) == period]
        learned, kept = near_duplicates.split_by_cluster(
            rows,
            lambda found: found.text,
            HELD_SHARE,
            common.SEED,
            group_of=lambda found: found.document[:4],
        )
        train += [{"text": found.text, "label": period} for found in learned]
        held += [{"text": found.text, "label": period} for found in kept]
    held = near_duplicates.without_near_duplicates(held, train, lambda row: row["text"])
    random.Random(common.SEED).shuffle(held)
    chosen: list[Row] = []
    left = dict.fromkeys(PERIODS, HELD_PER_PERIOD)
    for row in {row["text"]: row for row in held}.values():
        if left[row["label"]]:
            left[row["label"]] -= 1
            chosen.append(row)
    return train, chosen
