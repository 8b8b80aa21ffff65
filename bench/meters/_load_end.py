"""Bounds of a window's energy from the counter's steps around the window's end.

Power after a load is not known between the end of the window and the counter's next step. It only
falls: so in this stretch it is at least the mean power of the next whole step, and at most that of
the load with a margin. The step across the end gives another bound: its energy less that of the
load in it. Windows of one load that end at different phases of the counter show what power does
after the load, and narrow the bounds of each other (docs/measurement.md).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

LOAD_MARGIN = 0.3  # the last load differs from the window's mean by at most this share of it
SAME_LOAD = 0.15  # windows whose mean powers differ by less than this share have one load
NOISE_SIGMAS = 3.0  # standard deviations of the steps' noise by which bounds are widened
KEPT_ENDS = 20  # ends of windows that are remembered


@dataclass(frozen=True)
class LoadEnd:
    """The complete steps after a window, and bounds of the energy (J) from its end to the first.

    `seconds` count from the window's end to the publication; `noise` is the standard uncertainty
    of a step's energy in joules.
    """

    load_watts: float
    seconds: tuple[float, ...]
    joules: tuple[float, ...]
    low: float
    high: float
    noise: float

    def slope(self, index: int) -> float | None:
        """Mean power (W) of the step that begins at this edge; None where there is none."""
        if not 0 <= index < len(self.seconds) - 1:
            return None
        rise = self.joules[index + 1] - self.joules[index]
        return rise / (self.seconds[index + 1] - self.seconds[index])


@dataclass
class LoadEndHistory:
    """The ends of the windows of one sensor: the last ones are kept."""

    ends: list[LoadEnd] = field(default_factory=list)

    def narrowed(self, end: LoadEnd) -> LoadEnd:
        """This end with the narrowest bounds that an earlier end of the same load gives it.

        Bounds that contradict the end's own are not used.
        """
        best = end
        for other in self.ends:
            if abs(other.load_watts - end.load_watts) > SAME_LOAD * end.load_watts:
                continue
            difference = _difference(other, end)
            if difference is None:
                continue
            low = max(end.low, other.low + difference[0])
            high = min(end.high, other.high + difference[1])
            if low <= high and high - low < best.high - best.low:
                best = LoadEnd(end.load_watts, end.seconds, end.joules, low, high, end.noise)
        return best

    def add(self, end: LoadEnd) -> None:
        """Remember this end."""
        self.ends = [*self.ends, end][-KEPT_ENDS:]


def _difference(known: LoadEnd, other: LoadEnd) -> tuple[float, float] | None:
    """Bounds of the energy to `other`'s first edge less that to `known`'s, in joules.

    The energy since the end is a concave function of time, as power only falls. Between two edges
    of `known` it lies above their chord and below the extensions of the neighbouring steps. None
    where no edge of `other` lies between two edges of `known`.
    """
    best: tuple[float, float] | None = None
    slack = NOISE_SIGMAS * 2 * math.hypot(known.noise, other.noise)
    for seconds, joules in zip(other.seconds, other.joules, strict=True):
        since_first = joules - other.joules[0]
        for i, (start, stop) in enumerate(itertools.pairwise(known.seconds)):
            if not start <= seconds <= stop:
                continue
            at_start = known.joules[i] - known.joules[0]
            at_stop = known.joules[i + 1] - known.joules[0]
            chord = at_start + (at_stop - at_start) * (seconds - start) / (stop - start)
            extensions = [math.inf]
            before, after = known.slope(i - 1), known.slope(i + 1)
            if before is not None:
                extensions.append(at_start + before * (seconds - start))
            if after is not None:
                extensions.append(at_stop - after * (stop - seconds))
            low = chord - since_first - slack
            high = max(min(extensions), chord) - since_first + slack
            if best is None or high - low < best[1] - best[0]:
                best = low, high
    return best


@dataclass(frozen=True)
class Edge:
    """A counter's step: seconds from the window's end to its publication, joules, time's gap."""

    seconds: float
    joules: float
    gap_seconds: float


def energy_to_first_edge(
    edges: Sequence[Edge],
    latency: float,
    load_watts: float,
    rest_watts: float,
    tail_watts: float = math.inf,
) -> tuple[float, float, int] | None:
    """Bounds (J) of the energy from the end to the first complete edge, and that edge's index.

    `edges` may begin with one from before the window's end. An edge is complete where it was
    published at least `latency` seconds after the end; `tail_watts` is the most that power is above
    the mean of the next whole step before it. None where fewer than two edges are.
    """
    index = next(
        (i for i, e in enumerate(edges) if e.seconds - e.gap_seconds / 2 >= latency), len(edges)
    )
    if index + 1 >= len(edges):
        return None
    first, following = edges[index], edges[index + 1]
    waited, late = first.seconds - latency, first.gap_seconds / 2
    step_seconds = following.seconds - first.seconds + late + following.gap_seconds / 2
    falling = max(following.joules - first.joules, 0.0) / step_seconds
    top_watts = min((1 + LOAD_MARGIN) * load_watts, falling + tail_watts)
    low = min(falling, top_watts) * (waited - late)
    high = max(top_watts * (waited + late), low)
    if index > 0:
        across = edges[index - 1]
        loaded = latency - across.seconds
        step_joules = first.joules - across.joules
        blur = load_watts * (across.gap_seconds + first.gap_seconds) / 2
        from_load = step_joules - (1 - LOAD_MARGIN) * load_watts * loaded + blur
        if from_load < low:  # the load was lower than assumed in its last part
            from_load = step_joules - rest_watts * loaded + blur
        high = max(min(high, from_load), low)
    return low, high, index
