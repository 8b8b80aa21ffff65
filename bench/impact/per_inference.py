"""Cost of one inference of a result; life cycle of 1,000."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from bench.impact import hardware, lifecycle, published_trainings
from bench.impact.carbon import CarbonIntensity, carbon_intensity
from bench.impact.lifecycle import LifeCycle, LifeCycleStage, amortised
from bench.results import statistics
from bench.results.calibration import calibration_half_width, with_calibration
from bench.results.interval import Interval
from bench.results.record import Estimate, Result
from bench.results.units import SECONDS_PER_HOUR

COUNT = 1000


@dataclass(frozen=True)
class LifeCycleInputs:
    """What a result does not say: where, in which data centre, after which training."""

    region: str | None = None
    pue: float | None = None
    training: str | None = None
    uses: float | None = None
    embodied_kg: float | None = None


def inference_lifecycle(result: Result, asked: LifeCycleInputs) -> LifeCycle:
    """The stages of 1,000 inferences. Raises ValueError for what is unknown or not there."""
    if asked.pue is not None and not 1 <= asked.pue < 10:
        raise ValueError(f"a PUE is 1 or more, not {asked.pue:g}")
    one, grid = inference_cost(result), carbon_intensity(asked.region)
    stages = (*_operation(one, asked, grid), _embodied(one, asked), *_training(asked))
    name = f"{result.task.id} · {result.model.id}, 1,000 inferences"
    kind = "modelled, NOT measured" if one.modelled else "measured energy, published factors"
    return LifeCycle(name, kind, "per 1,000 inferences", grid, stages, tuple(_notes(one, asked)))


def _operation(
    one: InferenceCost, asked: LifeCycleInputs, grid: CarbonIntensity
) -> Iterator[LifeCycleStage]:
    whole = one.energy_kwh * COUNT
    kind = "modelled, NOT measured" if one.modelled else "measured"
    if one.idle_kwh is None:
        yield _stage("dynamic", whole, grid, f"{kind}; what is idle in it can't be told apart")
        yield LifeCycleStage("idle", None, None, "", "not told apart from dynamic")
    else:
        idle = one.idle_kwh * COUNT
        at_work = whole * ((whole.value - idle.value) / whole.value)
        yield _stage("dynamic", at_work, grid, f"{kind}: above the floor with the model loaded")
        yield _stage("idle", idle, grid, f"{kind}: that floor, for as long as the work took")
    if asked.pue is None:
        yield LifeCycleStage("overhead", None, None, "", "no PUE is given (--pue)")
    else:
        yield _stage("overhead", whole * (asked.pue - 1), grid, f"PUE {asked.pue:g}")


def _stage(name: str, energy: Interval, grid: CarbonIntensity, how: str) -> LifeCycleStage:
    return LifeCycleStage(name, energy, energy * grid.grams_per_kwh, how)


def _embodied(one: InferenceCost, asked: LifeCycleInputs) -> LifeCycleStage:
    if one.seconds is None:
        return LifeCycleStage("embodied", None, None, "", "the time of an inference is not known")
    hours = one.seconds * (COUNT * one.devices / SECONDS_PER_HOUR)
    if asked.embodied_kg is not None:
        if asked.embodied_kg <= 0:
            raise ValueError(f"kilograms must be above zero, not {asked.embodied_kg:g}")
        years, busy = lifecycle.years(), lifecycle.utilisation()
        rate = lifecycle.per_hour(Interval.of(asked.embodied_kg), years, busy) * lifecycle.GRAMS
        how = f"{asked.embodied_kg:g} kg, as given, over {years.value:g} years"
        return LifeCycleStage("embodied", None, hours / one.devices * rate, how)
    if one.board is None:
        reason = "no source has this machine; --embodied-kg gives what making it emitted"
        return LifeCycleStage("embodied", None, None, "", reason)
    rate, how = lifecycle.embodied_grams(1.0, named(one.board))
    words = f"{hours.value:.3g} device-hours; {how.partition('; ')[2]}"
    return LifeCycleStage("embodied", None, hours * rate, words)


def _training(asked: LifeCycleInputs) -> Iterator[LifeCycleStage]:
    if asked.training is None:
        return
    if asked.uses is None:
        raise ValueError("a share of training needs how many uses it serves in all (--uses)")
    found = lifecycle.plan_lifecycle(published_trainings.published_plan(asked.training))
    energy = found.stage("dynamic").energy_kwh
    assert energy is not None
    share = amortised(energy, Interval.of(0.0), asked.uses)
    grams = found.grams / asked.uses * COUNT
    how = f"published, not measured: {found.name} at {found.intensity.label}, "
    how += f"over {asked.uses:,.0f} uses"
    yield LifeCycleStage("training", share.training_kwh * COUNT, grams, how)


def _notes(one: InferenceCost, asked: LifeCycleInputs) -> Iterator[str]:
    yield f"Boundary: {one.boundary}. What stands around it takes energy that is not in it."
    if one.modelled:
        yield "The energy is modelled, not measured; low and high hold the error of the model."
    else:
        yield "Low and high of the energy: the trials, and the scale error of the sensor."
    yield "Embodied emissions count the time that the work took, on hardware used 85 % of its life."
    if asked.training is not None:
        yield f"That {asked.training} made this model is as you say: nothing here checks it."


@dataclass(frozen=True)
class InferenceCost:
    """One inference of a result; energy in kWh, time in seconds, None where it was not had.

    `idle_kwh` is the part that the machine draws while it waits with the model loaded;
    `per_unit` is how many units (tokens, images) one inference made.
    """

    energy_kwh: Interval
    idle_kwh: Interval | None
    seconds: Interval | None
    devices: int
    board: str | None
    boundary: str
    modelled: bool
    per_unit: float
    unit: str


def inference_cost(result: Result) -> InferenceCost:
    """What one inference took. Raises ValueError where the result has no energy."""
    summary = result.summary
    energy = (
        summary.energy_kwh_per_1000 or summary.modelled_energy_kwh_per_1000 if summary else None
    )
    if summary is None or energy is None or energy.value <= 0:
        raise ValueError("the result has no energy")
    modelled = result.boundary.kind == "modelled" or summary.energy_kwh_per_1000 is None
    net = None if modelled else summary.net_energy_kwh_per_1000
    time = summary.duration_seconds_per_inference
    gpus = result.machine.used_gpus
    whole = with_calibration(energy, calibration_half_width(result)) / 1000
    return InferenceCost(
        energy_kwh=whole,
        idle_kwh=None if net is None else _idle(energy, net, whole),
        seconds=None if time is None else Interval.of(time),
        devices=len(gpus) or 1,
        board=gpus[0].name if gpus else None,
        boundary=", ".join(result.boundary.domains),
        modelled=modelled,
        per_unit=_units(result),
        unit=result.task.unit,
    )


def named(board: str | None) -> str | None:
    """The name of a board if the tables know it, else None: its own figures are then not known."""
    try:
        return hardware.find(board).label if board else None
    except ValueError:
        return None


def _idle(gross: Estimate, net: Estimate, whole: Interval) -> Interval:
    """Gross less net, kWh of one inference, as unsure as the whole is."""
    part = max(0.0, gross.value - net.value) / 1000
    return whole * (part / whole.value)


def _units(result: Result) -> float:
    trials = result.measured()
    inferences = math.fsum(trial.work.inference_count for trial in trials)
    made = math.fsum(statistics.unit_count(trial, result.task.unit) for trial in trials)
    return made / inferences if made and inferences else 1.0
