"""Interval of a mean whose samples may be correlated, from one or several processes.

The samples of a process are taken as its own mean plus AR(1) noise with correlation ρ from one
sample to the next. Nobody knows ρ, and few samples hardly show it, so it is marginalised: every ρ
of a grid has the same prior, and its posterior weight follows from the samples (generalised least
squares with a mean of its own for each process, Jeffreys' prior on the variance). The variance of
the mean is that of the mixture, Σ weight (variance + shift²), where shift is the distance of the
least-squares mean from the plain one. The half-width is its root times Student's t. Simulated
coverage, and what was rejected: docs/notebook, 2026-11-26.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from bench.results.analysis_versions import CURRENT_PARAMETERS, AnalysisParameters
from bench.results.interval import NORMAL_95
from bench.results.student_t import student_quantile

CORRELATIONS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)

# Samples that differ by rounding alone have a scatter of this share of their mean.
ROUNDING = 1e-12


class _Terms(NamedTuple):
    """Of n samples with AR(1) correlation matrix V, whose inverse is tridiagonal.

    d are deviations from the plain mean. d'V⁻¹d is `squares` Σd² - `ends` (d₁² + dₙ²) - `lagged`
    Σdᵢdᵢ₊₁; the least-squares mean of d is `centre` (d₁ + dₙ); `precision` is 1'V⁻¹1; `log_weight`
    is -½ log |V| - ½ log 1'V⁻¹1.
    """

    squares: float
    ends: float
    lagged: float
    centre: float
    precision: float
    log_weight: float


def mean_half_width(processes: Sequence[Sequence[float]], confidence: float) -> float:
    """Half-width of the interval of the plain mean over all samples, in their unit.

    `processes` holds the samples of each process in the order in which they were taken. The
    half-width is infinite where there are no more samples than processes.
    """
    total = sum(map(len, processes))
    freedom = total - len(processes)
    if freedom < 1 or not all(processes):
        return math.inf
    mean = math.fsum(map(math.fsum, processes)) / total
    least = (ROUNDING * mean) ** 2 * total or math.ulp(0.0)
    sums = [(len(samples) / total, *_sums(samples)) for samples in processes]
    terms = [_terms(len(samples)) for samples in processes]
    log_weights, variances = [], []
    for of_correlation in zip(*terms, strict=True):
        residual = shift = variance = log_weight = 0.0
        for term, (share, squares, ends, end_sum, lagged) in zip(of_correlation, sums, strict=True):
            centre = term.centre * end_sum
            residual += term.squares * squares - term.ends * ends - term.lagged * lagged
            residual -= centre * centre * term.precision
            shift += share * centre
            variance += share * share / term.precision
            log_weight += term.log_weight
        residual = max(residual, least)
        log_weights.append(log_weight - freedom / 2 * math.log(residual))
        variances.append(residual / freedom * variance + shift * shift)
    largest = max(log_weights)
    weights = [math.exp(log_weight - largest) for log_weight in log_weights]
    mixture = math.fsum(w * v for w, v in zip(weights, variances, strict=True)) / math.fsum(weights)
    return student_quantile(confidence, freedom) * math.sqrt(mixture)


def between_runs_half_width(
    processes: Sequence[Sequence[float]], run_to_run_sd: float, confidence: float
) -> float | None:
    """Relative 95 % half-width that variation between runs adds to the mean, in quadrature.

    All samples of a process share one memory layout and one thermal history, so their scatter does
    not show how runs differ. With k processes whose means are y relative to the grand mean, w² the
    variance of such a mean within its process and s₀ the assumed standard deviation between runs,
    V = [4 (s₀² + w²) + Σ (y - 1)²] / (k + 3): the assumption counts as four degrees of freedom. The
    half-width in all is t(k + 3) sqrt(V / k), for one process hypot(t(4) s₀, h); h, that of
    repeatability, is taken out in quadrature. None without samples or with a mean of zero or less.
    """
    count = len(processes)
    total = sum(map(len, processes))
    mean = math.fsum(map(math.fsum, processes)) / total if total else 0.0
    if mean <= 0:
        return None
    if count == 1:
        return student_quantile(confidence, 4) * run_to_run_sd
    half_width = mean_half_width(processes, confidence) / mean
    if not math.isfinite(half_width):
        return None
    within = count * (half_width / NORMAL_95) ** 2
    scatter = math.fsum((math.fsum(of) / len(of) / mean - 1) ** 2 for of in processes)
    variance = (4 * (run_to_run_sd**2 + within) + scatter) / (count + 3)
    in_all = student_quantile(confidence, count + 3) ** 2 * variance / count
    return math.sqrt(max(0.0, in_all - half_width**2))


def by_process(processes: Sequence[int], values: Sequence[float]) -> list[list[float]]:
    """The values of each process, in their order; `processes` tells which process gave each."""
    groups: dict[int, list[float]] = {}
    for process, value in zip(processes, values, strict=True):
        groups.setdefault(process, []).append(value)
    return list(groups.values())


def half_width_v1(values: Sequence[float], parameters: AnalysisParameters) -> float:
    """Half-width of the mean by analysis version 1; infinite for fewer than two values."""
    count = len(values)
    mean = math.fsum(values) / count
    if count < 2:
        return math.inf
    variance = math.fsum([(value - mean) ** 2 for value in values]) / (count - 1)
    r = lag1_correlation(values, parameters)
    standard_error = math.sqrt(variance / count * (1 + r) / (1 - r))
    return student_quantile(parameters.t_confidence, count - 1) * standard_error


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


@lru_cache(maxsize=256)
def _terms(count: int) -> tuple[_Terms, ...]:
    """The terms of every correlation for `count` samples."""
    terms = []
    for r in CORRELATIONS:
        precision = (count * (1 - r) + 2 * r) / (1 + r)
        log_weight = -((count - 1) * math.log(1 - r * r) + math.log(precision)) / 2
        scale = 1 / (1 - r * r)
        squares, ends, lagged = (1 + r * r) * scale, r * r * scale, 2 * r * scale
        terms.append(_Terms(squares, ends, lagged, r / (1 + r) / precision, precision, log_weight))
    return tuple(terms)


def _sums(samples: Sequence[float]) -> tuple[float, float, float, float]:
    """Of the deviations d from the mean of n samples: Σd², d₁² + dₙ², d₁ + dₙ, Σdᵢdᵢ₊₁."""
    if len(samples) == 1:
        return 0.0, 0.0, 0.0, 0.0
    mean = math.fsum(samples) / len(samples)
    d = [sample - mean for sample in samples]
    lagged = math.fsum(a * b for a, b in zip(d[1:], d, strict=False))
    return math.fsum(x * x for x in d), d[0] ** 2 + d[-1] ** 2, d[0] + d[-1], lagged
