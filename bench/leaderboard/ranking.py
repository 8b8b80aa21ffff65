"""Groups of equals, ties, ranks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bench.leaderboard import board_row
from bench.leaderboard.board_entry import BoardEntry, GroupKey, RankingKey
from bench.leaderboard.grading import grades, stars
from bench.results.calibration import RECTANGULAR_TO_95, Instrument

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
CLASS_WIDTH = 1.05
SLACK = 1e-12
BLOCK = 1_000_000


def is_significantly_less(a: RankingKey, b: RankingKey) -> bool:
    """Whether a took significantly less energy than b: what `compare(a, b).high < 1` says."""
    same = a.instrument is not None and a.instrument == b.instrument
    calibrations = (
        () if same else (RECTANGULAR_TO_95 * a.calibration, RECTANGULAR_TO_95 * b.calibration)
    )
    return (
        b.log_energy - a.log_energy
        > sum(x * x for x in (a.half_width, b.half_width, *calibrations)) ** 0.5
    )


def count_better_and_worse(marks: Sequence[RankingKey]) -> tuple[list[int], list[int]]:
    """For each mark, how many of the others are significantly better, and how many worse."""
    place = np.array([mark.log_energy for mark in marks])
    width = np.array([mark.half_width for mark in marks])
    whole = np.hypot(width, RECTANGULAR_TO_95 * np.array([mark.calibration for mark in marks]))
    found = []
    for towards in (place, -place):
        counts = _beyond(towards, whole)
        for card in _cards(marks):
            # On one card the scale error cancels: its results are counted again without it.
            counts[card] -= _beyond(towards[card], whole[card])
            counts[card] += _beyond(towards[card], width[card])
        found.append(counts.tolist())
    return found[0], found[1]


def _cards(marks: Sequence[RankingKey]) -> Iterator[list[int]]:
    """The results of every instrument that read more than one of them."""
    by_card: dict[Instrument, list[int]] = defaultdict(list)
    for number, mark in enumerate(marks):
        if mark.instrument is not None:
            by_card[mark.instrument].append(number)
    yield from (card for card in by_card.values() if len(card) > 1)


def _beyond(place: Floats, spread: Floats) -> Counts:
    """For each i, the number of j with place[i] - place[j] > hypot(spread[i], spread[j])."""
    counts = np.zeros(len(place), dtype=np.int64)
    classes = np.floor(np.log(np.maximum(spread, 1e-9)) / np.log(CLASS_WIDTH))
    for number in np.unique(classes):
        members = np.flatnonzero(classes == number)
        members = members[np.argsort(place[members], kind="stable")]
        counts += _beyond_class(place, spread, place[members], spread[members])
    return counts


def _beyond_class(place: Floats, spread: Floats, other: Floats, its: Floats) -> Counts:
    """As `_beyond`, over others of nearly the same spread, sorted by their place."""
    near = place - np.hypot(spread, its.min())
    far = place - np.hypot(spread, its.max())
    surely = np.searchsorted(other, far - SLACK, side="left")
    perhaps = np.searchsorted(other, near + SLACK, side="right")
    counts: Counts = surely.astype(np.int64)
    band = perhaps - surely
    at = np.flatnonzero(band)
    # Blocks of pairs, so that memory stays small whatever the band.
    ends = np.cumsum(band[at])
    start = 0
    while start < len(at):
        done = ends[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, done + BLOCK)))
        mine = np.repeat(at[start:stop], band[at[start:stop]])
        first = np.repeat(surely[at[start:stop]], band[at[start:stop]])
        within = np.arange(len(mine)) - np.repeat(
            ends[start:stop] - band[at[start:stop]] - done, band[at[start:stop]]
        )
        theirs = first + within
        beyond = place[mine] - other[theirs] > np.sqrt(spread[mine] ** 2 + its[theirs] ** 2)
        counts += np.bincount(mine[beyond], minlength=len(place))
        start = stop
    return counts


@dataclass(frozen=True, slots=True)
class RankedEntry:
    """One result on the board. `rank`, `grade` and `stars` are None where it is listed only."""

    entry: BoardEntry
    rank: int | None = None
    tied: bool = False
    grade: str | None = None
    stars: int | None = None


@dataclass(frozen=True)
class RankedGroup:
    """Equals, best first."""

    equals: GroupKey
    rows: tuple[RankedEntry, ...]


@dataclass(frozen=True)
class TaskBoard:
    """One task: its ranked groups, then what is listed without rank, by energy."""

    task_id: str
    unit: str
    groups: tuple[RankedGroup, ...]
    listed: tuple[RankedEntry, ...]

    def rows(self) -> Iterable[RankedEntry]:
        """All rows, in the order of the board."""
        for group in self.groups:
            yield from group.rows
        yield from self.listed


@dataclass(frozen=True)
class Board:
    """The whole board, tasks in the order of their names."""

    tasks: tuple[TaskBoard, ...]


def rank_entries(entries: Iterable[BoardEntry]) -> Board:
    """Rank entries with their equals and list the others; their order does not matter."""
    by_task: dict[str, list[BoardEntry]] = defaultdict(list)
    for entry in entries:
        by_task[entry.task_id].append(entry)
    return Board(tuple(_task(task_id, by_task[task_id]) for task_id in sorted(by_task)))


def _task(task_id: str, entries: Sequence[BoardEntry]) -> TaskBoard:
    equals: dict[GroupKey, list[BoardEntry]] = defaultdict(list)
    listed: list[RankedEntry] = []
    for entry in sorted(entries, key=lambda entry: entry.order):
        if entry.equals is None:
            listed.append(RankedEntry(entry))
        else:
            equals[entry.equals].append(entry)
    groups = [_group(key, equals[key]) for key in sorted(equals)]
    # A task's own unit; where a stranger's version counts otherwise, the one most used.
    units = [entry.unit for entry in entries]
    return TaskBoard(
        task_id, max(sorted(set(units)), key=units.count), tuple(groups), tuple(listed)
    )


def _group(equals: GroupKey, members: Sequence[BoardEntry]) -> RankedGroup:
    better, worse = count_better_and_worse([entry.mark for entry in members if entry.mark])
    energies = [entry.span[0] for entry in members if entry.span]
    places = zip(members, better, worse, grades(energies), stars(energies), strict=True)
    rows = [
        RankedEntry(entry, 1 + above, above + below + 1 < len(members), grade, shining)
        for entry, above, below, grade, shining in places
    ]
    rows.sort(key=lambda row: (row.rank, row.entry.order))
    return RankedGroup(equals, tuple(rows))


def placement(row: RankedEntry) -> board_row.Placement:
    """Where a row stands among its equals."""
    return {"rank": row.rank, "tied": row.tied, "grade": row.grade, "stars": row.stars}
