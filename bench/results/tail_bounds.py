"""What power right after the windows of a run may add to their energy, or take from it."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from bench.results.record import Trial


def mean_tail_joules(trials: Sequence[Trial], domains: Collection[str]) -> tuple[float, float]:
    """The mean of the trials' `tail_joules_below` and `tail_joules_above` over `domains`, in J.

    They bound an error that is common to all windows, so that the scatter of trials cannot show it.
    """
    readings = [r for trial in trials for r in trial.readings if r.domain in domains]
    count = max(1, len(trials))
    return (
        math.fsum(reading.tail_joules_below for reading in readings) / count,
        math.fsum(reading.tail_joules_above for reading in readings) / count,
    )
