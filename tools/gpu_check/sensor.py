"""Checks of one GPU's energy sensor: step, jitter, read cost, lag, counter against power."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence
from typing import Any

from bench.system.clock import Clock
from tools.gpu_check.load import Load
from tools.gpu_check.raw_readings import (
    Change,
    PolledValue,
    RawReadings,
    between,
    crossing,
    line,
    mean_power,
    mean_watts,
)

USUAL_STEP_SECONDS = 0.1
RAMP_SECONDS = 0.5  # assumed: the time until power under load is steady
BURST_STEPS, PAUSE_STEPS = 12, 10  # in steps of the counter: enough for a line through each
EDGE_STEPS = 3  # steps after a change of load that are left out of a line

Section = dict[str, Any]
"""Results of one check by name, with the unit in the name; None: could not be measured."""


def at_rest(uuid: str, clock: Clock, seconds: float) -> Section:
    """Update interval, jitter and read cost of counter and power reading at rest."""
    with RawReadings(uuid, clock) as readings:
        clock.sleep(seconds)
    steps = readings.counter.changes
    intervals = [b.seconds - a.seconds for a, b in itertools.pairwise(steps)]
    step = statistics.median(intervals) if intervals else None
    rises = [round(1000 * (b.value - a.value)) for a, b in itertools.pairwise(steps)]
    return {
        "counter_step_seconds": step,
        "counter_jitter_seconds": None
        if step is None
        else 1.4826 * statistics.median(abs(i - step) for i in intervals),
        "counter_longest_step_seconds": max(intervals, default=None),
        "counter_quantum_joules": math.gcd(*rises) / 1000 if rises else None,
        "edge_gap_seconds": statistics.median(s.gap for s in steps) if steps else None,
        "power_update_seconds": readings.power.update_seconds(),
        **_costs("counter", readings.counter),
        **_costs("power", readings.power),
        **_compare(readings, -math.inf, math.inf),
    }


def _costs(name: str, polled: PolledValue) -> Section:
    costs = sorted(polled.read_costs)
    return {
        f"{name}_read_seconds": statistics.median(costs) if costs else None,
        f"{name}_read_seconds_99th": costs[int(0.99 * (len(costs) - 1))] if costs else None,
        f"{name}_failure": polled.failure,
    }


def _compare(readings: RawReadings, began: float, ended: float) -> Section:
    """The counter's mean power against that of the power reading, between the same two steps."""
    steps = between(readings.counter.changes, began, ended)
    counted = mean_watts(steps)
    ends = (steps[0].seconds, steps[-1].seconds) if steps else (0.0, 0.0)
    integrated = mean_power(readings.power.samples, *ends)
    known = counted is not None and integrated
    return {
        "counter_watts": counted,
        "power_reading_watts": integrated,
        "counter_to_power_ratio": counted / integrated
        if known and counted and integrated
        else None,
    }


def under_load(uuid: str, clock: Clock, load: Load, seconds: float) -> Section:
    """The counter against the power reading under the heaviest load."""
    with RawReadings(uuid, clock) as readings:
        began = clock.now()
        load.busy(RAMP_SECONDS + seconds)
        ended = clock.now()
    return _compare(readings, began + RAMP_SECONDS, ended)


def lag(uuid: str, clock: Clock, load: Load, step: float, bursts: int) -> Section:
    """How late the counter shows that load began and ended: where its straight lines cross.

    The time that the GPU needs to raise and lower its power is included.
    """
    starts, ends = [], []
    times: list[tuple[float, float]] = []
    with RawReadings(uuid, clock, with_power=False) as readings:
        for burst in range(bursts):
            clock.sleep((PAUSE_STEPS + burst / bursts) * step)
            began = clock.now()
            load.busy(BURST_STEPS * step)
            times.append((began, clock.now()))
        clock.sleep(PAUSE_STEPS * step)
    for began, ended in times:
        rest = _line(readings.counter.changes, began - (PAUSE_STEPS - 2) * step, began)
        busy = _line(readings.counter.changes, began + EDGE_STEPS * step, ended)
        after = _line(
            readings.counter.changes, ended + EDGE_STEPS * step, ended + PAUSE_STEPS * step
        )
        on, off = crossing(rest, busy), crossing(busy, after)
        starts += [on - began] if on is not None else []
        ends += [off - ended] if off is not None else []
    return {
        "burst_count": bursts,
        "lag_at_start_seconds": statistics.median(starts) if starts else None,
        "lag_at_start_spread_seconds": statistics.pstdev(starts) if starts else None,
        "lag_at_end_seconds": statistics.median(ends) if ends else None,
        "lag_at_end_spread_seconds": statistics.pstdev(ends) if ends else None,
    }


def _line(steps: Sequence[Change], began: float, ended: float) -> tuple[float, float] | None:
    return line(between(steps, began, ended))
