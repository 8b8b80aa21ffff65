"""Intervals, ratios, correlation: pure functions of recorded trials.

A summary is computed from the record alone, so anyone can compute it again, to the last digit.

Trials are windows of equal work, so the ratio of sums is their mean. Its interval, with h the
half-width on the logarithm, is value * exp(-h) to value * exp(h): an energy is positive. Since
analysis version 2 h is that of `correlated_mean`, which allows for correlation between trials.
Version 1 multiplied s/sqrt(n) by sqrt((1+r)/(1-r)), where r is the lag-1 correlation corrected for
its small-sample bias (Marriott and Pope 1954), took Student's quantile at 98 % for a stated 95 %,
and gave value - h to value + h.

The interval is that of repeatability within the processes of a run. What varies from run to run is
`between_runs_half_width`, apart from it. Constants that may change lie in `analysis_versions`.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Protocol

from bench.results import units
from bench.results.analysis_versions import (
    CURRENT_PARAMETERS,
    AnalysisParameters,
    analysis_parameters,
)
from bench.results.correlated_mean import (
    between_runs_half_width,
    by_process,
    half_width_v1,
    mean_half_width,
)
from bench.results.idle_floor import idle_watts
from bench.results.interval import NORMAL_95
from bench.results.record import Boundary, Estimate, IdleFloor, Reading, Summary, Trial
from bench.results.student_t import student_quantile
from bench.results.tail_bounds import mean_tail_joules
from bench.results.versions import ANALYSIS_VERSION

CONFIDENCE = 0.95


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
    model_domains = modelled_domains(measured)
    modelled = [energy_joules(trial, model_domains) for trial in measured]
    reading = _reading_uncertainty(measured, boundary)
    tails = mean_tail_joules(measured, boundary.domains)
    per_unit = [unit_count(trial, unit) for trial in measured]
    durations = [trial.duration_seconds for trial in measured]
    per_1000 = units.kwh_per_1000(1.0)
    ratio_of_sums = partial(_ratio_of_sums, parameters, [trial.process for trial in measured])
    net = net_energy(trials, boundary, idle, analysis_version)
    if net is not None and parameters.marginal_correlation and net.low <= 0:
        net = None
    return Summary(
        energy_kwh_per_1000=ratio_of_sums(energies, counts, per_1000, reading, tails=tails),
        net_energy_kwh_per_1000=net,
        modelled_energy_kwh_per_1000=ratio_of_sums(modelled, counts, per_1000),
        energy_joules_per_unit=ratio_of_sums(energies, per_unit, 1.0, reading, tails=tails),
        duration_seconds_per_inference=ratio_of_sums(durations, counts, 1.0),
        between_runs_half_width=_between_runs(parameters, measured, energies),
    )


def net_energy(
    trials: Sequence[Trial],
    boundary: Boundary,
    idle: Sequence[IdleFloor],
    analysis_version: int = ANALYSIS_VERSION,
) -> Estimate | None:
    """Energy above the idle floor in kWh per 1,000 inferences; its low end may be below zero.

    The interval holds the uncertainty of the floor and, since analysis version 2, its drift. None
    where the floor is missing and, since version 2, where the energy is modelled: a modelled energy
    holds no idle power. Raises ValueError for a version that is not known.
    """
    parameters = analysis_parameters(analysis_version)
    measured = [trial for trial in trials if trial.phase == "measured"]
    if not measured or (parameters.marginal_correlation and boundary.kind == "modelled"):
        return None
    floors = [idle_watts(idle, domain, parameters) for domain in boundary.domains]
    known = [floor for floor in floors if floor is not None]
    energies = [energy_joules(trial, boundary.domains) for trial in measured]
    if not floors or len(known) < len(floors):
        return None
    watts = math.fsum(floor[0] for floor in known)
    net = [
        None if energy is None else energy - trial.duration_seconds * watts
        for energy, trial in zip(energies, measured, strict=True)
    ]
    seconds = math.fsum(trial.duration_seconds for trial in measured) / len(measured)
    floor_joules = seconds * math.sqrt(math.fsum(floor[1] ** 2 for floor in known))
    return _ratio_of_sums(
        parameters,
        [trial.process for trial in measured],
        net,
        [float(trial.work.inference_count) for trial in measured],
        units.kwh_per_1000(1.0),
        _reading_uncertainty(measured, boundary),
        floor_joules,
        mean_tail_joules(measured, boundary.domains),
        may_be_negative=True,
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


def relative_half_width(estimate: Estimate | None) -> float | None:
    """Half-width of an interval on the logarithm; None without an estimate or at zero.

    For narrow intervals it is half the width divided by the value, which also stands in where an
    interval reaches zero.
    """
    if estimate is None or estimate.value == 0:
        return None
    if estimate.low > 0:
        return math.log(estimate.high / estimate.low) / 2
    return (estimate.high - estimate.low) / 2 / abs(estimate.value)


def between_runs(summary: Summary | None) -> float:
    """Relative half-width of the energy between runs: as recorded, or that of a single process."""
    if summary is not None and summary.between_runs_half_width is not None:
        return summary.between_runs_half_width
    return student_quantile(CONFIDENCE, 4) * CURRENT_PARAMETERS.run_to_run_sd


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

    `common_half_width` is a further relative 95 % half-width, added in quadrature: variation
    between runs, and calibration that does not cancel. Raises ValueError where one of the values
    is not positive.
    """
    if a.value <= 0 or b.value <= 0:
        raise ValueError("a ratio needs two positive energies")
    spread = math.hypot(*(relative_half_width(e) or 0.0 for e in (a, b)), common_half_width)
    value = a.value / b.value
    return Estimate(
        value=value,
        low=value * math.exp(-spread),
        high=value * math.exp(spread),
        confidence_level=CONFIDENCE,
        sample_count=min(a.sample_count, b.sample_count),
    )


