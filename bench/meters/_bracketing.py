"""Energy of a window from the steps of a slow counter; over 300 lines: one method, kept together.

docs/measurement.md explains the method.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from bench.meters._latency import LatencyPosterior, StepAfterLoad
from bench.meters._load_end import (
    Edge,
    LoadEnd,
    LoadEndHistory,
    energy_to_first_edge,
)

# The constants below come from simulation: with them the intervals of
# tests/test_meter_in_virtual_time.py cover, on quiet and on busy machines (docs/decisions/0002).

# Standard deviation of the power's derivatives at rest, as a share of the power: the first per
# second, the second per second², and so on. Power that falls by a fifth within 0.5 s is covered.
REST_DERIVATIVES = (1.0, 1.0, 2.0, 4.0)
MIN_EDGE_SECONDS = 0.0002  # publication is never assumed to be more punctual than this
LOAD_VARIATION = 0.2  # change of a load within a step, as a share of the load
DETECTION_SIGMAS = 4.0  # standard deviations at which missing energy is distinguished from noise
LEAST_SHARE_NOISE = 0.01  # standard uncertainty of a step's power as a share of the load's
PLAUSIBLE_LATENCIES = (0.005, 0.995)  # cumulative weights of the latencies that bounds hold for
LARGEST_MISFIT = 6.0  # weighted squared residual per degree of freedom of a line that holds
CLIP_SIGMAS = 2.0  # an energy is moved to its bounds where it lies further outside than so many
MIN_WATTS = 1e-3  # the least power that a single reading is extrapolated with


@dataclass(frozen=True)
class CounterEdge:
    """One observed step: the middle of its gap, the gap's length, and the counter after it.

    The gap is the time between the last reading of the old value and the first of the new one.
    """

    seconds: float
    gap_seconds: float
    joules: float


@dataclass(frozen=True)
class CounterReading:
    """A counter (J) read once at a time (s), with the power (W) then, None if it is unknown."""

    seconds: float
    joules: float
    watts: float | None = None


@dataclass(frozen=True)
class SensorModel:
    """What is known of a sensor. `random_walk` is that of its energy at rest, in J/√s.

    `duty` is the share of time for which the sensor samples; `tail_watts` is the most that power
    after a load is above the mean of the next whole step (infinite: up to the load's);
    `settle_seconds` is how long after a change of power a step still holds power from before the
    change (for an averaged reading).
    """

    step_seconds: float
    jitter_seconds: float = 0.0
    quantum_joules: float = 0.0
    read_cost_seconds: float = 0.0
    random_walk: float = 0.0
    duty: float = 1.0
    tail_watts: float = math.inf
    settle_seconds: float = 0.0
    latency: LatencyPosterior = field(default_factory=lambda: LatencyPosterior.uniform(0.0, 0.0))


@dataclass(frozen=True)
class CounterFit:
    """The counter (J) and its slope (W) at one moment, with the standard uncertainty in J.

    `misfit` is the weighted sum of squared residuals, over `degrees_of_freedom`.
    """

    joules: float
    watts: float
    standard_uncertainty: float
    misfit: float
    degrees_of_freedom: int


@dataclass(frozen=True)
class WindowEnergy:
    """Energy of a window and its standard uncertainty in joules, and the latency's posterior.

    What power does right after the window may lower the energy by up to `joules_below`, or raise it
    by up to `joules_above`; `load_end` is what the window shows of it.
    """

    joules: float
    standard_uncertainty: float
    latency: LatencyPosterior
    joules_below: float = 0.0
    joules_above: float = 0.0
    load_end: LoadEnd | None = None


def mean_power(edges: Sequence[CounterEdge]) -> float:
    """Mean power in watts from the first edge to the last; 0 where there are fewer than two."""
    if len(edges) < 2 or edges[-1].seconds <= edges[0].seconds:
        return 0.0
    return (edges[-1].joules - edges[0].joules) / (edges[-1].seconds - edges[0].seconds)


def punctual_edges(edges: Sequence[CounterEdge]) -> list[CounterEdge]:
    """The edges whose gap is at most three times the median gap."""
    if not edges:
        return []
    widest = 3 * statistics.median(edge.gap_seconds for edge in edges)
    return [edge for edge in edges if edge.gap_seconds <= widest]


def fit_at(moment: float, edges: Sequence[CounterEdge], model: SensorModel) -> CounterFit:
    """The counter and its slope at `moment` (s), by generalised least squares through the edges.

    The covariance holds the gaps, the quantum, the random walk and the power's derivatives at rest.
    Raises ValueError where there are fewer than two edges.
    """
    import numpy as np

    if len(edges) < 2:
        raise ValueError("a fit needs two edges")
    x = np.array([edge.seconds - moment for edge in edges])
    base = edges[0].joules
    y = np.array([edge.joules - base for edge in edges])
    watts = max(mean_power(edges), 1e-9)
    gaps = np.array([math.hypot(edge.gap_seconds, MIN_EDGE_SECONDS) for edge in edges])
    timing = (watts * gaps) ** 2 / 12
    same_side = np.sign(x[:, None]) == np.sign(x[None, :])
    nearer = np.minimum(np.abs(x[:, None]), np.abs(x[None, :])) * same_side
    covariance = np.diag(timing + model.quantum_joules**2 / 12 + 1e-12)
    covariance += model.random_walk**2 * nearer
    for power, share in enumerate(REST_DERIVATIVES, start=2):
        curvature = share * watts * x**power / math.factorial(power)
        covariance += np.outer(curvature, curvature)
    design = np.stack([np.ones_like(x), x], axis=1)
    weights = np.linalg.inv(covariance)
    fit_covariance = np.linalg.inv(design.T @ weights @ design)
    solution = fit_covariance @ design.T @ weights @ y
    residuals = y - design @ solution
    return CounterFit(
        joules=base + float(solution[0]),
        watts=float(solution[1]),
        standard_uncertainty=math.sqrt(max(float(fit_covariance[0, 0]), 0.0)),
        misfit=float(residuals @ weights @ residuals),
        degrees_of_freedom=len(edges) - 2,
    )


def _fit_after(moment: float, edges: Sequence[CounterEdge], model: SensorModel) -> CounterFit:
    """The fit through the edges after a load that are nearest to it, as many as one line holds.

    Power may fall in a step long after the load: the edges beyond it are on another line.
    """
    fit = fit_at(moment, edges, model)
    for count in range(len(edges) - 1, 1, -1):
        if fit.misfit <= LARGEST_MISFIT * fit.degrees_of_freedom:
            break
        fit = fit_at(moment, edges[:count], model)
    return fit


def window_energy(
    before: Sequence[CounterEdge],
    after: Sequence[CounterEdge],
    began: float,
    ended: float,
    model: SensorModel,
    history: LoadEndHistory | None = None,
) -> WindowEnergy:
    """The energy between `began` and `ended` (s), from edges at rest before and after.

    `after` may begin with the last edge before `ended`. `history` holds the ends of earlier windows
    of this sensor. Raises ValueError where a side has fewer than two usable edges.
    """
    around_end = after
    before = [edge for edge in before if edge.seconds - edge.gap_seconds / 2 <= began]
    after = [edge for edge in after if edge.seconds >= ended + model.settle_seconds]
    if len(before) < 2:
        raise ValueError("the energy of a window needs two edges before it")
    after, latency = _complete_edges(before, after, around_end, began, ended, model)
    first = fit_at(began + latency.median, before, model)
    last = _fit_after(ended + latency.median, after, model)
    energy = last.joules - first.joules
    freedom = first.degrees_of_freedom + last.degrees_of_freedom
    scale = max(1.0, (first.misfit + last.misfit) / freedom) if freedom else 1.0
    variance = scale * (first.standard_uncertainty**2 + last.standard_uncertainty**2)
    variance += (latency.standard_uncertainty * (last.watts - first.watts)) ** 2
    mean = energy / max(ended - began, 1e-9)
    variance += _unobserved_energy(mean - first.watts, model) ** 2
    variance += _unobserved_energy(mean - last.watts, model) ** 2
    steps = max(ended - began, 0.0) / model.step_seconds
    variance += steps * (LOAD_VARIATION * _unobserved_energy(mean - first.watts, model)) ** 2
    result = WindowEnergy(energy, math.sqrt(variance), latency)
    return _with_bounds_of_tail(result, first, last, around_end, began, ended, model, history)


def _with_bounds_of_tail(
    result: WindowEnergy,
    first: CounterFit,
    last: CounterFit,
    around_end: Sequence[CounterEdge],
    began: float,
    ended: float,
    model: SensorModel,
    history: LoadEndHistory | None,
) -> WindowEnergy:
    """The energy with its bounds, for any latency that is plausible; moved into them if need be."""
    latency, mean = result.latency, result.joules / max(ended - began, 1e-9)
    if mean - last.watts <= 0:
        return result
    edges = [Edge(e.seconds - ended, e.joules, e.gap_seconds) for e in around_end]
    lows, highs, indices = [], [], []
    for seconds in latency.between(*PLAUSIBLE_LATENCIES):
        bounds = energy_to_first_edge(edges, seconds, mean, last.watts, model.tail_watts)
        if bounds is None:
            continue
        low, high, index = bounds
        at_beginning = first.joules + first.watts * (seconds - latency.median)
        lows.append(edges[index].joules - high - at_beginning)
        highs.append(edges[index].joules - low - at_beginning)
        indices.append(index)
    if not lows:
        return result
    index = max(indices)
    # Relative to the counter at the beginning as it would be without latency: what windows learn of
    # the latency then does not move the bounds that they remember.
    complete = edges[index].joules - (first.joules - first.watts * latency.median)
    gap = max(edge.gap_seconds for edge in edges[index:])
    noise = math.hypot(
        max(last.watts, 0.0) * math.hypot(gap, MIN_EDGE_SECONDS), model.quantum_joules
    )
    end = LoadEnd(
        load_watts=mean,
        seconds=tuple(edge.seconds for edge in edges[index:]),
        joules=tuple(edge.joules for edge in edges[index:]),
        low=complete - max(highs),
        high=complete - min(lows),
        noise=math.hypot(noise / 12**0.5, model.random_walk * model.step_seconds**0.5),
    )
    if history is not None:
        end = history.narrowed(end)
    low, high = complete - end.high, complete - end.low
    slack = CLIP_SIGMAS * result.standard_uncertainty
    joules = min(max(result.joules, low - slack), high + slack)
    return replace(
        result,
        joules=joules,
        joules_below=max(joules - low, 0.0),
        joules_above=max(high - joules, 0.0),
        load_end=end,
    )


def window_energy_under_load(
    around_began: Sequence[CounterEdge],
    around_ended: Sequence[CounterEdge],
    began: float,
    ended: float,
    model: SensorModel,
) -> WindowEnergy:
    """The energy of a window that is cut out of a load that goes on before it and after it.

    Without rest on either side, power in the padding is assumed to vary as it does from step to
    step around the window. The latency's posterior is not updated, and its full width counts.
    Raises ValueError where a side has fewer than three edges.
    """
    load_walk = random_walk_under_load([around_began, around_ended], model)
    loaded = replace(model, random_walk=math.hypot(model.random_walk, load_walk))
    latency = model.latency
    first = fit_at(began + latency.median, around_began, loaded)
    last = fit_at(ended + latency.median, around_ended, loaded)
    energy = last.joules - first.joules
    late = max(latency.standard_uncertainty, (latency.upper_bound - latency.median) / 3)
    variance = first.standard_uncertainty**2 + last.standard_uncertainty**2
    variance += (late * (last.watts - first.watts)) ** 2 + 2 * late * load_walk**2
    steps = max(ended - began, 0.0) / model.step_seconds
    mean = energy / max(ended - began, 1e-9)
    variance += (steps + 2) * (LOAD_VARIATION * _unobserved_energy(mean, model)) ** 2
    return WindowEnergy(energy, math.sqrt(variance), latency)


def padding_uncertainty(
    watts: float,
    first: CounterEdge,
    last: CounterEdge,
    began: float,
    ended: float,
    unobserved_seconds: float = 0.0,
) -> float:
    """Standard uncertainty (J) of the energy between two edges, scaled to the window.

    Power in the padding is uniform between 0 and twice the mean of `watts`; `unobserved_seconds`
    of it are unknown besides.
    """
    pads = math.hypot(began - first.seconds, last.seconds - ended) / 3**0.5
    gaps = math.hypot(first.gap_seconds, last.gap_seconds) / 12**0.5
    return watts * math.hypot(pads, gaps, unobserved_seconds)


def random_walk_under_load(groups: Sequence[Sequence[CounterEdge]], model: SensorModel) -> float:
    """The random walk of a load's energy, in J/√s, from its mean power step by step.

    Widened for few degrees of freedom, as the variance of Student's t is. Raises ValueError where a
    group has fewer than three edges.
    """
    total, freedom = 0.0, 0
    for group in groups:
        if len(group) < 3:
            raise ValueError("a window under load needs three edges on each side")
        pairs = [(old, new) for old, new in itertools.pairwise(group) if new.seconds > old.seconds]
        mean = mean_power(group)
        for old, new in pairs:
            seconds = new.seconds - old.seconds
            total += ((new.joules - old.joules) / seconds - mean) ** 2 * seconds
        freedom += len(pairs) - 1
    smoothing = max(1.0, model.settle_seconds / model.step_seconds)
    widening = freedom / (freedom - 2) if freedom > 2 else 3.0
    return math.sqrt(smoothing * widening * total / max(freedom, 1))


def _unobserved_energy(watts: float, model: SensorModel) -> float:
    """Energy (J) that a part-time sensor may miss where power jumps by `watts`."""
    return 0.5 * (1 - model.duty) * abs(watts) * model.step_seconds


def _complete_edges(
    before: Sequence[CounterEdge],
    after: Sequence[CounterEdge],
    around_end: Sequence[CounterEdge],
    began: float,
    ended: float,
    model: SensorModel,
) -> tuple[list[CounterEdge], LatencyPosterior]:
    """The edges after the end that hold all of the window, and the latency's updated posterior.

    A step that was published before the latency was over holds the power of the load.
    """
    latency = model.latency
    complete = [edge for edge in after if edge.seconds >= ended + latency.upper_bound]
    if len(complete) < 2:
        return complete, latency
    start, edge = before[-1], complete[0]
    fit = _fit_after(edge.seconds, complete, model)
    excess = fit.joules - start.joules - fit.watts * (edge.seconds - start.seconds)
    load = excess / max(ended - began, 1e-9)
    uncertainty = math.hypot(fit.standard_uncertainty, fit.watts * edge.gap_seconds / 12**0.5)
    if load * model.step_seconds < 2 * DETECTION_SIGMAS * uncertainty:
        return list(after), latency  # the load is too small to reveal the latency
    steps = []
    for old, new in itertools.pairwise(around_end):
        seconds = new.seconds - old.seconds
        if seconds <= 0 or old.seconds >= ended + latency.upper_bound:
            continue
        watts = (new.joules - old.joules) / seconds
        blur = watts * math.hypot(old.gap_seconds, new.gap_seconds) / 12**0.5 / seconds
        share, noise = (watts - fit.watts) / load, blur / load + LEAST_SHARE_NOISE
        steps.append(StepAfterLoad(old.seconds - ended, new.seconds - ended, share, noise))
    latency = latency.updated(steps)
    return [edge for edge in after if edge.seconds >= ended + latency.upper_bound], latency


def random_walk(edges: Sequence[CounterEdge]) -> float:
    """The random walk of the energy at rest, in J/√s, beyond what the gaps explain.

    From the median of the squared deviations (0.455 is that of chi-squared with one degree of
    freedom) between punctual edges, so that a few late readings do not count.
    """
    if len(edges) < 5:
        return 0.0
    punctual = set(punctual_edges(edges))
    pairs = [(a, b) for a, b in itertools.pairwise(edges) if a in punctual and b in punctual]
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


def edges_from_reading(
    reading: CounterReading, began: float, step_seconds: float, usual_watts: float
) -> list[CounterEdge]:
    """Two edges before `began`, from a single reading of the counter.

    The counter moved last at an unknown time within a step before the reading. A reading after
    `began` leaves open the energy in between. `usual_watts` replaces an unknown power.
    """
    watts = max(reading.watts if reading.watts is not None else usual_watts, MIN_WATTS)
    late = max(0.0, reading.seconds - began)
    gap = step_seconds + 2 * late
    moved = min(reading.seconds, began) - step_seconds / 2
    joules = reading.joules - watts * late
    return [
        CounterEdge(moved - step_seconds, gap, joules - watts * step_seconds),
        CounterEdge(moved, gap, joules),
    ]
