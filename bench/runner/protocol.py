"""The rules of a run, from its profile and its machine: trials, target, window, blocks, budget."""

from __future__ import annotations

import math
from collections.abc import Sequence

from bench.results import statistics
from bench.results.analysis_versions import AnalysisParameters, analysis_parameters
from bench.results.machine_record import Machine
from bench.results.record import RunProtocol
from bench.results.versions import ANALYSIS_VERSION
from bench.runner.config import Profile

MIN_TRIALS_PER_PROCESS = 5
CPU_BUDGET_SECONDS = 150.0
GPU_BUDGET_SECONDS = 300.0
WARM_UP_SHARE = 0.2  # of the budget, at most
QUICK_WINDOW_SECONDS = 0.5
QUICK_INFERENCES = 4
IDLE_SECONDS = {"standard": 10.0, "strict": 30.0, "quick": 0.5}
TARGETS = {"standard": 0.02, "strict": 0.01, "quick": 0.02}


def run_protocol(
    profile: Profile,
    machine: Machine,
    budget_seconds: float | None = None,
    max_inferences: int | None = None,
    analysis_version: int = ANALYSIS_VERSION,
) -> RunProtocol:
    """The rules of a run: windows from the slowest sensor's step, the rest from the profile.

    `budget_seconds` is the budget beyond loading, by default that of the device; `max_inferences`
    cuts the blocks of a quick run. Rules differ by `analysis_version`.
    """
    parameters = analysis_parameters(analysis_version)
    steps = [s.step_seconds for s in machine.sensors if s.usable and s.step_seconds]
    quick = profile == "quick"
    default_budget = GPU_BUDGET_SECONDS if machine.used_gpus else CPU_BUDGET_SECONDS
    return RunProtocol(
        budget_seconds=budget_seconds or default_budget,
        target_relative_half_width=TARGETS[profile],
        confidence_level=statistics.CONFIDENCE,
        min_trials=parameters.min_long_trials if quick else parameters.min_trials,
        max_trials=parameters.min_long_trials if quick else parameters.max_trials,
        window_seconds=QUICK_WINDOW_SECONDS if quick else _window_seconds(parameters, steps),
        blocks_per_trial=None,
        max_inferences=(max_inferences or QUICK_INFERENCES) if quick else None,
    )


def blocks_per_trial(
    window_seconds: float, block_seconds: float, remaining_seconds: float, trials: int
) -> int:
    """Whole blocks of a trial: enough to fill the window, few enough that all trials fit."""
    wanted = math.ceil(window_seconds / max(block_seconds, 1e-9))
    fitting = math.floor(remaining_seconds / max(trials * block_seconds, 1e-9))
    return max(1, min(wanted, fitting))


def _window_seconds(parameters: AnalysisParameters, steps: Sequence[float]) -> float:
    return max(parameters.min_window_seconds, parameters.min_window_steps * max(steps, default=0.0))
