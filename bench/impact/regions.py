"""A region by its name: a country, a state, a province or a cloud region, and its grid factors."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from functools import cache

from bench.impact import facts
from bench.impact.facts import Fact, FactRange

LIFE_CYCLE, DIRECT = "life-cycle", "direct combustion"
BASES = (LIFE_CYCLE, DIRECT)
PROVIDERS = {"aws": "aws", "azure": "microsoft", "gcp": "google"}


@dataclass(frozen=True)
class Region:
    """A place, and those around it: "aws:us-east-1" stands in "US-VA", which is in "US".

    `factors` are all carbon intensities of them, location-based and average over a year, the
    nearest first. `market` is what the provider reports with the energy that it bought, or None.
    """

    key: str
    label: str
    places: tuple[str, ...]
    factors: tuple[Fact, ...]
    market: Fact | None

    def factor(self, basis: str | None = None) -> Fact | None:
        """The nearest carbon intensity, or the nearest one that counts this; None if none does."""
        return next((fact for fact in self.factors if basis in (None, fact.basis)), None)

    @property
    def pue(self) -> FactRange | None:
        """Power usage effectiveness: of the cloud region, else over the reports of its provider."""
        return self._of_cloud("pue")

    @property
    def wue(self) -> FactRange | None:
        """On-site water in L/kWh: of the cloud region, else over the reports of its provider."""
        return self._of_cloud("wue")

    @property
    def ewif(self) -> FactRange | None:
        """Off-site water in L/kWh over all sources, of the nearest place that has one."""
        return next((found for found in map(facts.water, self.places) if found), None)

    def _of_cloud(self, metric: str) -> FactRange | None:
        own = facts.clouds().get(self.key, {}).get(metric)
        if own:
            return facts.span([own])
        operator = PROVIDERS.get(self.key.partition(":")[0])
        reports = facts.datacenters(metric).items()
        fleet = [f for key, f in reports if operator and key.startswith(f"{operator}-")]
        return facts.span(sorted(fleet, key=_year, reverse=True)) if fleet else None


def find(name: str) -> Region:
    """The region of an ISO code (FR, US-WV, CA-QC), a cloud region (aws:eu-west-3) or a name.

    Upper or lower case does not matter. Raises ValueError, with the nearest names, if unknown.
    """
    wanted = name.strip().lower()
    key = _keys().get(wanted)
    named = [key] if key else _labels().get(wanted, [])
    if len(named) > 1:
        raise ValueError(f"{name!r} may be {', '.join(named)}: say which")
    if not named:
        raise ValueError(f"no region {name!r}; did you mean {_nearest(wanted)}?")
    return _region(named[0])


def every() -> list[Region]:
    """All regions, in the order of the tables."""
    return [_region(key) for key in _keys().values()]


@cache
def _region(key: str) -> Region:
    cloud = facts.cloud_regions().get(key)
    places = [key, cloud.place] if cloud else [key]
    country = places[-1].split("-")[0]
    if country in facts.grids() and country not in places:
        places.append(country)
    found = [fact for place in places for fact in facts.factors(place)]
    # The older factors of cloud regions stand last: countries have newer ones.
    old = facts.table("grid_clouds_2021")
    found.sort(key=lambda fact: old.get(fact.key) is fact)
    label = f"{cloud.label} ({key})" if cloud else found[0].label
    market = facts.clouds().get(key, {}).get("market")
    return Region(key, label, tuple(places), tuple(found), market)


@cache
def _keys() -> dict[str, str]:
    return {key.lower(): key for key in (*facts.grids(), *facts.cloud_regions())}


@cache
def _labels() -> dict[str, list[str]]:
    """Keys by name; a place of this name goes before the cloud regions that stand there."""
    found: dict[str, list[str]] = {}
    for key, fact in facts.grids().items():
        if ":" not in key:
            found.setdefault(fact.label.lower(), []).append(key)
    places = set(found)
    for key, region in facts.cloud_regions().items():
        if region.label.lower() not in places:
            found.setdefault(region.label.lower(), []).append(key)
    return found


def _year(fact: Fact) -> int:
    """The first year of an edition such as "FY2025"."""
    return int(next(iter(re.findall(r"\d{4}", fact.edition)), 0))


def _nearest(wanted: str) -> str:
    known = {**{name: [key] for name, key in _keys().items()}, **_labels()}
    near = difflib.get_close_matches(wanted, known, n=3, cutoff=0.6)
    keys = list(dict.fromkeys(key for found in near for key in known[found]))[:4]
    if not keys:
        return "a country's code (FR), a state's (US-WV, CA-QC) or a cloud region (aws:eu-west-3)"
    return ", ".join(f"{key} ({_region(key).label})" if ":" not in key else key for key in keys)
