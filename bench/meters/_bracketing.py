"""Energy of a window from the steps of a slow counter."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from bench.meters._latency import LatencyPosterior

# How power may change while the device rests, as a share of it: its first derivative per second,
# its second per second², and so on. A fifth of it falling off within half a second lies inside.
RESTLESSNESS = (1.0, 1.0, 2.0, 4.0)
PUNCTUAL_SECONDS = 0.0002  # no driver is taken to publish more punctually than within this
RESTLESS = 0.2  # how much a load is taken to change within a step, as a share of it
DETECTABLE = 4.0  # standard deviations at which a late step is told from noise


@dataclass(frozen=True)
class CounterEdge:
    """One observed step: the middle of its gap, the gap's length, and the counter after it."""

    seconds: float
    gap_seconds: float
    joules: float


@dataclass(frozen=True)
class SensorModel:
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
    lag: LatencyPosterior = field(default_factory=lambda: LatencyPosterior.between(0.0, 0.0))


@dataclass(frozen=True)
class CounterFit:
    """The counter (J) and its slope (W) at one moment, with the level's uncertainty (J).

    `misfit` is the weighted sum of squared residuals, over `freedom` degrees of freedom.
    """

    joules: float
    watts: float
    uncertainty: float
    misfit: float
    freedom: int


@dataclass(frozen=True)
class WindowEnergy:
    """The energy of one window in joules, its standard uncertainty, what was learnt of the lag."""

    joules: float
    uncertainty: float
    lag: LatencyPosterior
    edge_watts: tuple[float, float]


def mean_power(edges: Sequence[CounterEdge]) -> float:
    """Mean power in watts from the first edge to the last; 0 where there are fewer than two."""
    if len(edges) < 2 or edges[-1].seconds <= edges[0].seconds:
        return 0.0
    return (edges[-1].joules - edges[0].joules) / (edges[-1].seconds - edges[0].seconds)


def sharpest(edges: Sequence[CounterEdge]) -> list[CounterEdge]:
    """The edges without those that were seen late: with over thrice the usual gap."""
    if not edges:
        return []
    widest = 3 * statistics.median(edge.gap_seconds for edge in edges)
    return [edge for edge in edges if edge.gap_seconds <= widest]


def fit_at(moment: float, edges: Sequence[CounterEdge], traits: SensorModel) -> CounterFit:
    """The counter's level and slope at `moment`, from at least two edges on one side of it.

    Raises ValueError where there are fewer than two edges.
    """
    import numpy as np

    if len(edges) < 2:
        raise ValueError("a level needs two edges")
    x = np.array([edge.seconds - moment for edge in edges])
    base = edges[0].joules
    y = np.array([edge.joules - base for edge in edges])
    watts = max(mean_power(edges), 1e-9)
    gaps = np.array([math.hypot(edge.gap_seconds, PUNCTUAL_SECONDS) for edge in edges])
    timing = (watts * gaps) ** 2 / 12
    same_side = np.sign(x[:, None]) == np.sign(x[None, :])
    near = np.minimum(np.abs(x[:, None]), np.abs(x[None, :])) * same_side
    spread = np.diag(timing + traits.quantum_joules**2 / 12 + 1e-12)
    spread += traits.wander**2 * near
    for power, share in enumerate(RESTLESSNESS, start=2):
        bent = share * watts * x**power / math.factorial(power)
        spread += np.outer(bent, bent)
    design = np.stack([np.ones_like(x), x], axis=1)
    weights = np.linalg.inv(spread)
    covariance = np.linalg.inv(design.T @ weights @ design)
    solution = covariance @ design.T @ weights @ y
    rest = y - design @ solution
    return CounterFit(
        joules=base + float(solution[0]),
        watts=float(solution[1]),
        uncertainty=math.sqrt(max(float(covariance[0, 0]), 0.0)),
        misfit=float(rest @ weights @ rest),
        freedom=len(edges) - 2,
    )


def window_energy(
    before: Sequence[CounterEdge],
    after: Sequence[CounterEdge],
    began: float,
    ended: float,
    traits: SensorModel,
) -> WindowEnergy:
    """The energy between `began` and `ended` (seconds), from steps before and after.

    Raises ValueError where a side has fewer than two usable steps.
    """
    before = [edge for edge in before if edge.seconds - edge.gap_seconds / 2 <= began]
    after = [edge for edge in after if edge.seconds >= ended + traits.settle_seconds]
    if len(before) < 2:
        raise ValueError("a bill needs two edges before the window")
    after, lag = _without_late(before, after, began, ended, traits)
    first = fit_at(began + lag.likely, before, traits)
    last = fit_at(ended + lag.likely, after, traits)
    energy = last.joules - first.joules
    freedom = first.freedom + last.freedom
    worse = max(1.0, (first.misfit + last.misfit) / freedom) if freedom else 1.0
    variance = worse * (first.uncertainty**2 + last.uncertainty**2)
    variance += (lag.warning * (last.watts - first.watts)) ** 2
    mean = energy / max(ended - began, 1e-9)
    variance += _blind(mean - first.watts, traits) ** 2 + _blind(mean - last.watts, traits) ** 2
    steps = max(ended - began, 0.0) / traits.step_seconds
    variance += steps * (RESTLESS * _blind(mean - first.watts, traits)) ** 2
    return WindowEnergy(energy, math.sqrt(variance), lag, (first.watts, last.watts))


