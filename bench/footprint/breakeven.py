"""Training against use: after how many uses they weigh the same, and each use's share."""

from __future__ import annotations

from dataclasses import dataclass

from bench.results.interval import Interval


@dataclass(frozen=True)
class Amortised:
    """What one use carries in kWh: of its own, and of training at a given volume."""

    use_kwh: Interval
    training_kwh: Interval
    uses: float

    @property
    def whole_kwh(self) -> Interval:
        """Both together."""
        return self.use_kwh + self.training_kwh

    @property
    def training_share(self) -> float:
        """The part of training in the whole, from 0 to 1."""
        return self.training_kwh.value / self.whole_kwh.value


def break_even(training_kwh: Interval, per_use_kwh: Interval) -> Interval:
    """After how many uses their energy is that of training.

    The interval is that of both; it has no high end where a use may cost nothing. Raises ValueError
    where a use costs nothing.
    """
    if per_use_kwh.value <= 0:
        raise ValueError("a use that takes no energy never outweighs a training")
    return training_kwh / per_use_kwh


def amortised(training_kwh: Interval, per_use_kwh: Interval, uses: float) -> Amortised:
    """The energy of one use with its share of a training that serves so many uses in all.

    Raises ValueError if `uses` is not positive.
    """
    if uses <= 0:
        raise ValueError("training is shared among a positive number of uses")
    return Amortised(per_use_kwh, training_kwh / uses, uses)
