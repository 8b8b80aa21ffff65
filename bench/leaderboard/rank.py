"""Ranking: equals in groups, ties where the interval of the ratio holds 1, the rest listed below.

A rank is 1 + the number of results that are significantly better, so a chain of ties (a with b,
b with c, but a better than c) gives 1, 1, 2.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench import doubts, stats
from bench.records import Device, Doubt, Estimate, Result

DEFAULT_GAIN = 0.05
NAMES = {"gpu": "GPU", "cpu-package": "CPU package", "dram": "DRAM", "wall": "wall"}


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


def energy(result: Result) -> Estimate | None:
    """Energy in kWh per 1,000 inferences: that of the boundary, else the modelled one, or None."""
    if result.summary is None:
        return None
    return result.summary.energy_kwh_per_1000 or result.summary.modelled_energy_kwh_per_1000


def is_modelled(result: Result) -> bool:
    """Whether `energy` is a modelled figure."""
    nothing_read = result.summary is not None and result.summary.energy_kwh_per_1000 is None
    return result.boundary.kind == "modelled" or nothing_read


def gain_of(result: Result) -> float:
    """Relative half-width of the scale error; the default of a meter where none is stated."""
    return result.gain.relative_half_width if result.gain else DEFAULT_GAIN


def whole(found: Estimate, gain: float) -> tuple[float, float]:
    """The ends of an estimate with the scale error too, the two added in quadrature."""
    half = math.hypot((found.high - found.low) / 2, gain * found.value)
    return found.value - half, found.value + half


def boundary_words(result: Result) -> str:
    """The kinds of domains that are inside the figure, in words: "2 GPU + DRAM"."""
    counts = Counter(domain.split(":")[0] for domain in result.boundary.domains)
    kinds = sorted(counts, key=lambda kind: (kind != "gpu", kind))
    words = [f"{counts[k]} × " * (counts[k] > 1) + NAMES.get(k, k) for k in kinds]
    return " + ".join(words) or "nothing"


def devices_words(result: Result) -> tuple[str, ...]:
    """The devices inside the boundary, each with its power limit if it has one."""
    return tuple(sorted({_device_words(result, domain) for domain in result.boundary.domains}))


def reasons_without_rank(result: Result) -> tuple[str, ...]:
    """Why a result has no rank, in sentences; empty if it ranks."""
    if result.failure is not None:
        return (f"Failed at {result.failure.stage}: {result.failure.message}",)
    reasons = [item.message for item in doubts.raise_all(result) if item.bars_ranking]
    if result.boundary.kind == "modelled" and not reasons:
        reasons.append("The energy is modelled, not measured.")
    found = energy(result)
    if found is None or found.value <= 0:
        reasons.append("There is no energy to rank by.")
    if result.task.fingerprint is None:
        reasons.append("The workload has no fingerprint, so its equals can't be told.")
    if not reasons and not doubts.rankable(result):
        reasons.append("The run did not finish.")
    return tuple(dict.fromkeys(reasons))


def compare(a: Result, b: Result) -> Estimate:
    """Energy of a over energy of b with the interval; gain enters twice unless one card made both.

    Raises ValueError where one of them has no positive energy.
    """
    mine, other = energy(a), energy(b)
    if mine is None or other is None:
        raise ValueError("a ratio needs two energies")
    gains = [gain_of(result) for result in (a, b)]
    gain = 0.0 if _same_cards(a, b) else math.hypot(*gains) / math.sqrt(2)
    return stats.ratio(mine, other, gain)


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
    better = [sum(compare(other, mine).high < 1 for other in members) for mine in members]
    worse = [sum(compare(other, mine).low > 1 for other in members) for mine in members]
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
    devices = tuple(sorted(_device_words(result, domain) for domain in result.boundary.domains))
    return (result.task.fingerprint, kinds, devices)


def _order(result: Result) -> tuple[float, str, str]:
    found = energy(result)
    return (math.inf if found is None else found.value, result.model.id, result.run_id)


def _device(result: Result, domain: str) -> Device | None:
    return next((d for d in result.machine.devices if d.domain == domain), None)


def _device_words(result: Result, domain: str) -> str:
    device = _device(result, domain)
    if device is None:
        gpu = domain.startswith("gpu")
        return "unknown device" if gpu else result.machine.cpu_name
    limit = device.power_limit_watts
    return device.name if limit is None else f"{device.name} at {limit:.0f} W"


def _same_cards(a: Result, b: Result) -> bool:
    def cards(result: Result) -> set[str | None]:
        found = [_device(result, domain) for domain in result.boundary.domains]
        return {device.uuid if device else None for device in found}

    mine = cards(a)
    return None not in mine and mine == cards(b)
