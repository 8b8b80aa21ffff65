"""The carbon intensity that a computation uses: of a region, of a number, or not known: a range."""

from __future__ import annotations

from dataclasses import dataclass

from bench.footprint import carbon
from bench.results.interval import Interval, as_interval


@dataclass(frozen=True)
class Intensity:
    """gCO2e/kWh, location-based, and the words to print beside it."""

    grams_per_kwh: Interval
    label: str
    basis: str


def intensity(region: str | None, given: float | None = None, source: str = "given") -> Intensity:
    """What a region ("FR", "US-WV", a cloud region) emits per kWh, or the number that is given.

    With neither, the world's average within the least and the greatest of all countries. Raises
    ValueError for an unknown region.
    """
    if given is not None:
        return Intensity(as_interval(given), f"{given:g} g/kWh", source)
    found = carbon.grams(1.0, region)
    figures = Interval(found.value, found.low, found.high)
    basis = f"{found.basis}, {found.edition}"
    label = f"{found.label} ({found.value:g} g/kWh)"
    if not figures.exact:
        label = f"{found.label}: {found.value:g} ({found.low:g} to {found.high:g}) g/kWh"
    return Intensity(figures, label, basis)
