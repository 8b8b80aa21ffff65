"""Constants of the analysis for each published analysis version.

A record states the version that computed its summary and its warnings, so that a later JouleBench
can recompute both as they were. The version rises with every change that alters a summary by more
than rounding, or the code or `blocks_ranking` of a warning: a new row here where a constant
changes, and a branch on the version where a formula changes. Wording does not count.
"""

from __future__ import annotations

from dataclasses import dataclass

from bench.results.versions import ANALYSIS_VERSION


@dataclass(frozen=True)
class AnalysisParameters:
    """The constants of one analysis version.

    The first five are rules of a run: trials at least, or at least where one block fills a window,
    and at most; seconds of a window, and steps of its slowest sensor.

    `marginal_correlation` says which interval a mean has: `correlated_mean` where it is true (2),
    else Student's t widened by the lag-1 correlation found (1). In version 1 `t_confidence` is the
    confidence of Student's quantile behind a stated 95 %, because a run computes its interval after
    every trial (simulation in docs/notebook, 2026-11-22), and `max_correlation` bounds the
    correlation, so that the interval is widened by at most sqrt(1.9 / 0.1) = 4.4.

    `run_to_run_sd` is the relative standard deviation of the energy between runs of one model on
    one card before any was seen: an assumption, until cards have been characterised.
    `max_half_width` bounds the logarithm of an interval that is still a figure. `steady_ratio`
    bounds the largest of three warm-up windows divided by the smallest. The rest are thresholds of
    warnings, from the table in docs/measurement.md: mean power over the power limit, mean power
    under load over idle power, change of temperature in °C, share of the CPU taken by other
    programs, lag-1 correlation of trials, and difference from the default power limit in W.
    """

    min_trials: int = 9
    min_long_trials: int = 5
    max_trials: int = 50
    min_window_seconds: float = 5.0
    min_window_steps: int = 50
    marginal_correlation: bool = True
    t_confidence: float = 0.95
    run_to_run_sd: float = 0.0075
    max_half_width: float = 0.7
    max_correlation: float = 0.9
    steady_ratio: float = 1.05
    max_power_ratio: float = 1.1
    min_power_ratio: float = 0.5
    temperature_drift_celsius: float = 5.0
    busy_cpu_fraction: float = 0.1
    correlation_threshold: float = 0.5
    power_limit_tolerance_watts: float = 0.5


PARAMETERS = {
    1: AnalysisParameters(
        min_trials=5,
        max_trials=30,
        min_window_seconds=10.0,
        min_window_steps=100,
        marginal_correlation=False,
        t_confidence=0.98,
    ),
    2: AnalysisParameters(),
}


def analysis_parameters(version: int = ANALYSIS_VERSION) -> AnalysisParameters:
    """The constants of an analysis version. Raises ValueError for a version that is not known."""
    if version not in PARAMETERS:
        raise ValueError(
            f"analysis version {version} is not one that this JouleBench computes "
            f"(1 to {max(PARAMETERS)}): a newer JouleBench can"
        )
    return PARAMETERS[version]


CURRENT_PARAMETERS = analysis_parameters()
