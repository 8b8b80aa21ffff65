"""Raw readings of one GPU, counter and power, polled by a thread.

Independent of our meter but for the driver calls, so that each checks the other.
"""

from __future__ import annotations

import itertools
import math
import statistics
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.system import nvidia_driver
from bench.system.clock import Clock

PAUSE_SECONDS = 0.0005  # between two readings: 0.5 % of a step of 0.1 s


@dataclass(frozen=True)
class Change:
    """A value that differs from the one before: its time (s), known to `gap` (s)."""

    seconds: float
    gap: float
    value: float


class PolledValue:
    """One value of the driver: its samples and changes, the cost of a call (s), and a failure."""

    def __init__(self, read: Callable[[], float], clock: Clock) -> None:
        self._read, self._clock = read, clock
        self.changes: list[Change] = []
        self.samples: list[tuple[float, float]] = []
        self.read_costs: list[float] = []
        self.failure: str | None = None
        self._previous_at = 0.0

    def sample(self) -> None:
        """Read once; after a failure nothing is read."""
        if self.failure is not None:
            return
        read_at = self._clock.now()
        try:
            value = self._read()
        except (nvidia_driver.NvmlReadError, nvidia_driver.NvidiaUnavailable) as failure:
            self.failure = failure.reason
            return
        now = self._clock.now()
        self.read_costs.append(now - read_at)
        if self.samples and value != self.samples[-1][1]:
            gap = now - self._previous_at
            self.changes.append(Change((self._previous_at + now) / 2, gap, value))
        self.samples.append(((read_at + now) / 2, value))
        self._previous_at = read_at

    def update_seconds(self) -> float | None:
        """How often the value changes; None where it changed fewer than four times."""
        intervals = [b.seconds - a.seconds for a, b in itertools.pairwise(self.changes)]
        return statistics.median(intervals) if len(intervals) >= 3 else None


class RawReadings:
    """Polls counter (J) and power (W) in a thread while its `with` block runs."""

    def __init__(self, uuid: str, clock: Clock, with_power: bool = True) -> None:
        self._clock, self._with_power = clock, with_power
        self.counter = PolledValue(lambda: nvidia_driver.energy_joules(uuid), clock)
        self.power = PolledValue(lambda: nvidia_driver.power(uuid).watts, clock)
        self._halt = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gpu-check-polling", daemon=True)

    def __enter__(self) -> RawReadings:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._halt.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._halt.is_set():
            self.counter.sample()
            if self._with_power:
                self.power.sample()
            self._clock.sleep(PAUSE_SECONDS)


def between(changes: Sequence[Change], began: float, ended: float) -> list[Change]:
    """The changes from `began` to `ended` (s)."""
    return [change for change in changes if began <= change.seconds <= ended]


def mean_watts(steps: Sequence[Change]) -> float | None:
    """Mean power from the first step of a counter to the last; None for fewer than two."""
    if len(steps) < 2 or steps[-1].seconds <= steps[0].seconds:
        return None
    return (steps[-1].value - steps[0].value) / (steps[-1].seconds - steps[0].seconds)


def mean_power(samples: Sequence[tuple[float, float]], began: float, ended: float) -> float | None:
    """Time-weighted mean of a power reading (trapezoids); None for fewer than two samples."""
    inside = [(t, w) for t, w in samples if began <= t <= ended]
    if len(inside) < 2 or inside[-1][0] <= inside[0][0]:
        return None
    areas = ((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in itertools.pairwise(inside))
    return math.fsum(areas) / (inside[-1][0] - inside[0][0])


def line(steps: Sequence[Change]) -> tuple[float, float] | None:
    """The least-squares line a + b t through steps, as (a, b); None for fewer than three."""
    if len(steps) < 3:
        return None
    slope, intercept = statistics.linear_regression(
        [step.seconds for step in steps], [step.value for step in steps]
    )
    return intercept, slope


def crossing(first: tuple[float, float] | None, second: tuple[float, float] | None) -> float | None:
    """The time at which two lines cross; None where one is missing or they are parallel."""
    if first is None or second is None or first[1] == second[1]:
        return None
    return (first[0] - second[0]) / (second[1] - first[1])
