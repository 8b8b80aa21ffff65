"""The life cycle of 1,000 inferences of a result: work, idle, overhead, the making, training."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bench.footprint import lifecycle, studies
from bench.footprint.breakeven import amortised
from bench.footprint.intensity import Intensity, intensity
from bench.footprint.lifecycle import LifeCycle, Stage
from bench.footprint.measured import Inference, inference, named
from bench.results.interval import Interval, as_interval
from bench.results.record import Result
from bench.results.units import SECONDS_PER_HOUR

COUNT = 1000


@dataclass(frozen=True)
class Asked:
    """What a result does not say: where, in which data centre, after which training."""

    region: str | None = None
    pue: float | None = None
    training: str | None = None
    uses: float | None = None
    embodied_kg: float | None = None


def life(result: Result, asked: Asked) -> LifeCycle:
    """The stages of 1,000 inferences. Raises ValueError for what is unknown or not there."""
    if asked.pue is not None and not 1 <= asked.pue < 10:
        raise ValueError(f"a PUE is 1 or more, not {asked.pue:g}")
    one, grid = inference(result), intensity(asked.region)
    stages = (*_operation(one, asked, grid), _embodied(one, asked), *_training(asked))
    name = f"{result.task.id} · {result.model.id}, 1,000 inferences"
    kind = "modelled, NOT measured" if one.modelled else "measured energy, published factors"
    return LifeCycle(name, kind, "per 1,000 inferences", grid, stages, tuple(_notes(one, asked)))


def _operation(one: Inference, asked: Asked, grid: Intensity) -> Iterator[Stage]:
    whole = one.energy_kwh * COUNT
    kind = "modelled, NOT measured" if one.modelled else "measured"
    if one.idle_kwh is None:
        yield _stage("dynamic", whole, grid, f"{kind}; what is idle in it can't be told apart")
        yield Stage("idle", None, None, "", "not told apart from dynamic")
    else:
        idle = one.idle_kwh * COUNT
        at_work = whole * ((whole.value - idle.value) / whole.value)
        yield _stage("dynamic", at_work, grid, f"{kind}: above the floor with the model loaded")
        yield _stage("idle", idle, grid, f"{kind}: that floor, for as long as the work took")
    if asked.pue is None:
        yield Stage("overhead", None, None, "", "no PUE is given (--pue)")
    else:
        yield _stage("overhead", whole * (asked.pue - 1), grid, f"PUE {asked.pue:g}")


def _stage(name: str, energy: Interval, grid: Intensity, how: str) -> Stage:
    return Stage(name, energy, energy * grid.grams_per_kwh, how)


def _embodied(one: Inference, asked: Asked) -> Stage:
    if one.seconds is None:
        return Stage("embodied", None, None, "", "the time of an inference is not known")
    hours = one.seconds * (COUNT * one.devices / SECONDS_PER_HOUR)
    if asked.embodied_kg is not None:
        if asked.embodied_kg <= 0:
            raise ValueError(f"kilograms must be above zero, not {asked.embodied_kg:g}")
        years, busy = lifecycle.years(), lifecycle.utilisation()
        rate = lifecycle.per_hour(as_interval(asked.embodied_kg), years, busy) * lifecycle.GRAMS
        how = f"{asked.embodied_kg:g} kg, as given, over {years.value:g} years"
        return Stage("embodied", None, hours / one.devices * rate, how)
    if one.board is None:
        reason = "no source has this machine; --embodied-kg gives what making it emitted"
        return Stage("embodied", None, None, "", reason)
    rate, how = lifecycle.embodied_grams(1.0, named(one.board))
    words = f"{hours.value:.3g} device-hours; {how.partition('; ')[2]}"
    return Stage("embodied", None, hours * rate, words)


def _training(asked: Asked) -> Iterator[Stage]:
    if asked.training is None:
        return
    if asked.uses is None:
        raise ValueError("a share of training needs how many uses it serves in all (--uses)")
    found = lifecycle.of(studies.plan(asked.training))
    energy = found.stage("dynamic").energy_kwh
    assert energy is not None
    share = amortised(energy, as_interval(0.0), asked.uses)
    grams = found.grams / asked.uses * COUNT
    how = f"published, not measured: {found.name} at {found.intensity.label}, "
    how += f"over {asked.uses:,.0f} uses"
    yield Stage("training", share.training_kwh * COUNT, grams, how)


def _notes(one: Inference, asked: Asked) -> Iterator[str]:
    yield f"Boundary: {one.boundary}. What stands around it takes energy that is not in it."
    if one.modelled:
        yield "The energy is modelled, not measured; low and high hold the error of the model."
    else:
        yield "Low and high of the energy: the trials, and the scale error of the sensor."
    yield "Embodied emissions count the time that the work took, on hardware used 85 % of its life."
    if asked.training is not None:
        yield f"That {asked.training} made this model is as you say: nothing here checks it."
