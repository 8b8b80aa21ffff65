"""Cost of one inference of a result; life cycle of 1,000."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from bench.impact import hardware, lifecycle, published_trainings
from bench.impact.carbon import CarbonIntensity, carbon_intensity
from bench.impact.facts import embodied_range
from bench.impact.lifecycle import LifeCycle, LifeCycleStage
from bench.impact.regions import check_pue
from bench.results import statistics
from bench.results.calibration import energy_with_calibration
from bench.results.interval import Interval
from bench.results.record import Result
from bench.results.units import GRAMS_PER_KILOGRAM, SECONDS_PER_HOUR
from bench.results.views import NOT_COUNTED, is_modelled

COUNT = 1000


@dataclass(frozen=True)
class LifeCycleInputs:
    """Inputs of a life cycle that a result does not hold; None where not given."""

    region: str | None = None
    pue: float | None = None
    training: str | None = None
    uses: float | None = None
    embodied_kg: float | None = None


@dataclass(frozen=True)
class InferenceCost:
    """One inference of a result: energy in kWh, time in seconds, None where not known.

    `idle_kwh` is the part that the machine draws while idle with the model loaded;
    `units_per_inference` the number of units (tokens, images) that one inference produces.
    """

    energy_kwh: Interval
    idle_kwh: Interval | None
    seconds: Interval | None
    device_count: int
    board: str | None
    boundary: str
    modelled: bool
    units_per_inference: float


def inference_cost(result: Result) -> InferenceCost:
    """Energy, time and devices of one inference. Raises ValueError for a result without energy."""
    energy_per_1000 = energy_with_calibration(result)
    summary = result.summary
    if summary is None or energy_per_1000.value <= 0:
        raise ValueError("the result has no energy")
    modelled = is_modelled(result)
    energy = energy_per_1000 / 1000
    net = None if modelled else summary.net_energy_kwh_per_1000
    idle = None
    if net is not None:  # the relative interval is that of the total
        idle = energy * (max(0.0, energy_per_1000.value - net.value) / 1000 / energy.value)
    time = summary.duration_seconds_per_inference
    gpus = result.machine.used_gpus
    trials = result.measured()
    inferences = math.fsum(trial.work.inference_count for trial in trials)
    units = math.fsum(statistics.unit_count(trial, result.task.unit) for trial in trials)
    return InferenceCost(
        energy_kwh=energy,
        idle_kwh=idle,
        seconds=None if time is None else Interval.of(time),
        device_count=len(gpus) or 1,
        board=gpus[0].name if gpus else None,
        boundary=", ".join(result.boundary.domains),
        modelled=modelled,
        units_per_inference=units / inferences if units and inferences else 1.0,
    )


def inference_lifecycle(result: Result, inputs: LifeCycleInputs) -> LifeCycle:
    """The life cycle of 1,000 inferences. Raises ValueError for unknown or missing inputs."""
    check_pue(inputs.pue)
    cost, grid = inference_cost(result), carbon_intensity(inputs.region)
    stages = (
        *_operational_stages(cost, inputs, grid),
        _embodied_stage(cost, inputs),
        *_training_stage(inputs),
    )
    name = f"{result.task.id} · {result.model.id}, 1,000 inferences"
    kind = "modelled, NOT measured" if cost.modelled else "measured energy, published factors"
    return LifeCycle(name, kind, "per 1,000 inferences", grid, stages, tuple(_notes(cost, inputs)))


def _operational_stages(
    cost: InferenceCost, inputs: LifeCycleInputs, grid: CarbonIntensity
) -> Iterator[LifeCycleStage]:
    total = cost.energy_kwh * COUNT
    kind = "modelled, NOT measured" if cost.modelled else "measured"
    if cost.modelled:
        yield LifeCycleStage.operational("dynamic", total, grid, f"{kind}; {NOT_COUNTED}")
        yield LifeCycleStage.unknown("idle", "not in the CPU model")
    elif cost.idle_kwh is None:
        text = f"{kind}; includes idle energy, which is not known separately"
        yield LifeCycleStage.operational("dynamic", total, grid, text)
        yield LifeCycleStage.unknown("idle", "not separable from dynamic energy")
    else:
        idle = cost.idle_kwh * COUNT
        dynamic = total * ((total.value - idle.value) / total.value)
        text = f"{kind}: above the idle floor with the model loaded"
        yield LifeCycleStage.operational("dynamic", dynamic, grid, text)
        text = f"{kind}: the idle floor, for the duration of the work"
        yield LifeCycleStage.operational("idle", idle, grid, text)
    if inputs.pue is None:
        yield LifeCycleStage.unknown("overhead", "no PUE is given (--pue)")
    else:
        overhead = total * (inputs.pue - 1)
        yield LifeCycleStage.operational("overhead", overhead, grid, f"PUE {inputs.pue:g}")


def _embodied_stage(cost: InferenceCost, inputs: LifeCycleInputs) -> LifeCycleStage:
    if cost.seconds is None:
        return LifeCycleStage.unknown("embodied", "the time of an inference is not known")
    device_hours = cost.seconds * (COUNT * cost.device_count / SECONDS_PER_HOUR)
    if inputs.embodied_kg is not None:
        if inputs.embodied_kg <= 0:
            raise ValueError(f"kilograms must be above zero, not {inputs.embodied_kg:g}")
        years, share = (embodied_range(kind) for kind in ("lifetime", "utilisation"))
        per_hour = lifecycle.embodied_per_hour(Interval.of(inputs.embodied_kg), years, share)
        grams = device_hours / cost.device_count * (per_hour * GRAMS_PER_KILOGRAM)
        text = f"{inputs.embodied_kg:g} kg, as given, over {years.value:g} years"
        return LifeCycleStage.embodied(grams, text)
    if cost.board is None:
        reason = "no source covers this machine; --embodied-kg states its embodied emissions"
        return LifeCycleStage.unknown("embodied", reason)
    try:
        board: str | None = hardware.find(cost.board).label
    except ValueError:
        board = None  # the range over all boards
    per_hour, text = lifecycle.embodied_grams(1.0, board)
    text = f"{device_hours.value:.3g} device-hours; {text.partition('; ')[2]}"
    return LifeCycleStage.embodied(device_hours * per_hour, text)


def _training_stage(inputs: LifeCycleInputs) -> Iterator[LifeCycleStage]:
    if inputs.training is None:
        return
    if inputs.uses is None:
        raise ValueError("a share of training needs the number of uses it serves in all (--uses)")
    training = lifecycle.plan_lifecycle(published_trainings.published_plan(inputs.training))
    energy = training.stage("dynamic").energy_kwh
    assert energy is not None
    share, grams = (
        lifecycle.training_per_use(total, inputs.uses) * COUNT for total in (energy, training.grams)
    )
    text = f"published, not measured: {training.name} at {training.intensity.label}, "
    text += f"over {inputs.uses:,.0f} uses"
    yield LifeCycleStage("training", share, grams, text, basis=training.basis)


def _notes(cost: InferenceCost, inputs: LifeCycleInputs) -> Iterator[str]:
    yield f"Boundary: {cost.boundary}. The energy of everything outside it is not included."
    if cost.modelled:
        yield (
            "The energy is modelled, not measured: its interval includes the error of the model; "
            f"{NOT_COUNTED}."
        )
    else:
        yield "The interval of the energy covers the trials and the calibration of the sensor."
    yield "Embodied emissions cover the duration of the work, on hardware in use 85 % of its life."
    if inputs.training is not None:
        yield f"That {inputs.training} trained this model is an assumption: it is not checked."
