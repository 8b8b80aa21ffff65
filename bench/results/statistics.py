"""Intervals, ratios, correlation: pure functions of recorded trials.

A summary is computed from the record alone, so anyone can compute it again, to the last digit.

The interval. Trials are windows of equal work, so the ratio of sums is their mean. Its half-width
is Student's t times s/sqrt(n), with two corrections that simulation showed to be needed:

* interim analyses: a run computes its interval after every trial and stops when it is narrow
  enough, which favours lucky runs. Student's quantile is taken at 98 % where 95 % is stated. Over
  normal noise of 1 to 5 %, 5 to 30 trials and a target of 2 %, the stated interval then covers in
  96.8 to 98.3 %.
* correlation: trials that follow each other carry less information. s/sqrt(n) is multiplied by
  sqrt((1+r)/(1-r)), where r is the lag-1 correlation corrected for its small-sample bias (Marriott
  and Pope 1954) and never below zero. A trend shows as a correlation and widens the interval too.

Constants that may change lie in `analysis_versions`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Protocol

from bench.results import units
from bench.results.analysis_versions import AnalysisParameters, analysis_parameters
from bench.results.interval import NORMAL_95
from bench.results.record import Boundary, Estimate, IdleFloor, Reading, Summary, Trial
from bench.results.student_t import student_quantile
from bench.results.versions import ANALYSIS_VERSION

CONFIDENCE = 0.95
CURRENT_PARAMETERS = analysis_parameters()

# Idle power of each domain in watts with its standard uncertainty, as `idle_watts` gives it.
Floors = Sequence[tuple[float, float] | None]


def summarize(
    trials: Sequence[Trial],
    boundary: Boundary,
    idle: Sequence[IdleFloor],
    unit: str,
    analysis_version: int = ANALYSIS_VERSION,
) -> Summary:
    """The five figures of a run from its measured trials.

    `unit` is the unit of `energy_joules_per_unit`: "inference", "token", "image", "audio-second" or
    "video-second". A figure is None where a reading is missing, there are fewer than two trials or
    nothing was served. `analysis_version` is the version that a record states. Raises ValueError
    for a version that is not known and KeyError for another unit.
    """
    parameters = analysis_parameters(analysis_version)
    measured = [trial for trial in trials if trial.phase == "measured"]
    counts = [float(trial.work.inference_count) for trial in measured]
    energies = [energy_joules(trial, boundary.domains) for trial in measured]
    floors = [idle_watts(idle, domain) for domain in boundary.domains]
    net = _net_joules(measured, energies, floors)
    model_domains = modelled_domains(measured)
    modelled = [energy_joules(trial, model_domains) for trial in measured]
    reading = _reading_uncertainty(measured, boundary)
    floor = _idle_uncertainty(measured, floors)
    per_unit = [unit_count(trial, unit) for trial in measured]
    durations = [trial.duration_seconds for trial in measured]
    per_1000 = units.kwh_per_1000(1.0)
    ratio_of_sums = partial(_ratio_of_sums, parameters)
    return Summary(
        energy_kwh_per_1000=ratio_of_sums(energies, counts, per_1000, reading),
        net_energy_kwh_per_1000=ratio_of_sums(net, counts, per_1000, reading, floor),
        modelled_energy_kwh_per_1000=ratio_of_sums(modelled, counts, per_1000),
        energy_joules_per_unit=ratio_of_sums(energies, per_unit, 1.0, reading),
        duration_seconds_per_inference=ratio_of_sums(durations, counts, 1.0),
    )


class WithReadings(Protocol):
    """A record of one window: a trial, or a tracked program."""

    @property
    def readings(self) -> Sequence[Reading]:
        """The readings of all domains."""


def energy_joules(trial: WithReadings, domains: Sequence[str]) -> float | None:
    """Energy of one window in joules, summed over `domains`; None if one of them is missing."""
    by_domain = {r.domain: r.energy_joules for r in trial.readings}
    known = [joules for domain in domains if (joules := by_domain.get(domain)) is not None]
    return math.fsum(known) if known and len(known) == len(domains) else None


def total_kwh(trials: Iterable[WithReadings], domains: Sequence[str]) -> float | None:
    """Energy of several trials in kWh over `domains`; None without trials or if one is missing."""
    energies = [energy_joules(trial, domains) for trial in trials]
    if not energies or None in energies:
        return None
    return units.kwh_from_joules(math.fsum(filter(None, energies)))


def idle_watts(idle: Sequence[IdleFloor], domain: str) -> tuple[float, float] | None:
    """Idle power of a domain in watts with its standard uncertainty.

    Of the floor with the model resident if it was read, else of the one after or before the run.
    None without any. A modelled floor has no uncertainty of its own.
    """
    for when in ("resident", "after", "cold"):
        for floor in idle:
            for reading in floor.readings if floor.when == when else ():
                seconds = reading.duration_seconds
                if reading.domain == domain and reading.energy_joules is not None and seconds > 0:
                    modelled = reading.method == "modelled"
                    u = 0.0 if modelled else reading.standard_uncertainty_joules or 0.0
                    return reading.energy_joules / seconds, u / seconds
    return None


def unit_count(trial: Trial, unit: str) -> float:
    """How many units a trial produced: inferences, output tokens, images, seconds of media."""
    work = trial.work
    count = {
        "inference": work.inference_count,
        "token": work.output_token_count,
        "image": work.image_count,
        "audio-second": work.audio_seconds,
        "video-second": work.video_seconds,
    }[unit]
    return float(count or 0)


def modelled_domains(trials: Sequence[Trial]) -> tuple[str, ...]:
    """The domains that were modelled, in order of appearance."""
    domains = (r.domain for t in trials for r in t.readings if r.method == "modelled")
    return tuple(dict.fromkeys(domains))


def mean_interval(
    values: Sequence[float], parameters: AnalysisParameters = CURRENT_PARAMETERS
) -> tuple[float, float]:
    """Mean of equal-work trials and half-width of its 95 % interval (infinite for fewer than two).

    Corrected for interim analyses and for correlation: see the docstring of the module.
    """
    count = len(values)
    mean = math.fsum(values) / count
    if count < 2:
        return mean, math.inf
    variance = math.fsum([(value - mean) ** 2 for value in values]) / (count - 1)
    r = lag1_correlation(values, parameters)
    standard_error = math.sqrt(variance / count * (1 + r) / (1 - r))
    return mean, student_quantile(parameters.t_confidence, count - 1) * standard_error


def lag1_correlation(
    values: Sequence[float], parameters: AnalysisParameters = CURRENT_PARAMETERS
) -> float:
    """Lag-1 correlation, corrected for small-sample bias, from 0 to `max_correlation`.

    The correction adds (1 + 4 r) / n (Marriott and Pope 1954, Biometrika 41, 390-402). Values that
    differ by rounding alone have no correlation.
    """
    count = len(values)
    mean = math.fsum(values) / count
    deviations = [value - mean for value in values]
    total = math.fsum([d * d for d in deviations])
    if count < 3 or total <= (1e-12 * mean) ** 2 * count:
        return 0.0
    lagged = math.fsum([a * b for a, b in zip(deviations[1:], deviations, strict=False)]) / total
    return min(max(0.0, lagged + (1 + 4 * lagged) / count), parameters.max_correlation)


def is_steady(
    trials: Sequence[Trial],
    domains: Sequence[str],
    parameters: AnalysisParameters = CURRENT_PARAMETERS,
) -> bool:
    """Whether warm-up is over: the last three windows agree in time per block and in power.

    Power counts where all three were measured. Fewer than three windows are not steady.
    """
    last = [trial for trial in trials if trial.phase == "warmup"][-3:]
    if len(last) < 3:
        return False
    block_seconds = [trial.duration_seconds / len(trial.block_ids) for trial in last]
    powers = [_measured_watts(trial, domains) for trial in last]
    known = [power for power in powers if power is not None]
    series = [block_seconds, known] if len(known) == 3 else [block_seconds]
    return all(max(values) <= parameters.steady_ratio * min(values) for values in series)


def relative_half_width(estimate: Estimate | None) -> float | None:
    """Half the width of an interval divided by its value; None without an estimate or at zero."""
    if estimate is None or estimate.value == 0:
        return None
    return (estimate.high - estimate.low) / 2 / abs(estimate.value)


def wilson_interval(scores: Sequence[float]) -> tuple[float, float, float]:
    """Mean of right-or-wrong scores (0 or 1) with its 95 % interval: (value, low, high).

    Wilson's score interval (Wilson 1927, JASA 22, 209-212).
    """
    count = len(scores)
    mean = math.fsum(scores) / count
    z2 = NORMAL_95**2
    centre = (mean + z2 / (2 * count)) / (1 + z2 / count)
    spread = math.sqrt(mean * (1 - mean) / count + z2 / (4 * count**2)) * NORMAL_95
    half = spread / (1 + z2 / count)
    return mean, max(0.0, min(mean, centre - half)), min(1.0, max(mean, centre + half))


def ratio(a: Estimate, b: Estimate, common_half_width: float = 0.0) -> Estimate:
    """a / b with its 95 % interval, computed on the logarithm of the ratio.

    `common_half_width` is a further relative 95 % half-width, added in quadrature: calibration that
    does not cancel. Raises ValueError where one of the values is not positive.
    """
    if a.value <= 0 or b.value <= 0:
        raise ValueError("a ratio needs two positive energies")
    relative = [(e.high - e.low) / 2 / e.value for e in (a, b)]
    spread = math.hypot(*relative, common_half_width)
    value = a.value / b.value
    return Estimate(
        value=value,
        low=value * math.exp(-spread),
        high=value * math.exp(spread),
        confidence_level=CONFIDENCE,
        sample_count=min(a.sample_count, b.sample_count),
    )


def _measured_watts(trial: Trial, domains: Sequence[str]) -> float | None:
    measured = [r.domain for r in trial.readings if r.method != "modelled" and r.domain in domains]
    energy = energy_joules(trial, measured)
    return energy / trial.duration_seconds if energy and trial.duration_seconds > 0 else None


def _ratio_of_sums(
    parameters: AnalysisParameters,
    amounts: Sequence[float | None],
    divisors: Sequence[float],
    scale: float,
    within: float = 0.0,
    common: float = 0.0,
) -> Estimate | None:
    """Sum of amounts divided by sum of divisors, times `scale`, with its interval, or None.

    Both uncertainties are standard uncertainties of a trial's mean amount. `within` is part of the
    scatter of the trials: the standard error is at least as large. `common` is shared by all
    trials, so their scatter cannot show it: it is added in quadrature.
    """
    total = math.fsum(divisors)
    known = [amount for amount in amounts if amount is not None]
    if len(known) < max(2, len(amounts)) or total <= 0:
        return None
    value = math.fsum(known) / total * scale
    _, half = mean_interval(known, parameters)
    half = math.hypot(max(half, NORMAL_95 * within), NORMAL_95 * common)
    half *= len(known) / total * scale
    return Estimate(
        value=value,
        low=value - half,
        high=value + half,
        confidence_level=CONFIDENCE,
        sample_count=len(known),
    )


def _reading_uncertainty(trials: Sequence[Trial], boundary: Boundary) -> float:
    """Standard uncertainty, in joules, of the mean energy of a trial from its readings alone."""
    squares = [
        reading.standard_uncertainty_joules**2
        for trial in trials
        for reading in trial.readings
        if reading.domain in boundary.domains
        and reading.method != "modelled"
        and reading.standard_uncertainty_joules is not None
    ]
    return math.sqrt(math.fsum(squares)) / max(1, len(trials))


def _net_joules(
    trials: Sequence[Trial], energies: Sequence[float | None], floors: Floors
) -> list[float | None]:
    """Energy of each trial above the idle floors of its domains, in joules, or None."""
    if None in floors:
        return [None] * len(trials)
    watts = math.fsum(floor[0] for floor in floors if floor)
    return [
        None if energy is None else energy - trial.duration_seconds * watts
        for trial, energy in zip(trials, energies, strict=True)
    ]


def _idle_uncertainty(trials: Sequence[Trial], floors: Floors) -> float:
    """Standard uncertainty, in joules, that the idle floor adds to a trial's net energy."""
    if not trials:
        return 0.0
    seconds = math.fsum(trial.duration_seconds for trial in trials) / len(trials)
    return seconds * math.sqrt(math.fsum(floor[1] ** 2 for floor in floors if floor))
