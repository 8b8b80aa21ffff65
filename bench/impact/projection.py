"""A result at scale: per day and year, batching gain, against a training."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from bench.impact import facts, published_trainings
from bench.impact.carbon import CarbonIntensity, carbon_intensity
from bench.impact.facts import published
from bench.impact.facts.published import PublishedFigure
from bench.impact.lifecycle import break_even, training_per_use
from bench.impact.per_inference import InferenceCost, inference_cost
from bench.impact.regions import check_pue
from bench.results.interval import Interval
from bench.results.record import Result
from bench.results.units import SECONDS_PER_HOUR
from bench.results.views import NOT_COUNTED

DAYS_PER_YEAR = 365
REACTOR_KWH_PER_DAY = 24e6  # 1 GW of electricity for 24 h, by definition
STUDIES_WITH_BATCH_SIZES = ("ml-energy-v2",)


@dataclass(frozen=True)
class ProjectionInputs:
    """Inputs that a result does not hold: volume, duration, region, PUE, training."""

    per_day: float
    days: float = 365.0
    region: str | None = None
    pue: float | None = None
    training: str | None = None


@dataclass(frozen=True)
class TrainingEnergy:
    """The energy of a training in kWh, and the source of the figure."""

    name: str
    energy_kwh: Interval
    source: str


@dataclass(frozen=True)
class TrainingComparison(TrainingEnergy):
    """A training against its use: number of uses and days to break-even, share of each use.

    `training_kwh` is the energy of the training divided by `uses`, the uses in all, and
    `training_share`, from 0 to 1, its share in the energy of a use with its part of the training.
    """

    break_even: Interval
    days: Interval = field(metadata={"json": "break_even_days"})
    uses: float
    training_kwh: Interval = field(metadata={"json": "training_kwh_per_use"})
    training_share: float


@dataclass(frozen=True)
class ServiceProjection:
    """A service of `per_day` inferences: energy, CO2e, and the equivalent homes and reactors.

    A year has 365 such days. `machines` is the number of measured machines, at work 24 h a day,
    None where not known.
    """

    per_day: float
    kwh_per_day: Interval
    kwh_per_year: Interval
    grams_per_day: Interval
    grams_per_year: Interval
    homes: Interval
    reactors: Interval
    machines: Interval | None


@dataclass(frozen=True)
class BatchingGain:
    """Energy of a day at another batch size, by a published figure that `label` describes."""

    kwh_per_day: Interval
    label: str = field(metadata={"json": "words"})


@dataclass(frozen=True)
class Projection:
    """The output of `joulebench scale`, with its caveats."""

    name: str
    cost: InferenceCost
    service: ServiceProjection
    grid: CarbonIntensity
    machine: str
    batching: list[BatchingGain]
    training: TrainingComparison | None
    caveats: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The projection for `json_default`."""
        own = {name: value for name, value in vars(self).items() if name not in ("cost", "service")}
        kind = "modelled" if self.cost.modelled else "measured"
        figures = {"kind": kind, "kwh_per_inference": self.cost.energy_kwh, **vars(self.service)}
        return {**figures, **own}


def project(result: Result, inputs: ProjectionInputs) -> Projection:
    """A result at scale. Raises ValueError for unknown, missing or impossible inputs."""
    if not 0 < inputs.days < float("inf"):
        raise ValueError(f"days must be above zero, not {inputs.days:g}")
    check_pue(inputs.pue)
    cost, grid = inference_cost(result), carbon_intensity(inputs.region)
    kwh_per_use = cost.energy_kwh * (inputs.pue or 1.0)
    machine_seconds = None if cost.seconds is None else cost.seconds * cost.device_count
    service = service_projection(kwh_per_use, inputs.per_day, grid, machine_seconds)
    comparison = None
    if inputs.training is not None:
        training = training_energy(inputs.training)
        even = break_even(training.energy_kwh, kwh_per_use)
        uses = inputs.per_day * inputs.days
        part = training_per_use(training.energy_kwh, uses)
        share = part.value / (kwh_per_use.value + part.value)
        days = even / inputs.per_day
        comparison = TrainingComparison(
            **vars(training),
            break_even=even,
            days=days,
            uses=uses,
            training_kwh=part,
            training_share=share,
        )
    return Projection(
        name=f"{result.task.id} · {result.model.id}",
        cost=cost,
        service=service,
        grid=grid,
        machine=cost.board or f"this machine ({result.machine.cpu_name})",
        batching=batching_gains(result, kwh_per_use, inputs.per_day, inputs.pue),
        training=comparison,
        caveats=tuple(_notes(cost, inputs)),
    )


def training_energy(name: str) -> TrainingEnergy:
    """A published training by its key, or a number of kWh. Raises ValueError if it is neither."""
    try:
        kwh = float(name)
    except ValueError:
        fact = published_trainings.energy(name)
        return TrainingEnergy(fact.label, Interval.of(fact.value), f"{fact.source}; {fact.basis}")
    if not 0 < kwh < float("inf"):
        raise ValueError(f"the energy of a training must be above zero, not {kwh:g} kWh")
    return TrainingEnergy("training", Interval.of(kwh), "as given")


