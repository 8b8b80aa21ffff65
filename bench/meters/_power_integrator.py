"""Where there is no energy counter: power readings summed into one, at the rate of the sensor."""

from __future__ import annotations

import itertools
import math
import statistics
import threading
from collections.abc import Callable

from bench.meters._bracketing import CounterEdge, SensorModel, random_walk
from bench.meters._edge_poller import SensorReadError
from bench.system.clock import Clock

LOOKS_PER_STEP = 10
USUAL_STEP_SECONDS = 0.1


class PowerIntegrator:
    """Sums a power reading (W) into a counter (J) whose steps are the sensor's own updates.

    A reading stands for the step that it ends. A value that stays the same for longer than one
    and a half steps, also one that never changes, is taken as the same value, updated.
    """

    def __init__(self, read: Callable[[], float], clock: Clock) -> None:
        self._read = read
        self._clock = clock
        self.step_seconds = USUAL_STEP_SECONDS
        self._step_known = False
        self.costs: list[float] = []
        self._halt = threading.Event()
        self._thread: threading.Thread | None = None
        self.forget()

    def forget(self) -> None:
        """Begin a new sum at zero."""
        self._changes: list[tuple[float, float, float]] = []  # seconds, gap, watts from then on
        self.failure: str | None = None
        self._old: float | None = None
        self._old_from = self._first_from = self._seen_until = 0.0
        self._first = 0.0

    def look(self) -> None:
        """Read once, and note whether the sensor updated."""
        asked = self._clock.now()
        try:
            value = self._read()
        except SensorReadError as failure:
            self.failure = failure.reason
            return
        answered = self._clock.now()
        self.costs = [*self.costs[-99:], answered - asked]
        if self._old is None:
            self._first, self._first_from = value, asked
        elif value != self._old:
            gap = answered - self._old_from
            self._changes.append(((self._old_from + answered) / 2, gap, value))
        self._old_from, self._old, self._seen_until = asked, value, answered

    @property
    def edges(self) -> list[CounterEdge]:
        """The steps of the sum so far."""
        return self.steps()[0]

    def steps(self) -> tuple[list[CounterEdge], list[float]]:
        """The steps of the sum so far, and the power in watts that each of them ends.

        Where the value stood still the steps are put at the sensor's pace, known to half a step.
        """
        edges: list[CounterEdge] = []
        watts: list[float] = []

        def add(seconds: float, gap: float, value: float) -> None:
            joules = 0.0
            if edges:
                last = edges[-1]
                new = min(seconds - last.seconds, self.step_seconds)
                rest = seconds - last.seconds - new
                joules = last.joules + value * new + watts[-1] * rest
            edges.append(CounterEdge(seconds, gap, joules))
            watts.append(value)

        changes = list(self._changes)
        step, value = self.step_seconds, self._first
        until = changes[0][0] if changes else self._seen_until
        start = until - step * math.floor((until - self._first_from) / step)
        at = start if changes else self._first_from + step
        for seconds, gap, new in [*changes, (self._seen_until, math.inf, 0.0)]:
            while at < seconds - step / 2:
                add(at, step / 2, value)
                at += step
            if gap < math.inf:
                add(seconds, gap, new)
                at, value = seconds + step, new
        return edges, watts

    def characterise(self, seconds: float) -> None:
        """Look for so long, and learn how often the sensor updates."""
        until = self._clock.now() + seconds
        while self._clock.now() < until and self.failure is None:
            self.look()
            self._clock.sleep(self.step_seconds / (3 * LOOKS_PER_STEP))
        self.learn()

    def learn(self) -> None:
        """How often the sensor updates, from its changes; where it stood still, by custom."""
        sharp = [seconds for seconds, gap, _ in self._changes if gap < self.step_seconds / 4]
        if not self._step_known and len(sharp) >= 4:
            steps = (new - old for old, new in itertools.pairwise(sharp))
            self.step_seconds, self._step_known = statistics.median(steps), True

    def traits(self) -> SensorModel:
        """What the readings at rest say of the sensor."""
        return SensorModel(
            step_seconds=self.step_seconds,
            read_cost_seconds=statistics.median(self.costs) if self.costs else 0.0,
            wander=random_walk(self.edges[-20:]),
        )

    def begin(self) -> None:
        """Sample in the background until `end`; a window that was never closed ends here."""
        self.end()
        self.forget()
        self._halt.clear()
        self._thread = threading.Thread(target=self._run, name="joulebench-sampler", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._halt.is_set() and self.failure is None:
            self.look()
            self._clock.sleep(self.step_seconds / LOOKS_PER_STEP)

    def end(self) -> None:
        """Stop sampling."""
        self._halt.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
            self.learn()

    def wait(self, count: int, since: float, patience: float) -> bool:
        """Wait for `count` steps after the time `since`; False where they did not come."""
        until = self._clock.now() + patience
        while self.failure is None and self._clock.now() < until:
            if sum(1 for edge in reversed(self.edges) if edge.seconds >= since) >= count:
                return True
            self._clock.sleep(self.step_seconds / 2)
        return False

    def blur(self, began: float, ended: float, duty: float) -> float:
        """What sampling may have missed in a window, in joules: a jump of power between two steps
        is seen at a time known to its gap, by a sensor that looks for `duty` of each step."""
        blind = 0.6 * (1 - duty) * self.step_seconds
        total = 0.0
        edges, watts = self.steps()
        for edge, old, new in zip(edges[1:], watts, watts[1:], strict=False):
            if began <= edge.seconds <= ended + 2 * self.step_seconds:
                total += (new - old) ** 2 * (edge.gap_seconds**2 / 12 + blind**2)
        return math.sqrt(total)
