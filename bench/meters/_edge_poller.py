"""Watching counters move: polls finely only around the expected step, several counters in one loop.

A reader is a function that returns the counter in joules (or any number that changes when the
sensor updates) and raises CannotRead with a clause that says why.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Callable, Sequence

from bench.meters._bracketing import CounterEdge, SensorModel, random_walk
from bench.system.clock import Clock

PAUSE_SECONDS = 0.0002  # between two looks while a step may come; a quarter where it is near
SHARP = 0.05  # an edge is sharp whose gap is at most this share of a step


class SensorReadError(Exception):
    """A reading failed; `reason` is a clause that says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class EdgePoller:
    """One counter under observation; `edges` are its steps since the last `clear`."""

    def __init__(
        self,
        read: Callable[[], float],
        clock: Clock,
        step_seconds: float,
        pause_seconds: float = PAUSE_SECONDS,
    ) -> None:
        self._read = read
        self._clock = clock
        self._pause_seconds = pause_seconds
        self.step_seconds = step_seconds
        self.jitter_seconds = step_seconds  # until it is known, look closely all the time
        self.edges: list[CounterEdge] = []
        self.failure: str | None = None
        self.went_backwards = False
        self.costs: list[float] = []
        self.due = -1e9
        self._old_from: float | None = None
        self._old = self._first = 0.0

    def clear(self) -> None:
        """Forget all; the next look starts afresh."""
        self.edges = []
        self.failure, self.went_backwards = None, False
        self.due, self._old_from = -1e9, None

    def look(self) -> None:
        """Read once; note an edge if the counter moved, and when to look next."""
        asked = self._clock.now()
        try:
            value = self._read()
        except SensorReadError as failure:
            self.failure = failure.reason
            return
        answered = self._clock.now()
        self.costs = [*self.costs[-99:], answered - asked]
        if self._old_from is not None and value != self._old:
            self._note(value, self._old_from, answered)
        else:
            self.due = answered + self._pause(answered)
        if self._old_from is None:
            self._first = value
        self._old_from, self._old = asked, value

    @property
    def resumed(self) -> float:
        """The counter at the first look since the last `clear`."""
        return self._first

    def newest(self) -> CounterEdge:
        """The last step seen; where the counter stood still, its last reading as it is."""
        if self.edges:
            return self.edges[-1]
        return CounterEdge(self._clock.now(), self.step_seconds, self._old)

    def _note(self, value: float, old_from: float, answered: float) -> None:
        self.went_backwards |= value < self._old
        gap = answered - old_from
        self.edges.append(CounterEdge((old_from + answered) / 2, gap, value))
        self.due = answered + max(self.step_seconds - self._margin() - gap, self._pause_seconds)

    def _margin(self) -> float:
        """How long before the expected step to begin looking closely."""
        cost = statistics.median(self.costs) if self.costs else 0.0
        return max(0.02 * self.step_seconds, 3 * self.jitter_seconds + 2 * cost + 0.0005)

    def _pause(self, now: float) -> float:
        late = bool(self.edges) and now > self.edges[-1].seconds + 1.5 * self.step_seconds
        return self._pause_seconds if late or not self.edges else self._pause_seconds / 4

    def sharp(self, since: float = -1e9) -> int:
        """How many edges after `since` were seen to a small share of a step."""
        cost = statistics.median(self.costs) if self.costs else 0.0
        widest = max(SHARP * self.step_seconds, 3 * cost)
        return sum(1 for e in self.edges if e.seconds >= since and e.gap_seconds <= widest)


def poll_until(
    clock: Clock,
    watches: Sequence[EdgePoller],
    enough: Callable[[EdgePoller], bool],
    patience: float,
) -> None:
    """Look at all counters until each has enough edges or failed, for `patience` seconds at most.

    Those that have enough are looked at further while others wait, so that none grows old.
    """
    until = clock.now() + patience
    while clock.now() < until:
        alive = [w for w in watches if w.failure is None and not w.went_backwards]
        if all(enough(w) for w in alive):
            return
        clock.sleep(min(w.due for w in alive) - clock.now())
        now = clock.now()
        for watch in alive:
            if watch.due <= now:
                watch.look()


def sensor_model(
    watch: EdgePoller, duty: float = 1.0, settle_seconds: float = 0.0
) -> SensorModel | None:
    """What the edges seen so far say of a counter at rest; None where there are fewer than four."""
    edges = watch.edges
    if len(edges) < 4:
        return None
    steps = [new.seconds - old.seconds for old, new in itertools.pairwise(edges)]
    step = statistics.median(steps)
    rises = [round(new.joules - old.joules, 6) for old, new in itertools.pairwise(edges)]
    return SensorModel(
        step_seconds=step,
        jitter_seconds=statistics.median(abs(s - step) for s in steps) * 1.4826,
        quantum_joules=_common_divisor(rises),
        read_cost_seconds=statistics.median(watch.costs),
        wander=random_walk(edges),
        duty=duty,
        settle_seconds=settle_seconds,
    )


def _common_divisor(rises: Sequence[float]) -> float:
    """The largest whole number of millijoules that divides all rises, in joules.

    Where all rises are alike nothing can be told of it: then 0.
    """
    whole = [round(1000 * abs(rise)) for rise in rises]
    return math.gcd(*whole) / 1000 if len(set(whole)) > 1 else 0.0