def energy_per_day(kwh_per_use: Interval, per_day: float) -> Interval:
    """Energy of `per_day` uses, in kWh. Raises ValueError if `per_day` is not positive."""
    if not 0 < per_day < float("inf"):
        raise ValueError(f"uses a day must be above zero, not {per_day:g}")
    return kwh_per_use * per_day


def service_projection(
    kwh_per_use: Interval,
    per_day: float,
    grid: CarbonIntensity,
    machine_seconds: Interval | None = None,
) -> ServiceProjection:
    """A service of `per_day` uses of `machine_seconds`. Raises ValueError unless `per_day` > 0."""
    energy = energy_per_day(kwh_per_use, per_day)
    grams = energy * grid.grams_per_kwh
    machine_days = machine_seconds and machine_seconds * per_day / (24 * SECONDS_PER_HOUR)
    return ServiceProjection(
        per_day=per_day,
        kwh_per_day=energy,
        kwh_per_year=energy * DAYS_PER_YEAR,
        grams_per_day=grams,
        grams_per_year=grams * DAYS_PER_YEAR,
        homes=energy / facts.table("equivalences")["home-day-us"].value,
        reactors=energy / REACTOR_KWH_PER_DAY,
        machines=machine_days,
    )


def batching_gains(
    result: Result, kwh_per_use: Interval, per_day: float, pue: float | None = None
) -> list[BatchingGain]:
    """Energy of a day as measured, and at other batch sizes by published figures.

    First the measured energy, then published figures of the same model (times the PUE). Where the
    batch size of the result is 1, also the measured energy divided by the factor that batching
    saved for the published models of the task.
    """
    batch_size = result.model.settings.get("batch_size")
    of_model = [row for row in published.rows(result.task.id) if row.model == result.model.id]
    of_model.sort(key=lambda row: (row.study.key, row.gpu, row.batch_size))
    gains = [BatchingGain(kwh_per_use * per_day, f"this measurement, at batch {batch_size}")]
    for rows in _by_setting(of_model):
        for row in rows[:1] + rows[1:][-1:]:
            kwh = row.gpu_energy_kwh_per_1000 * per_day / 1000 * (pue or 1.0)
            label = f"this model at batch {row.batch_size:.0f} on {row.gpu.removeprefix('NVIDIA ')}"
            label += f", GPU alone, {row.study.precision} ({row.study.title})"
            gains.append(BatchingGain(Interval.of(kwh), label))
    gpus = _batched_settings_by_gpu(result.task.id) if batch_size == 1 else []
    return gains + [_projected_gain(settings, kwh_per_use * per_day) for settings in gpus]


def _notes(cost: InferenceCost, inputs: ProjectionInputs) -> Iterator[str]:
    yield f"Boundary: {cost.boundary}. The energy of everything outside it is not included."
    if cost.modelled:
        yield f"The energy is modelled: its interval holds the error of the model; {NOT_COUNTED}."
    yield (
        "One machine and one kind of request, extrapolated: a real service has peaks, idle "
        "machines and longer requests, and batches them."
    )
    if inputs.pue is None:
        yield "No PUE: the overhead of the data centre is not included (--pue)."
    if inputs.training is not None:
        yield "That this training produced this model is an assumption: it is not checked."


def _by_setting(rows: Iterable[PublishedFigure]) -> list[list[PublishedFigure]]:
    """Rows that differ in their batch size only, least batch first."""
    groups: dict[tuple[object, ...], list[PublishedFigure]] = {}
    for row in sorted(rows, key=lambda row: row.batch_size):
        key = (row.study.key, row.gpu, row.model, row.gpu_count, row.workload, row.steps)
        groups.setdefault(key, []).append(row)
    return list(groups.values())


def _batched_settings_by_gpu(task: str) -> list[list[list[PublishedFigure]]]:
    """For each GPU, the settings of a task that were published at several batch sizes."""
    rows = [row for row in published.rows(task) if row.study.key in STUDIES_WITH_BATCH_SIZES]
    settings = [s for s in _by_setting(rows) if len({row.batch_size for row in s}) > 1]
    gpus = dict.fromkeys(setting[0].gpu for setting in settings)
    return [[setting for setting in settings if setting[0].gpu == gpu] for gpu in gpus]


def _projected_gain(settings: list[list[PublishedFigure]], kwh: Interval) -> BatchingGain:
    """The energy divided by the median factor, from least to greatest, of these settings."""
    factors = sorted(
        rows[0].energy_kwh_per_1000 / min(row.energy_kwh_per_1000 for row in rows)
        for rows in settings
    )
    batch_sizes = [row.batch_size for rows in settings for row in rows]
    study, gpu = settings[0][0].study, settings[0][0].gpu.removeprefix("NVIDIA ")
    label = (
        f"if batching saved as in {len(settings)} published settings on {gpu}: "
        f"{factors[0]:.1f} to {factors[-1]:.1f} times less from batch {min(batch_sizes):.0f} "
        f"to {max(batch_sizes):.0f} ({study.title})"
    )
    return BatchingGain(kwh / Interval(factors[len(factors) // 2], factors[0], factors[-1]), label)
