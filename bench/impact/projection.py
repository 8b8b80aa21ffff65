"""A result at scale: per day and year, batching gain, against a training."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from bench.impact import facts, published_trainings
from bench.impact.carbon import CarbonIntensity, carbon_intensity
from bench.impact.facts import published
from bench.impact.lifecycle import AmortisedTraining, amortised, break_even
from bench.impact.per_inference import InferenceCost, inference_cost
from bench.results.interval import Interval, interval_json
from bench.results.record import Result
from bench.results.units import SECONDS_PER_HOUR


@dataclass(frozen=True)
class ProjectionInputs:
    """What a result does not say: how often, how long, where, and after which training."""

    per_day: float
    days: float = 365.0
    region: str | None = None
    pue: float | None = None
    training: str | None = None


@dataclass(frozen=True)
class TrainingEnergy:
    """A training by its energy in kWh, and where that figure comes from."""

    name: str
    energy_kwh: Interval
    source: str


@dataclass(frozen=True)
class TrainingComparison(TrainingEnergy):
    """A training against a use: after how many they are even, in how many days, and the share."""

    break_even: Interval
    days: Interval
    amortised: AmortisedTraining


@dataclass(frozen=True)
class ServiceProjection:
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
class BatchingGain:
    """The energy of a day at a published figure or gain, and in words which; never ours."""

    kwh_per_day: Interval
    words: str


@dataclass(frozen=True)
class Projection:
    """All that `joulebench scale` says, with the caveats to print beside it."""

    name: str
    one: InferenceCost
    scaled: ServiceProjection
    grid: CarbonIntensity
    machine: str
    batching: list[BatchingGain]
    training: TrainingComparison | None
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The answer as JSON; an end that nothing bounds is null."""
        found, against = self.scaled, self.training
        spans = ("kwh_per_day", "kwh_per_year", "grams_per_day", "grams_per_year", "homes")
        figures = {
            name: interval_json(getattr(found, name)) for name in (*spans, "reactors", "machines")
        }
        return {
            "kind": "modelled" if self.one.modelled else "measured",
            "name": self.name,
            "per_day": found.per_day,
            "kwh_per_inference": interval_json(self.one.energy_kwh),
            "grid": {
                "gco2e_per_kwh": interval_json(self.grid.grams_per_kwh),
                "label": self.grid.label,
                "basis": self.grid.basis,
            },
            **figures,
            "machine": self.machine,
            "batching": [
                {"kwh_per_day": interval_json(row.kwh_per_day), "words": row.words}
                for row in self.batching
            ],
            "training": against
            and {
                "name": against.name,
                "source": against.source,
                "energy_kwh": interval_json(against.energy_kwh),
                "break_even": interval_json(against.break_even),
                "break_even_days": interval_json(against.days),
                "uses": against.amortised.uses,
                "training_kwh_per_use": interval_json(against.amortised.training_kwh),
                "training_share": against.amortised.training_share,
            },
            "caveats": self.notes,
        }


def project(result: Result, asked: ProjectionInputs) -> Projection:
    """A result at scale. Raises ValueError for what is unknown, not there, or can't be."""
    if not 0 < asked.days < float("inf"):
        raise ValueError(f"days must be above zero, not {asked.days:g}")
    if asked.pue is not None and not 1 <= asked.pue < 10:
        raise ValueError(f"a PUE is 1 or more, not {asked.pue:g}")
    one, grid = inference_cost(result), carbon_intensity(asked.region)
    use = one.energy_kwh * (asked.pue or 1.0)
    seconds = None if one.seconds is None else one.seconds * one.devices
    return Projection(
        name=f"{result.task.id} · {result.model.id}",
        one=one,
        scaled=service_projection(use, asked.per_day, grid, seconds),
        grid=grid,
        machine=one.board or f"this machine ({result.machine.cpu_name})",
        batching=batching(result, use, asked.per_day, asked.pue),
        training=None if asked.training is None else _against(asked, use),
        notes=tuple(_notes(one, asked)),
    )


def training(name: str) -> TrainingEnergy:
    """A published run by its key, or a number of kWh. Raises ValueError if it is neither."""
    try:
        kwh = float(name)
    except ValueError:
        fact = published_trainings.energy(name)
        return TrainingEnergy(fact.label, Interval.of(fact.value), f"{fact.source}; {fact.basis}")
    if not 0 < kwh < float("inf"):
        raise ValueError(f"the energy of a training must be above zero, not {kwh:g} kWh")
    return TrainingEnergy("training", Interval.of(kwh), "as given")


