"""Profile + machine -> RunProtocol: trials, target, window, blocks, idle, budget."""

from __future__ import annotations

import math
from dataclasses import dataclass

from bench.results import statistics
from bench.results.machine_record import Machine
from bench.results.record import Model, RunProtocol
from bench.runner.config import Profile

MIN_TRIALS = 5
MAX_TRIALS = 30
CPU_BUDGET_SECONDS = 150.0
GPU_BUDGET_SECONDS = 300.0
WARM_UP_SHARE = 0.2
QUICK_WINDOW_SECONDS = 0.5
QUICK_INFERENCES = 4
IDLE_SECONDS = {"standard": 10.0, "strict": 30.0, "quick": 0.5}
TARGETS = {"standard": 0.02, "strict": 0.01, "quick": 0.02}


@dataclass(frozen=True)
class Order:
    """What was asked for, beyond the workload: how long, how strictly, which model."""

    model: Model
    profile: Profile = "standard"
    budget_seconds: float = CPU_BUDGET_SECONDS
    max_inferences: int | None = None


def run_protocol(order: Order, machine: Machine) -> RunProtocol:
    """The rules of a run: windows from the slowest sensor's step, the rest from the profile."""
    steps = [s.step_seconds for s in machine.sensors if s.usable and s.step_seconds]
    quick = order.profile == "quick"
    return RunProtocol(
        budget_seconds=order.budget_seconds,
        target_relative_half_width=TARGETS[order.profile],
        confidence_level=statistics.CONFIDENCE,
        min_trials=MIN_TRIALS,
        max_trials=MIN_TRIALS if quick else MAX_TRIALS,
        window_seconds=QUICK_WINDOW_SECONDS if quick else window_seconds(max(steps, default=None)),
        blocks_per_trial=None,
        max_inferences=(order.max_inferences or QUICK_INFERENCES) if quick else None,
    )


MIN_WINDOW_SECONDS = 10.0
MIN_WINDOW_STEPS = 100


def window_seconds(step_seconds: float | None) -> float:
    """How long a window must be for a sensor of this step: 100 steps and 10 s."""
    return max(MIN_WINDOW_SECONDS, MIN_WINDOW_STEPS * (step_seconds or 0.0))


def blocks_per_trial(window: float, pace: float, remaining: float, trials: int) -> int:
    """Whole blocks a trial: enough to fill the window, few enough that `trials` of them fit."""
    wanted = math.ceil(window / max(pace, 1e-9))
    fitting = math.floor(remaining / max(trials * pace, 1e-9))
    return max(1, min(wanted, fitting))
