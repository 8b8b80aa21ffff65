"""Posterior of a counter's latency: how late it publishes, learnt from the windows themselves.

Drivers do not state it. A step that came before the latency was over lacks energy of the window;
each such step makes some latencies more likely and others less.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

GRID_POINTS = 300

# The constants below come from simulation (docs/decisions/0002): with them the intervals of
# tests/test_meter_in_virtual_time.py cover, on quiet and on busy machines.
LONGEST_SECONDS = 0.3  # of the prior, whatever the step: twice the longest that was published
PRIOR_SCALE = 0.1  # scale of the prior, as a share of a step: drivers publish soon
PRIOR_FLOOR = 0.02  # weight of any other latency, relative to the prior's peak
NEGLIGIBLE_WEIGHT = 1e-4  # posterior weight that is ignored in the upper bound
OUTLIER_LIKELIHOOD = 2e-4  # likelihood of a step that no latency explains
LOAD_END_DEVIATION = 0.25  # standard deviation of the last load around its mean, as a share of it
LARGEST_TAIL_SHARE = 0.4  # the most that remains of a load's power after it
TAIL_SHARE = 0.12  # mean of the power that remains after a load, as a share of the load's


@dataclass(frozen=True)
class StepAfterLoad:
    """A step that began and ended so many seconds after the load did (negative: before).

    `load_share` is its mean power as a share of the load's, both above rest, with the standard
    uncertainty.
    """

    began: float
    ended: float
    load_share: float
    uncertainty: float


@dataclass(frozen=True)
class LatencyPosterior:
    """Weights of possible latencies; `seconds` is an even grid, the weights add up to 1.

    `any_tail_weights` are those where power after a load may be any share of it up to 0.4 with
    equal probability, the same in every window: bounds hold for these.
    """

    seconds: tuple[float, ...]
    weights: tuple[float, ...]
    any_tail_weights: tuple[float, ...] = ()

    @classmethod
    def uniform(cls, low: float, high: float) -> LatencyPosterior:
        """Equal weights from `low` to `high` seconds."""
        return cls._on_grid(low, high, lambda seconds: 1.0)

    @classmethod
    def prior(cls, step_seconds: float) -> LatencyPosterior:
        """Between 0 and 0.3 s for any step, most weight within a tenth of the step."""
        scale = PRIOR_SCALE * step_seconds
        return cls._on_grid(
            0.0,
            max(LONGEST_SECONDS, step_seconds),
            lambda seconds: math.exp(-0.5 * (seconds / scale) ** 2) + PRIOR_FLOOR,
        )

    @classmethod
    def _on_grid(
        cls, low: float, high: float, weight: Callable[[float], float]
    ) -> LatencyPosterior:
        shares = [index / GRID_POINTS for index in range(GRID_POINTS + 1)]
        seconds = tuple(low + (high - low) * share for share in shares)
        weights = [weight(one) for one in seconds]
        total = math.fsum(weights)
        return cls(seconds, tuple(one / total for one in weights))

    @property
    def median(self) -> float:
        """The median latency in seconds."""
        below = 0.0
        pairs = list(zip(self.seconds, self.weights, strict=True))
        for (seconds, weight), (after, _) in itertools.pairwise(pairs):
            if below + weight >= 0.5:
                return seconds + (after - seconds) * ((0.5 - below) / weight - 0.5)
            below += weight
        return pairs[-1][0]

    @property
    def standard_uncertainty(self) -> float:
        """The standard deviation around the median, in seconds, at least that of a grid cell."""
        median, cell = self.median, (self.seconds[-1] - self.seconds[0]) / GRID_POINTS
        pairs = zip(self.seconds, self.weights, strict=True)
        return math.sqrt(math.fsum(w * (s - median) ** 2 for s, w in pairs) + cell**2 / 12)

    @property
    def upper_bound(self) -> float:
        """The latency, in seconds, above which the remaining weight is negligible."""
        above = 0.0
        for seconds, weight in zip(reversed(self.seconds), reversed(self.weights), strict=True):
            above += weight
            if above > NEGLIGIBLE_WEIGHT:
                return seconds
        return self.seconds[0]

    def between(self, low_weight: float, high_weight: float) -> list[float]:
        """The latencies at which the cumulative weight, after any tail, is between these two."""
        below, out = 0.0, []
        weights = self.any_tail_weights or self.weights
        for seconds, weight in zip(self.seconds, weights, strict=True):
            if below + weight >= low_weight and below <= high_weight:
                out.append(seconds)
            below += weight
        return out

    def updated(self, steps: Sequence[StepAfterLoad]) -> LatencyPosterior:
        """The posterior after the steps around the end of one window.

        A latency L predicts that a step holds load for the part of it that was published earlier
        than L after the end, and for the rest of it the power that remains after a load, which is
        positive and seldom more than a small share of the load's.
        """
        import numpy as np

        seconds = np.array(self.seconds)
        weights = np.array(self.weights)
        any_tail = np.array(self.any_tail_weights or self.weights)
        for step in steps:
            share = np.clip((seconds - step.began) / (step.ended - step.began), 0.0, 1.0)
            deviation = np.hypot(step.uncertainty, LOAD_END_DEVIATION * share)
            above = step.load_share - share
            scale = np.maximum(TAIL_SHARE * (1 - share), 1e-6)
            # The tail that explains `above` best, given its exponential prior of this scale.
            tail = np.maximum(above - deviation**2 / scale, 0.0)
            cost = 0.5 * ((above - tail) / deviation) ** 2 + tail / scale
            likelihood = np.exp(-cost) * step.uncertainty / (deviation + scale)
            weights = weights * (likelihood + OUTLIER_LIKELIHOOD)
            weights /= weights.sum()
            unexplained = above - np.clip(above, 0.0, LARGEST_TAIL_SHARE * (1 - share))
            any_tail *= np.exp(-0.5 * (unexplained / deviation) ** 2) + OUTLIER_LIKELIHOOD
            any_tail /= any_tail.sum()
        return replace(
            self, weights=tuple(weights.tolist()), any_tail_weights=tuple(any_tail.tolist())
        )
