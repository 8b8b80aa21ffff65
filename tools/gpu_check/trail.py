"""A trail of raw readings of one GPU, counter and power, polled by a thread.

On purpose it shares nothing with our meter but the driver calls, so that each checks the other.
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

PAUSE_SECONDS = 0.0005


@dataclass(frozen=True)
class Change:
    """A reading that differs from the one before: when (s), known to `gap` (s), and its value."""

    seconds: float
    gap: float
    value: float


class Polled:
    """One reading of the driver: its changes, what a call costs, and why it failed if it did."""

    def __init__(self, read: Callable[[], float], clock: Clock) -> None:
        self._read, self._clock = read, clock
        self.changes: list[Change] = []
        self.samples: list[tuple[float, float]] = []
        self.costs: list[float] = []
        self.failure: str | None = None
        self._from = 0.0

    def look(self) -> None:
        if self.failure is not None:
            return
        asked = self._clock.now()
        try:
            value = self._read()
        except (nvidia_driver.NvmlReadError, nvidia_driver.NvidiaUnavailable) as failure:
            self.failure = failure.reason
            return
        answered = self._clock.now()
        self.costs.append(answered - asked)
        if self.samples and value != self.samples[-1][1]:
            gap = answered - self._from
            self.changes.append(Change((self._from + answered) / 2, gap, value))
        self.samples.append(((asked + answered) / 2, value))
        self._from = asked

    def update_seconds(self) -> float | None:
        """How often the value changes; None where it changed fewer than four times."""
        intervals = [b.seconds - a.seconds for a, b in itertools.pairwise(self.changes)]
        return statistics.median(intervals) if len(intervals) >= 3 else None


class Trail:
    """Polls counter (J) and power (W) in a thread, from `with` to its end."""

    def __init__(self, uuid: str, clock: Clock, with_power: bool = True) -> None:
        self._clock, self._with_power = clock, with_power
        self.counter = Polled(lambda: nvidia_driver.energy_joules(uuid), clock)
        self.power = Polled(lambda: nvidia_driver.power(uuid).watts, clock)
        self._halt = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gpu-check-trail", daemon=True)

    def __enter__(self) -> Trail:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._halt.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._halt.is_set():
            self.counter.look()
            if self._with_power:
                self.power.look()
            self._clock.sleep(PAUSE_SECONDS)


def between(changes: Sequence[Change], began: float, ended: float) -> list[Change]:
    """The changes within a stretch of time."""
    return [change for change in changes if began <= change.seconds <= ended]


def mean_watts(steps: Sequence[Change]) -> float | None:
    """Mean power from the first step of a counter to the last; None for fewer than two."""
    if len(steps) < 2 or steps[-1].seconds <= steps[0].seconds:
        return None
    return (steps[-1].value - steps[0].value) / (steps[-1].seconds - steps[0].seconds)


def mean_power(samples: Sequence[tuple[float, float]], began: float, ended: float) -> float | None:
    """The mean of a power reading over time, by trapezoids; None for fewer than two samples."""
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
    """Where two lines meet; None where one is missing or they are parallel."""
    if first is None or second is None or first[1] == second[1]:
        return None
    return (first[0] - second[0]) / (second[1] - first[1])
