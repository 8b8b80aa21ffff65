"""Ranking: equals in groups, ties where the interval of the ratio holds 1, the rest listed below.

A rank is 1 + the number of results that are significantly better, so a chain of ties (a with b,
b with c, but a better than c) gives 1, 1, 2.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench import doubts, stats
from bench.leaderboard.facets import (
    Instrument,
    boundary_words,
    device_words,
    devices_words,
    energy,
    gain_of,
    instrument,
    reasons_without_rank,
)
from bench.records import Doubt, Estimate, Result


@dataclass(frozen=True)
class Row:
    """One result on the board. `rank` is None where it is listed only; `why` then says why."""

    result: Result
    rank: int | None
    tied: bool
    stars: int | None
    why: tuple[str, ...]
    doubts: tuple[Doubt, ...]


@dataclass(frozen=True)
class Group:
    """Equals: the same work, the same boundary, the same devices at the same power limit."""

    boundary: str
    devices: tuple[str, ...]
    dataset: str
    fingerprint: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class TaskBoard:
    """One task: its ranked groups, then what is listed without rank, by energy."""

    task_id: str
    unit: str
    groups: tuple[Group, ...]
    listed: tuple[Row, ...]


@dataclass(frozen=True)
class Board:
    """The whole board, tasks in the order of their names."""

    tasks: tuple[TaskBoard, ...]


def board(results: Iterable[Result]) -> Board:
    """Rank results with equals and list the others. The order of `results` does not matter."""
    by_task: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        by_task[result.task.id].append(result)
    return Board(tuple(_task(task_id, by_task[task_id]) for task_id in sorted(by_task)))


def stars(energies_kwh: Sequence[float]) -> list[int]:
    """One to five stars by AI Energy Score's published rule, 5 for the least energy.

    Five bands of equal width between the least and the greatest energy of one group (in kWh, or
    any one unit); all 5 where there is no difference. Raises ValueError for what is not finite.
    """
    if not energies_kwh:
        return []
    if not all(math.isfinite(energy) for energy in energies_kwh):
        raise ValueError("stars need finite energies")
    least, greatest = min(energies_kwh), max(energies_kwh)
    if greatest == least:
        return [5] * len(energies_kwh)
    width = (greatest - least) / 5
    return [5 - min(4, math.floor((energy - least) / width)) for energy in energies_kwh]


def compare(a: Result, b: Result) -> Estimate:
    """Energy of a over energy of b with the interval; gain enters twice unless one card read both.

    Raises ValueError where one of them has no positive energy.
    """
    mine, other = energy(a), energy(b)
    if mine is None or other is None:
        raise ValueError("a ratio needs two energies")
    gains = [gain_of(result) for result in (a, b)]
    mine_sensors = instrument(a)
    same = mine_sensors is not None and mine_sensors == instrument(b)
    gain = 0.0 if same else math.hypot(*gains) / math.sqrt(2)
    return stats.ratio(mine, other, gain)


@dataclass(frozen=True, slots=True)
class Mark:
    """What ranking needs of a result, worked out once: it is compared with all its equals."""

    log_energy: float
    half_width: float
    gain: float
    instrument: Instrument | None


def less(a: Mark, b: Mark) -> bool:
    """Whether a took significantly less energy than b: what `compare(a, b).high < 1` says."""
    same = a.instrument is not None and a.instrument == b.instrument
    gain = 0.0 if same else stats.NORMAL_95 / math.sqrt(3) * math.hypot(a.gain, b.gain)
    return b.log_energy - a.log_energy > math.hypot(a.half_width, b.half_width, gain)


def _mark(result: Result) -> Mark:
    found = energy(result)
    if found is None or found.value <= 0:
        raise ValueError("only a positive energy can be ranked")
    width = (found.high - found.low) / 2 / found.value
    return Mark(math.log(found.value), width, gain_of(result), instrument(result))


def _task(task_id: str, results: Sequence[Result]) -> TaskBoard:
    equals: dict[tuple[object, ...], list[Result]] = defaultdict(list)
    listed: list[Row] = []
    for result in sorted(results, key=_order):
        why = reasons_without_rank(result)
        if why:
            listed.append(Row(result, None, False, None, why, doubts.raise_all(result)))
        else:
            equals[_key(result)].append(result)
    groups = [_group(members) for members in equals.values()]
    groups.sort(key=lambda group: (group.dataset, group.boundary, group.devices, group.fingerprint))
    return TaskBoard(task_id, results[0].task.unit, tuple(groups), tuple(listed))


def _group(members: Sequence[Result]) -> Group:
    first = members[0]
    marks = [_mark(result) for result in members]
    better = [sum(less(other, mine) for other in marks) for mine in marks]
    worse = [sum(less(mine, other) for other in marks) for mine in marks]
    scores = stars([found.value for found in map(energy, members) if found is not None])
    rows = [
        Row(
            result=result,
            rank=1 + better[i],
            tied=better[i] + worse[i] + 1 < len(members),
            stars=scores[i],
            why=(),
            doubts=doubts.raise_all(result),
        )
        for i, result in enumerate(members)
    ]
    rows.sort(key=lambda row: (row.rank, _order(row.result)))
    return Group(
        boundary=boundary_words(first),
        devices=devices_words(first),
        dataset=first.task.dataset,
        fingerprint=first.task.fingerprint or "",
        rows=tuple(rows),
    )


def _key(result: Result) -> tuple[object, ...]:
    kinds = tuple(sorted(domain.split(":")[0] for domain in result.boundary.domains))
    devices = tuple(sorted(device_words(result, domain) for domain in result.boundary.domains))
    return (result.task.fingerprint, kinds, devices)


def _order(result: Result) -> tuple[float, str, str]:
    found = energy(result)
    return (math.inf if found is None else found.value, result.model.id, result.run_id)
