"""Litres of water of an energy: on site, to cool the machines, and off site, to make electricity.

On site is energy times WUE; off site is energy times PUE times EWIF (Li et al., Making AI less
thirsty, arXiv:2304.03271). Both are models: nobody metered this water.
"""

from __future__ import annotations

from dataclasses import dataclass

from bench.impact import facts
from bench.impact.facts import Amount, DerivedQuantity, FactRange, derive, widen
from bench.impact.regions import Region

WORLD = "world"


@dataclass(frozen=True)
class WaterUse:
    """Litres on site and off site, each over all its sources; `on_site` is None if unpublished.

    `borrowed` says that the off-site factor is the world's default.
    """

    on_site: DerivedQuantity | None
    off_site: DerivedQuantity
    borrowed: bool


def litres(energy_kwh: Amount, region: Region, pue: FactRange) -> WaterUse:
    """Water of an energy of machines, in kWh, in a region with this PUE."""
    factor = region.ewif or facts.water_range(WORLD)
    assert factor is not None, "the table of water has the world"
    return WaterUse(
        on_site=by(energy_kwh, region.wue) if region.wue else None,
        off_site=widen(by(energy_kwh, factor), pue),
        borrowed=region.ewif is None,
    )


def by(energy_kwh: Amount, factor: FactRange) -> DerivedQuantity:
    """Litres of an energy in kWh by one factor in L/kWh, over all its sources."""
    return widen(derive(energy_kwh, 1.0, "L", factor.facts[0]), factor)
