"""One inference a billion times a day: energy, emissions, homes, reactors, machines."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bench import facts
from bench.facts import published
from bench.footprint.intensity import Intensity
from bench.results.interval import Interval, as_interval
from bench.results.record import Result
from bench.results.units import SECONDS_PER_HOUR

DAYS_PER_YEAR = 365


REACTOR_KWH_PER_DAY = 24e6  # one gigawatt of electricity without a pause: a definition


BATCHED = ("ml-energy-v2",)


@dataclass(frozen=True)
class Scaled:
    """So many uses a day of one inference, for a day and a year of 365 days."""

    per_day: float
    kwh_per_day: Interval
    grams_per_day: Interval
    homes: Interval
    reactors: Interval
    machines: Interval | None

    @property
    def kwh_per_year(self) -> Interval:
        """Energy of 365 such days."""
        return self.kwh_per_day * DAYS_PER_YEAR

    @property
    def grams_per_year(self) -> Interval:
        """gCO2e of 365 such days."""
        return self.grams_per_day * DAYS_PER_YEAR


@dataclass(frozen=True)
class Batching:
    """The energy of a day at a published figure or gain, and in words which; never ours."""

    kwh_per_day: Interval
    words: str


def energy_per_day(use_kwh: Interval, per_day: float) -> Interval:
    """Energy of so many uses a day, in kWh. Raises ValueError if there are none."""
    if not 0 < per_day < float("inf"):
        raise ValueError(f"uses a day must be above zero, not {per_day:g}")
    return use_kwh * per_day


def of(
    use_kwh: Interval, per_day: float, grid: Intensity, seconds_each: Interval | None = None
) -> Scaled:
    """A service of `per_day` uses; `seconds_each` is the time of one on the machine measured.

    Machines are those that work without a pause. Raises ValueError if there are no uses.
    """
    energy = energy_per_day(use_kwh, per_day)
    busy = None if seconds_each is None else seconds_each * per_day / (24 * SECONDS_PER_HOUR)
    return Scaled(
        per_day=per_day,
        kwh_per_day=energy,
        grams_per_day=energy * grid.grams_per_kwh,
        homes=energy / facts.equivalences()["home-day-us"].value,
        reactors=energy / REACTOR_KWH_PER_DAY,
        machines=busy,
    )


def batching(
    result: Result, use_kwh: Interval, per_day: float, pue: float | None = None
) -> list[Batching]:
    """How the energy of a day may change from batch 1 to served, by what others published.

    Ours first, then rows of the same model, each at its own figure (times the PUE, as ours). Where
    ours is of batch 1, also ours divided by what batches gained for the models of the task.
    """
    batch = result.model.settings.get("batch_size")
    own = [row for row in published.rows(result.task.id) if row.model == result.model.id]
    own.sort(key=lambda row: (row.study.key, row.gpu, row.batch_size))
    ends = [rows[i] for rows in _settings(own).values() for i in sorted({0, len(rows) - 1})]
    found = [Batching(use_kwh * per_day, f"ours, at batch {batch}")]
    for row in ends:
        kwh = row.gpu_energy_kwh_per_1000 * per_day / 1000 * (pue or 1.0)
        found.append(Batching(as_interval(kwh), _row_words(row)))
    cards = _by_card(result.task.id) if batch == 1 else []
    return found + [_gained(groups, use_kwh * per_day) for groups in cards]


def _settings(rows: Iterable[published.Row]) -> dict[tuple[object, ...], list[published.Row]]:
    """Rows that differ in nothing but their batch, least batch first."""
    groups: dict[tuple[object, ...], list[published.Row]] = {}
    for row in sorted(rows, key=lambda row: row.batch_size):
        key = (row.study.key, row.gpu, row.model, row.gpu_count, row.workload, row.steps)
        groups.setdefault(key, []).append(row)
    return groups


def _by_card(task: str) -> list[list[list[published.Row]]]:
    """Settings with several batches, by the card that they were measured on."""
    rows = [row for row in published.rows(task) if row.study.key in BATCHED]
    wide = [rows for rows in _settings(rows).values() if len({r.batch_size for r in rows}) > 1]
    cards = dict.fromkeys(rows[0].gpu for rows in wide)
    return [[rows for rows in wide if rows[0].gpu == card] for card in cards]


def _gained(groups: list[list[published.Row]], kwh: Interval) -> Batching:
    """Our energy, had it gained by batches as the models of these settings did."""
    times = sorted(
        rows[0].energy_kwh_per_1000 / min(r.energy_kwh_per_1000 for r in rows) for rows in groups
    )
    least, most = (f(r.batch_size for rows in groups for r in rows) for f in (min, max))
    study, card = groups[0][0].study, groups[0][0].gpu.removeprefix("NVIDIA ")
    words = (
        f"if batches gained as they did in {len(groups)} published settings on {card}: "
        f"{times[0]:.1f} to {times[-1]:.1f} times less from batch {least:.0f} to {most:.0f} "
        f"({study.title})"
    )
    return Batching(kwh / Interval(times[len(times) // 2], times[0], times[-1]), words)


def _row_words(row: published.Row) -> str:
    card = row.gpu.removeprefix("NVIDIA ")
    return (
        f"this model at batch {row.batch_size:.0f} on {card}, GPU alone, {row.study.precision} "
        f"({row.study.title})"
    )
