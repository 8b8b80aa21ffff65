"""How late a counter publishes: what is believed of it, and what a window's steps tell.

Drivers don't say it. A step that came before the lag was over lacks energy of the window, so the
windows themselves tell, a little each.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass, replace

GRAINS = 200  # how many lags are told apart
SOON = 0.1  # how late a counter is believed to be until a window tells, as a share of a step
RARELY_LATE = 0.02  # weight of any other lag against that
SURE = 1e-4  # what is believed less than this is not believed
UNEXPLAINED = 2e-4  # how likely a step shows something that no lag explains
LOAD_AT_END = 0.35  # how far the load in its last moments may be from its mean, as a share of it


@dataclass(frozen=True)
class LatencyPosterior:
    """What is believed of how late a counter is: a weight for each of some lags, in seconds."""

    seconds: tuple[float, ...]
    weights: tuple[float, ...]

    @classmethod
    def between(cls, low: float, high: float) -> LatencyPosterior:
        """Evenly spread between the two."""
        return cls._spread(low, high, lambda share: 1.0)

    @classmethod
    def unknown(cls, most: float) -> LatencyPosterior:
        """At most so late: drivers publish soon after they measure, until windows say otherwise."""
        return cls._spread(
            0.0, most, lambda share: math.exp(-0.5 * (share / SOON) ** 2) + RARELY_LATE
        )

    @classmethod
    def _spread(cls, low: float, high: float, weight: Callable[[float], float]) -> LatencyPosterior:
        shares = [index / GRAINS for index in range(GRAINS + 1)]
        weights = [weight(share) for share in shares]
        total = math.fsum(weights)
        seconds = tuple(low + (high - low) * share for share in shares)
        return cls(seconds, tuple(one / total for one in weights))

    @property
    def likely(self) -> float:
        """The middle of what is believed, in seconds: as likely later as sooner."""
        below = 0.0
        pairs = list(zip(self.seconds, self.weights, strict=True))
        for (seconds, weight), (after, _) in itertools.pairwise(pairs):
            if below + weight >= 0.5:
                return seconds + (after - seconds) * ((0.5 - below) / weight - 0.5)
            below += weight
        return pairs[-1][0]

    @property
    def warning(self) -> float:
        """Its standard uncertainty about that, in seconds."""
        middle, grain = self.likely, (self.seconds[-1] - self.seconds[0]) / GRAINS
        pairs = zip(self.seconds, self.weights, strict=True)
        return math.sqrt(math.fsum(w * (s - middle) ** 2 for s, w in pairs) + grain**2 / 12)

    @property
    def high(self) -> float:
        """A step so long after the end of a window holds all of it, as sure as can be."""
        left = 0.0
        for seconds, weight in zip(reversed(self.seconds), reversed(self.weights), strict=True):
            left += weight
            if left > SURE:
                return seconds
        return self.seconds[0]

    def seen(self, since: float, missing: float, blur: float, load: float) -> LatencyPosterior:
        """A step `since` seconds after the end lacked `missing` ± `blur` joules of the window.

        It lacks what the `load` (W above rest) drew in what was left of the lag.
        """
        weights = []
        for seconds, weight in zip(self.seconds, self.weights, strict=True):
            lacking = max(seconds - since, 0.0) * load
            spread = math.hypot(blur, LOAD_AT_END * lacking)
            fit = math.exp(-0.5 * ((missing - lacking) / spread) ** 2) * blur / spread
            weights.append(weight * (fit + UNEXPLAINED))
        total = math.fsum(weights)
        return replace(self, weights=tuple(weight / total for weight in weights))
