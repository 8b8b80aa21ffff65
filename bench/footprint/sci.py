"""Software Carbon Intensity (ISO/IEC 21031:2024), and the two scores of SCI for AI.

SCI = (E * I + M) per R: operational energy times the carbon intensity of its electricity, plus the
embodied emissions of the hardware for as long as it was in use, for each functional unit. SCI for
AI (Green Software Foundation, 2025) has two scores: the consumer's covers operation, per unit of
use; the provider's covers what came before, training above all, per FLOP, training token or
parameter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bench.results.interval import Interval, interval_json
from bench.results.interval import as_interval as as_span
from bench.results.record import Estimate

Figure = Interval | Estimate | float


@dataclass(frozen=True)
class Score:
    """A score in gCO2e per `unit`; without embodied emissions it is not yet an SCI (`complete`)."""

    grams: Interval
    operational_grams: Interval
    embodied_grams: Interval | None
    unit: str
    missing: str | None = None

    @property
    def complete(self) -> bool:
        """Whether operational and embodied emissions are both in it."""
        return self.embodied_grams is not None

    def as_json(self) -> dict[str, Any]:
        """The score as JSON, in gCO2e per unit; what is not known is null, with the reason."""
        return {
            "gco2e": interval_json(self.grams),
            "operational_gco2e": interval_json(self.operational_grams),
            "embodied_gco2e": interval_json(self.embodied_grams),
            "per": self.unit,
            "complete": self.complete,
            "missing": self.missing,
        }


def sci(
    energy_kwh: Figure,
    intensity_g_per_kwh: Figure,
    embodied_grams: Figure | None,
    *,
    count: float = 1.0,
    unit: str = "inference",
    missing: str | None = None,
) -> Score:
    """Software Carbon Intensity, gCO2e per functional unit.

    `energy_kwh` (E) and `embodied_grams` (M) are those of `count` units (R) of kind `unit`;
    `intensity_g_per_kwh` (I) is location-based. Where M is not known it is None, with the reason in
    `missing`. Raises ValueError if `count` is not positive, or if M is None without a reason.
    """
    operational = as_span(energy_kwh) * as_span(intensity_g_per_kwh)
    return score(operational, embodied_grams, count, unit, missing)


def score(
    operational_grams: Figure,
    embodied_grams: Figure | None,
    count: float,
    unit: str,
    missing: str | None = None,
) -> Score:
    """Emissions per functional unit, for either boundary of SCI for AI.

    The provider's score takes all that training emitted, and as `count` how many FLOPs, training
    tokens or parameters came of it. Raises ValueError as `sci` does.
    """
    if count <= 0:
        raise ValueError("a score needs a positive number of functional units")
    if embodied_grams is None and not missing:
        raise ValueError("a score without embodied emissions needs the reason")
    operational = as_span(operational_grams) / count
    embodied = None if embodied_grams is None else as_span(embodied_grams) / count
    grams = operational if embodied is None else operational + embodied
    return Score(grams, operational, embodied, unit, missing)