def _ratio_of_sums(
    parameters: AnalysisParameters,
    processes: Sequence[int],
    amounts: Sequence[float | None],
    divisors: Sequence[float],
    scale: float,
    within: float = 0.0,
    common: float = 0.0,
    tails: tuple[float, float] = (0.0, 0.0),
    may_be_negative: bool = False,
) -> Estimate | None:
    """Sum of amounts divided by sum of divisors, times `scale`, with its interval, or None.

    `processes` tells which process ran each trial. Both uncertainties are standard uncertainties of
    a trial's mean amount. `within` is part of the scatter of the trials: the standard error is at
    least as large. `common` is shared by all trials, so their scatter cannot show it: it is added
    in quadrature. `tails` widen the interval below and above by so much of a mean amount.
    """
    total = math.fsum(divisors)
    known = [amount for amount in amounts if amount is not None]
    if len(known) < max(2, len(amounts)) or total <= 0:
        return None
    value = math.fsum(known) / total * scale
    if parameters.marginal_correlation:
        half = mean_half_width(by_process(processes, known), parameters.t_confidence)
    else:
        half = half_width_v1(known, parameters)
    half = math.hypot(max(half, NORMAL_95 * within), NORMAL_95 * common)
    below, above = ((half + tail) * len(known) / total * scale for tail in tails)
    if not math.isfinite(below + above):
        return None
    low, high = value - below, value + above
    if parameters.marginal_correlation and not may_be_negative:
        if value <= 0 or max(below, above) / value > math.log(sys.float_info.max):
            return None
        low, high = value * math.exp(-below / value), value * math.exp(above / value)
    return Estimate(
        value=value, low=low, high=high, confidence_level=CONFIDENCE, sample_count=len(known)
    )


def _between_runs(
    parameters: AnalysisParameters, trials: Sequence[Trial], energies: Sequence[float | None]
) -> float | None:
    known = [energy for energy in energies if energy is not None]
    if not parameters.marginal_correlation or not known or len(known) < len(energies):
        return None
    groups = by_process([trial.process for trial in trials], known)
    return between_runs_half_width(groups, parameters.run_to_run_sd, parameters.t_confidence)


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
