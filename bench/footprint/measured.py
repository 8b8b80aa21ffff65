"""What a result says of one inference: its energy with all uncertainty, idle, time, devices."""

from __future__ import annotations

import math
from dataclasses import dataclass

from bench.footprint import hardware
from bench.results import statistics
from bench.results.calibration import energy_with_calibration
from bench.results.interval import Interval, as_interval
from bench.results.record import Estimate, Result


@dataclass(frozen=True)
class Inference:
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


def inference(result: Result) -> Inference:
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
    gpus = [d for d in result.machine.devices if d.used and d.domain.startswith("gpu:")]
    whole = energy_with_calibration(energy, result) / 1000
    return Inference(
        energy_kwh=whole,
        idle_kwh=None if net is None else _idle(energy, net, whole),
        seconds=None if time is None else as_interval(time),
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
