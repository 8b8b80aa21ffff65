"""Water of an energy in litres: on site, for cooling, and off site, for making the electricity.

On site is energy times WUE; off site is energy times PUE times EWIF (Li et al., Making AI less
thirsty, arXiv:2304.03271). Both are models, not metered water.
"""

from __future__ import annotations

from dataclasses import dataclass

from bench.impact import facts
from bench.impact.facts import DerivedQuantity, FactRange, derive
from bench.impact.regions import Region
from bench.results.interval import Interval


@dataclass(frozen=True)
class WaterUse:
    """Litres on site and off site, each over all its sources; `on_site` is None if unpublished.

    `is_world_default` states that the off-site factor is that of the world, not of the region.
    """

    on_site: DerivedQuantity | None
    off_site: DerivedQuantity
    is_world_default: bool


def water_use(energy_kwh: Interval | float, region: Region, pue: Interval) -> WaterUse:
    """Water of an energy of machines, in kWh, in a region, with a power usage effectiveness."""
    ewif = region.ewif or facts.water_range("world")
    assert ewif is not None, "the water table has the world"
    return WaterUse(
        on_site=litres(energy_kwh, region.wue) if region.wue else None,
        off_site=litres(energy_kwh, ewif) * pue,
        is_world_default=region.ewif is None,
    )


def litres(energy_kwh: Interval | float, factor: FactRange) -> DerivedQuantity:
    """Litres of an energy in kWh by a factor in L/kWh, over all sources of the factor."""
    return derive(energy_kwh, factor, "L", factor.facts[0])
