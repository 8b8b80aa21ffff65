"""Carbon intensity of a region; grams of CO2e."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bench.impact import facts, regions
from bench.impact.facts import Amount, DerivedQuantity, derive, value_low_high
from bench.results.interval import Interval

SHOWN = ("world", "FR", "US", "US-WV")


def grid_factor(key: str) -> facts.Fact:
    """The nearest grid factor of a region, in gCO2e/kWh: "world", "FR", "US-WV", "aws:eu-west-3".

    Raises ValueError, with the nearest names, if there is no such region.
    """
    fact = regions.find(key).factor()
    assert fact is not None, "a region has a factor, or its country has"
    return fact


def co2e_grams(energy_kwh: Amount, grid_key: str | None) -> DerivedQuantity:
    """Mass of CO2e, in grams, of an energy in kWh in a region; its basis comes along.

    Location-based, at the average intensity of a year. Without a region the value is the world's
    and the interval reaches from the country with the least to that with the greatest intensity:
    nobody guesses where a machine stands. Raises ValueError if there is no such region.
    """
    if grid_key is None:
        return _anywhere(energy_kwh)
    return on(energy_kwh, grid_factor(grid_key))


def on(energy_kwh: Amount, fact: facts.Fact) -> DerivedQuantity:
    """Mass of CO2e (or of CO2, where that is what the factor counts) by one grid factor."""
    return derive(energy_kwh, fact.value, fact.unit.removesuffix("/kWh"), fact)


def market(energy_kwh: Amount, region: str) -> DerivedQuantity | None:
    """The same with the energy that the provider bought (market-based); None if not published."""
    fact = regions.find(region).market
    return on(energy_kwh, fact) if fact else None


def ratio(a: DerivedQuantity, b: DerivedQuantity) -> float:
    """How many times more CO2e `a` is than `b`, same energy or not.

    Raises ValueError where the two do not count the same things (their bases differ), and where
    `b` is nothing.
    """
    if (a.basis, a.unit) != (b.basis, b.unit):
        raise ValueError(f"no ratio across bases: {a.label} is {a.basis}, {b.label} is {b.basis}")
    if b.value == 0:
        raise ValueError("no ratio to nothing")
    return a.value / b.value


def _anywhere(energy_kwh: Amount) -> DerivedQuantity:
    """The range over all countries of the table that has the world's figure."""
    whole = facts.table("grid")
    world = whole["world"]
    countries = [fact for key, fact in whole.items() if len(key) == 2]
    least = min(countries, key=lambda fact: fact.value)
    most = max(countries, key=lambda fact: fact.value)
    _, low, high = value_low_high(energy_kwh)
    found = on(energy_kwh, world)
    label = f"anywhere, from {least.label} to {most.label}"
    return replace(found, low=low * least.value, high=high * most.value, label=label)


@dataclass(frozen=True)
class CarbonIntensity:
    """gCO2e/kWh, location-based, and the words to print beside it."""

    grams_per_kwh: Interval
    label: str
    basis: str


def carbon_intensity(
    region: str | None, given: float | None = None, source: str = "given"
) -> CarbonIntensity:
    """What a region ("FR", "US-WV", a cloud region) emits per kWh, or the number that is given.

    With neither, the world's average within the least and the greatest of all countries. Raises
    ValueError for an unknown region.
    """
    if given is not None:
        return CarbonIntensity(Interval.of(given), f"{given:g} g/kWh", source)
    found = co2e_grams(1.0, region)
    figures = Interval(found.value, found.low, found.high)
    basis = f"{found.basis}, {found.edition}"
    label = f"{found.label} ({found.value:g} g/kWh)"
    if not figures.exact:
        label = f"{found.label}: {found.value:g} ({found.low:g} to {found.high:g}) g/kWh"
    return CarbonIntensity(figures, label, basis)
