"""A made run with GPU, CPU and memory inside its boundary, an idle floor, and a profile trial."""

from __future__ import annotations

import random

from made import judged, made_around

from bench.results import statistics
from bench.results.record import Boundary, IdleFloor, PowerTrace, Reading, Result, Trial

SHARES = {"gpu:0": 1.0, "cpu-package:0": 0.22, "dram:0": 0.05}
IDLE_WATTS = {"gpu:0": 70.0, "cpu-package:0": 45.0, "dram:0": 8.0}


def made_domains(kwh_per_1000: float = 0.05, **options: object) -> Result:
    """As `made_around`, whose energy is the GPU's; CPU and memory come on top."""
    base = made_around(kwh_per_1000, **options)
    trials = [t.model_copy(update={"readings": _readings(t)}) for t in base.trials]
    trials.append(_profile(trials[-1]))
    idle = (_idle("cold", 0.7), _idle("resident", 1.0))
    boundary = Boundary(domains=tuple(SHARES), kind="measured")
    draft = base.model_copy(
        update={
            "trials": tuple(trials),
            "idle": idle,
            "boundary": boundary,
            "summary": statistics.summarize(trials, boundary, idle, base.task.unit),
        }
    )
    return judged(draft)


def _reading(domain: str, joules: float, seconds: float) -> Reading:
    return Reading(
        domain=domain,
        meter="nvml" if domain.startswith("gpu") else "rapl",
        method="counter",
        energy_joules=joules,
        standard_uncertainty_joules=0.0,
        duration_seconds=seconds,
    )


def _readings(trial: Trial) -> tuple[Reading, ...]:
    gpu = trial.readings[0].energy_joules or 0.0
    return tuple(_reading(d, share * gpu, trial.duration_seconds) for d, share in SHARES.items())


def _idle(when: str, share: float) -> IdleFloor:
    readings = (_reading(d, 10.0 * share * watts, 10.0) for d, watts in IDLE_WATTS.items())
    return IdleFloor(when=when, duration_seconds=10.0, readings=tuple(readings))


def _profile(last: Trial) -> Trial:
    chance, count = random.Random(1), int(last.duration_seconds / 0.1)
    seconds = tuple(0.1 * i for i in range(count))
    watts = tuple(390 + 25 * chance.random() - 120 * (i % 40 < 3) for i in range(count))
    return last.model_copy(
        update={
            "index": last.index + 1,
            "phase": "profile",
            "started_seconds": last.started_seconds + last.duration_seconds + 2,
            "readings": (),
            "power_trace": (PowerTrace(domain="gpu:0", seconds=seconds, watts=watts),),
        }
    )
