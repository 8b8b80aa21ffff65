"""Calibration uncertainty: per sensor, added to an interval, cancelled on one card; ratio of two energies."""

from __future__ import annotations

import math
from collections.abc import Sequence

from bench.results import statistics
from bench.results.interval import Interval
from bench.results.machine_record import Sensor
from bench.results.record import Boundary, Calibration, Estimate, Result
from bench.results.views import _device, headline_energy

DEFAULT_HALF_WIDTH = 0.05
Instrument = tuple[frozenset[str], tuple[str, int] | None]


def calibration_half_width(result: Result) -> float:
    """Relative half-width of the scale error; the default of a meter where none is stated."""
    return result.calibration.relative_half_width if result.calibration else DEFAULT_HALF_WIDTH


def with_calibration(found: Estimate, half_width: float) -> tuple[float, float]:
    """The ends of an estimate with the scale error too, the two added in quadrature."""
    half = math.hypot((found.high - found.low) / 2, half_width * found.value)
    return found.value - half, found.value + half


def instrument_id(result: Result) -> Instrument | None:
    """What tells the sensors inside the boundary from others, or None where nothing does.

    The UUIDs of the GPUs speak for the machine that they sit in, with the name and the number of
    its processors where these are billed too. Without a GPU nothing tells two machines apart.
    """
    domains = result.boundary.domains
    gpus = [_device(result, domain) for domain in domains if domain.startswith("gpu:")]
    uuids = [device.uuid for device in gpus if device is not None and device.uuid]
    if not uuids or len(uuids) < len(gpus):
        return None
    packages = sum(d.domain.startswith("cpu-package:") for d in result.machine.devices)
    host = (result.machine.cpu_name, packages) if len(gpus) < len(domains) else None
    return frozenset(uuids), host


DEFAULT_SOURCE = "default for an uncalibrated sensor: rectangular, 5 % either way"


def boundary_calibration(boundary: Boundary, sensors: Sequence[Sensor]) -> Calibration | None:
    """The largest scale error of the sensors behind a boundary; None where there is no sensor."""
    behind = [s for s in sensors if s.usable and set(s.domains) & set(boundary.domains)]
    if not behind:
        return None
    kinds = [
        Calibration(
            relative_half_width=s.calibration_relative_half_width
            if s.calibration_relative_half_width is not None
            else DEFAULT_HALF_WIDTH,
            source=s.calibration_source or DEFAULT_SOURCE,
        )
        for s in behind
        if (s.method == "modelled") == (boundary.kind == "modelled")
    ]
    return max(kinds, key=lambda item: item.relative_half_width, default=None)


def energy_ratio(a: Result, b: Result) -> Estimate:
    """Energy of a over energy of b with the interval; calibration enters twice unless one card read both.

    Raises ValueError where one of them has no positive energy.
    """
    mine, other = headline_energy(a), headline_energy(b)
    if mine is None or other is None:
        raise ValueError("a ratio needs two energies")
    half_widths = [calibration_half_width(result) for result in (a, b)]
    mine_sensors = instrument_id(a)
    same = mine_sensors is not None and mine_sensors == instrument_id(b)
    half_width = 0.0 if same else math.hypot(*half_widths) / math.sqrt(2)
    return statistics.ratio(mine, other, half_width)


def energy_with_calibration_of(result: Result) -> Estimate:
    """Energy in kWh per 1,000 inferences with the scale error in its interval.

    Raises ValueError where the result has none.
    """
    from bench.results import views

    found = views.headline_energy(result)
    if found is None:
        raise ValueError(f"{result.task.id} {result.model.id} has no energy to convert")
    low, high = with_calibration(found, calibration_half_width(result))
    return found.model_copy(update={"low": max(0.0, low), "high": high})


def estimate_with_calibration(energy: Estimate, calibration: Calibration | None) -> Estimate:
    """The estimate with the scale error in its interval, added in quadrature; never below zero."""
    scale = calibration.relative_half_width if calibration else 0.0
    half = math.hypot((energy.high - energy.low) / 2, scale * energy.value)
    wide = {"low": max(0.0, energy.value - half), "high": energy.value + half}
    return energy.model_copy(update=wide)


def energy_with_calibration(energy: Estimate, result: Result) -> Interval:
    """The interval with the scale error of the sensor or model, added in quadrature."""
    scale = result.calibration.relative_half_width if result.calibration else 0.0
    half = math.hypot((energy.high - energy.low) / 2, scale * energy.value)
    return Interval(energy.value, max(0.0, energy.value - half), energy.value + half)
