"""The bracket: energy of a window from a slow counter's steps just before it and just after it.

A counter moves in steps, and what it shows is late by a constant lag. The steps seen while the
device rests, before and after the window, give a level and a slope at each edge of the window:
E = level_after(ended + lag) - level_before(began + lag). Each level is a generalised least-squares
line through the steps, anchored at the edge, whose errors are: when exactly the counter moved
(the gap between the last old and the first new reading), its quantum, a wandering power, and a
slope that changes (it still falls after load). Nothing here knows a device or a driver.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

# How fast power may change while the device rests, as a share of it: per second, per second².
SLOPE_DRIFT = 1.0
SLOPE_BEND = 1.0
PUNCTUAL_SECONDS = 0.0002  # no driver is taken to publish more punctually than within this
RESTLESS = 0.2  # how much a load is taken to change within a step, as a share of it
DETECTABLE = 4.0  # standard deviations at which a late step is told from noise


@dataclass(frozen=True)
class Edge:
    """One observed step: the middle of its gap, the gap's length, and the counter after it."""

    seconds: float
    gap_seconds: float
    joules: float


@dataclass(frozen=True)
class Lag:
    """How late the counter is, in seconds: between `low` and `high`.

    What is believed in between falls off from `low` with the length `scale`: drivers publish
    soon after they measure, until windows show otherwise. It is evenly spread once the two are
    near, or where the scale is 0.
    """

    low: float = 0.0
    high: float = 0.0
    scale: float = 0.0

    @property
    def _settled(self) -> bool:
        return self.high - self.low <= 3 * self.scale or self.scale == 0

    @property
    def middle(self) -> float:
        """What is believed, in seconds."""
        return (self.low + self.high) / 2 if self._settled else self.low + self.scale

    @property
    def standard_uncertainty(self) -> float:
        """In seconds; wide enough that twice as much reaches both ends, once they are near."""
        return (self.high - self.low) / 3 if self._settled else self.scale

    def suspects(self, seconds: float) -> bool:
        """Whether a step this long after the end may still lack a little that nobody sees."""
        return seconds < (self.high if self._settled else self.low + 4 * self.scale)

    def clean_from(self, seconds: float, blur: float) -> Lag:
        """It was seen that a step this long after the end holds everything."""
        high = max(min(self.high, seconds + blur), 0.0)
        return Lag(min(self.low, high), high, self.scale)

    def leaked(self, seconds: float, late: float, blur: float) -> Lag:
        """A step `seconds` after the end still lacked energy, about `late` seconds of it."""
        high = min(self.high, seconds + 2 * late + blur)
        low = max(self.low, seconds)
        return Lag(low, max(low, high))


@dataclass(frozen=True)
class Traits:
    """What is known of a sensor. `wander` is the random walk of its energy at rest, in J/√s.

    `duty` is the share of time at which the sensor looks; `settle_seconds` is how long a step
    needs after a change of power to hold nothing of what was before (for an averaged reading).
    """

    step_seconds: float
    jitter_seconds: float = 0.0
    quantum_joules: float = 0.0
    read_cost_seconds: float = 0.0
    wander: float = 0.0
    duty: float = 1.0
    settle_seconds: float = 0.0
    lag: Lag = field(default_factory=Lag)


@dataclass(frozen=True)
class Level:
    """The counter (J) and its slope (W) at one moment, with the level's uncertainty (J).

    `misfit` is the weighted sum of squared residuals, over `freedom` degrees of freedom.
    """

    joules: float
    watts: float
    uncertainty: float
    misfit: float
    freedom: int


@dataclass(frozen=True)
class Bill:
    """The energy of one window in joules, its standard uncertainty, what was learnt of the lag."""

    joules: float
    uncertainty: float
    lag: Lag
    edge_watts: tuple[float, float]


def slope(edges: Sequence[Edge]) -> float:
    """Mean power in watts from the first edge to the last; 0 where there are fewer than two."""
    if len(edges) < 2 or edges[-1].seconds <= edges[0].seconds:
        return 0.0
    return (edges[-1].joules - edges[0].joules) / (edges[-1].seconds - edges[0].seconds)


def sharpest(edges: Sequence[Edge]) -> list[Edge]:
    """The edges without those that were seen late: with over thrice the usual gap."""
    if not edges:
        return []
    widest = 3 * statistics.median(edge.gap_seconds for edge in edges)
    return [edge for edge in edges if edge.gap_seconds <= widest]


