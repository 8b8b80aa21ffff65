"""Posterior of a counter's latency: how late it publishes, learnt from the windows themselves.

Drivers do not state it. A step that came before the latency was over lacks energy of the window;
each such step makes some latencies more likely and others less.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass, replace

GRID_POINTS = 200

# The constants below come from simulation (docs/decisions/0002): with them the intervals of
# tests/test_meter_in_virtual_time.py cover, on quiet and on busy machines.
PRIOR_SCALE = 0.1  # scale of the prior, as a share of a step: drivers publish soon
PRIOR_FLOOR = 0.02  # weight of any other latency, relative to the prior's peak
NEGLIGIBLE_WEIGHT = 1e-4  # posterior weight that is ignored in the upper bound
OUTLIER_LIKELIHOOD = 2e-4  # likelihood of a step that no latency explains
LOAD_END_DEVIATION = 0.35  # standard deviation of the last load around its mean, as a share of it


@dataclass(frozen=True)
class LatencyPosterior:
    """Weights of possible latencies; `seconds` is an even grid, the weights add up to 1."""

    seconds: tuple[float, ...]
    weights: tuple[float, ...]

    @classmethod
    def uniform(cls, low: float, high: float) -> LatencyPosterior:
        """Equal weights from `low` to `high` seconds."""
        return cls._on_grid(low, high, lambda share: 1.0)

    @classmethod
    def prior(cls, longest: float) -> LatencyPosterior:
        """Between 0 and `longest` seconds, most weight within a tenth of that."""
        return cls._on_grid(
            0.0, longest, lambda share: math.exp(-0.5 * (share / PRIOR_SCALE) ** 2) + PRIOR_FLOOR
        )

    @classmethod
    def _on_grid(
        cls, low: float, high: float, weight: Callable[[float], float]
    ) -> LatencyPosterior:
        shares = [index / GRID_POINTS for index in range(GRID_POINTS + 1)]
        weights = [weight(share) for share in shares]
        total = math.fsum(weights)
        seconds = tuple(low + (high - low) * share for share in shares)
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

    def updated(
        self, since_end: float, missing_joules: float, uncertainty: float, load_watts: float
    ) -> LatencyPosterior:
        """The posterior after one step that was published `since_end` seconds after the window.

        The step lacked `missing_joules` ± `uncertainty` (J) of the window. A latency L predicts
        that it lacks `load_watts` (above rest) times the rest of the latency, L - `since_end`.
        """
        weights = []
        for seconds, weight in zip(self.seconds, self.weights, strict=True):
            predicted = max(seconds - since_end, 0.0) * load_watts
            deviation = math.hypot(uncertainty, LOAD_END_DEVIATION * predicted)
            residual = (missing_joules - predicted) / deviation
            likelihood = math.exp(-0.5 * residual**2) * uncertainty / deviation
            weights.append(weight * (likelihood + OUTLIER_LIKELIHOOD))
        total = math.fsum(weights)
        return replace(self, weights=tuple(weight / total for weight in weights))
