"""Software Carbon Intensity (ISO/IEC 21031) and SCI for AI: gCO2e per functional unit."""

from __future__ import annotations

from dataclasses import dataclass, field

from bench.impact import published_trainings
from bench.impact.lifecycle import LifeCycle, deployment_energy, plan_lifecycle
from bench.impact.lifecycle_plan import LifeCyclePlan, ModelSize
from bench.impact.per_inference import COUNT, LifeCycleInputs, inference_cost, inference_lifecycle
from bench.results.formatting import format_count
from bench.results.interval import Interval
from bench.results.record import Result

OPERATIONAL_STAGES = ("dynamic", "idle", "overhead")
# Names round sizes: Llama 3.2 "1B" has 1.24 billion parameters, Llama 2 "7B" has 6.74.
SIZE_TOLERANCE = 1.3
NO_SIZE = "neither parameters nor tokens nor FLOP of training are known"
# (field of ModelSize, how many of it are one functional unit, name of the unit)
PROVIDER_UNITS = (
    ("training_flop", 1e15, "10^15 FLOP of training"),
    ("training_tokens", 1e6, "million training tokens"),
    ("parameters", 1e9, "billion parameters"),
)


@dataclass(frozen=True)
class SciScore:
    """A score in gCO2e per `unit`; without embodied emissions it is not a `complete` SCI."""

    grams: Interval = field(metadata={"json": "gco2e"})
    operational_grams: Interval = field(metadata={"json": "operational_gco2e"})
    embodied_grams: Interval | None = field(metadata={"json": "embodied_gco2e"})
    unit: str = field(metadata={"json": "per"})
    complete: bool
    missing: str | None


@dataclass(frozen=True)
class SciScores:
    """Scores per inference, of the consumer and the provider; `no_…` states why one is missing."""

    inference: SciScore | None
    consumer: SciScore | None
    providers: tuple[SciScore, ...]
    no_consumer: str | None = None
    no_provider: str | None = None


def result_scores(result: Result, inputs: LifeCycleInputs) -> SciScores:
    """The scores of a result. Raises ValueError for unknown inputs, or without an energy.

    A training whose name states another number of parameters gives no provider's score.
    """
    cost, lifecycle = inference_cost(result), inference_lifecycle(result, inputs)
    embodied, missing = lifecycle.embodied
    stages = (stage for stage in lifecycle.stages if stage.name in OPERATIONAL_STAGES)
    energy = Interval.sum(stage.energy_kwh for stage in stages if stage.energy_kwh)
    grams = (energy * lifecycle.intensity.grams_per_kwh, embodied)
    inference = score(*grams, COUNT, "inference", missing)
    unit_count = COUNT * cost.units_per_inference
    consumer = score(*grams, unit_count, result.task.unit, missing)
    if inputs.training is None:
        return SciScores(inference, consumer, (), no_provider="no training is named (--training)")
    count = result.model.parameter_count
    other = _other_model(inputs.training, count)
    if other is not None:
        return SciScores(inference, consumer, (), no_provider=other)
    size = ModelSize(parameters=count or None)
    training = plan_lifecycle(published_trainings.published_plan(inputs.training))
    return _with_providers(inference, consumer, training, size)


def plan_scores(plan: LifeCyclePlan, lifecycle: LifeCycle) -> SciScores:
    """The scores of a plan with this life cycle."""
    consumer, use = None, plan.deployment
    if use is not None:
        energy, grid, embodied = deployment_energy(use, plan)
        grams = (energy * grid.grams_per_kwh, embodied.grams)
        consumer = score(*grams, use.inference_count, "inference", embodied.missing)
    return _with_providers(consumer, consumer, lifecycle, plan.model or ModelSize())


def score(
    operational_grams: Interval,
    embodied_grams: Interval | None,
    count: float,
    unit: str,
    missing: str | None = None,
) -> SciScore:
    """Software Carbon Intensity, (E x I + M) / R, in gCO2e per functional unit.

    `operational_grams` is energy times location-based carbon intensity (E x I) and
    `embodied_grams` (M) the embodied emissions of `count` units (R) of kind `unit`. M is None where
    not known, with the reason in `missing`. The provider's score of SCI for AI takes the emissions
    of training, and as `count` its FLOPs, training tokens or parameters. Raises ValueError if
    `count` is not positive, or if M is None without a reason.

    Source: ISO/IEC 21031:2024; Green Software Foundation, SCI for AI.
    """
    if count <= 0:
        raise ValueError("a score needs a positive number of functional units")
    if embodied_grams is None and not missing:
        raise ValueError("a score without embodied emissions needs the reason")
    operational = operational_grams / count
    embodied = None if embodied_grams is None else embodied_grams / count
    total = operational if embodied is None else operational + embodied
    return SciScore(total, operational, embodied, unit, embodied is not None, missing)


def _other_model(training: str, parameter_count: int | None) -> str | None:
    """The reason where a training is of another model, by the size in its name; None if not."""
    sizes = published_trainings.named_parameter_counts(training)
    if parameter_count is None or not sizes:
        return None
    if any(1 / SIZE_TOLERANCE <= parameter_count / size <= SIZE_TOLERANCE for size in sizes):
        return None
    stated = " or ".join(format_count(round(size)) for size in sizes)
    return (
        f"{training} trained another model, of {stated} parameters; "
        f"this one has {format_count(parameter_count)}"
    )


def _with_providers(
    inference: SciScore | None, consumer: SciScore | None, training: LifeCycle, size: ModelSize
) -> SciScores:
    """These scores, and the provider's for every size that is known."""
    embodied, missing = training.embodied
    stages = (stage for stage in training.stages if stage.name in OPERATIONAL_STAGES)
    grams = (Interval.sum(stage.grams for stage in stages if stage.grams), embodied)
    providers = tuple(
        score(*grams, getattr(size, field) / unit_size, unit, missing)
        for field, unit_size, unit in PROVIDER_UNITS
        if getattr(size, field)
    )
    no_consumer = None if consumer else "the plan has no deployment"
    return SciScores(inference, consumer, providers, no_consumer, None if providers else NO_SIZE)