def level_at(moment: float, edges: Sequence[Edge], traits: Traits) -> Level:
    """The counter's level and slope at `moment`, from at least two edges on one side of it.

    Raises ValueError where there are fewer than two edges.
    """
    import numpy as np

    if len(edges) < 2:
        raise ValueError("a level needs two edges")
    x = np.array([edge.seconds - moment for edge in edges])
    base = edges[0].joules
    y = np.array([edge.joules - base for edge in edges])
    watts = max(slope(edges), 1e-9)
    gaps = np.array([math.hypot(edge.gap_seconds, PUNCTUAL_SECONDS) for edge in edges])
    timing = (watts * gaps) ** 2 / 12
    same_side = np.sign(x[:, None]) == np.sign(x[None, :])
    near = np.minimum(np.abs(x[:, None]), np.abs(x[None, :])) * same_side
    spread = np.diag(timing + traits.quantum_joules**2 / 12 + 1e-12)
    spread += traits.wander**2 * near
    spread += (SLOPE_DRIFT * watts) ** 2 * np.outer(x**2, x**2) / 4
    spread += (SLOPE_BEND * watts) ** 2 * np.outer(x**3, x**3) / 36
    design = np.stack([np.ones_like(x), x], axis=1)
    weights = np.linalg.inv(spread)
    covariance = np.linalg.inv(design.T @ weights @ design)
    solution = covariance @ design.T @ weights @ y
    rest = y - design @ solution
    return Level(
        joules=base + float(solution[0]),
        watts=float(solution[1]),
        uncertainty=math.sqrt(max(float(covariance[0, 0]), 0.0)),
        misfit=float(rest @ weights @ rest),
        freedom=len(edges) - 2,
    )


def bill(
    before: Sequence[Edge], after: Sequence[Edge], began: float, ended: float, traits: Traits
) -> Bill:
    """The energy between `began` and `ended` (seconds), from steps before and after.

    Raises ValueError where a side has fewer than two usable steps.
    """
    before = [edge for edge in before if edge.seconds - edge.gap_seconds / 2 <= began]
    after = [edge for edge in after if edge.seconds >= ended + traits.settle_seconds]
    if len(before) < 2:
        raise ValueError("a bill needs two edges before the window")
    after, lag = _without_late(before, after, ended, traits)
    first = level_at(began + lag.middle, before, traits)
    last = level_at(ended + lag.middle, after, traits)
    energy = last.joules - first.joules
    freedom = first.freedom + last.freedom
    worse = max(1.0, (first.misfit + last.misfit) / freedom) if freedom else 1.0
    variance = worse * (first.uncertainty**2 + last.uncertainty**2)
    variance += (lag.standard_uncertainty * (last.watts - first.watts)) ** 2
    mean = energy / max(ended - began, 1e-9)
    variance += _blind(mean - first.watts, traits) ** 2 + _blind(mean - last.watts, traits) ** 2
    steps = max(ended - began, 0.0) / traits.step_seconds
    variance += steps * (RESTLESS * _blind(mean - first.watts, traits)) ** 2
    return Bill(energy, math.sqrt(variance), lag, (first.watts, last.watts))


def _blind(watts: float, traits: Traits) -> float:
    """What a sensor that looks for a part of each step may miss where power jumps, in joules."""
    return 0.5 * (1 - traits.duty) * abs(watts) * traits.step_seconds


def _without_late(
    before: Sequence[Edge], after: Sequence[Edge], ended: float, traits: Traits
) -> tuple[list[Edge], Lag]:
    """The steps after the end that hold the whole window, and what this window says of the lag.

    A step that came before the lag was over lacks energy: it lies under the line through the later
    ones by (load - rest) x what remained of the lag.
    """
    lag = traits.lag
    sure = [edge for edge in after if edge.seconds >= ended + lag.high]
    for edge in reversed([edge for edge in after if edge.seconds < ended + lag.high]):
        since = edge.seconds - ended
        if len(sure) < 2 or since < lag.low:
            break
        level = level_at(edge.seconds, sure, traits)
        blur = DETECTABLE * math.hypot(level.uncertainty, level.watts * edge.gap_seconds / 12**0.5)
        missing = level.joules - edge.joules
        start = before[-1]
        excess = level.joules - start.joules - level.watts * (edge.seconds - start.seconds)
        jump = excess / (ended - start.seconds)
        if jump * traits.step_seconds < 2 * blur:
            sure.insert(0, edge)  # a load this small leaves no trace of the lag
            continue
        if missing > blur:
            return sure, lag.leaked(since, missing / jump, blur / jump)
        lag = lag.clean_from(since, blur / jump)
        if not lag.suspects(since):
            sure.insert(0, edge)
    return sure, lag


def wander_of(edges: Sequence[Edge]) -> float:
    """The random walk of the energy at rest, in J/√s, beyond what the gaps explain.

    Taken from the median rise between sharp edges, so that a few late looks don't count.
    """
    if len(edges) < 5:
        return 0.0
    sharp = set(sharpest(edges))
    pairs = [(a, b) for a, b in itertools.pairwise(edges) if a in sharp and b in sharp]
    if len(pairs) < 4:
        return 0.0
    powers = [(b.joules - a.joules) / (b.seconds - a.seconds) for a, b in pairs]
    watts = statistics.median(powers)
    excess = []
    for (a, b), power in zip(pairs, powers, strict=True):
        seconds = b.seconds - a.seconds
        timing = watts**2 * (a.gap_seconds**2 + b.gap_seconds**2) / 12
        excess.append((power - watts) ** 2 * seconds - timing / seconds)
    return math.sqrt(max(statistics.median(excess) / 0.455, 0.0))


def learned(traits: Traits, result: Bill) -> Traits:
    """The traits with what a window taught of the lag."""
    return replace(traits, lag=result.lag)
