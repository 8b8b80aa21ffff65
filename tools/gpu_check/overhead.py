"""Overhead of our own meters (A/B, interleaved), and repeatability of a fixed workload."""

from __future__ import annotations

import math
import random
import statistics
import time
from collections.abc import Callable

from bench.results.student_t import student_quantile
from bench.runner import window
from bench.runner.instruments import Instruments
from bench.system import nvidia_driver
from bench.system.clock import Clock
from tools.gpu_check.load import Load
from tools.gpu_check.sensor import USUAL_STEP_SECONDS, Section

Measured = tuple[float, float, float]
"""Joules, seconds, and CPU seconds of this process, of one serving of the fixed workload."""


def units_for(clock: Clock, load: Load, seconds: float) -> int:
    """The number of inferences of the fixed workload that take so many seconds."""
    load.work(1)
    count, took = 1, 0.0
    while took < min(0.3, seconds):
        count *= 2
        began = clock.now()
        load.work(count)
        took = clock.now() - began
    return max(1, round(count * seconds / took))


def _next_step(uuid: str, clock: Clock) -> tuple[float, float]:
    """Time and value of the counter's next step. Raises NvmlReadError, also where there is none."""
    old, until = nvidia_driver.energy_joules(uuid), clock.now() + 20 * USUAL_STEP_SECONDS
    while clock.now() < until:
        value = nvidia_driver.energy_joules(uuid)
        if value != old:
            return clock.now(), value
        clock.sleep(0.0002)
    raise nvidia_driver.NvmlReadError("the energy counter stands still")


def _plain(uuid: str, clock: Clock, work: Callable[[], None]) -> Measured:
    """The work, from a step of the raw counter on; the energy after the work is subtracted."""
    began_at, began = _next_step(uuid, clock)
    cpu = time.process_time()
    work()
    cpu, ended_at = time.process_time() - cpu, clock.now()
    seconds, first = _next_step(uuid, clock)
    later, second = _next_step(uuid, clock)
    rest = (second - first) / (later - seconds)
    return first - began - rest * (seconds - ended_at), ended_at - began_at, cpu


def compare(
    uuid: str, clock: Clock, instruments: Instruments, load: Load, units: int, pairs: int
) -> Section:
    """The same work with and without a window of all our meters, in pairs of random order.

    Both are read from the raw counter, so that only our meters differ.
    """
    bare: list[Measured] = []
    metered: list[Measured] = []
    opening: list[float] = []
    rng = random.Random(1)

    def inside() -> Measured:
        began = clock.now()
        open_window = window.open_window(instruments)
        opening.append(clock.now() - began)
        result = _plain(uuid, clock, lambda: load.work(units))
        closing = clock.now()
        window.close_window(instruments, open_window)
        opening[-1] += clock.now() - closing
        return result

    for _ in range(pairs):
        for arm in rng.sample((0, 1), 2):
            if arm:
                metered.append(inside())
            else:
                bare.append(_plain(uuid, clock, lambda: load.work(units)))
    return {
        "pair_count": pairs,
        "inferences_per_window": units,
        "bare_joules_per_inference": statistics.fmean(j for j, _, _ in bare) / units,
        "bare_seconds_per_inference": statistics.fmean(s for _, s, _ in bare) / units,
        "energy_ratio": _ratio([j for j, _, _ in metered], [j for j, _, _ in bare]),
        "time_ratio": _ratio([s for _, s, _ in metered], [s for _, s, _ in bare]),
        "cpu_ratio": _ratio([c for _, _, c in metered], [c for _, _, c in bare]),
        "open_and_close_seconds": statistics.median(opening),
    }


def _ratio(metered: list[float], bare: list[float]) -> Section | None:
    """The geometric mean ratio of pairs with its 95 % interval; None for one pair or no energy."""
    if len(metered) < 2 or min([*metered, *bare]) <= 0:
        return None
    logs = [math.log(a / b) for a, b in zip(metered, bare, strict=True)]
    mean, half = _interval(logs)
    low, high = math.exp(mean - half), math.exp(mean + half)
    return {"value": math.exp(mean), "low": low, "high": high}


def _interval(values: list[float]) -> tuple[float, float]:
    """Mean and half-width of its 95 % interval (Student's t); one value has the half-width 0."""
    if len(values) < 2:
        return values[0], 0.0
    quantile = student_quantile(0.95, len(values) - 1)
    return statistics.fmean(values), quantile * statistics.stdev(values) / len(values) ** 0.5


def repeat(domain: str, instruments: Instruments, load: Load, units: int, runs: int) -> Section:
    """A fixed workload measured repeatedly with our meters: scatter and stated uncertainty."""
    energies: list[float] = []
    stated: list[float] = []
    missing: list[str] = []
    for _ in range(runs):
        _, measured = window.measure_window(instruments, lambda: load.work(units))
        reading = next((r for r in measured.readings if r.domain == domain), None)
        if reading is None or reading.energy_joules is None:
            missing += [d.message for d in reading.warnings] if reading else ["no reading"]
            continue
        energies.append(reading.energy_joules)
        stated.append(reading.standard_uncertainty_joules or 0.0)
    if len(energies) < 3:
        return {"run_count": len(energies), "missing": missing}
    mean, half = _interval(energies)
    third = max(1, len(energies) // 3)
    drift = statistics.fmean(energies[-third:]) / statistics.fmean(energies[:third]) - 1
    return {
        "run_count": len(energies),
        "missing": missing,
        "joules": energies,
        "joules_per_inference": mean / units,
        "relative_standard_deviation": statistics.stdev(energies) / mean,
        "relative_half_width": half / mean,
        "stated_relative_uncertainty": statistics.median(stated) / mean,
        "drift": drift,
    }
