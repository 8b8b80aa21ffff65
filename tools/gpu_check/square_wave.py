"""The duty of a sensor, the share of each step for which it samples, from a square wave of load.

The wave's period is a little longer than the sensor's step, so that its phase drifts through the
step. A sensor that samples all the time shows the same mean in every step; one that samples for a
share w of each step shows load in some steps and rest in others. With load half of the time, it
shows a moving average of a square wave over w, whose variance (of the share from rest to load) is
1/4 - w/3 up to w = 1/2, and ((1 - w)/w)² (1/4 - (1 - w)/3) above.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence

from bench.system.clock import Clock
from tools.gpu_check.load import Load
from tools.gpu_check.raw_readings import Change, RawReadings, between, mean_power, mean_watts
from tools.gpu_check.sensor import Section

DRIFT = 1.04  # period of the wave in steps: its phase passes through the step in 26 steps
SLOW_PERIOD_STEPS, SLOW_PERIODS = 12, 3
PERIODS, DUTIES = (0.3, 1.0, 2.5), (0.25, 0.5, 0.75)  # of the sweep
PAUSE_STEPS = 4
# A duty at or above the first is full-time, at or below the second part-time: the estimate is good
# to about 0.1 on the simulated driver (tests/test_gpu_check.py).
FULL_TIME, PART_TIME = 0.8, 0.65

Bursts = list[tuple[float, float]]


def run_wave(clock: Clock, load: Load, period: float, duty: float, seconds: float) -> Bursts:
    """Load for `duty` of each `period` (s); the measured begin and end of each burst."""
    bursts: Bursts = []
    began = clock.now()
    for number in range(max(1, round(seconds / period))):
        clock.sleep(began + number * period - clock.now())
        start = clock.now()
        load.busy(duty * period)
        bursts.append((start, clock.now()))
    clock.sleep(began + len(bursts) * period - clock.now())
    return bursts


def sensor_duties(uuid: str, clock: Clock, load: Load, step: float, steps: int) -> Section:
    """The duties of the counter and of the power reading, with a conclusion on the counter."""
    with RawReadings(uuid, clock) as slow:
        bursts = run_wave(clock, load, SLOW_PERIOD_STEPS * step, 0.5, 3 * SLOW_PERIOD_STEPS * step)
    rest, busy = _levels(slow, bursts, step)
    with RawReadings(uuid, clock) as drifting:
        bursts = run_wave(clock, load, DRIFT * step, 0.5, steps * step)
    began, ended = bursts[0][0] + 2 * step, bursts[-1][1] - step
    powers = _watts_by_step(between(drifting.counter.changes, began, ended), step)
    readings = [c.value for c in between(drifting.power.changes, began, ended)]
    counter = estimate_duty(powers, rest, busy)
    return {
        "rest_watts": rest,
        "busy_watts": busy,
        "wave_period_seconds": DRIFT * step,
        "wave_duty": _duty(bursts),
        "step_count": len(powers),
        "counter_duty": counter,
        "power_duty": estimate_duty(readings, rest, busy),
        "conclusion": conclusion(counter),
    }


def conclusion(counter_duty: float | None) -> str:
    """A clause on whether a counter of this duty integrates all the time."""
    if counter_duty is None:
        return "the duty of the counter could not be estimated"
    if counter_duty >= FULL_TIME:
        return "the counter integrates all the time"
    if counter_duty <= PART_TIME:
        return f"the counter sums samples of about {100 * counter_duty:.0f} % of a step"
    return "unclear: between a counter that integrates and one that sums samples"


def estimate_duty(watts: Sequence[float], rest: float | None, busy: float | None) -> float | None:
    """The duty of a sensor from its readings of the drifting wave; None where it has no swing."""
    if rest is None or busy is None or busy <= rest or len(watts) < 10:
        return None
    variance = statistics.pvariance([(value - rest) / (busy - rest) for value in watts])
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if variance_at(middle) > variance else (low, middle)
    return min(1.0, DRIFT * (low + high) / 2)  # the step is that much shorter than the wave


def variance_at(duty: float) -> float:
    """The variance of a sensor's readings of the wave, as a share of its swing squared."""
    if duty <= 0.5:
        return 0.25 - duty / 3
    rest = 1 - duty
    return (rest / duty) ** 2 * (0.25 - rest / 3)


def _levels(slow: RawReadings, bursts: Bursts, step: float) -> tuple[float | None, float | None]:
    """Power at rest and under load, from readings that lie inside slow pauses and bursts.

    From the counter; where there is none, from the power reading.
    """

    def level(began: float, ended: float) -> float | None:
        counted = mean_watts(between(slow.counter.changes, began, ended))
        return counted or mean_power(slow.power.samples, began, ended)

    margin = 2 * step
    busy = [level(on + margin, off) for on, off in bursts]
    rest = [level(a[1] + margin, b[0]) for a, b in itertools.pairwise(bursts)]
    return _mean(rest), _mean(busy)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known else None


def _watts_by_step(steps: Sequence[Change], step: float) -> list[float]:
    """Mean power of each step; a missed one is left out."""
    pairs = [(b.value - a.value, b.seconds - a.seconds) for a, b in itertools.pairwise(steps)]
    return [joules / seconds for joules, seconds in pairs if 0.5 * step < seconds < 1.5 * step]


def _duty(bursts: Bursts) -> float | None:
    """The measured share of load, from the first burst's start to the last one's."""
    if len(bursts) < 2:
        return None
    busy = math.fsum(off - on for on, off in bursts[:-1])
    return busy / (bursts[-1][0] - bursts[0][0])


def sweep(uuid: str, clock: Clock, load: Load, step: float, steps: int) -> list[Section]:
    """The counter's energy above rest for waves by period and duty, as a share of full load's.

    A counter that integrates shows the duty, apart from the ramps of power of a real GPU.
    """
    with RawReadings(uuid, clock) as slow:
        bursts = run_wave(clock, load, SLOW_PERIOD_STEPS * step, 0.5, 2 * SLOW_PERIOD_STEPS * step)
    rest, busy = _levels(slow, bursts, step)
    rows = []
    for period, duty in itertools.product(PERIODS, DUTIES):
        with RawReadings(uuid, clock, with_power=False) as trace:
            clock.sleep(PAUSE_STEPS * step)
            bursts = run_wave(clock, load, period * step, duty, steps * step)
            clock.sleep(PAUSE_STEPS * step)
        seconds = len(bursts) * period * step
        rows.append(
            {
                "period_steps": period,
                "duty": math.fsum(off - on for on, off in bursts) / seconds,
                "counter_share": _share_of_load(trace.counter.changes, rest, busy, seconds),
            }
        )
    return rows


def _share_of_load(
    steps: Sequence[Change], rest: float | None, busy: float | None, seconds: float
) -> float | None:
    """The energy of all steps above rest, divided by that of a load that lasts `seconds`."""
    if rest is None or busy is None or busy <= rest or len(steps) < 2:
        return None
    joules = steps[-1].value - steps[0].value - rest * (steps[-1].seconds - steps[0].seconds)
    return joules / ((busy - rest) * seconds)
