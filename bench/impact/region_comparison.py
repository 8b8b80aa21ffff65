"""The same work in other regions: carbon and water, ranked within one basis, least carbon first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from bench.impact import regions
from bench.impact.carbon import co2e_with_factor
from bench.impact.facts import DerivedQuantity, FactRange
from bench.impact.regions import DIRECT, LIFE_CYCLE, Region, RegionFactor
from bench.impact.water import WaterUse, water_use
from bench.results.interval import Interval

GOOGLE = "operational, as Google publishes it"
BASES = {"life-cycle": LIFE_CYCLE, "direct": DIRECT, "google": GOOGLE}
GROUPS = {
    "countries": ((LIFE_CYCLE,), lambda key: len(key) == 2 or key == "world"),
    "states": ((DIRECT,), lambda key: key.startswith("US-")),
    "provinces": ((DIRECT,), lambda key: key.startswith("CA-")),
    "aws": (regions.BASES, lambda key: key.startswith("aws:")),
    "azure": (regions.BASES, lambda key: key.startswith("azure:")),
    "gcp": ((GOOGLE,), lambda key: key.startswith("gcp:")),
    "clouds": (regions.BASES, lambda key: ":" in key),
}
MACHINES_ALONE = FactRange(1.0, 1.0, 1.0, "ratio", ())


@dataclass(frozen=True)
class RegionImpact:
    """Carbon and water of the work in one region, with the grid factor and the PUE applied.

    `grams` is location-based, `market` market-based. `rank` counts from 1; it is None where the
    factor is borrowed from a larger place, which says nothing about this region.
    """

    region: Region
    factor: RegionFactor
    pue: FactRange
    grams: DerivedQuantity
    market: DerivedQuantity | None
    water: WaterUse
    rank: int | None


@dataclass(frozen=True)
class RegionComparison:
    """Regions by their own factors of one basis, least carbon first, and those that borrow one.

    `omitted` have no factor of this basis, not even of a larger place.
    """

    basis: str
    places: tuple[RegionImpact, ...]
    borrowed: tuple[RegionImpact, ...]
    omitted: tuple[Region, ...]


def compare_regions(
    energy_kwh: Interval | float,
    among: Iterable[Region],
    basis: str,
    pue: float | None = None,
    published_pue: bool = False,
) -> RegionComparison:
    """The same energy of machines, in kWh, in each region, by average location-based factors.

    The PUE is `pue`, or 1 for the machines alone, or with `published_pue` that of each cloud
    region. Raises ValueError where no region has a factor of this basis, or a PUE is missing.
    """
    candidates = list(among)
    with_factor = [(region, factor) for region in candidates if (factor := region.factor(basis))]
    if not with_factor:
        raise ValueError(f"no region of {len(candidates)} has a factor of basis {basis!r}")
    impacts = [
        _region_impact(energy_kwh, region, factor, pue_of(region, pue, published_pue))
        for region, factor in with_factor
    ]
    impacts.sort(key=lambda impact: (impact.grams.value, impact.region.key))
    own = [impact for impact in impacts if impact.factor.borrowed_from is None]
    return RegionComparison(
        basis=basis,
        places=tuple(replace(impact, rank=rank) for rank, impact in enumerate(own, start=1)),
        borrowed=tuple(impact for impact in impacts if impact.factor.borrowed_from),
        omitted=tuple(region for region in candidates if region.factor(basis) is None),
    )


def region_group(name: str) -> tuple[list[Region], tuple[str, ...]]:
    """The regions of a group of `GROUPS`, and their bases. Raises ValueError for another name."""
    if name not in GROUPS:
        raise ValueError(f"no group of regions {name!r}: choose one of {', '.join(GROUPS)}")
    bases, belongs = GROUPS[name]
    return [region for region in regions.all_regions() if belongs(region.key)], bases


def bases_to_rank(candidates: Sequence[Region]) -> tuple[str, ...]:
    """The bases by which these regions are ranked, each in a panel of its own.

    One basis where all regions have a factor of their own of it: of a single region that of its
    nearest factor. Otherwise life-cycle, and direct combustion where a region has such a factor.
    """
    if len(candidates) == 1:
        return (candidates[0].factors[0].basis,)
    for basis in BASES.values():
        if all(region.own_factor(basis) for region in candidates):
            return (basis,)
    direct = any(region.own_factor(DIRECT) for region in candidates)
    return (LIFE_CYCLE, DIRECT) if direct else (LIFE_CYCLE,)


def pue_of(region: Region, pue: float | None = None, published: bool = False) -> FactRange:
    """The PUE applied to a region: the number passed, or 1 for the machines alone.

    With `published`, that of the cloud region or its provider. Raises ValueError if it has none.
    """
    if published and region.pue is None:
        raise ValueError(f"no PUE of {region.label} is published; --pue states one for all regions")
    if published and region.pue is not None:
        return region.pue
    return MACHINES_ALONE if pue is None else FactRange(pue, pue, pue, "ratio", ())


def first_and_last(places: Sequence[RegionImpact], max_count: int) -> list[RegionImpact]:
    """The first regions and the last three, at most `max_count`."""
    if len(places) <= max_count:
        return list(places)
    last = min(3, max_count - 1)
    return [*places[: max_count - last], *places[len(places) - last :]]


def _region_impact(
    energy_kwh: Interval | float, region: Region, factor: RegionFactor, pue: FactRange
) -> RegionImpact:
    market = region.market
    return RegionImpact(
        region=region,
        factor=factor,
        pue=pue,
        grams=co2e_with_factor(energy_kwh, factor) * pue,
        market=co2e_with_factor(energy_kwh, market) * pue if market else None,
        water=water_use(energy_kwh, region, pue),
        rank=None,
    )
