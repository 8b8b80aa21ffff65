"""The rules of a run, from its profile and its machine: trials, target, window, blocks, budget."""

from __future__ import annotations

import math

from bench.results import statistics
from bench.results.machine_record import Machine
from bench.results.record import RunProtocol
from bench.runner.config import Profile

MIN_TRIALS = 5
MAX_TRIALS = 30
CPU_BUDGET_SECONDS = 150.0
GPU_BUDGET_SECONDS = 300.0
WARM_UP_SHARE = 0.2  # of the budget, at most
QUICK_WINDOW_SECONDS = 0.5
QUICK_INFERENCES = 4
MIN_WINDOW_SECONDS = 10.0
MIN_WINDOW_STEPS = 100
IDLE_SECONDS = {"standard": 10.0, "strict": 30.0, "quick": 0.5}
TARGETS = {"standard": 0.02, "strict": 0.01, "quick": 0.02}


def run_protocol(
    profile: Profile,
    machine: Machine,
    budget_seconds: float | None = None,
    max_inferences: int | None = None,
) -> RunProtocol:
    """The rules of a run: windows from the slowest sensor's step, the rest from the profile.

    `budget_seconds` is the budget beyond loading, by default that of the device; `max_inferences`
    cuts the blocks of a quick run.
    """
    steps = [s.step_seconds for s in machine.sensors if s.usable and s.step_seconds]
    quick = profile == "quick"
    default_budget = GPU_BUDGET_SECONDS if machine.used_gpus else CPU_BUDGET_SECONDS
    return RunProtocol(
        budget_seconds=budget_seconds or default_budget,
        target_relative_half_width=TARGETS[profile],
        confidence_level=statistics.CONFIDENCE,
        min_trials=MIN_TRIALS,
        max_trials=MIN_TRIALS if quick else MAX_TRIALS,
        window_seconds=QUICK_WINDOW_SECONDS if quick else window_seconds(max(steps, default=None)),
        blocks_per_trial=None,
        max_inferences=(max_inferences or QUICK_INFERENCES) if quick else None,
    )


def window_seconds(step_seconds: float | None) -> float:
    """How long a window must be for a sensor of this step: 100 steps and 10 s."""
    return max(MIN_WINDOW_SECONDS, MIN_WINDOW_STEPS * (step_seconds or 0.0))


def blocks_per_trial(
    window_seconds: float, block_seconds: float, remaining_seconds: float, trials: int
) -> int:
    """Whole blocks of a trial: enough to fill the window, few enough that all trials fit."""
    wanted = math.ceil(window_seconds / max(block_seconds, 1e-9))
    fitting = math.floor(remaining_seconds / max(trials * block_seconds, 1e-9))
    return max(1, min(wanted, fitting))
