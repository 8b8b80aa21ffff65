"""Grams of CO2e of an energy in a region, and ratios that refuse to mix bases."""

from __future__ import annotations

from dataclasses import replace

from bench import facts
from bench.footprint import regions
from bench.footprint.quantity import Amount, Quantity, derive, spread

SHOWN = ("world", "FR", "US", "US-WV")


def grid(key: str) -> facts.Fact:
    """The nearest grid factor of a region, in gCO2e/kWh: "world", "FR", "US-WV", "aws:eu-west-3".

    Raises ValueError, with the nearest names, if there is no such region.
    """
    fact = regions.find(key).factor()
    assert fact is not None, "a region has a factor, or its country has"
    return fact


def grams(energy_kwh: Amount, grid_key: str | None) -> Quantity:
    """Mass of CO2e, in grams, of an energy in kWh in a region; its basis comes along.

    Location-based, at the average intensity of a year. Without a region the value is the world's
    and the interval reaches from the country with the least to that with the greatest intensity:
    nobody guesses where a machine stands. Raises ValueError if there is no such region.
    """
    if grid_key is None:
        return _anywhere(energy_kwh)
    return on(energy_kwh, grid(grid_key))


def on(energy_kwh: Amount, fact: facts.Fact) -> Quantity:
    """Mass of CO2e (or of CO2, where that is what the factor counts) by one grid factor."""
    return derive(energy_kwh, fact.value, fact.unit.removesuffix("/kWh"), fact)


def market(energy_kwh: Amount, region: str) -> Quantity | None:
    """The same with the energy that the provider bought (market-based); None if not published."""
    fact = regions.find(region).market
    return on(energy_kwh, fact) if fact else None


def ratio(a: Quantity, b: Quantity) -> float:
    """How many times more CO2e `a` is than `b`, same energy or not.

    Raises ValueError where the two do not count the same things (their bases differ), and where
    `b` is nothing.
    """
    if (a.basis, a.unit) != (b.basis, b.unit):
        raise ValueError(f"no ratio across bases: {a.label} is {a.basis}, {b.label} is {b.basis}")
    if b.value == 0:
        raise ValueError("no ratio to nothing")
    return a.value / b.value


def _anywhere(energy_kwh: Amount) -> Quantity:
    """The range over all countries of the table that has the world's figure."""
    whole = facts.table("grid")
    world = whole["world"]
    countries = [fact for key, fact in whole.items() if len(key) == 2]
    least = min(countries, key=lambda fact: fact.value)
    most = max(countries, key=lambda fact: fact.value)
    _, low, high = spread(energy_kwh)
    found = on(energy_kwh, world)
    label = f"anywhere, from {least.label} to {most.label}"
    return replace(found, low=low * least.value, high=high * most.value, label=label)
