"""Software Carbon Intensity and SCI for AI."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bench.impact import lifecycle, per_inference, published_trainings
from bench.impact.lifecycle import LifeCycle
from bench.impact.lifecycle_plan import LifeCyclePlan, ModelSize
from bench.impact.per_inference import COUNT, LifeCycleInputs, inference_cost
from bench.results.interval import Interval, interval_json
from bench.results.record import Estimate, Result

OPERATION = ("dynamic", "idle", "overhead")

# (field of a plan's model, how many of it a unit holds, the unit)
UNITS = (
    ("training_flop", 1e15, "10^15 FLOP of training"),
    ("training_tokens", 1e6, "million training tokens"),
    ("parameters", 1e9, "billion parameters"),
)


@dataclass(frozen=True)
class SciScore:
    """A score in gCO2e per `unit`; without embodied emissions it is not yet an SCI (`complete`)."""

    grams: Interval
    operational_grams: Interval
    embodied_grams: Interval | None
    unit: str
    missing: str | None = None

    @property
    def complete(self) -> bool:
        """Whether operational and embodied emissions are both in it."""
        return self.embodied_grams is not None

    def as_json(self) -> dict[str, Any]:
        """The score as JSON, in gCO2e per unit; what is not known is null, with the reason."""
        return {
            "gco2e": interval_json(self.grams),
            "operational_gco2e": interval_json(self.operational_grams),
            "embodied_gco2e": interval_json(self.embodied_grams),
            "per": self.unit,
            "complete": self.complete,
            "missing": self.missing,
        }


@dataclass(frozen=True)
class SciScores:
    """SCI per inference, the consumer's score per unit of use, and the provider's.

    Each None or empty where there is none, with the reason.
    """

    inference: SciScore | None
    consumer: SciScore | None
    providers: tuple[SciScore, ...]
    no_consumer: str | None = None
    no_provider: str | None = None


def of_result(result: Result, asked: LifeCycleInputs) -> SciScores:
    """The scores of a result. Raises ValueError for what is unknown, or without an energy."""
    one, found = inference_cost(result), per_inference.inference_lifecycle(result, asked)
    made = found.stage("embodied")
    energy = Interval.sum(
        s.energy_kwh for s in found.stages if s.name in OPERATION and s.energy_kwh
    )
    operational = energy * found.intensity.grams_per_kwh
    each = score(operational, made.grams, COUNT, "inference", made.missing)
    consumer = score(operational, made.grams, COUNT * one.per_unit, one.unit, made.missing)
    size = result.model.parameter_count
    if asked.training is None:
        return SciScores(each, consumer, (), no_provider="no training is named (--training)")
    model = ModelSize(parameters=float(size)) if size else None
    providers, reason = _provider(
        lifecycle.plan_lifecycle(published_trainings.published_plan(asked.training)), model
    )
    return SciScores(each, consumer, providers, None, reason)


def of_plan(plan: LifeCyclePlan, found: LifeCycle) -> SciScores:
    """The scores of a plan whose life cycle is `found`."""
    providers, no_provider = _provider(found, plan.model)
    use = plan.deployment
    if use is None:
        return SciScores(None, None, providers, "the plan has no deployment", no_provider)
    energy, grid, made = lifecycle.deployment(use, plan)
    consumer = sci_score(
        energy, grid.grams_per_kwh, made.grams, count=use.inference_count, missing=made.missing
    )
    return SciScores(consumer, consumer, providers, None, no_provider)


def _provider(found: LifeCycle, model: ModelSize | None) -> tuple[tuple[SciScore, ...], str | None]:
    scores = tuple(_per_unit(found, model)) if model else ()
    reason = None if scores else "neither parameters nor tokens nor FLOP of training are known"
    return scores, reason


def _per_unit(found: LifeCycle, model: ModelSize) -> Iterator[SciScore]:
    made = found.stage("embodied")
    stages = (s for s in found.stages if s.name in OPERATION)
    operational = Interval.sum(stage.grams for stage in stages if stage.grams)
    for field, size, unit in UNITS:
        count = getattr(model, field)
        if count:
            yield score(operational, made.grams, count / size, unit, made.missing)


Figure = Interval | Estimate | float


def sci_score(
    energy_kwh: Figure,
    intensity_g_per_kwh: Figure,
    embodied_grams: Figure | None,
    *,
    count: float = 1.0,
    unit: str = "inference",
    missing: str | None = None,
) -> SciScore:
    """Software Carbon Intensity, gCO2e per functional unit.

    `energy_kwh` (E) and `embodied_grams` (M) are those of `count` units (R) of kind `unit`;
    `intensity_g_per_kwh` (I) is location-based. Where M is not known it is None, with the reason in
    `missing`. Raises ValueError if `count` is not positive, or if M is None without a reason.
    """
    operational = Interval.of(energy_kwh) * Interval.of(intensity_g_per_kwh)
    return score(operational, embodied_grams, count, unit, missing)


def score(
    operational_grams: Figure,
    embodied_grams: Figure | None,
    count: float,
    unit: str,
    missing: str | None = None,
) -> SciScore:
    """Emissions per functional unit, for either boundary of SCI for AI.

    The provider's score takes all that training emitted, and as `count` how many FLOPs, training
    tokens or parameters came of it. Raises ValueError as `sci` does.
    """
    if count <= 0:
        raise ValueError("a score needs a positive number of functional units")
    if embodied_grams is None and not missing:
        raise ValueError("a score without embodied emissions needs the reason")
    operational = Interval.of(operational_grams) / count
    embodied = None if embodied_grams is None else Interval.of(embodied_grams) / count
    grams = operational if embodied is None else operational + embodied
    return SciScore(grams, operational, embodied, unit, missing)
