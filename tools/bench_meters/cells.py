"""Records of windows -> cells: one tool on one profile at one length."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

NORMAL_95 = 1.96
Record = dict[str, Any]


@dataclass(frozen=True)
class Cell:
    """One tool on one profile at one length: relative errors, and what the interval did."""

    errors: tuple[float, ...]
    halves: tuple[float, ...]
    unread: int
    raised: str | None

    @property
    def middle(self) -> float:
        return statistics.median(abs(error) for error in self.errors)

    @property
    def worst(self) -> float:
        """The largest error, with its sign."""
        return max(self.errors, key=abs)

    @property
    def covered(self) -> int:
        return sum(abs(e) <= h for e, h in zip(self.errors, self.halves, strict=True))


def cell(rows: Sequence[Record]) -> Cell:
    read = [row for row in rows if row.get("joules") is not None]
    stated = [row for row in read if row["uncertainty"] is not None]
    return Cell(
        tuple(row["joules"] / row["true_joules"] - 1 for row in read),
        tuple(NORMAL_95 * row["uncertainty"] / row["true_joules"] for row in stated),
        len(rows) - len(read),
        next((row["raised"] for row in rows if row.get("raised")), None),
    )


def by(rows: Iterable[Record], key: Callable[[Record], Any]) -> dict[Any, list[Record]]:
    groups: dict[Any, list[Record]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return groups


def cells(records: Sequence[Record]) -> dict[tuple[str, str, float], Cell]:
    """Each (profile, tool, length) that was measured."""
    rows = [r for r in records if "kind" not in r and r["fault"] is None]
    lengths = {r["length"] for r in rows if r["length"] is not None}
    found = by(rows, lambda r: (r["profile"], r["tool"], r["length"]))
    for profile, tool, length in list(found):
        if length is None:  # could not even be opened: so at every length
            failed = found.pop((profile, tool, None))
            found |= {(profile, tool, each): failed for each in lengths}
    return {key: cell(part) for key, part in found.items()}
