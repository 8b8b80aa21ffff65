"""Polls counters and notes their steps: closely around the expected step only, all in one loop.

A reader is a function that returns the counter in joules (or any number that changes when the
sensor updates) and raises SensorReadError with a clause that gives the reason.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Callable, Sequence

from bench.meters._bracketing import CounterEdge, SensorModel, random_walk
from bench.system.clock import Clock
from bench.system.sensor_error import SensorReadError

# Between two reads while a step may come, a quarter of it where a step is near: the gap of an edge
# is then 0.05 to 0.2 ms, the punctuality that bracketing assumes at best (MIN_EDGE_SECONDS).
PAUSE_SECONDS = 0.0002
SHARP_SHARE = 0.05  # the gap of a sharp edge is at most this share of a step


class TimedReader:
    """A sensor that is read many times; `failure` is the reason of a failed read."""

    def __init__(self, read: Callable[[], float], clock: Clock) -> None:
        self._read, self._clock = read, clock
        self.read_costs: list[float] = []
        self.failure: str | None = None

    @property
    def read_cost(self) -> float:
        """The median time of a read in seconds; 0 before the first."""
        return statistics.median(self.read_costs) if self.read_costs else 0.0

    def read_timed(self) -> tuple[float, float, float] | None:
        """Read once: when the read began and ended (s), and the value; None where it failed."""
        began = self._clock.now()
        try:
            value = self._read()
        except SensorReadError as failure:
            self.failure = failure.reason
            return None
        ended = self._clock.now()
        self.read_costs = [*self.read_costs[-99:], ended - began]
        return began, ended, value


class EdgePoller(TimedReader):
    """One counter that is polled; `edges` are its steps since the last `clear`.

    A failed read, or a counter that `went_backwards`, ends the polling. `next_poll` is when to read
    next, in seconds on the clock.
    """

    def __init__(
        self,
        read: Callable[[], float],
        clock: Clock,
        step_seconds: float,
        pause_seconds: float = PAUSE_SECONDS,
    ) -> None:
        super().__init__(read, clock)
        self._pause_seconds = pause_seconds
        self.step_seconds = step_seconds
        self.jitter_seconds = step_seconds  # until it is known, poll closely all the time
        self.clear()

    def clear(self) -> None:
        """Drop all edges; the next read is the first one."""
        self.edges: list[CounterEdge] = []
        self.failure = None
        self.went_backwards = False
        self.next_poll = -1e9
        self.first_value = 0.0
        self._previous: tuple[float, float] | None = None  # read at, value

    def poll(self) -> None:
        """Read once; record an edge if the counter moved, and when to read next."""
        reading = self.read_timed()
        if reading is None:
            return
        read_at, now, value = reading
        if self._previous is None:
            self.first_value = value
        if self._previous is not None and value != self._previous[1]:
            self._record_edge(value, self._previous, now)
        else:
            near = self.edges and now <= self.edges[-1].seconds + 1.5 * self.step_seconds
            self.next_poll = now + self._pause_seconds / (4 if near else 1)
        self._previous = read_at, value

    def latest(self) -> CounterEdge:
        """The last edge; of a counter that did not move, its last value now, known to a step."""
        if self.edges:
            return self.edges[-1]
        value = self._previous[1] if self._previous else 0.0
        return CounterEdge(self._clock.now(), self.step_seconds, value)

    def sharp_edge_count(self, since: float = -1e9) -> int:
        """How many edges from `since` (s) on have a gap of a small share of a step."""
        widest = max(SHARP_SHARE * self.step_seconds, 3 * self.read_cost)
        return sum(1 for e in self.edges if e.seconds >= since and e.gap_seconds <= widest)

    def steps(self) -> list[float]:
        """The seconds from edge to edge."""
        return [new.seconds - old.seconds for old, new in itertools.pairwise(self.edges)]

    def rises(self) -> list[float]:
        """The joules from edge to edge."""
        return [new.joules - old.joules for old, new in itertools.pairwise(self.edges)]

    def _record_edge(self, value: float, previous: tuple[float, float], now: float) -> None:
        previous_at, previous_value = previous
        self.went_backwards |= value < previous_value
        gap = now - previous_at
        self.edges.append(CounterEdge((previous_at + now) / 2, gap, value))
        pause = self.step_seconds - self._margin() - gap
        self.next_poll = now + max(pause, self._pause_seconds)

    def _margin(self) -> float:
        """How many seconds before the expected step to begin polling closely."""
        margin = 3 * self.jitter_seconds + 2 * self.read_cost + 0.0005
        return max(0.02 * self.step_seconds, margin)


def poll_until(
    clock: Clock,
    pollers: Sequence[EdgePoller],
    is_enough: Callable[[EdgePoller], bool],
    timeout_seconds: float,
) -> None:
    """Poll all counters until each has enough edges or failed, or until the timeout.

    Counters that have enough are polled on while others wait, so that their edges stay recent.
    """
    until = clock.now() + timeout_seconds
    while clock.now() < until:
        active = [p for p in pollers if p.failure is None and not p.went_backwards]
        if all(is_enough(poller) for poller in active):
            return
        clock.sleep(min(poller.next_poll for poller in active) - clock.now())
        now = clock.now()
        for poller in active:
            if poller.next_poll <= now:
                poller.poll()


def next_steps(
    clock: Clock, pollers: Sequence[EdgePoller], timeout_seconds: float
) -> list[CounterEdge | str]:
    """The next step of every counter, or why it cannot be read; of a still one its value now."""
    poll_until(clock, pollers, lambda poller: bool(poller.edges), timeout_seconds)
    return [poller.failure or poller.latest() for poller in pollers]


def sensor_model(poller: EdgePoller, duty: float = 1.0) -> SensorModel | None:
    """The model of a counter at rest from its edges; None where there are fewer than four."""
    if len(poller.edges) < 4:
        return None
    steps, step = poller.steps(), statistics.median(poller.steps())
    # The quantum: the largest multiple of 1 mJ that divides all rises; 0 where all are equal.
    millijoules = [round(1000 * abs(round(rise, 6))) for rise in poller.rises()]
    varied = len(set(millijoules)) > 1
    return SensorModel(
        step_seconds=step,
        jitter_seconds=statistics.median(abs(s - step) for s in steps) * 1.4826,
        quantum_joules=math.gcd(*millijoules) / 1000 if varied else 0.0,
        read_cost_seconds=poller.read_cost,
        random_walk=random_walk(poller.edges),
        duty=duty,
    )
