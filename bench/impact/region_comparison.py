"""The same work in other places: carbon and water by region, of one basis, least first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.impact import carbon, regions, water
from bench.impact.facts import Amount, DerivedQuantity, Fact, FactRange, widen
from bench.impact.regions import DIRECT, LIFE_CYCLE, Region
from bench.impact.water import WaterUse

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
    """One region for the same work: location-based carbon with its PUE, and what stands beside it.

    `borrowed` names the place whose factor stands in, where the region has none of this basis.
    """

    region: Region
    factor: Fact
    pue: FactRange
    grams: DerivedQuantity
    market: DerivedQuantity | None
    water: WaterUse
    borrowed: str | None


@dataclass(frozen=True)
class RegionComparison:
    """Places in order of carbon, least first, all of one basis; who has no factor of it is out."""

    basis: str
    places: tuple[RegionImpact, ...]
    left_out: tuple[Region, ...]


def compare_regions(
    energy_kwh: Amount, among: Iterable[Region], basis: str, pue: float | None = None
) -> RegionComparison:
    """The same energy of machines, in kWh, in each region, by average location-based factors.

    A region's PUE is `pue`, or its own if published, or 1. Raises ValueError where no region has a
    factor of this basis.
    """
    asked = list(among)
    found = [_place(energy_kwh, region, basis, pue) for region in asked]
    places = sorted((p for p in found if p), key=lambda p: (p.grams.value, p.region.key))
    if not places:
        raise ValueError(f"no region of {len(asked)} has a factor of basis {basis!r}")
    out = tuple(region for region, place in zip(asked, found, strict=True) if place is None)
    return RegionComparison(basis, tuple(places), out)


def group(name: str) -> tuple[list[Region], str]:
    """The regions of "countries", "states", "provinces", "aws", "azure", "gcp" or "clouds".

    With the basis that they are best compared in. Raises ValueError for another name.
    """
    if name not in GROUPS:
        raise ValueError(f"no group of regions {name!r}: choose one of {', '.join(GROUPS)}")
    basis, belongs = GROUPS[name]
    return [region for region in regions.all_regions() if belongs(region.key)], BASES[basis]


def common_basis(asked: list[Region]) -> str:
    """The basis in which all of these can be compared, life-cycle first.

    Raises ValueError where there is none.
    """
    for basis in BASES.values():
        if all(region.factor(basis) for region in asked):
            return basis
    raise ValueError("these regions have no factor of one basis, and bases are never mixed")


def pue_of(region: Region, pue: float | None) -> FactRange:
    """The PUE to use in a region: the given one, the published one, or 1 for a bare machine."""
    given = FactRange(pue or 1.0, pue or 1.0, pue or 1.0, "ratio", ())
    return given if pue or region.pue is None else region.pue


def _place(
    energy_kwh: Amount, region: Region, basis: str, pue: float | None
) -> RegionImpact | None:
    factor = region.factor(basis)
    if factor is None:
        return None
    used = pue_of(region, pue)
    bought = region.market
    own = factor.key in region.places[: 2 if ":" in region.key else 1]
    return RegionImpact(
        region=region,
        factor=factor,
        pue=used,
        grams=widen(carbon.on(energy_kwh, factor), used),
        market=widen(carbon.on(energy_kwh, bought), used) if bought else None,
        water=water.litres(energy_kwh, region, used),
        borrowed=None if own else factor.label,
    )


def ends(places: Sequence[RegionImpact], most: int) -> list[tuple[int, RegionImpact]]:
    """The first places and the last three, at most so many, each with its number from 1 on."""
    numbered = list(enumerate(places, start=1))
    if len(numbered) <= most:
        return numbered
    last = min(3, most - 1)
    return numbered[: most - last] + numbered[len(numbered) - last :]
