"""The carbon intensity that a computation uses: of a region, of a number, or not known: a range."""

from __future__ import annotations

from dataclasses import dataclass

from bench import facts
from bench.footprint import carbon
from bench.footprint.span import Span, span


@dataclass(frozen=True)
class Intensity:
    """gCO2e/kWh, location-based, and the words to print beside it."""

    grams_per_kwh: Span
    label: str
    basis: str


def intensity(region: str | None, given: float | None = None, source: str = "given") -> Intensity:
    """What a region ("FR", "US-WV", a cloud region) emits per kWh, or the number that is given.

    With neither, the world's average within the least and the greatest of all countries. Raises
    ValueError for an unknown region.
    """
    if given is not None:
        return Intensity(span(given), f"{given:g} g/kWh", source)
    if region is not None:
        fact = carbon.grid(region)
        basis = f"{fact.basis}, {fact.edition}"
        return Intensity(span(fact.value), f"{fact.label} ({fact.value:g} g/kWh)", basis)
    countries = [fact for fact in facts.table("grid").values() if fact.basis == "life-cycle"]
    least = min(countries, key=lambda fact: fact.value)
    most = max(countries, key=lambda fact: fact.value)
    world = carbon.grid("world")
    label = (
        f"unknown region: {world.value:g} g/kWh, from {least.value:g} ({least.label}) to "
        f"{most.value:g} ({most.label})"
    )
    return Intensity(Span(world.value, least.value, most.value), label, world.basis)
