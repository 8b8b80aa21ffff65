"""Intervals, sequential stopping, ratios: pure functions of recorded trials.

A summary is computed from the record alone, so anyone can compute it again, to the last digit.

The interval. Trials are windows of equal work, so the ratio of sums is their mean. Its half-width
is Student's t times s/sqrt(n), with two corrections that simulation showed to be needed:

* looks: a run looks at its interval after every trial and stops when it is narrow enough, which
  favours lucky runs. Student's quantile is taken at 98 % where 95 % is stated. Over normal noise of
  1 to 5 %, 5 to 30 trials and a target of 2 %, the stated interval then covers in 96.8 to 98.3 %.
* correlation: trials that follow each other carry less information. s/sqrt(n) is multiplied by
  sqrt((1+r)/(1-r)), where r is the lag-1 correlation freed of its small-sample bias (Marriott and
  Pope 1954) and never below zero. A trend shows as a correlation and widens the interval as well.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

from bench.results import units
from bench.results.interval import NORMAL_95
from bench.results.record import Boundary, Estimate, IdleFloor, Summary, Trial

CONFIDENCE = 0.95
LOOKS_CONFIDENCE = 0.98
MAX_CORRELATION = 0.9
STEADY = 1.05


def summarize(
    trials: Sequence[Trial], boundary: Boundary, idle: Sequence[IdleFloor], unit: str
) -> Summary:
    """The five figures of a run from its measured trials.

    `unit` is what `energy_joules_per_unit` is per: "inference", "token", "image", "audio-second" or
    "video-second". A figure that can't be had, because a reading is missing, there are fewer than
    two trials or nothing was served, is None.
    """
    measured = [trial for trial in trials if trial.phase == "measured"]
    counts = [float(trial.work.inference_count) for trial in measured]
    energy = [energy_joules(trial, boundary.domains) for trial in measured]
    net = [net_joules(trial, boundary.domains, idle) for trial in measured]
    model_domains = modelled_domains(measured)
    model = [energy_joules(trial, model_domains) for trial in measured]
    floor = _idle_uncertainty(measured, boundary.domains, idle)
    per_unit = [unit_count(trial, unit) for trial in measured]
    per_1000 = units.kwh_per_1000(1.0)
    return Summary(
        energy_kwh_per_1000=_ratio(energy, counts, per_1000, _uncertainty(measured, boundary)),
        net_energy_kwh_per_1000=_ratio(
            net, counts, per_1000, _uncertainty(measured, boundary), common=floor
        ),
        modelled_energy_kwh_per_1000=_ratio(model, counts, per_1000) if model_domains else None,
        energy_joules_per_unit=_ratio(energy, per_unit, 1.0, _uncertainty(measured, boundary)),
        duration_seconds_per_inference=_ratio([t.duration_seconds for t in measured], counts, 1.0),
    )


def energy_joules(trial: Trial, domains: Sequence[str]) -> float | None:
    """Energy of one trial in joules, summed over `domains`; None if one of them is missing."""
    found = {r.domain: r.energy_joules for r in trial.readings}
    values = [found.get(domain) for domain in domains]
    if not values or any(value is None for value in values):
        return None
    return math.fsum(value for value in values if value is not None)


def idle_watts(idle: Sequence[IdleFloor], domain: str) -> tuple[float, float] | None:
    """Idle power of a domain in watts with its standard uncertainty, model resident if known."""
    for when in ("resident", "after", "cold"):
        for floor in idle:
            for reading in floor.readings if floor.when == when else ():
                if reading.domain == domain and reading.energy_joules is not None:
                    seconds = reading.duration_seconds
                    if seconds > 0:
                        u = reading.standard_uncertainty_joules or 0.0
                        u = 0.0 if reading.method == "modelled" else u
                        return reading.energy_joules / seconds, u / seconds
    return None


def net_joules(trial: Trial, domains: Sequence[str], idle: Sequence[IdleFloor]) -> float | None:
    """Energy of one trial above the idle floor with the model resident, in joules, or None."""
    gross = energy_joules(trial, domains)
    floors = [idle_watts(idle, domain) for domain in domains]
    if gross is None or any(floor is None for floor in floors):
        return None
    return gross - trial.duration_seconds * math.fsum(floor[0] for floor in floors if floor)


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
    seen = {r.domain: None for t in trials for r in t.readings if r.method == "modelled"}
    return tuple(seen)


def mean_interval(values: Sequence[float]) -> tuple[float, float]:
    """Mean of equal-work trials and half-width of its 95 % interval (infinite for fewer than two).

    The half-width is corrected for looks and for correlation: see the head of this file.
    """
    count = len(values)
    mean = math.fsum(values) / count
    if count < 2:
        return mean, math.inf
    return mean, _half_width(values, mean)


def lag1_correlation(values: Sequence[float]) -> float:
    """Lag-1 correlation of the values, corrected for small-sample bias, within [0, 0.9]."""
    count = len(values)
    mean = math.fsum(values) / count
    deviations = [value - mean for value in values]
    total = math.fsum(d * d for d in deviations)
    if count < 3 or total <= (1e-12 * mean) ** 2 * count:
        return 0.0
    lagged = math.fsum(a * b for a, b in zip(deviations[1:], deviations, strict=False)) / total
    return min(max(0.0, lagged + (1 + 4 * lagged) / count), MAX_CORRELATION)


def is_steady(trials: Sequence[Trial], domains: Sequence[str]) -> bool:
    """Whether warm-up is over: the last three windows agree within 5 % in time a block and, where
    power was measured, in power."""
    last = [trial for trial in trials if trial.phase == "warmup"][-3:]
    if len(last) < 3:
        return False
    paces = [trial.duration_seconds / len(trial.block_ids) for trial in last]
    powers = [_measured_watts(trial, domains) for trial in last]
    known = [power for power in powers if power is not None]
    return _alike(paces) and (len(known) < 3 or _alike(known))


def relative_half_width(estimate: Estimate | None) -> float | None:
    """Half the width of an interval over its value, or None."""
    if estimate is None or estimate.value == 0:
        return None
    return (estimate.high - estimate.low) / 2 / abs(estimate.value)


def wilson_interval(scores: Sequence[float]) -> tuple[float, float, float]:
    """Mean of right-or-wrong scores (0 or 1) with Wilson's 95 % interval: (value, low, high)."""
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
    spread = math.hypot(_relative(a), _relative(b), common_half_width)
    value = a.value / b.value
    return Estimate(
        value=value,
        low=value * math.exp(-spread),
        high=value * math.exp(spread),
        confidence_level=CONFIDENCE,
        sample_count=min(a.sample_count, b.sample_count),
    )


