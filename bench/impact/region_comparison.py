"""The same work in other regions: carbon and water, all of one basis, least carbon first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.impact import regions
from bench.impact.carbon import co2e_with_factor
from bench.impact.facts import DerivedQuantity, Fact, FactRange
from bench.impact.regions import DIRECT, LIFE_CYCLE, Region
from bench.impact.water import WaterUse, water_use
from bench.results.interval import Interval

GOOGLE = "operational, as Google publishes it"
BASES = {"life-cycle": LIFE_CYCLE, "direct": DIRECT, "google": GOOGLE}
GROUPS = {
    "countries": ("life-cycle", lambda key: len(key) == 2 or key == "world"),
    "states": ("direct", lambda key: key.startswith("US-")),
    "provinces": ("direct", lambda key: key.startswith("CA-")),
    "aws": ("life-cycle", lambda key: key.startswith("aws:")),
    "azure": ("life-cycle", lambda key: key.startswith("azure:")),
    "gcp": ("google", lambda key: key.startswith("gcp:")),
    "clouds": ("life-cycle", lambda key: ":" in key),
}


@dataclass(frozen=True)
class RegionImpact:
    """Carbon and water of the work in one region, with the grid factor and the PUE applied.

    `grams` is location-based, `market` market-based. `factor_place` names the place of the factor
    where the region itself has none of this basis.
    """

    region: Region
    factor: Fact
    pue: FactRange
    grams: DerivedQuantity
    market: DerivedQuantity | None
    water: WaterUse
    factor_place: str | None


@dataclass(frozen=True)
class RegionComparison:
    """Regions in order of carbon, least first, all of one basis; `omitted` have no such factor."""

    basis: str
    places: tuple[RegionImpact, ...]
    omitted: tuple[Region, ...]


def compare_regions(
    energy_kwh: Interval | float, among: Iterable[Region], basis: str, pue: float | None = None
) -> RegionComparison:
    """The same energy of machines, in kWh, in each region, by average location-based factors.

    A region's PUE is `pue`, or its own if published, or 1. Raises ValueError where no region has a
    factor of this basis.
    """
    factors = [(region, region.factor(basis)) for region in among]
    impacts = (_region_impact(energy_kwh, region, fact, pue) for region, fact in factors if fact)
    places = sorted(impacts, key=lambda impact: (impact.grams.value, impact.region.key))
    if not places:
        raise ValueError(f"no region of {len(factors)} has a factor of basis {basis!r}")
    omitted = tuple(region for region, fact in factors if fact is None)
    return RegionComparison(basis, tuple(places), omitted)


def region_group(name: str) -> tuple[list[Region], str]:
    """The regions of a group of `GROUPS`, and their basis. Raises ValueError for another name."""
    if name not in GROUPS:
        raise ValueError(f"no group of regions {name!r}: choose one of {', '.join(GROUPS)}")
    basis, belongs = GROUPS[name]
    return [region for region in regions.all_regions() if belongs(region.key)], BASES[basis]


def common_basis(candidates: list[Region]) -> str:
    """The first of `BASES` of which all regions have a factor. Raises ValueError if none."""
    for basis in BASES.values():
        if all(region.factor(basis) for region in candidates):
            return basis
    raise ValueError("these regions have no factor of one basis, and bases are never mixed")


def pue_of(region: Region, pue: float | None) -> FactRange:
    """The PUE of a region: the number passed, or the published one, or 1 for machines alone."""
    if pue is None and region.pue is not None:
        return region.pue
    value = pue or 1.0
    return FactRange(value, value, value, "ratio", ())


def first_and_last(
    places: Sequence[RegionImpact], max_count: int
) -> list[tuple[int, RegionImpact]]:
    """The first regions and the last three, at most `max_count`, each with its rank from 1."""
    ranked = list(enumerate(places, start=1))
    if len(ranked) <= max_count:
        return ranked
    last = min(3, max_count - 1)
    return ranked[: max_count - last] + ranked[len(ranked) - last :]


def _region_impact(
    energy_kwh: Interval | float, region: Region, factor: Fact, pue: float | None
) -> RegionImpact:
    region_pue, market = pue_of(region, pue), region.market
    # A cloud region counts the state or country in which it lies as its own place.
    is_of_region = factor.key in region.places[: 2 if ":" in region.key else 1]
    return RegionImpact(
        region=region,
        factor=factor,
        pue=region_pue,
        grams=co2e_with_factor(energy_kwh, factor) * region_pue,
        market=co2e_with_factor(energy_kwh, market) * region_pue if market else None,
        water=water_use(energy_kwh, region, region_pue),
        factor_place=None if is_of_region else factor.label,
    )
