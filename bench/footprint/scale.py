"""One inference a billion times a day: energy, emissions, homes, reactors, machines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench import facts
from bench.facts import published
from bench.footprint import words
from bench.footprint.intensity import Intensity
from bench.footprint.span import Span
from bench.records import Result
from bench.units import SECONDS_PER_HOUR

DAYS_PER_YEAR = 365
REACTOR_KWH_PER_DAY = 24e6  # one gigawatt of electricity without a pause: a definition
BATCHED = ("ml-energy-v2",)


@dataclass(frozen=True)
class Scaled:
    """So many uses a day of one inference, for a day and a year of 365 days."""

    per_day: float
    kwh_per_day: Span
    grams_per_day: Span
    homes: Span
    reactors: Span
    machines: Span | None

    @property
    def kwh_per_year(self) -> Span:
        """Energy of 365 such days."""
        return self.kwh_per_day * DAYS_PER_YEAR

    @property
    def grams_per_year(self) -> Span:
        """gCO2e of 365 such days."""
        return self.grams_per_day * DAYS_PER_YEAR


@dataclass(frozen=True)
class Gain:
    """How many times less energy published models took served in batches than in the least batch.

    `batches` are the least and the greatest; `model` is None over all models of a task.
    """

    model: str | None
    gpu: str
    times: Span
    batches: tuple[float, float]
    count: int
    study: published.Study


def energy_per_day(use_kwh: Span, per_day: float) -> Span:
    """Energy of so many uses a day, in kWh. Raises ValueError if there are none."""
    if not 0 < per_day < float("inf"):
        raise ValueError(f"uses a day must be above zero, not {per_day:g}")
    return use_kwh * per_day


def of(use_kwh: Span, per_day: float, grid: Intensity, seconds_each: Span | None = None) -> Scaled:
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


def same(result: Result) -> tuple[published.Row, ...]:
    """What others published of the task and the model of a result, least batch first."""
    rows = (row for row in published.rows(result.task.id) if row.model == result.model.id)
    return tuple(sorted(rows, key=lambda row: (row.study.key, row.gpu, row.batch_size)))


def gains(task: str, model: str | None = None) -> list[Gain]:
    """What batches saved in published figures, by card: of a model, or over all of a task."""
    groups: dict[tuple[object, ...], list[published.Row]] = {}
    for row in published.rows(task):
        if row.study.key in BATCHED and model in (None, row.model):
            setting = (row.gpu, row.model, row.gpu_count, row.workload, row.steps)
            groups.setdefault(setting, []).append(row)
    wide = [rows for rows in groups.values() if len({row.batch_size for row in rows}) > 1]
    found = []
    for gpu in dict.fromkeys(rows[0].gpu for rows in wide):
        found.append(_gain(gpu, model, [rows for rows in wide if rows[0].gpu == gpu]))
    return found


def _gain(gpu: str, model: str | None, groups: Sequence[list[published.Row]]) -> Gain:
    times = sorted(_first(rows) / min(row.energy_kwh_per_1000 for row in rows) for rows in groups)
    batches = [row.batch_size for rows in groups for row in rows]
    middle = Span(times[len(times) // 2], times[0], times[-1])
    ends = min(batches), max(batches)
    return Gain(model, gpu, middle, ends, len(groups), groups[0][0].study)


def _first(rows: Sequence[published.Row]) -> float:
    return min(rows, key=lambda row: row.batch_size).energy_kwh_per_1000


def energy_words(kwh: float) -> tuple[str, float]:
    """The unit in which a large energy is easy to read, and how many kWh it holds."""
    large = (("TWh", 1e9), ("GWh", 1e6), ("MWh", 1e3))
    return next((unit for unit in large if kwh >= unit[1]), words.energy_unit(kwh))


def mass_words(grams: float) -> tuple[str, float]:
    """The unit in which a mass in grams is easy to read, and how many grams it holds."""
    sizes = (("Mt", 1e12), ("t", 1e6), ("kg", 1e3), ("g", 1.0), ("mg", 1e-3), ("µg", 1e-6))
    return next((unit for unit in sizes if grams >= unit[1]), sizes[-1])