def window_energy_under_load(
    around_began: Sequence[CounterEdge],
    around_ended: Sequence[CounterEdge],
    began: float,
    ended: float,
    traits: SensorModel,
) -> WindowEnergy:
    """The energy of a window that is cut out of a load that goes on before it and after it.

    There is no rest to draw a line through, so power in the padding is taken to vary as it does
    from step to step around the window. Nothing is learnt of the lag: it counts in full, as far as
    it is not known. Raises ValueError where a side has fewer than three steps.
    """
    walk = walk_under_load([around_began, around_ended], traits)
    loaded = replace(traits, wander=math.hypot(traits.wander, walk))
    lag = traits.lag
    first = fit_at(began + lag.likely, around_began, loaded)
    last = fit_at(ended + lag.likely, around_ended, loaded)
    energy = last.joules - first.joules
    late = max(lag.warning, (lag.high - lag.likely) / 3)
    variance = first.uncertainty**2 + last.uncertainty**2
    variance += (late * (last.watts - first.watts)) ** 2 + 2 * late * walk**2
    steps = max(ended - began, 0.0) / traits.step_seconds
    restless = RESTLESS * _blind(energy / max(ended - began, 1e-9), traits)
    variance += (steps + 2) * restless**2
    return WindowEnergy(energy, math.sqrt(variance), lag, (first.watts, last.watts))


def walk_under_load(groups: Sequence[Sequence[CounterEdge]], traits: SensorModel) -> float:
    """The random walk of the energy of a load, in J/√s, from its mean power step by step.

    Widened as Student's t is, for the few steps that it is taken from. Raises ValueError where a
    group has fewer than three edges.
    """
    total, freedom = 0.0, 0
    for group in groups:
        if len(group) < 3:
            raise ValueError("a load needs three edges on each side")
        pairs = [(old, new) for old, new in itertools.pairwise(group) if new.seconds > old.seconds]
        mean = mean_power(group)
        for old, new in pairs:
            seconds = new.seconds - old.seconds
            total += ((new.joules - old.joules) / seconds - mean) ** 2 * seconds
        freedom += len(pairs) - 1
    smoothed = max(1.0, traits.settle_seconds / traits.step_seconds)
    widened = freedom / (freedom - 2) if freedom > 2 else 3.0
    return math.sqrt(smoothed * widened * total / max(freedom, 1))


def _blind(watts: float, traits: SensorModel) -> float:
    """What a sensor that looks for a part of each step may miss where power jumps, in joules."""
    return 0.5 * (1 - traits.duty) * abs(watts) * traits.step_seconds


def _without_late(
    before: Sequence[CounterEdge],
    after: Sequence[CounterEdge],
    began: float,
    ended: float,
    traits: SensorModel,
) -> tuple[list[CounterEdge], LatencyPosterior]:
    """The steps after the end that hold the whole window, and what this window says of the lag.

    A step that came before the lag was over lacks energy: it lies under the line through the later
    ones by (load - rest) x what remained of the lag.
    """
    lag = traits.lag
    sure = [edge for edge in after if edge.seconds >= ended + lag.high]
    for edge in reversed([edge for edge in after if edge.seconds < ended + lag.high]):
        since = edge.seconds - ended
        if len(sure) < 2:
            break
        level = fit_at(edge.seconds, sure, traits)
        blur = math.hypot(level.uncertainty, level.watts * edge.gap_seconds / 12**0.5)
        start = before[-1]
        excess = level.joules - start.joules - level.watts * (edge.seconds - start.seconds)
        load = excess / (ended - began)
        if load * traits.step_seconds < 2 * DETECTABLE * blur:
            sure.insert(0, edge)  # a load this small leaves no trace of the lag
            continue
        lag = lag.seen(since, level.joules - edge.joules, blur, load)
        if since >= lag.high:
            sure.insert(0, edge)
    return sure, lag


def random_walk(edges: Sequence[CounterEdge]) -> float:
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


def updated_model(traits: SensorModel, result: WindowEnergy) -> SensorModel:
    """The traits with what a window taught of the lag."""
    return replace(traits, lag=result.lag)


FAINT_WATTS = 1e-3


@dataclass(frozen=True)
class CounterReading:
    """One look at a counter: when (seconds), what it showed (joules), the power then (watts)."""

    seconds: float
    joules: float
    watts: float | None


def edges_from_reading(
    look: CounterReading, began: float, step_seconds: float, usual_watts: float
) -> list[CounterEdge]:
    """The steps of a counter before `began`, as far as a single look tells them.

    The counter last moved within a step before the look, nobody knows when. A look that came after
    `began` also leaves open what was drawn in between. `usual_watts` stands in where the power at
    the look is not known.
    """

    watts = max(look.watts if look.watts is not None else usual_watts, FAINT_WATTS)
    late = max(0.0, look.seconds - began)
    gap = step_seconds + 2 * late
    moved = min(look.seconds, began) - step_seconds / 2
    joules = look.joules - watts * late
    return [
        CounterEdge(moved - step_seconds, gap, joules - watts * step_seconds),
        CounterEdge(moved, gap, joules),
    ]
