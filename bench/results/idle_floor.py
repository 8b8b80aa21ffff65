"""Power of a domain while nothing is served: the idle floor."""

from __future__ import annotations

import math
from collections.abc import Sequence

from bench.results.analysis_versions import CURRENT_PARAMETERS, AnalysisParameters
from bench.results.record import IdleFloor


def idle_watts(
    idle: Sequence[IdleFloor], domain: str, parameters: AnalysisParameters = CURRENT_PARAMETERS
) -> tuple[float, float] | None:
    """Idle power of a domain in watts with its standard uncertainty, or None without a floor.

    With the model resident, or after or before the run where that was not read. Since analysis
    version 2, where it was read both before the trials and after them, it is the mean of the two,
    and half their difference bounds a rectangular uncertainty: the floor drifted between them. A
    modelled floor has no uncertainty of its own.
    """
    known = {
        floor.when: watts
        for floor in idle
        for watts in [_floor_watts(floor, domain)]
        if watts is not None
    }
    if parameters.marginal_correlation and {"resident", "after"} <= known.keys():
        (before, u_before), (after, u_after) = known["resident"], known["after"]
        drift = abs(after - before) / math.sqrt(12)
        return (before + after) / 2, math.hypot(u_before / 2, u_after / 2, drift)
    return next((known[w] for w in ("resident", "after", "cold") if w in known), None)


def _floor_watts(floor: IdleFloor, domain: str) -> tuple[float, float] | None:
    """Power of a domain over one idle window in watts with its standard uncertainty, or None."""
    for reading in floor.readings:
        seconds = reading.duration_seconds
        if reading.domain == domain and reading.energy_joules is not None and seconds > 0:
            u = reading.standard_uncertainty_joules or 0.0
            u = 0.0 if reading.method == "modelled" else u
            return reading.energy_joules / seconds, u / seconds
    return None
