"""Whether the warm-up of a run reached steady time and power."""

from __future__ import annotations

from collections.abc import Sequence

from bench.results.analysis_versions import CURRENT_PARAMETERS, AnalysisParameters
from bench.results.record import Trial
from bench.results.statistics import energy_joules


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


def _measured_watts(trial: Trial, domains: Sequence[str]) -> float | None:
    measured = [r.domain for r in trial.readings if r.method != "modelled" and r.domain in domains]
    energy = energy_joules(trial, measured)
    return energy / trial.duration_seconds if energy and trial.duration_seconds > 0 else None
