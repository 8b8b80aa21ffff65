"""Calibration uncertainty: of a boundary, in an interval, in the ratio of two energies."""

from __future__ import annotations

import math
from collections.abc import Sequence

from bench.results import statistics
from bench.results.domains import DomainKind, is_gpu, kind_of
from bench.results.interval import NORMAL_95, Interval
from bench.results.machine_record import Sensor
from bench.results.record import Boundary, Calibration, Estimate, Result
from bench.results.views import device_of, headline_energy

# Where a meter states no calibration: ±5 %, which NVIDIA states for the power of its cards
# (NVML API reference, nvmlDeviceGetPowerUsage, Fermi and Kepler).
DEFAULT_HALF_WIDTH = 0.05
DEFAULT_SOURCE = "default for an uncalibrated sensor: rectangular, 5 % either way"

# 95 % half-width of a rectangular distribution of half-width 1, taken as normal: its standard
# deviation is 1/sqrt(3) (JCGM 100:2008, 4.3.7).
RECTANGULAR_TO_95 = NORMAL_95 / math.sqrt(3)

# A calibration that is further off than 99 % either way is no calibration.
LARGEST_HALF_WIDTH = 0.99

Instrument = tuple[frozenset[str], tuple[str, int] | None]


def calibration_half_width(result: Result) -> float:
    """Relative half-width of the calibration uncertainty; the default where none is stated."""
    return result.calibration.relative_half_width if result.calibration else DEFAULT_HALF_WIDTH


def boundary_calibration(boundary: Boundary, sensors: Sequence[Sensor]) -> Calibration | None:
    """The largest calibration uncertainty of the sensors in a boundary; None without a sensor."""
    inside = [s for s in sensors if s.usable and set(s.domains) & set(boundary.domains)]
    calibrations = [
        Calibration(
            relative_half_width=s.calibration_relative_half_width
            if s.calibration_relative_half_width is not None
            else DEFAULT_HALF_WIDTH,
            source=s.calibration_source or DEFAULT_SOURCE,
        )
        for s in inside
        if (s.method == "modelled") == (boundary.kind == "modelled")
    ]
    return max(calibrations, key=lambda item: item.relative_half_width, default=None)


def half_width_with_calibration(energy: Interval, relative_half_width: float) -> float:
    """Half the width of an estimate with calibration uncertainty, in its unit."""
    low, high = _calibrated_ends(energy, relative_half_width)
    return (high - low) / 2


def with_calibration(energy: Estimate, relative_half_width: float) -> Estimate:
    """The estimate with calibration uncertainty in its interval.

    A calibration error of at most ±a, rectangular, enters with 1.13 a in quadrature, as the 95 %
    half-width of a normal distribution of the same variance, but never with more than a. Both are
    taken on the logarithm, where +a and -a have different lengths, so that the low end of a
    positive energy stays positive. An estimate that reaches zero is widened by its value times a.
    """
    low, high = _calibrated_ends(energy, relative_half_width)
    return energy.model_copy(update={"low": low, "high": high})


def _calibrated_ends(energy: Interval, relative_half_width: float) -> tuple[float, float]:
    a = min(relative_half_width, LARGEST_HALF_WIDTH)
    if energy.low <= 0:
        half = RECTANGULAR_TO_95 * a * abs(energy.value)
        low = energy.value - math.hypot(energy.value - energy.low, half)
        return low, energy.value + math.hypot(energy.high - energy.value, half)
    down = _widened(math.log(energy.value / energy.low), -math.log1p(-a))
    up = _widened(math.log(energy.high / energy.value), math.log1p(a))
    return energy.value * math.exp(-down), energy.value * math.exp(up)


def _widened(half_width: float, calibration: float) -> float:
    return min(math.hypot(half_width, RECTANGULAR_TO_95 * calibration), half_width + calibration)


def energy_with_calibration(result: Result) -> Estimate:
    """Energy in kWh per 1,000 inferences with calibration uncertainty in its interval.

    Raises ValueError where the result has none.
    """
    energy = headline_energy(result)
    if energy is None:
        raise ValueError(f"{result.task.id} {result.model.id} has no energy to convert")
    return with_calibration(energy, calibration_half_width(result))


def energy_ratio(a: Result, b: Result) -> Estimate:
    """Energy of `a` divided by energy of `b` with the 95 % interval of the ratio.

    Variation between runs enters on each side. Calibration uncertainty cancels where the same
    sensors on the same cards read both; else that of each side enters. Raises ValueError where one
    of them has no positive energy.
    """
    energies = headline_energy(a), headline_energy(b)
    if energies[0] is None or energies[1] is None:
        raise ValueError("a ratio needs two energies")
    instrument = instrument_id(a)
    same = instrument is not None and instrument == instrument_id(b)
    half_widths = [] if same else [calibration_half_width(result) for result in (a, b)]
    runs = [statistics.between_runs(result.summary) for result in (a, b)]
    return ratio_with_calibration(energies[0], energies[1], half_widths, runs)


def ratio_with_calibration(
    a: Estimate, b: Estimate, half_widths: Sequence[float], between_runs: Sequence[float] = ()
) -> Estimate:
    """a / b with its 95 % interval, where calibrations of these relative half-widths enter.

    `between_runs` are the relative 95 % half-widths of variation between runs.
    """
    calibration = RECTANGULAR_TO_95 * math.hypot(*half_widths)
    return statistics.ratio(a, b, math.hypot(calibration, *between_runs))


def instrument_id(result: Result) -> Instrument | None:
    """Identity of the sensors inside the boundary; None where they cannot be identified.

    The card ids of the GPUs identify the machine too; its CPU name and number of CPU packages are
    added where the boundary has other domains. Without a GPU two machines of one kind cannot be
    distinguished.
    """
    domains = result.boundary.domains
    gpus = [device_of(result, domain) for domain in domains if is_gpu(domain)]
    cards = [device.card_id for device in gpus if device is not None and device.card_id]
    if not cards or len(cards) < len(gpus):
        return None
    packages = sum(kind_of(d.domain) == DomainKind.cpu_package for d in result.machine.devices)
    host = (result.machine.cpu_name, packages) if len(gpus) < len(domains) else None
    return frozenset(cards), host
