"""Regions by name: countries, states, provinces and cloud regions; grid factors, PUE, water."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from bench.impact import facts
from bench.impact.facts import Fact, FactRange

LIFE_CYCLE, DIRECT = "life-cycle", "direct combustion"
BASES = (LIFE_CYCLE, DIRECT)
ISO3 = "iso3 "  # what the note of a country begins with, before its code of three letters
PROVIDERS = {"aws": "aws", "azure": "microsoft", "gcp": "google"}


@dataclass(frozen=True)
class RegionFactor(Fact):
    """Carbon intensity of a region.

    `borrowed_from` is the label of the larger place that the figure belongs to, such as the
    country of a state; None for the region's own. A cloud region counts the state or the country
    in which it stands as its own place.
    """

    borrowed_from: str | None


@dataclass(frozen=True)
class Region:
    """A place and those that contain it: "aws:us-east-1" lies in "US-VA", which lies in "US".

    `factors` are the carbon intensities of these places, location-based and averaged over a year,
    the nearest place first. `market` is the provider's market-based factor, or None.
    """

    key: str
    label: str
    places: tuple[str, ...]
    factors: tuple[RegionFactor, ...]
    market: Fact | None

    def factor(self, basis: str | None = None) -> RegionFactor | None:
        """The carbon intensity of the nearest place, or the nearest one of this basis, or None.

        Every command takes its factor from here; without `basis` there always is one.
        """
        return next((fact for fact in self.factors if basis in (None, fact.basis)), None)

    def own_factor(self, basis: str) -> RegionFactor | None:
        """The carbon intensity of this basis if it is the region's own, not a larger place's."""
        factor = self.factor(basis)
        return factor if factor and factor.borrowed_from is None else None

    @property
    def pue(self) -> FactRange | None:
        """Power usage effectiveness of the cloud region, or over the reports of its provider."""
        return self._cloud_metric("pue")

    @property
    def wue(self) -> FactRange | None:
        """On-site water in L/kWh of the cloud region, or over the reports of its provider."""
        return self._cloud_metric("wue")

    @property
    def ewif(self) -> FactRange | None:
        """Off-site water in L/kWh over all sources, of the nearest place that has a figure."""
        return self.own_ewif or next(filter(None, map(facts.water_range, self.places)), None)

    @property
    def own_ewif(self) -> FactRange | None:
        """Off-site water in L/kWh of the region itself, not of a larger place; None if unknown."""
        return next(filter(None, map(facts.water_range, _own_places(self.places))), None)

    def _cloud_metric(self, metric: str) -> FactRange | None:
        fact = facts.clouds().get(self.key, {}).get(metric)
        if fact:
            return facts.fact_range([fact])
        operator = PROVIDERS.get(self.key.partition(":")[0])
        reports = facts.datacenters(metric).items()
        fleet = [f for key, f in reports if operator and key.startswith(f"{operator}-")]
        return facts.fact_range(sorted(fleet, key=_year, reverse=True)) if fleet else None


def find(name: str) -> Region:
    """The region of an ISO code (FR, FRA, US-WV, CA-QC), a cloud region or a name (England, USA).

    Case and accents do not matter. Raises ValueError, with the nearest names, for an unknown or
    ambiguous name.
    """
    query = _plain(name)
    key = _keys().get(query)
    matches = [key] if key else _labels().get(query, [])
    if len(matches) > 1:
        choices = ", ".join(map(_with_country, matches))
        raise ValueError(f"{name!r} is ambiguous: give one of {choices}")
    if not matches:
        raise ValueError(f"no region {name!r}; did you mean {_nearest(query)}?")
    return _region(matches[0])


def all_regions() -> list[Region]:
    """All regions, in the order of the tables."""
    return [_region(key) for key in _keys().values()]


def check_pue(pue: float | None) -> None:
    """Raise ValueError unless a power usage effectiveness is None or from 1 to below 10."""
    if pue is not None and not 1 <= pue < 10:
        raise ValueError(f"a PUE is 1 or more, not {pue:g}")


@cache
def _region(key: str) -> Region:
    cloud = facts.cloud_regions().get(key)
    places = [key, cloud["place"]] if cloud else [key]
    country = places[-1].split("-")[0]
    if country in facts.grids() and country not in places:
        places.append(country)
    tables = [facts.table(name) for name in facts.GRIDS]
    factors = [table[place] for place in places for table in tables if place in table]
    # The factors of cloud regions of 2021 come last: their countries have newer ones.
    old = facts.table("grid_clouds_2021")
    factors.sort(key=lambda fact: old.get(fact.key) is fact)
    label = f"{cloud['label']} ({key})" if cloud else factors[0].label
    market = facts.clouds().get(key, {}).get("market")
    own = _own_places(places)
    grid = (
        RegionFactor(**vars(f), borrowed_from=None if f.key in own else f.label) for f in factors
    )
    return Region(key, label, tuple(places), tuple(grid), market)


def _own_places(places: Sequence[str]) -> Sequence[str]:
    """The place itself; of a cloud region also the state or the country in which it stands."""
    return places[: 2 if ":" in places[0] else 1]


@cache
def _keys() -> dict[str, str]:
    return {_plain(key): key for key in (*facts.grids(), *facts.cloud_regions())}


@cache
def _labels() -> dict[str, list[str]]:
    """Keys by plain name, among them the codes of three letters and names.csv.

    A place takes precedence over the cloud regions of its name.
    """
    keys: dict[str, list[str]] = {}
    for key, fact in facts.grids().items():
        if ":" not in key:
            keys.setdefault(_plain(fact.label), []).append(key)
        if fact.note.startswith(ISO3):
            keys.setdefault(_plain(fact.note.removeprefix(ISO3)[:3]), [key])
    for name, key in facts.other_names().items():
        keys.setdefault(_plain(name), [key])
    places = set(keys)
    for key, region in facts.cloud_regions().items():
        if _plain(region["label"]) not in places:
            keys.setdefault(_plain(region["label"]), []).append(key)
    return keys


def _plain(name: str) -> str:
    """A name in lower case and without accents or surrounding spaces."""
    decomposed = unicodedata.normalize("NFKD", name.strip().casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def _with_country(key: str) -> str:
    """A key and where it is: "GE (the country)", "US-GA (United States)"; a cloud region's key."""
    region = _region(key)
    if ":" in key:
        return key
    *_, country = region.places
    return f"{key} ({'the country' if country == key else facts.grids()[country].label})"


def _year(fact: Fact) -> int:
    """The first year of an edition such as "FY2025"."""
    return int(next(iter(re.findall(r"\d{4}", fact.edition)), 0))


def _nearest(query: str) -> str:
    known = {**{name: [key] for name, key in _keys().items()}, **_labels()}
    names = difflib.get_close_matches(query, known, n=3, cutoff=0.6)
    keys = list(dict.fromkeys(key for name in names for key in known[name]))[:4]
    if not keys:
        return "a country's code (FR), a state's (US-WV, CA-QC) or a cloud region (aws:eu-west-3)"
    return ", ".join(f"{key} ({_region(key).label})" if ":" not in key else key for key in keys)
