"""Levers: the same requests under one changed setting at a time, measured in turn.

Windows follow each other A B C, C B A, A B C …, so that drift of the machine hits all alike. What a
lever saves is the mean over rounds of log(its energy / the energy without it), each round being a
pair of windows that lie close together: what the rounds share cancels.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.analysis.comparison import quality_difference
from bench.backends import ModelNotFound
from bench.results import statistics
from bench.results.machine_record import Machine
from bench.results.record import Estimate, Result
from bench.runner import protocol, run, run_loop
from bench.runner.config import DRAWING, RunConfig, apply_override
from bench.runner.instruments import Instruments
from bench.runner.interleaving import Variant, finish_variant, run_interleaved
from bench.system import machine
from bench.system.clock import Clock, SystemClock

BASE = "as asked"
ROUNDS = protocol.MIN_TRIALS


@dataclass(frozen=True)
class AblationResult:
    """What one lever changes: ratios with / without it, and the quality difference, or why not.

    `energy` holds the whole boundary; where that is modelled it is a ratio of CPU time.
    """

    lever: str
    result: Result | None = None
    path: Path | None = None
    energy: Estimate | None = None
    duration: Estimate | None = None
    quality: Estimate | None = None
    why_not: str | None = None


def default_variants(tag: str, on_gpu: bool) -> list[str]:
    """The levers that are worth a try on a device, where the user names none."""
    found = ["dtype=fp16"] if on_gpu else []
    found += ["dtype=bf16", "batch=8", "quantization=int8", "compile=on", "attention=eager"]
    return [*found, "steps=10"] if tag in DRAWING else found


def run_ablation(
    asked: RunConfig,
    levers: Sequence[str] | None,
    tell: Callable[[str], None],
    rounds: int = ROUNDS,
    clock: Clock | None = None,
) -> list[AblationResult]:
    """Measure what was asked and every lever, interleaved; the first of the list is without any.

    A lever that this machine lacks, or that breaks, is listed with its reason. Raises ValueError,
    with one sentence, where the model itself can't be had.
    """
    clock = clock or SystemClock()
    found = run.resolve(asked)
    if levers is None:
        levers = default_variants(found.task.tag, on_gpu=found.spec.devices[0] != "cpu")
    variants = [(lever, apply_override(asked, lever)) for lever in levers]
    refused: list[AblationResult] = []
    with machine.machine_lock(run.LOCK_WAIT_SECONDS, tell):
        rig, described = run.open_instruments(asked, found, clock)
        turns = [_turn(BASE, asked, rig, described)]
        for lever, changed in variants:
            try:
                turns.append(_turn(lever, changed, rig, described))
            except ModelNotFound as error:
                refused.append(AblationResult(lever, why_not=str(error)))
        run_interleaved(turns, rounds, tell)
    results = [finish_variant(turn) for turn in turns]
    base = results[0]
    return [_saving(turn, result, base) for turn, result in zip(turns, results, strict=True)] + (
        refused
    )


def _turn(lever: str, asked: RunConfig, rig: Instruments, described: Machine) -> Variant:
    found = run.resolve(asked)
    work = run.load_workload(asked, found)
    saved: list[Path] = []
    order, save = run.order(asked, found.spec), run.result_saver(asked.out, saved)
    one = run_loop.RunLoop(order, work, described, rig, save, lambda text: None)
    return Variant(lever, run.model_loader(found, work), one, saved)


def _saving(turn: Variant, result: Result, base: Result) -> AblationResult:
    failure = result.failure
    if failure is not None:
        return AblationResult(turn.lever, result, turn.saved[-1], why_not=failure.message)
    quality, why = quality_difference(base, result) if result is not base else (None, None)
    energies = [_energies(one) for one in (result, base)]
    times = [[t.duration_seconds for t in one.measured()] for one in (result, base)]
    energy = None if None in (energies[0] + energies[1]) else _paired(*energies)  # type: ignore[arg-type]
    if energy is None:
        why = "the energy of a window could not be read"
    duration = _paired(*times)
    return AblationResult(turn.lever, result, turn.saved[-1], energy, duration, quality, why)


def _energies(result: Result) -> list[float | None]:
    """Joules of each window over the boundary; the work is the same in all."""
    return [statistics.energy_joules(trial, result.boundary.domains) for trial in result.measured()]


def _paired(mine: Sequence[float], base: Sequence[float]) -> Estimate | None:
    """The ratio of two series of windows, from the logarithms of their pairs; None for none."""
    pairs = [(a, b) for a, b in zip(mine, base, strict=False) if a > 0 and b > 0]
    if len(pairs) < 2:
        return None
    mean, half = statistics.mean_interval([math.log(a / b) for a, b in pairs])
    return Estimate(
        value=math.exp(mean),
        low=math.exp(mean - half),
        high=math.exp(mean + half),
        confidence_level=statistics.CONFIDENCE,
        sample_count=len(pairs),
    )
