"""The scores of SCI for AI: the consumer's, which is the SCI of use, and the provider's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bench.footprint import lifecycle, service, studies
from bench.footprint.lifecycle import LifeCycle
from bench.footprint.measured import inference
from bench.footprint.plan import Model, Plan
from bench.footprint.sci import Score, sci, score
from bench.footprint.service import COUNT, Asked
from bench.results.interval import sum_intervals
from bench.results.record import Result

OPERATION = ("dynamic", "idle", "overhead")
# (field of a plan's model, how many of it a unit holds, the unit)
UNITS = (
    ("training_flop", 1e15, "10^15 FLOP of training"),
    ("training_tokens", 1e6, "million training tokens"),
    ("parameters", 1e9, "billion parameters"),
)


@dataclass(frozen=True)
class Scores:
    """SCI per inference, the consumer's score per unit of use, and the provider's.

    Each None or empty where there is none, with the reason.
    """

    inference: Score | None
    consumer: Score | None
    providers: tuple[Score, ...]
    no_consumer: str | None = None
    no_provider: str | None = None


def of_result(result: Result, asked: Asked) -> Scores:
    """The scores of a result. Raises ValueError for what is unknown, or without an energy."""
    one, found = inference(result), service.life(result, asked)
    made = found.stage("embodied")
    energy = sum_intervals(
        s.energy_kwh for s in found.stages if s.name in OPERATION and s.energy_kwh
    )
    operational = energy * found.intensity.grams_per_kwh
    each = score(operational, made.grams, COUNT, "inference", made.missing)
    consumer = score(operational, made.grams, COUNT * one.per_unit, one.unit, made.missing)
    size = result.model.parameter_count
    if asked.training is None:
        return Scores(each, consumer, (), no_provider="no training is named (--training)")
    model = Model(parameters=float(size)) if size else None
    providers, reason = _provider(lifecycle.of(studies.plan(asked.training)), model)
    return Scores(each, consumer, providers, None, reason)


def of_plan(plan: Plan, found: LifeCycle) -> Scores:
    """The scores of a plan whose life cycle is `found`."""
    providers, no_provider = _provider(found, plan.model)
    use = plan.deployment
    if use is None:
        return Scores(None, None, providers, "the plan has no deployment", no_provider)
    energy, grid, made = lifecycle.deployment(use, plan)
    consumer = sci(energy, grid.grams_per_kwh, made.grams, count=use.served, missing=made.missing)
    return Scores(consumer, consumer, providers, None, no_provider)


def _provider(found: LifeCycle, model: Model | None) -> tuple[tuple[Score, ...], str | None]:
    scores = tuple(_per_unit(found, model)) if model else ()
    reason = None if scores else "neither parameters nor tokens nor FLOP of training are known"
    return scores, reason


def _per_unit(found: LifeCycle, model: Model) -> Iterator[Score]:
    made = found.stage("embodied")
    stages = (s for s in found.stages if s.name in OPERATION)
    operational = sum_intervals(stage.grams for stage in stages if stage.grams)
    for field, size, unit in UNITS:
        count = getattr(model, field)
        if count:
            yield score(operational, made.grams, count / size, unit, made.missing)
