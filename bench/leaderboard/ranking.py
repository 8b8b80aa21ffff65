"""Groups of comparable results, ties, ranks."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from bench.leaderboard.board_entry import BoardEntry, GroupKey, RankingKey
from bench.leaderboard.board_row import BoardRow
from bench.leaderboard.grading import grades, stars
from bench.results.calibration import RECTANGULAR_TO_95, Instrument
from bench.results.interval import NORMAL_95

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

# How a group is counted, for speed alone; the counts are exact for any value. Results whose
# half-widths are within 5 % are counted together. Comparisons closer than 1e-12 of a bound are made
# pair by pair, a million pairs at a time (about 50 MB).
HALF_WIDTH_RATIO = 1.05
ROUNDING_MARGIN = 1e-12
PAIRS_AT_A_TIME = 1_000_000


def comparison_factor(count: int) -> float:
    """By how much the half-width of a difference grows where `count` things are compared in pairs.

    Of m equal things m (m - 1) / 2 pairs are compared, so that some pair differs at 95 % on nearly
    every board of 20. With the factor some pair does on at most 5 % of boards (Bonferroni): 1 for
    two things, 1.86 for 20, 2.40 for 200.
    """
    pairs = max(1, count * (count - 1) // 2)
    return NormalDist().inv_cdf(1 - 0.025 / pairs) / NORMAL_95


def count_better_and_worse(
    keys: Sequence[RankingKey], factor: float = 1.0
) -> tuple[list[int], list[int]]:
    """For each result, how many of the others are significantly better, and how many worse.

    A result is significantly better than another where the interval of the ratio of their energies
    lies below 1, by the rule of `calibration.energy_ratio`: on one instrument the calibration
    cancels, otherwise that of both is added in quadrature. The half-width of the ratio counts
    `factor` times. Takes n log n steps for most data: a
    comparison of all pairs of 100,000 results takes about a minute per direction.
    """
    log_energy = np.array([key.log_energy for key in keys])
    repeatability = factor * np.array([key.half_width for key in keys])
    calibration = factor * RECTANGULAR_TO_95 * np.array([key.calibration for key in keys])
    half_width = np.hypot(repeatability, calibration)
    by_instrument: dict[Instrument, list[int]] = defaultdict(list)
    for index, key in enumerate(keys):
        if key.instrument is not None:
            by_instrument[key.instrument].append(index)
    same_instrument = [members for members in by_instrument.values() if len(members) > 1]
    counts_by_direction = []
    for position in (log_energy, -log_energy):
        counts = _count_below(position, half_width)
        for members in same_instrument:
            # On one instrument the calibration cancels: these pairs are counted again without it.
            counts[members] -= _count_below(position[members], half_width[members])
            counts[members] += _count_below(position[members], repeatability[members])
        counts_by_direction.append(counts.tolist())
    return counts_by_direction[0], counts_by_direction[1]


def _count_below(position: Floats, half_width: Floats) -> Counts:
    """For each i, the number of j with position[i] - position[j] > hypot(width[i], width[j])."""
    counts = np.zeros(len(position), dtype=np.int64)
    classes = np.floor(np.log(np.maximum(half_width, 1e-9)) / np.log(HALF_WIDTH_RATIO))
    for number in np.unique(classes):
        members = np.flatnonzero(classes == number)
        members = members[np.argsort(position[members], kind="stable")]
        counts += _count_class_below(position, half_width, position[members], half_width[members])
    return counts


def _count_class_below(
    position: Floats, half_width: Floats, class_position: Floats, class_width: Floats
) -> Counts:
    """As `_count_below`, where j is of one class: nearly equal half-widths, sorted by position.

    Below `certain` every j counts, from `possible` on none does; the pairs between are compared.
    """
    widest = position - np.hypot(half_width, class_width.max())
    narrowest = position - np.hypot(half_width, class_width.min())
    certain = np.searchsorted(class_position, widest - ROUNDING_MARGIN, side="left")
    possible = np.searchsorted(class_position, narrowest + ROUNDING_MARGIN, side="right")
    counts: Counts = certain.astype(np.int64)
    pair_counts = possible - certain
    rows = np.flatnonzero(pair_counts)
    ends = np.cumsum(pair_counts[rows])
    start = 0
    while start < len(rows):
        done = ends[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, done + PAIRS_AT_A_TIME)))
        part = rows[start:stop]
        i = np.repeat(part, pair_counts[part])
        first = np.repeat(certain[part], pair_counts[part])
        offset = np.repeat(ends[start:stop] - pair_counts[part] - done, pair_counts[part])
        j = first + np.arange(len(i)) - offset
        limit = np.sqrt(half_width[i] ** 2 + class_width[j] ** 2)
        is_below = position[i] - class_position[j] > limit
        counts += np.bincount(i[is_below], minlength=len(position))
        start = stop
    return counts


@dataclass(frozen=True)
class BoardGroup:
    """Results of the same work, boundary and devices at the same power limit, best first."""

    boundary: str
    devices: list[str]
    dataset: str
    fingerprint: str
    rows: list[BoardRow]


@dataclass(frozen=True)
class BoardTask:
    """One task: its ranked groups, then the results listed without rank, by energy."""

    id: str
    unit: str
    groups: list[BoardGroup]
    listed: list[BoardRow]

    def rows(self) -> Iterator[BoardRow]:
        """All rows, in the order of the board."""
        for group in self.groups:
            yield from group.rows
        yield from self.listed


@dataclass(frozen=True)
class Board:
    """The tasks in the order of their names, and the details of every result by submission."""

    tasks: list[BoardTask]
    details: dict[str, str]


def rank_entries(entries: Iterable[BoardEntry]) -> Board:
    """Rank entries within their groups and list the others; their order does not matter.

    The rank, grade and stars are set in the rows of the entries.
    """
    by_task: dict[str, list[BoardEntry]] = defaultdict(list)
    details = {}
    for entry in entries:
        by_task[entry.row.task].append(entry)
        details[entry.row.submission] = entry.details
    return Board([_rank_task(task_id, by_task[task_id]) for task_id in sorted(by_task)], details)


def _rank_task(task_id: str, entries: Sequence[BoardEntry]) -> BoardTask:
    by_group: dict[GroupKey, list[BoardEntry]] = defaultdict(list)
    listed: list[BoardRow] = []
    for entry in sorted(entries, key=attrgetter("sort_key")):
        if entry.group is None:
            listed.append(entry.row)
        else:
            by_group[entry.group].append(entry)
    groups = [_rank_group(key, by_group[key]) for key in sorted(by_group)]
    # A submitted version of the task may count another unit: the unit that most results have.
    units = Counter(entry.row.unit for entry in entries)
    return BoardTask(task_id, max(sorted(units), key=units.__getitem__), groups, listed)


def _rank_group(key: GroupKey, members: Sequence[BoardEntry]) -> BoardGroup:
    rows = [entry.row for entry in members]
    distinct = {
        (r.model.id, r.model.weights, r.model.dtype, r.backend, r.batch_size, r.steps) for r in rows
    }
    keys = [entry.ranking_key for entry in members if entry.ranking_key]
    better, worse = count_better_and_worse(keys, comparison_factor(len(distinct)))
    energies = [row.energy_kwh_per_1000.value for row in rows if row.energy_kwh_per_1000]
    columns = zip(rows, better, worse, grades(energies), stars(energies), strict=True)
    for row, above, below, grade, star_count in columns:
        row.rank, row.last_rank = 1 + above, len(members) - below
        row.grade, row.stars = grade, star_count
    # The members are sorted by energy, and stay in this order where their ranks are equal.
    rows.sort(key=attrgetter("rank"))
    return BoardGroup(key.boundary, sorted(set(key.devices)), key.dataset, key.fingerprint, rows)
