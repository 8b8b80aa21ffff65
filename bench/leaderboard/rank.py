"""Ranking: equals in groups, ties where the interval of the ratio holds 1, the rest listed below.

A rank is 1 + the number of results that are significantly better, so a chain of ties (a with b,
b with c, but a better than c) gives 1, 1, 2.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.leaderboard.entry import Entry, Equals
from bench.leaderboard.grade import grades, stars
from bench.leaderboard.ties import better_and_worse


@dataclass(frozen=True, slots=True)
class Row:
    """One result on the board. `rank`, `grade` and `stars` are None where it is listed only."""

    entry: Entry
    rank: int | None = None
    tied: bool = False
    grade: str | None = None
    stars: int | None = None


@dataclass(frozen=True)
class Group:
    """Equals, best first."""

    equals: Equals
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class TaskBoard:
    """One task: its ranked groups, then what is listed without rank, by energy."""

    task_id: str
    unit: str
    groups: tuple[Group, ...]
    listed: tuple[Row, ...]

    def rows(self) -> Iterable[Row]:
        """All rows, in the order of the board."""
        for group in self.groups:
            yield from group.rows
        yield from self.listed


@dataclass(frozen=True)
class Board:
    """The whole board, tasks in the order of their names."""

    tasks: tuple[TaskBoard, ...]


def board(entries: Iterable[Entry]) -> Board:
    """Rank entries with their equals and list the others; their order does not matter."""
    by_task: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        by_task[entry.task_id].append(entry)
    return Board(tuple(_task(task_id, by_task[task_id]) for task_id in sorted(by_task)))


def _task(task_id: str, entries: Sequence[Entry]) -> TaskBoard:
    equals: dict[Equals, list[Entry]] = defaultdict(list)
    listed: list[Row] = []
    for entry in sorted(entries, key=lambda entry: entry.order):
        if entry.equals is None:
            listed.append(Row(entry))
        else:
            equals[entry.equals].append(entry)
    groups = [_group(key, equals[key]) for key in sorted(equals)]
    # A task's own unit; where a stranger's version counts otherwise, the one most used.
    units = [entry.unit for entry in entries]
    return TaskBoard(
        task_id, max(sorted(set(units)), key=units.count), tuple(groups), tuple(listed)
    )


def _group(equals: Equals, members: Sequence[Entry]) -> Group:
    better, worse = better_and_worse([entry.mark for entry in members if entry.mark])
    energies = [entry.span[0] for entry in members if entry.span]
    places = zip(members, better, worse, grades(energies), stars(energies), strict=True)
    rows = [
        Row(entry, 1 + above, above + below + 1 < len(members), grade, shining)
        for entry, above, below, grade, shining in places
    ]
    rows.sort(key=lambda row: (row.rank, row.entry.order))
    return Group(equals, tuple(rows))