@lru_cache(maxsize=256)
def student_quantile(confidence: float, freedom: int) -> float:
    """The t with which |T| stays below t with probability `confidence`, for whole degrees."""
    low, high = 0.0, 1e6
    while high - low > 1e-12 * max(1.0, low):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if _student(middle, freedom) < confidence else (low, middle)
    return low


def _student(t: float, freedom: int) -> float:
    """P(|T| < t) for whole degrees of freedom (Abramowitz and Stegun 26.7.3 and 26.7.4)."""
    angle = math.atan(t / math.sqrt(freedom))
    cosine, sine = math.cos(angle), math.sin(angle)
    odd = freedom % 2
    if freedom == 1:
        return 2 * angle / math.pi
    term = total = cosine if odd else 1.0
    for k in range(3 if odd else 2, freedom - 1, 2):
        term *= cosine * cosine * (k - 1) / k
        total += term
    return 2 / math.pi * (angle + sine * total) if odd else sine * total


def _alike(values: Sequence[float]) -> bool:
    return max(values) <= STEADY * min(values)


def _measured_watts(trial: Trial, domains: Sequence[str]) -> float | None:
    sensed = [r.domain for r in trial.readings if r.method != "modelled" and r.domain in domains]
    energy = energy_joules(trial, sensed)
    return energy / trial.duration_seconds if energy and trial.duration_seconds > 0 else None


def _half_width(values: Sequence[float], mean: float) -> float:
    count = len(values)
    variance = math.fsum((value - mean) ** 2 for value in values) / (count - 1)
    r = lag1_correlation(values)
    widened = math.sqrt(variance / count * (1 + r) / (1 - r))
    return student_quantile(LOOKS_CONFIDENCE, count - 1) * widened


def _relative(estimate: Estimate) -> float:
    return (estimate.high - estimate.low) / 2 / estimate.value


def _ratio(
    amounts: Sequence[float | None],
    counts: Sequence[float],
    scale: float,
    floor: float = 0.0,
    common: float = 0.0,
) -> Estimate | None:
    """Ratio of sums with its interval.

    `floor` is an uncertainty of a trial's mean, in joules, that is part of its scatter and below
    which the standard error may not fall; `common` one that all trials share, so that their scatter
    can't show it, and that comes on top.
    """
    total = math.fsum(counts)
    known = [amount for amount in amounts if amount is not None]
    if len(known) < max(2, len(amounts)) or total <= 0:
        return None
    value = math.fsum(known) / total * scale
    _, half = mean_interval(known)
    half = math.hypot(max(half, NORMAL_95 * floor), NORMAL_95 * common)
    half *= len(known) / total * scale
    return Estimate(
        value=value,
        low=value - half,
        high=value + half,
        confidence_level=CONFIDENCE,
        sample_count=len(known),
    )


def _uncertainty(trials: Sequence[Trial], boundary: Boundary) -> float:
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


def _idle_uncertainty(
    trials: Sequence[Trial], domains: Sequence[str], idle: Sequence[IdleFloor]
) -> float:
    """Standard uncertainty, in joules, that the idle floor brings into a trial's net energy."""
    if not trials:
        return 0.0
    floors = [idle_watts(idle, domain) for domain in domains]
    seconds = math.fsum(trial.duration_seconds for trial in trials) / len(trials)
    return seconds * math.sqrt(math.fsum(floor[1] ** 2 for floor in floors if floor))
