"""Integrates a power reading into an energy counter, at the rate at which the sensor updates."""

from __future__ import annotations

import itertools
import math
import statistics
import threading
from collections.abc import Callable

from bench.meters._bracketing import CounterEdge, SensorModel, random_walk
from bench.meters._edge_poller import TimedReader
from bench.meters._latency import LatencyPosterior
from bench.system.clock import Clock

# An update is then known to a tenth of a step (docs/measurement.md, Costs, has the CPU time).
SAMPLES_PER_STEP = 10
USUAL_STEP_SECONDS = 0.1  # A100, H100: docs/measurement.md
# The longest time over which a driver averages power (nvml.h, PowerUsage; assumed for AMD).
AVERAGE_SECONDS = 1.0
EDGES_IN_FIT = 5  # the last edges before a window that its line goes through
# A jump at a uniformly random time in the unobserved part of a step is wrong by 1/√3 = 0.58 of that
# part (root mean square), rounded up.
UNOBSERVED_SHARE = 0.6


class PowerIntegrator(TimedReader):
    """Sums a power reading (W) into a counter (J) whose edges are the sensor's own updates.

    A reading stands for the step that it ends. A value that stays the same for longer than one
    and a half steps, also one that never changes, counts as updated with the same value.
    """

    def __init__(self, read: Callable[[], float], clock: Clock) -> None:
        super().__init__(read, clock)
        self.step_seconds = USUAL_STEP_SECONDS
        self._step_known = False
        self._halt = threading.Event()
        self._thread: threading.Thread | None = None
        self.reset()

    def reset(self) -> None:
        """Begin a new sum at zero."""
        self._updates: list[tuple[float, float, float]] = []  # seconds, gap, watts from then on
        self.failure = None
        self._previous: tuple[float, float] | None = None  # read at, watts
        self._first = (0.0, 0.0)
        self._last_sample = 0.0

    def sample(self) -> None:
        """Read once, and record whether the sensor updated."""
        reading = self.read_timed()
        if reading is None:
            return
        read_at, now, watts = reading
        if self._previous is None:
            self._first = read_at, watts
        elif watts != self._previous[1]:
            gap = now - self._previous[0]
            self._updates.append(((self._previous[0] + now) / 2, gap, watts))
        self._previous, self._last_sample = (read_at, watts), now

    @property
    def edges(self) -> list[CounterEdge]:
        """The edges of the sum so far."""
        return self.edges_and_watts()[0]

    def edges_and_watts(self) -> tuple[list[CounterEdge], list[float]]:
        """The edges of the sum so far, and the power in watts that each of them ends.

        Where the value did not change, edges are put at the sensor's pace, known to half a step.
        """
        edges: list[CounterEdge] = []
        powers: list[float] = []

        def add(seconds: float, gap: float, watts: float) -> None:
            joules = 0.0
            if edges:
                last = edges[-1]
                new = min(seconds - last.seconds, self.step_seconds)
                rest = seconds - last.seconds - new
                joules = last.joules + watts * new + powers[-1] * rest
            edges.append(CounterEdge(seconds, gap, joules))
            powers.append(watts)

        updates = list(self._updates)
        step = self.step_seconds
        first_at, value = self._first
        until = updates[0][0] if updates else self._last_sample
        start = until - step * math.floor((until - first_at) / step)
        at = start if updates else first_at + step
        for seconds, gap, watts in [*updates, (self._last_sample, math.inf, 0.0)]:
            while at < seconds - step / 2:
                add(at, step / 2, value)
                at += step
            if gap < math.inf:
                add(seconds, gap, watts)
                at, value = seconds + step, watts
        return edges, powers

    def characterise(self, seconds: float) -> None:
        """Sample for so long, and learn how often the sensor updates."""
        until = self._clock.now() + seconds
        while self._clock.now() < until and self.failure is None:
            self.sample()
            self._clock.sleep(self.step_seconds / (3 * SAMPLES_PER_STEP))
        self.learn_step()

    def learn_step(self) -> None:
        """Learn the step from the updates, once; without enough of them the usual one is kept."""
        sharp = [seconds for seconds, gap, _ in self._updates if gap < self.step_seconds / 4]
        if not self._step_known and len(sharp) >= 4:
            steps = (new - old for old, new in itertools.pairwise(sharp))
            self.step_seconds, self._step_known = statistics.median(steps), True

    def sensor_model(self, averaged: bool = False, duty: float = 1.0) -> SensorModel:
        """The model of the sensor, from readings at rest; `averaged`: of a driver's average."""
        if averaged:
            latency = LatencyPosterior.uniform(0.0, AVERAGE_SECONDS / 2)
        else:
            latency = LatencyPosterior.prior(self.step_seconds)
        return SensorModel(
            step_seconds=self.step_seconds,
            read_cost_seconds=self.read_cost,
            random_walk=random_walk(self.edges[-20:]),
            duty=duty,
            settle_seconds=AVERAGE_SECONDS if averaged else 0.0,
            latency=latency,
        )

    def edges_outside(
        self, began: float, ended: float, settle_seconds: float
    ) -> tuple[list[CounterEdge], list[CounterEdge]]:
        """The last edges before a window, and all that come `settle_seconds` or more after it."""
        edges = self.edges
        before = [edge for edge in edges if edge.seconds + edge.gap_seconds / 2 <= began]
        after = [edge for edge in edges if edge.seconds > ended + settle_seconds]
        return before[-EDGES_IN_FIT:], after

    def start(self) -> None:
        """Begin a new sum, and sample in a thread until `stop`."""
        self.stop()
        self.reset()
        self._halt.clear()
        self._thread = threading.Thread(target=self._run, name="joulebench-sampler", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._halt.is_set() and self.failure is None:
            self.sample()
            self._clock.sleep(self.step_seconds / SAMPLES_PER_STEP)

    def stop(self) -> None:
        """Stop sampling."""
        self._halt.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
            self.learn_step()

    def wait_for_edges(self, count: int, since: float, timeout_seconds: float) -> bool:
        """Wait for `count` edges from the time `since` on; False if they did not come."""
        until = self._clock.now() + timeout_seconds
        while self.failure is None and self._clock.now() < until:
            if sum(1 for edge in reversed(self.edges) if edge.seconds >= since) >= count:
                return True
            self._clock.sleep(self.step_seconds / 2)
        return False

    def sampling_uncertainty(self, began: float, ended: float, duty: float) -> float:
        """Standard uncertainty (J) of a window from the jumps of power between two samples.

        The time of a jump is known to its gap, and a sensor that samples for the share `duty` of
        each step misses jumps in the rest of it.
        """
        unobserved = UNOBSERVED_SHARE * (1 - duty) * self.step_seconds
        total = 0.0
        edges, watts = self.edges_and_watts()
        for edge, old, new in zip(edges[1:], watts, watts[1:], strict=False):
            if began <= edge.seconds <= ended + 2 * self.step_seconds:
                total += (new - old) ** 2 * (edge.gap_seconds**2 / 12 + unobserved**2)
        return math.sqrt(total)
