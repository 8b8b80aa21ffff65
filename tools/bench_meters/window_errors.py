"""Errors of windows, grouped by tool, simulated GPU (profile) and length."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

Record = dict[str, Any]


@dataclass(frozen=True)
class WindowErrors:
    """Relative errors of one tool on one profile at one length, and half-widths of intervals.

    `covered_count` is the number of 95 % intervals, of those stated, that hold the true energy.
    `missing` counts the windows without an energy; `raised` is the text of an exception, if any.
    """

    errors: tuple[float, ...]
    half_widths: tuple[float, ...]
    missing: int
    raised: str | None
    covered_count: int = 0

    @property
    def median(self) -> float:
        """Median size of the error."""
        return statistics.median(abs(error) for error in self.errors)

    @property
    def worst(self) -> float:
        """The largest error, with its sign."""
        return max(self.errors, key=abs)


def errors_of(rows: Sequence[Record]) -> WindowErrors:
    """The errors of windows of one tool on one profile at one length."""
    read = [row for row in rows if row.get("joules") is not None]
    stated = [row for row in read if row["interval"] is not None]
    return WindowErrors(
        tuple(row["joules"] / row["true_joules"] - 1 for row in read),
        tuple((row["interval"][1] - row["interval"][0]) / 2 / row["true_joules"] for row in stated),
        len(rows) - len(read),
        next((row["raised"] for row in rows if row.get("raised")), None),
        sum(row["interval"][0] <= row["true_joules"] <= row["interval"][1] for row in stated),
    )


def group_by(rows: Iterable[Record], key: Callable[[Record], Any]) -> dict[Any, list[Record]]:
    """The rows of each value of `key`."""
    groups: dict[Any, list[Record]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return groups


def errors_by_window(records: Sequence[Record]) -> dict[tuple[str, str, float], WindowErrors]:
    """The errors of each (profile, tool, length) that was measured."""
    rows = [r for r in records if "kind" not in r and r["fault"] is None]
    lengths = {r["length"] for r in rows if r["length"] is not None}
    groups = group_by(rows, lambda r: (r["profile"], r["tool"], r["length"]))
    for profile, tool, length in list(groups):
        if length is None:  # the tool could not be opened: the same at every length
            failed = groups.pop((profile, tool, None))
            groups |= {(profile, tool, each): failed for each in lengths}
    return {key: errors_of(group) for key, group in groups.items()}