def _against(asked: ProjectionInputs, use: Interval) -> TrainingComparison:
    found = training(asked.training or "")
    even = break_even(found.energy_kwh, use)
    return TrainingComparison(
        name=found.name,
        energy_kwh=found.energy_kwh,
        source=found.source,
        break_even=even,
        days=even / asked.per_day,
        amortised=amortised(found.energy_kwh, use, asked.per_day * asked.days),
    )


def _notes(one: InferenceCost, asked: ProjectionInputs) -> Iterator[str]:
    yield f"Boundary: {one.boundary}. What stands around it takes energy that is not in it."
    if one.modelled:
        yield "The energy is modelled: low and high hold what the model may be off by."
    yield (
        "One machine, one kind of request, extrapolated: a service has peaks, idle machines and "
        "longer requests, and batches them."
    )
    if asked.pue is None:
        yield "No PUE: what the data centre takes for itself is not in it (--pue)."
    if asked.training is not None:
        yield "That this training made this model is as you say: nothing here checks it."


DAYS_PER_YEAR = 365
REACTOR_KWH_PER_DAY = 24e6  # one gigawatt of electricity without a pause: a definition
BATCHED = ("ml-energy-v2",)


def energy_per_day(use_kwh: Interval, per_day: float) -> Interval:
    """Energy of so many uses a day, in kWh. Raises ValueError if there are none."""
    if not 0 < per_day < float("inf"):
        raise ValueError(f"uses a day must be above zero, not {per_day:g}")
    return use_kwh * per_day


def service_projection(
    use_kwh: Interval, per_day: float, grid: CarbonIntensity, seconds_each: Interval | None = None
) -> ServiceProjection:
    """A service of `per_day` uses; `seconds_each` is the time of one on the machine measured.

    Machines are those that work without a pause. Raises ValueError if there are no uses.
    """
    energy = energy_per_day(use_kwh, per_day)
    busy = None if seconds_each is None else seconds_each * per_day / (24 * SECONDS_PER_HOUR)
    return ServiceProjection(
        per_day=per_day,
        kwh_per_day=energy,
        grams_per_day=energy * grid.grams_per_kwh,
        homes=energy / facts.equivalences()["home-day-us"].value,
        reactors=energy / REACTOR_KWH_PER_DAY,
        machines=busy,
    )


def batching(
    result: Result, use_kwh: Interval, per_day: float, pue: float | None = None
) -> list[BatchingGain]:
    """How the energy of a day may change from batch 1 to served, by what others published.

    Ours first, then rows of the same model, each at its own figure (times the PUE, as ours). Where
    ours is of batch 1, also ours divided by what batches gained for the models of the task.
    """
    batch = result.model.settings.get("batch_size")
    own = [row for row in published.rows(result.task.id) if row.model == result.model.id]
    own.sort(key=lambda row: (row.study.key, row.gpu, row.batch_size))
    ends = [rows[i] for rows in _settings(own).values() for i in sorted({0, len(rows) - 1})]
    found = [BatchingGain(use_kwh * per_day, f"ours, at batch {batch}")]
    for row in ends:
        kwh = row.gpu_energy_kwh_per_1000 * per_day / 1000 * (pue or 1.0)
        found.append(BatchingGain(Interval.of(kwh), _row_words(row)))
    cards = _by_card(result.task.id) if batch == 1 else []
    return found + [_gained(groups, use_kwh * per_day) for groups in cards]


def _settings(
    rows: Iterable[published.PublishedFigure],
) -> dict[tuple[object, ...], list[published.PublishedFigure]]:
    """Rows that differ in nothing but their batch, least batch first."""
    groups: dict[tuple[object, ...], list[published.PublishedFigure]] = {}
    for row in sorted(rows, key=lambda row: row.batch_size):
        key = (row.study.key, row.gpu, row.model, row.gpu_count, row.workload, row.steps)
        groups.setdefault(key, []).append(row)
    return groups


def _by_card(task: str) -> list[list[list[published.PublishedFigure]]]:
    """Settings with several batches, by the card that they were measured on."""
    rows = [row for row in published.rows(task) if row.study.key in BATCHED]
    wide = [rows for rows in _settings(rows).values() if len({r.batch_size for r in rows}) > 1]
    cards = dict.fromkeys(rows[0].gpu for rows in wide)
    return [[rows for rows in wide if rows[0].gpu == card] for card in cards]


def _gained(groups: list[list[published.PublishedFigure]], kwh: Interval) -> BatchingGain:
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
    return BatchingGain(kwh / Interval(times[len(times) // 2], times[0], times[-1]), words)


def _row_words(row: published.PublishedFigure) -> str:
    card = row.gpu.removeprefix("NVIDIA ")
    return (
        f"this model at batch {row.batch_size:.0f} on {card}, GPU alone, {row.study.precision} "
        f"({row.study.title})"
    )
