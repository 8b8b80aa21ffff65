"""Grams of CO2e of an energy on a grid, and ratios that refuse to mix bases."""

from __future__ import annotations

from bench import facts
from bench.footprint import regions
from bench.footprint.quantity import Quantity, derive
from bench.records import Estimate

SHOWN = ("world", "FR", "US", "US-WV")


def grid(key: str) -> facts.Fact:
    """The nearest grid factor of a region, in gCO2e/kWh: "world", "FR", "US-WV", "aws:eu-west-3".

    Raises ValueError, with the nearest names, if there is no such region.
    """
    fact = regions.find(key).factor()
    assert fact is not None, "a region has a factor, or its country has"
    return fact


def grams(energy_kwh: float | Estimate, grid_key: str) -> Quantity:
    """Mass of CO2e, in grams, of an energy in kWh on this grid; its basis comes along.

    Raises ValueError if there is no such region.
    """
    fact = grid(grid_key)
    return derive(energy_kwh, fact.value, "gCO2e", fact)


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
