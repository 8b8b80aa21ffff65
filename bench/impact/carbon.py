"""Carbon intensity of a region; grams of CO2e."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from bench.impact import facts, regions
from bench.impact.facts import DerivedQuantity, Fact, derive
from bench.impact.regions import RegionFactor
from bench.results.interval import Interval

DEFAULT_GRIDS = ("world", "FR", "US", "US-WV")


@dataclass(frozen=True)
class CarbonIntensity:
    """Location-based carbon intensity; `basis` is None where a number was given without one.

    `origin` is the edition of the published factor, or who states the number.
    """

    grams_per_kwh: Interval = field(metadata={"json": "gco2e_per_kwh"})
    label: str
    basis: str | None
    origin: str

    @property
    def description(self) -> str:
        """Basis and origin as text: "life-cycle, 2024"."""
        return f"{self.basis or 'basis not stated'}, {self.origin}"


def grid_factor(key: str) -> RegionFactor:
    """Grid factor of the nearest place of a region, gCO2e/kWh. Raises ValueError if unknown."""
    return regions.find(key).factors[0]


def co2e_grams(energy_kwh: Interval | float, grid_key: str | None) -> DerivedQuantity:
    """Mass of CO2e, in grams, of an energy in kWh in a region, with the basis of its grid factor.

    Location-based, at the average intensity of a year. Without a region the value is that of the
    world, and the interval extends from the country with the least intensity to the one with the
    greatest. Raises ValueError if there is no such region.
    """
    if grid_key is not None:
        return co2e_with_factor(energy_kwh, grid_factor(grid_key))
    grid = facts.table("grid")
    countries = (fact for key, fact in grid.items() if len(key) == 2)
    least, *_, greatest = sorted(countries, key=lambda fact: fact.value)
    label = f"anywhere, from {least.label} to {greatest.label}"
    intensity = Interval(grid["world"].value, least.value, greatest.value)
    return derive(energy_kwh, intensity, "gCO2e", replace(grid["world"], label=label))


def co2e_with_factor(energy_kwh: Interval | float, fact: Fact) -> DerivedQuantity:
    """Mass of CO2e, or of CO2 where the factor counts only that, by one grid factor."""
    return derive(energy_kwh, fact.value, fact.unit.removesuffix("/kWh"), fact)


def addable(a: str | None, b: str | None) -> bool:
    """Whether figures of two bases may be added: of one basis, or of a basis that is not stated."""
    return a == b or a is None or b is None


def ratio(a: DerivedQuantity, b: DerivedQuantity) -> float:
    """CO2e of `a` over that of `b`. Raises ValueError for other bases or units, or a zero `b`."""
    if (a.fact.basis, a.unit) != (b.fact.basis, b.unit):
        raise ValueError(
            f"no ratio across bases: {a.fact.label} is {a.fact.basis}, "
            f"{b.fact.label} is {b.fact.basis}"
        )
    if b.value == 0:
        raise ValueError("no ratio to zero")
    return a.value / b.value


def carbon_intensity(
    region: str | None, grams_per_kwh: float | None = None, source: str = "given"
) -> CarbonIntensity:
    """Carbon intensity of a region ("FR", "US-WV", "aws:eu-west-3"), or the number passed.

    With neither, the world's average within the range over all countries. Raises ValueError for an
    unknown region.
    """
    if grams_per_kwh is not None:
        intensity = Interval.of(grams_per_kwh)
        return CarbonIntensity(intensity, f"{grams_per_kwh:g} g/kWh", None, source)
    grams = co2e_grams(1.0, region)
    label = f"{grams.fact.label} ({grams.value:g} g/kWh)"
    if not grams.exact:
        label = f"{grams.fact.label}: {grams.value:g} ({grams.low:g} to {grams.high:g}) g/kWh"
    return CarbonIntensity(Interval.of(grams), label, grams.fact.basis, grams.fact.edition)
