"""A square wave of load tells for what share of the time a sensor looks.

The wave's period is a little longer than the sensor's step, so that its phase drifts through the
step. A sensor that looks all the time sees the same mean in every step; one that looks for a share
w of each step sees load in some steps and rest in others. With load half of the time, what it sees
is a moving average of a square wave over w, whose variance (of the share from rest to load) is
1/4 - w/3 up to w = 1/2, and ((1 - w)/w)² (1/4 - (1 - w)/3) above.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence

from bench.system.clock import Clock
from tools.gpu_check.load import Load
from tools.gpu_check.sensor import Section
from tools.gpu_check.trail import Change, Trail, between, mean_power, mean_watts

DRIFT = 1.04  # a beat of the wave against the step is 26 steps
SLOW_PERIOD_STEPS, SLOW_PERIODS = 12, 3
PERIODS, DUTIES = (0.3, 1.0, 2.5), (0.25, 0.5, 0.75)
PAUSE_STEPS = 4
ALL_THE_TIME, PART_OF_IT = 0.8, 0.65

Bursts = list[tuple[float, float]]


def wave(clock: Clock, load: Load, period: float, duty: float, seconds: float) -> Bursts:
    """Load for `duty` of each `period`; gives when each burst really began and ended."""
    bursts: Bursts = []
    began = clock.now()
    for number in range(max(1, round(seconds / period))):
        clock.sleep(began + number * period - clock.now())
        start = clock.now()
        load.busy(duty * period)
        bursts.append((start, clock.now()))
    clock.sleep(began + len(bursts) * period - clock.now())
    return bursts


def looking_share(uuid: str, clock: Clock, load: Load, step: float, steps: int) -> Section:
    """For what share of the time the counter looks, and the power reading; with a verdict."""
    with Trail(uuid, clock) as slow:
        bursts = wave(clock, load, SLOW_PERIOD_STEPS * step, 0.5, 3 * SLOW_PERIOD_STEPS * step)
    rest, busy = _levels(slow, bursts, step)
    with Trail(uuid, clock) as drifting:
        bursts = wave(clock, load, DRIFT * step, 0.5, steps * step)
    began, ended = bursts[0][0] + 2 * step, bursts[-1][1] - step
    seen = _watts_by_step(between(drifting.counter.changes, began, ended), step)
    readings = [c.value for c in between(drifting.power.changes, began, ended)]
    counter = share(seen, rest, busy)
    return {
        "rest_watts": rest,
        "busy_watts": busy,
        "wave_period_seconds": DRIFT * step,
        "wave_duty": _duty(bursts),
        "step_count": len(seen),
        "counter_looking_share": counter,
        "power_looking_share": share(readings, rest, busy),
        "verdict": verdict(counter),
    }


def verdict(counter_share: float | None) -> str:
    """What the share means for the counter, in a clause."""
    if counter_share is None:
        return "could not be told"
    if counter_share >= ALL_THE_TIME:
        return "the counter integrates all the time"
    if counter_share <= PART_OF_IT:
        return f"the counter sums samples: it looks for about {100 * counter_share:.0f} % of a step"
    return "unclear: between a counter that integrates and one that sums samples"


def share(watts: Sequence[float], rest: float | None, busy: float | None) -> float | None:
    """The share of each step for which a sensor looks, from what it saw of the drifting wave."""
    if rest is None or busy is None or busy <= rest or len(watts) < 10:
        return None
    variance = statistics.pvariance([(value - rest) / (busy - rest) for value in watts])
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if variance_at(middle) > variance else (low, middle)
    return min(1.0, DRIFT * (low + high) / 2)  # the step is that much shorter than the wave


def variance_at(looking: float) -> float:
    """The variance that a sensor sees which looks for this share of each step."""
    if looking <= 0.5:
        return 0.25 - looking / 3
    blind = 1 - looking
    return (blind / looking) ** 2 * (0.25 - blind / 3)


def _levels(slow: Trail, bursts: Bursts, step: float) -> tuple[float | None, float | None]:
    """Power at rest and under load, from what lies wholly inside slow pauses and bursts.

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
    """The share of time that was really load, from the first burst's start to the last one's."""
    if len(bursts) < 2:
        return None
    busy = math.fsum(off - on for on, off in bursts[:-1])
    return busy / (bursts[-1][0] - bursts[0][0])


def sweep(uuid: str, clock: Clock, load: Load, step: float, steps: int) -> list[Section]:
    """What the counter sees of waves by period and duty: energy above rest, as a share of load's.

    A counter that integrates sees the duty; on a real card the ramps of power are inside too.
    """
    with Trail(uuid, clock) as slow:
        bursts = wave(clock, load, SLOW_PERIOD_STEPS * step, 0.5, 2 * SLOW_PERIOD_STEPS * step)
    rest, busy = _levels(slow, bursts, step)
    rows = []
    for period, duty in itertools.product(PERIODS, DUTIES):
        with Trail(uuid, clock, with_power=False) as trail:
            clock.sleep(PAUSE_STEPS * step)
            bursts = wave(clock, load, period * step, duty, steps * step)
            clock.sleep(PAUSE_STEPS * step)
        whole = len(bursts) * period * step
        rows.append(
            {
                "period_steps": period,
                "duty": math.fsum(off - on for on, off in bursts) / whole,
                "seen_share": _seen(trail.counter.changes, rest, busy, whole),
            }
        )
    return rows


def _seen(
    steps: Sequence[Change], rest: float | None, busy: float | None, seconds: float
) -> float | None:
    """The energy of all steps above rest, as a share of what load all the time would be."""
    if rest is None or busy is None or busy <= rest or len(steps) < 2:
        return None
    joules = steps[-1].value - steps[0].value - rest * (steps[-1].seconds - steps[0].seconds)
    return joules / ((busy - rest) * seconds)
